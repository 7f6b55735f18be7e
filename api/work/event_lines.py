"""Writes findings and passages as the lines of ``events.jsonl`` and ``passages.jsonl``: fixed fields, sensible digits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from evidence.canonical import moment as rfc3339
from evidence.moments import captured_at
from evidence.passage_file import PassagePicture
from evidence.ports import EvidenceRef
from rules.finding import Finding, Passage, PlateResult
from rules.observation import FrameStamp, Point

Row = Mapping[str, Any]
"""The fields of one line, in their order."""


def lines_text(rows: Iterable[Row]) -> str:
    """One line of JSON per row, each with its line end."""
    return "".join(_line(row) + "\n" for row in rows)


def ordered_events(rows: Iterable[Row]) -> list[Row]:
    """Events by ``t_s`` as written, then ``id``."""
    return sorted(rows, key=lambda row: (row["t_s"], row["id"]))


def ordered_passages(rows: Iterable[Row]) -> list[Row]:
    """Passages by segment, ``t_s`` as written, gate and track."""
    return sorted(rows, key=lambda row: (row["segment"], row["t_s"], row["gate"] or "", row["track"]))


def event_line(finding: Finding, evidence: EvidenceRef | None) -> str:
    """The finding's line of ``events.jsonl``, without a line end."""
    return _line(event_fields(finding, evidence))


def event_fields(finding: Finding, evidence: EvidenceRef | None) -> dict[str, Any]:
    """The fields of an event in their order; those that its rule has not, or that are not built, are None.

    ``t_s`` and the other times are media seconds to the millisecond, ``at_px`` tenths of a pixel,
    ``captured_at`` the moment of ``t_s`` in RFC 3339 UTC to the millisecond.
    """
    return {
        "id": finding.id,
        "rule": finding.rule.value,
        "camera": finding.camera_id,
        "place": finding.place_id,
        "track": finding.track_id,
        "t_s": _seconds(finding.t_s),
        "t_error_s": _seconds(finding.t_error_s),
        "captured_at": _moment(finding.stamp, finding.t_s),
        "at_px": _pixels(finding.at_px),
        "vehicle_class": finding.object_class.value,
        "plate": _plate_fields(finding.plate),
        "time_into_red_s": _seconds(finding.time_into_red_s),
        "time_into_red_min_s": _seconds(finding.time_into_red_min_s),
        "time_into_red_max_s": _seconds(finding.time_into_red_max_s),
        "dwell_s": _seconds(finding.dwell_s),
        "unseen_s": _seconds(finding.unseen_s),
        "status": finding.status.value,
        "reasons": list(finding.reasons),
        "evidence": None if evidence is None else evidence.evidence_path,
        "manifest": None if evidence is None else evidence.manifest_path,
        "manifest_sha256": None if evidence is None else evidence.manifest_sha256,
    }


def passage_fields(passage: Passage, keep_days: int, picture: PassagePicture | None) -> dict[str, Any]:
    """The fields of a passage in their order; ``gate`` and ``direction`` are None where only its plate was read.

    ``expires_at`` is when the record and its picture are to be deleted, ``keep_days`` after it happened; None
    where nobody knows when that was.
    """
    at = captured_at(passage.stamp, passage.t_s)
    return {
        "camera": passage.camera_id,
        "segment": passage.stamp.segment,
        "gate": passage.gate_id,
        "direction": passage.direction,
        "lane": passage.lane,
        "track": passage.track_id,
        "t_s": _seconds(passage.t_s),
        "captured_at": _moment(passage.stamp, passage.t_s),
        "at_px": _pixels(passage.at_px),
        "vehicle_class": passage.object_class.value,
        "plate": _plate_fields(passage.plate),
        "picture": None if picture is None else picture.path,
        "picture_sha256": None if picture is None else picture.sha256,
        "expires_at": None if at is None else rfc3339(at + timedelta(days=keep_days)),
    }


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3) + 0.0  # + 0.0: no "-0.0"


def _pixels(point: Point) -> list[float]:
    return [round(value, 1) + 0.0 for value in point]


def _plate_fields(plate: PlateResult | None) -> dict[str, Any] | None:
    if plate is None:
        return None
    return {
        "text": plate.text,
        "confidence": round(plate.confidence, 4),
        "alternatives": [
            {"text": other.text, "confidence": round(other.confidence, 4)} for other in plate.alternatives
        ],
    }


def _moment(stamp: FrameStamp, t_s: float) -> str | None:
    """The wall clock at media time ``t_s`` of the stamp's segment, or None where the stamp has none."""
    moment = captured_at(stamp, t_s)
    return None if moment is None else rfc3339(moment)
