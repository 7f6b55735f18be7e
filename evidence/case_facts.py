"""What a package's manifest says of its case, as facts for people: labels and values in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

from evidence.databar import Field
from evidence.records import Case, Decision
from evidence.wording import CLASSES, ROLES, RULES, local_time
from rules.finding import PhotoRole, Rule, Status
from rules.observation import ObjectClass

STATES: Mapping[Status, str] = MappingProxyType(
    {
        Status.ASSERTED: "指控 asserted",
        Status.HELD: "存疑，不指控 held, accuses nobody",
        Status.EXEMPT: "豁免 exempt",
    }
)
DECISIONS: Mapping[Decision, str] = MappingProxyType(
    {
        Decision.OPEN: "未决定 not decided",
        Decision.CONFIRMED: "已确认 confirmed",
        Decision.REJECTED: "已驳回 rejected",
        Decision.VOID: "已撤销 void",
    }
)


def case_facts(manifest: Mapping[str, Any], zone: tzinfo) -> tuple[Field, ...]:
    """The facts of the case; what the manifest does not say is left out. Raises KeyError and ValueError for a manifest of
    another form.
    """
    case, site, plate = manifest["case"], manifest.get("site"), manifest.get("plate")
    said = [Field(label="案件编号 Case", value=str(case["id"]))]
    if "rule" in case:
        said.append(Field(label="行为 Kind", value=RULES[Rule(case["rule"])]))
    if "status" in case:
        said.append(Field(label="结论 Finding", value=STATES[Status(case["status"])]))
    if site:
        said.append(Field(label="地点 Site", value=f"{site['name']} ({site['id']})"))
    if "camera_id" in case:
        said.append(Field(label="设备 Camera", value=f"{case['camera_id']}, {case['place_id']}"))
    said.append(Field(label="时间 Time", value=_when(case, zone)))
    for name, label, unit in (
        ("time_into_red_s", "红灯已亮 Into red", "s"),
        ("time_into_red_min_s", "至少 At least", "s"),
        ("time_into_red_max_s", "至多 At most", "s"),
        ("dwell_s", "停留 Dwell", "s"),
        ("unseen_s", "其中未见 Unseen", "s"),
        ("allowed_stop_s", "允许停留 Allowed", "s"),
    ):
        if case.get(name) is not None:
            said.append(Field(label=label, value=f"{case[name]:.2f} {unit}"))
    if "object_class" in case:
        said.append(Field(label="车型 Class", value=CLASSES[ObjectClass(case["object_class"])]))
    said.append(Field(label="号牌 Plate", value=_plate(plate)))
    for reason in case.get("reasons", ()):
        said.append(Field(label="说明 Reason", value=str(reason)))
    whole = "完整 complete" if manifest["package"] == "complete" else "不完整 incomplete"
    said.append(Field(label="证据包 Package", value=whole))
    said += [Field(label="缺少 Missing", value=str(reason)) for reason in manifest["reasons"]]
    return tuple(said)


def decision_facts(case: Case | None, zone: tzinfo) -> tuple[Field, ...]:
    """Who decided what and when; that nobody knows where ``case`` is None."""
    if case is None:
        return (Field(label="决定 Decision", value="无记录 no record"),)
    said = [Field(label="决定 Decision", value=DECISIONS[case.decision])]
    for review in case.reviews:
        code = f", {review.code}" if review.code else ""
        note = f": {review.note}" if review.note else ""
        said.append(
            Field(
                label="复核 Review",
                value=f"{DECISIONS[review.decision]}{code}, {review.reviewer}, {local_time(review.decided_at, zone)}{note}",
            )
        )
    return tuple(said)


def photo_caption(photo: Mapping[str, Any], zone: tzinfo) -> str:
    """What stands below a photo: its file, what it shows, when it was taken."""
    role = ROLES[PhotoRole(photo["role"])] if photo.get("role") in list(PhotoRole) else str(photo.get("role"))
    return f"{photo['file']}: {role}, {_when(photo, zone)}"


def custody_facts(manifest_sha256: str, key_id: str, links: Sequence[str]) -> tuple[Field, ...]:
    """How the package is bound: its manifest's hash, who signed, its link."""
    said = [
        Field(label="清单 manifest.json SHA-256", value=manifest_sha256),
        Field(label="签名密钥 Signing key (Ed25519)", value=key_id),
    ]
    return (*said, *(Field(label="链节 Link", value=link) for link in links))


def _when(fields: Mapping[str, Any], zone: tzinfo) -> str:
    at = fields.get("captured_at")
    media_s = fields.get("media_s", fields.get("t_s"))
    media = "" if media_s is None else f"片内 media {media_s:.3f} s"
    if at is None:
        return f"无时钟 no wall clock, {media}" if media else "无时钟 no wall clock"
    return local_time(datetime.fromisoformat(at), zone)


def _plate(plate: Mapping[str, Any] | None) -> str:
    if plate is None or not plate.get("text"):
        return "未能识别 not readable"
    others = [f"{other['text']} ({other['confidence']:.2f})" for other in plate.get("alternatives", ())[:3]]
    more = f"; 其他读数 alternatives: {', '.join(others)}" if others else ""
    return f"{plate['text']} ({plate['confidence']:.2f}){more}"
