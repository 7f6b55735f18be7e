"""The frames of a case's clip by number, each with what the trace knows of that very frame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api.work.frame_cache import FrameCache
from api.work.packages import EvidenceFile
from api.work.review import ReviewDesk
from evidence.records import CaseRecord
from rules.errors import StoplineError

SAME_S = 0.002
"""A frame of the clip and one of the trace that are not further apart are the same: no camera shows 500 in a second."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]


class FrameUnknownError(StoplineError):
    """The clip has no frame of that number."""

    code = "frame_unknown"

    def __init__(self, case_id: str, number: int, count: int) -> None:
        super().__init__(f"the clip of case {case_id} has frames 0 to {count - 1}, and no frame {number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFrame:
    """A frame of the clip, ``number`` from 0 in the order of showing. Box and points are None where it was not analysed.

    ``signals`` are the heads with the state that each had then.
    """

    number: int
    media_s: float
    captured_at: datetime | None
    box_px: Box | None
    leading_px: Point | None
    trailing_px: Point | None
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFrames:
    """All frames of the clip whose SHA-256 is ``clip_sha256``."""

    clip_sha256: str
    frames: tuple[CaseFrame, ...]


def case_frames(desk: ReviewDesk, record: CaseRecord) -> CaseFrames:
    """The frames of the case's clip. Raises what reading the package raises, and ClipError."""
    from evidence.reencode import times  # loads the decoder; the service starts without it

    clip = desk.clip(record.id)
    trace: Mapping[str, Any] = json.loads(desk.trace(record.id).content)
    timing = trace.get("clip") or {}
    first_s = float(timing.get("first_media_s") or 0.0)
    points = {round(point["media_s"] * 1000): point for point in trace.get("trace", ())}
    return CaseFrames(
        clip_sha256=clip.sha256,
        frames=tuple(
            _frame(record, number, first_s + at_s, points, trace.get("signal", ()))
            for number, at_s in enumerate(times(clip.content))
        ),
    )


def frame_picture(desk: ReviewDesk, frames: FrameCache, case_id: str, number: int) -> EvidenceFile:
    """The frame as a JPEG; its hash is that of the clip and the number, since both never change.

    Raises FrameUnknownError, ClipError, and what reading the package raises.
    """
    from evidence.reencode import times

    clip = desk.clip(case_id)
    try:
        content = frames.picture(clip.sha256, clip.content, number)
    except IndexError as exc:
        raise FrameUnknownError(case_id, number, len(times(clip.content))) from exc
    return EvidenceFile(
        name=f"frame-{number}.jpg",
        sha256=f"{clip.sha256}-{number}",
        media_type="image/jpeg",
        content=content,
    )


def _frame(
    record: CaseRecord,
    number: int,
    media_s: float,
    points: Mapping[int, Mapping[str, Any]],
    signal: Sequence[Mapping[str, Any]],
) -> CaseFrame:
    at_ms = round(media_s * 1000)
    near = (points.get(at_ms + step) for step in (0, -1, 1, -2, 2))
    point = next(
        (found for found in near if found is not None and abs(found["media_s"] - media_s) <= SAME_S), None
    )
    return CaseFrame(
        number=number,
        media_s=media_s,
        captured_at=None
        if record.captured_at is None
        else record.captured_at + timedelta(seconds=media_s - record.t_s),
        box_px=None if point is None else _pair(point["box_px"]),
        leading_px=None if point is None else _pair(point.get("leading_px")),
        trailing_px=None if point is None else _pair(point.get("trailing_px")),
        signals=tuple(
            (str(span["head_id"]), str(span["state"]))
            for span in signal
            if span["from_s"] <= media_s < span["to_s"]
        ),
    )


def _pair(numbers: Any) -> Any:
    return None if numbers is None else tuple(numbers)
