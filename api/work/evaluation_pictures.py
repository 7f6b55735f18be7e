"""Pictures of misses and false alarms, decoded from the recordings: the accused boxed, the place of a miss ringed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path

from api.work.evaluate import ClipEvaluation
from api.work.fold import read_observations
from api.work.observation_lines import ObservationLineError
from api.work.run_folder import OBSERVATIONS
from evidence.picture import Colour, Mark, detail, jpeg, with_marks
from ingest.errors import IngestError
from ingest.file_source import FileSource
from ingest.frame import Frame
from ingest.open_source import is_live
from rules.observation import Box, Point
from rules.scoring import PredictedEvent, TruthEvent

WIDTH_PX = 960
"""How wide a picture of the report is at most."""

MOST_PICTURES = 120
"""A report with more would weigh tens of megabytes; what is beyond it is listed without a picture."""

BOX_WITHIN_S = 1.0
"""How far from the event's time its vehicle may have been seen last, for the picture to be of that frame."""

MILLISECOND_S = 0.001
"""Events and truths are written to the millisecond."""

ACCUSED: Colour = (40, 40, 255)
PLACE: Colour = (0, 200, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture for the report, or in ``why_not`` the sentence that says why there is none. ``says`` describes it."""

    says: str
    media_s: float | None = None
    jpeg: bytes | None = None
    why_not: str | None = None


Case = TruthEvent | PredictedEvent
"""A miss, or a false alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """The first frame at or after ``from_s``, with these marks in pixels of the recording."""

    case: Case
    from_s: float
    marks: tuple[Mark, ...]
    says: str


def shots(clip: ClipEvaluation, cases: Sequence[Case]) -> tuple[Shot, ...]:
    """A picture of each case of the clip, in their order; one that cannot be had says why."""
    if is_live(clip.source):
        live = f"{clip.source} was a live camera; there is no recording to take the picture from."
        return tuple(Shot(says="", why_not=live) for _ in cases)
    boxes, no_boxes = _boxes(clip, [case for case in cases if isinstance(case, PredictedEvent)])
    wanted = [_wanted(case, boxes, no_boxes) for case in cases]
    found, broken = _decoded(clip, wanted)
    return tuple(
        found.get(number, Shot(says=one.says, why_not=broken or "The recording ends before this moment."))
        for number, one in enumerate(wanted)
    )


def _wanted(case: Case, boxes: Mapping[str, tuple[float, Box]], no_boxes: str | None) -> _Wanted:
    if isinstance(case, TruthEvent):
        says = "No vehicle was accused here." if case.at_px else "The truth gives no place for this miss."
        return _Wanted(case=case, from_s=case.t_s, marks=_ring(case), says=says)
    if case.id in boxes:
        media_s, box = boxes[case.id]
        x1, y1, x2, y2 = box
        frame = Mark(points_px=((x1, y1), (x2, y1), (x2, y2), (x1, y2)), colour=ACCUSED, closed=True)
        return _Wanted(case=case, from_s=media_s, marks=(frame,), says="The accused vehicle is boxed.")
    why = no_boxes or "The observations hold no box of it; the cross is where the event was said to be."
    return _Wanted(case=case, from_s=case.t_s, marks=_cross(case.at_px, ACCUSED), says=why)


def _ring(truth: TruthEvent) -> tuple[Mark, ...]:
    """Around where an event would have met the truth."""
    if truth.at_px is None:
        return ()
    (x, y), radius_px = truth.at_px, truth.at_radius_px
    around = [2.0 * pi * step / 36 for step in range(36)]
    ring = tuple((x + radius_px * cos(a), y + radius_px * sin(a)) for a in around)
    return (Mark(points_px=ring, colour=PLACE, closed=True), *_cross(truth.at_px, PLACE))


def _cross(at_px: Point, colour: Colour) -> tuple[Mark, ...]:
    x, y = at_px
    return (
        Mark(points_px=((x - 12, y), (x + 12, y)), colour=colour),
        Mark(points_px=((x, y - 12), (x, y + 12)), colour=colour),
    )


def _boxes(
    clip: ClipEvaluation, events: Iterable[PredictedEvent]
) -> tuple[dict[str, tuple[float, Box]], str | None]:
    """By event, when and where its track was seen: from the event's time on, else just before it."""
    waiting = {event.id: event for event in events if event.track is not None}
    found: dict[str, tuple[float, Box]] = {}
    if not waiting:
        return found, None
    try:
        for observation in read_observations(clip.run / OBSERVATIONS):
            stamp = observation.stamp
            if stamp.segment != clip.segment or observation.tracks is None:
                continue
            seen = {point.track_id: point.box_px for point in observation.tracks}
            for event in list(waiting.values()):
                away_s = stamp.media_s - event.t_s
                if away_s > BOX_WITHIN_S:
                    del waiting[event.id]
                elif event.track in seen and away_s >= -BOX_WITHIN_S:
                    found[event.id] = (stamp.media_s, seen[event.track])
                    if away_s >= -MILLISECOND_S:
                        del waiting[event.id]
    except ObservationLineError as exc:
        return found, f"Its box is not known: {exc}."
    return found, None


def _decoded(clip: ClipEvaluation, wanted: Sequence[_Wanted]) -> tuple[dict[int, Shot], str | None]:
    """The pictures by their number in ``wanted``, and why the others are missing where the recording is the reason."""
    left = sorted(range(len(wanted)), key=lambda number: wanted[number].from_s, reverse=True)
    found: dict[int, Shot] = {}
    try:
        source = FileSource(Path(clip.source), camera_id=clip.camera, segment=clip.segment)
        with closing(source):
            for frame in source.frames():
                while left and frame.stamp.media_s >= wanted[left[-1]].from_s - MILLISECOND_S:
                    number = left.pop()
                    found[number] = _shot(frame, wanted[number])
                if not left:
                    break
    except IngestError as exc:
        return found, f"The recording cannot be read: {exc}."
    return found, None


def _shot(frame: Frame, wanted: _Wanted) -> Shot:
    picture = frame.bgr()
    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH_PX / width)
    if scale < 1.0:
        whole = (0.0, 0.0, float(width), float(height))
        picture = detail(picture, whole, margin=0.0, height_px=round(height * scale))
    marks = [
        Mark(
            points_px=tuple((x * scale + by, y * scale + by) for x, y in mark.points_px),
            colour=mark.colour,
            closed=mark.closed,
        )
        for mark in wanted.marks
        for by in (0.0, 1.0)
    ]
    return Shot(says=wanted.says, media_s=frame.stamp.media_s, jpeg=jpeg(with_marks(picture, marks)))
