"""Fills a data folder with drawn cases, as a replay would leave them: pictures, an H.264 clip, trace, manifest, records."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from evidence.canonical import sha256_hex
from evidence.manifest import NAME, SIGNATURE, SealedFile, manifest_bytes
from evidence.records import CaseRecord, PackageState
from evidence.records_sql import SqlRecords
from evidence.signing import signature_file
from rules.finding import Rule, Status
from tests.builders.signing import a_custody, a_signer

Picture = NDArray[np.uint8]
SIZE_PX = (640, 360)
FPS = 25
START = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
LINE_Y_PX, FURTHER_Y_PX, PX_PER_M = 230.0, 130.0, 10.0
CAR_LENGTH_M = 4.5


@dataclass(frozen=True, kw_only=True)
class DrawnCase:
    """A case to be: the event at ``t_s``; ``draw`` gives the BGR picture at a media second.

    With ``accused_px``, the accused vehicle's box, the manifest says what one of a replay says.
    """

    id: str
    rule: Rule = Rule.RED_LIGHT
    status: Status = Status.ASSERTED
    camera_id: str = "north"
    place_id: str = "line-1"
    t_s: float = 20.0
    vehicle_class: str = "car"
    plate: dict[str, Any] | None = None
    reasons: tuple[str, ...] = ()
    package_reasons: tuple[str, ...] = ()
    has_wall_clock: bool = True
    facts: dict[str, Any] = field(default_factory=dict)
    sealed: dict[str, Any] = field(default_factory=dict)
    trace: dict[str, Any] = field(default_factory=dict)
    photos: tuple[tuple[str, float], ...] = ()
    clip_s: tuple[float, float] = (0.0, 1.0)
    accused_px: tuple[float, float, float, float] | None = None
    draw: Callable[[float], Picture] = lambda at_s: street(car_m=None, lamp="red")


def street(*, car_m: float | None, lamp: str, parked: bool = False, plate: str = "C8364S") -> Picture:
    """A street with a stop line and a signal: ``car_m`` is the front of a car driving away, metres past the line."""
    picture = np.full((SIZE_PX[1], SIZE_PX[0], 3), (96, 98, 100), np.uint8)
    picture[:60] = (205, 190, 170)
    for x in (0, 470):
        cv2.rectangle(picture, (x, 60), (x + 170, 360), (120, 138, 132), -1)
    for y in range(70, 360, 40):
        cv2.line(picture, (320, y), (320, y + 20), (225, 225, 225), 2)
    cv2.line(picture, (325, int(LINE_Y_PX)), (465, int(LINE_Y_PX)), (250, 250, 250), 5)
    cv2.rectangle(picture, (520, 70), (540, 126), (30, 30, 30), -1)
    colours = {"red": (40, 40, 230), "amber": (30, 170, 240), "green": (90, 200, 60)}
    for place, (name, colour) in enumerate(colours.items()):
        cv2.circle(picture, (530, 80 + 18 * place), 7, colour if name == lamp else (60, 60, 60), -1)
    if parked:
        _car(picture, 560, 300, (70, 90, 160), plate)
    if car_m is not None:
        _car(picture, 395, int(LINE_Y_PX - (car_m - CAR_LENGTH_M) * PX_PER_M), (150, 70, 40), plate)
    return picture


def red_light(case_id: str = "north-red_light-s0-f000500-t7", **changes: Any) -> DrawnCase:
    """A car that crosses at 20.0 s at 7 m/s, red since 18.6 s."""
    amber_s, red_s, speed = 15.6, 18.6, 7.0

    def lamp(at_s: float) -> str:
        return "green" if at_s < amber_s else "amber" if at_s < red_s else "red"

    def front_m(at_s: float) -> float:
        return (at_s - 20.0) * speed

    times = [17.2 + 0.08 * step for step in range(70)]
    trace = {
        "trace": [
            {
                "index": round(at * FPS),
                "media_s": at,
                "box_px": [360.0, LINE_Y_PX - front_m(at) * PX_PER_M, 430.0, LINE_Y_PX - (front_m(at) - CAR_LENGTH_M) * PX_PER_M],
                "leading_px": [395.0, LINE_Y_PX - front_m(at) * PX_PER_M],
                "trailing_px": [395.0, LINE_Y_PX - (front_m(at) - CAR_LENGTH_M) * PX_PER_M],
                "leading_m": front_m(at),
                "trailing_m": front_m(at) - CAR_LENGTH_M,
            }
            for at in times
            if not 18.9 < at < 19.3
        ],
        "signal": [
            {"head_id": "north-1", "state": "green", "from_s": 7.2, "to_s": amber_s, "onset_s": None},
            {"head_id": "north-1", "state": "amber", "from_s": amber_s, "to_s": red_s, "onset_s": [15.56, 15.6]},
            {"head_id": "north-1", "state": "red", "from_s": red_s, "to_s": 22.8, "onset_s": [18.56, 18.6]},
        ],
        "crossing_s": [19.92, 20.08],
        "line_px": [[325.0, LINE_Y_PX], [465.0, LINE_Y_PX]],
        "further_line_px": [[325.0, FURTHER_Y_PX], [465.0, FURTHER_Y_PX]],
    }  # fmt: skip
    values: dict[str, Any] = {
        "plate": {
            "text": "浙C8364S",
            "confidence": 0.93,
            "char_confidences": [0.99, 0.99, 0.71, 0.98, 0.97, 0.99, 0.96],
            "alternatives": [
                {"text": "浙CB364S", "confidence": 0.05},
                {"text": "浙C83645", "confidence": 0.015},
                {"text": "浙C364S", "confidence": 0.005},
            ],
            "readings": 31,
        },
        "reasons": (
            "Its front crossed the stop line 1.42 s into red (± 0.10 s, at least 1.32 s; grace 0.30 s).",
        ),
        "facts": {
            "t_error_s": 0.08,
            "time_into_red_s": 1.42,
            "time_into_red_min_s": 1.32,
        },
        "sealed": {"time_into_red_max_s": 1.52, "grace_s": 0.3},
        "trace": trace,
        "photos": (("before_line", 18.8), ("past_line", 20.88), ("further_on", 22.0)),
        "clip_s": (14.0, 26.0),
        "draw": lambda at_s: street(car_m=front_m(at_s) if 16.0 < at_s < 24.5 else None, lamp=lamp(at_s)),
    }
    return DrawnCase(id=case_id, **{**values, **changes})


def unreadable(case_id: str = "north-red_light-s0-f000900-t9", **changes: Any) -> DrawnCase:
    """The same without a readable plate: an incomplete package."""
    return red_light(
        case_id,
        **{
            "plate": {"text": None, "confidence": 0.0, "alternatives": []},
            "package_reasons": ("plate: no reading fits the grammar",),
            "has_wall_clock": False,
            **changes,
        },
    )


def held(case_id: str = "north-red_light-s0-f001300-t12", **changes: Any) -> DrawnCase:
    """A crossing too close to the onset to accuse."""
    return red_light(
        case_id,
        **{
            "status": Status.HELD,
            "reasons": ("0.21 s into red, ± 0.30 s; grace 0.30 s.",),
            "facts": {"t_error_s": 0.2, "time_into_red_s": 0.21, "time_into_red_min_s": -0.09},
            **changes,
        },
    )


def parking(case_id: str = "kerb-no_parking-s0-f001000-t3", **changes: Any) -> DrawnCase:
    """A car that stands from 10 s to 58 s where 20 s are allowed, hidden twice."""
    seen = [
        (10.0, 24.0, True),
        (24.0, 27.0, False),
        (27.0, 44.0, True),
        (44.0, 46.5, False),
        (46.5, 58.0, True),
    ]
    trace = {
        "dwell": [{"from_s": a, "to_s": b, "seen": s} for a, b, s in seen],
        "allowed_stop_s": 20.0,
        "zone_px": [[470.0, 200.0], [640.0, 200.0], [640.0, 360.0], [470.0, 360.0]],
    }
    values: dict[str, Any] = {
        "rule": Rule.NO_PARKING,
        "camera_id": "kerb",
        "place_id": "kerb-east",
        "t_s": 30.0,
        "vehicle_class": "truck",
        "plate": {"text": "京A12345", "confidence": 0.99, "alternatives": []},
        "reasons": ("It stood for 48.0 s; 20.0 s are allowed.",),
        "facts": {"t_error_s": 0.2, "dwell_s": 48.0, "unseen_s": 5.5},
        "trace": trace,
        "photos": (("first", 10.2), ("middle", 30.4), ("last", 57.6)),
        "clip_s": (24.0, 36.0),
        "draw": lambda at_s: street(car_m=None, lamp="green", parked=True, plate="A12345"),
    }
    return DrawnCase(id=case_id, **{**values, **changes})


def fill(folder: Path, cases: Sequence[DrawnCase]) -> None:
    """The folder holds the packages and records of the cases, in that order, after what it held before."""
    records = SqlRecords(folder / "records.sqlite")
    try:
        for case in cases:
            records.add_case(_package(folder, case))
    finally:
        records.close()


def fill_with_chain(folder: Path, cases: Sequence[DrawnCase]) -> None:
    """As ``fill``, with a link of the first signer for each case, and a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    records = SqlRecords(folder / "records.sqlite")
    try:
        custody = a_custody(folder, records)
        for case in cases:
            custody.add_case(_package(folder, case))
        for camera_id in sorted({case.camera_id for case in cases}):
            custody.checkpoint(camera_id)
    finally:
        records.close()


def _package(folder: Path, case: DrawnCase) -> CaseRecord:
    package = folder / "evidence" / case.id
    package.mkdir(parents=True)
    photos = []
    for number, (role, at_s) in enumerate(case.photos, start=1):
        name = f"scene-{number}.jpg"
        _write_jpeg(package / name, _with_bar(case.draw(at_s), f"{case.camera_id}  {at_s:.3f} s  {role}"))
        photos.append(
            {
                "role": role,
                "file": name,
                "index": round(at_s * FPS),
                "media_s": at_s,
                "captured_at": _rfc3339(at_s) if case.has_wall_clock else None,
            }
        )
    middle = case.draw(case.photos[1][1]) if case.photos else case.draw(case.t_s)
    _write_jpeg(package / "plate.jpg", cv2.resize(_plate("C8364S"), None, fx=3, fy=3))
    if case.rule is Rule.RED_LIGHT:
        _write_jpeg(package / "lamp.jpg", cv2.resize(middle[62:134, 500:560], None, fx=4, fy=4))
    first_s, last_s = case.clip_s
    last_s = write_clip(package / "clip.mp4", case.draw, first_s, last_s)
    event = {
        "id": case.id,
        "rule": case.rule.value,
        "camera": case.camera_id,
        "t_s": case.t_s,
        "captured_at": _rfc3339(case.t_s) if case.has_wall_clock else None,
        "vehicle_class": case.vehicle_class,
        "plate": case.plate and {name: case.plate[name] for name in ("text", "confidence", "alternatives")},
        "status": case.status.value,
        "reasons": list(case.reasons),
        **case.facts,
    }
    trace = {
        "format": "stopline-trace/1",
        "finding": {**event, **case.sealed, "plate": case.plate},
        "trace": [],
        "signal": [],
        "dwell": [],
        "crossing_s": None,
        "line_px": None,
        "further_line_px": None,
        "zone_px": [],
        "allowed_stop_s": None,
        **case.trace,
        "photos": photos,
        "clip": {"file": "clip.mp4", "first_media_s": first_s, "last_media_s": last_s},
    }
    (package / "trace.json").write_text(json.dumps(trace, ensure_ascii=False), encoding="utf-8")
    content: dict[str, Any] = {}
    if case.accused_px is not None:
        content = {
            "case": {
                "id": case.id,
                "rule": case.rule.value,
                "object_class": case.vehicle_class,
                "t_s": case.t_s,
            },
            "plate": case.plate,
            "photos": [
                {**photo, "box_px": list(case.accused_px), "frame_size_px": list(SIZE_PX)} for photo in photos
            ],
            "clip": trace["clip"],
        }
    reseal(package, case.package_reasons, content)
    manifest = (package / "manifest.json").read_bytes()
    return CaseRecord(
        id=case.id,
        rule=case.rule,
        site_id="crossroads",
        camera_id=case.camera_id,
        place_id=case.place_id,
        status=case.status,
        t_s=case.t_s,
        captured_at=START + timedelta(seconds=case.t_s) if case.has_wall_clock else None,
        time_zone="Asia/Shanghai",
        vehicle_class=case.vehicle_class,
        plate_text=case.plate["text"] if case.plate else None,
        package=PackageState.INCOMPLETE if case.package_reasons else PackageState.COMPLETE,
        package_reasons=case.package_reasons,
        evidence_path=f"evidence/{case.id}",
        manifest_path=f"evidence/{case.id}/manifest.json",
        manifest_sha256=sha256_hex(manifest),
        event_json=json.dumps(event, ensure_ascii=False),
    )


def reseal(package: Path, reasons: tuple[str, ...] = (), content: dict[str, Any] | None = None) -> None:
    """The package's manifest lists the files that are there now, and is signed."""
    for name in (NAME, SIGNATURE):
        (package / name).unlink(missing_ok=True)
    files = [
        SealedFile(name=path.name, sha256=sha256_hex(path.read_bytes()), size=path.stat().st_size)
        for path in package.iterdir()
    ]
    manifest = manifest_bytes({"case": {"id": package.name}, **(content or {})}, tuple(files), reasons)
    (package / NAME).write_bytes(manifest)
    (package / SIGNATURE).write_bytes(signature_file(a_signer(), manifest))


def write_clip(path: Path, draw: Callable[[float], Picture], first_s: float, last_s: float) -> float:
    """The clip holds 25 pictures a second from ``first_s``; returns the media second of its last one."""
    times = [round(first_s + step / FPS, 6) for step in range(round((last_s - first_s) * FPS))]
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "25"})
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        for number, at_s in enumerate(times):
            frame = av.VideoFrame.from_ndarray(draw(at_s), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return times[-1]


def _car(picture: Picture, x: int, rear_y: int, colour: tuple[int, int, int], plate: str) -> None:
    """A car seen from behind, its rear wheels at ``rear_y``."""
    cv2.ellipse(picture, (x, rear_y), (38, 6), 0, 0, 360, (60, 60, 62), -1)
    cv2.rectangle(picture, (x - 34, rear_y - 38), (x + 34, rear_y - 4), colour, -1)
    cv2.rectangle(picture, (x - 27, rear_y - 62), (x + 27, rear_y - 38), tuple(c // 2 for c in colour), -1)
    cv2.rectangle(picture, (x - 22, rear_y - 58), (x + 22, rear_y - 41), (170, 150, 130), -1)
    if 22 <= rear_y < picture.shape[0]:
        picture[rear_y - 22 : rear_y - 10, x - 20 : x + 20] = cv2.resize(_plate(plate), (40, 12))
    for side in (-1, 1):
        cv2.circle(picture, (x + side * 27, rear_y - 26), 4, (50, 40, 210), -1)


def _plate(text: str) -> Picture:
    plate = np.full((36, 120, 3), (160, 70, 20), np.uint8)
    cv2.putText(plate, text, (8, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
    return plate


def _with_bar(picture: Picture, text: str) -> Picture:
    bar = np.full((28, picture.shape[1], 3), 20, np.uint8)
    cv2.putText(bar, text, (10, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (240, 240, 240), 1, cv2.LINE_AA)
    return np.concatenate([picture, bar])


def _write_jpeg(path: Path, picture: Any) -> None:
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert done
    path.write_bytes(data.tobytes())


def _rfc3339(at_s: float) -> str:
    return (START + timedelta(seconds=at_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
