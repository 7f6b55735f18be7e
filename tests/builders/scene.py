"""A small language for observations: road users that move, stand, hide and change their track, and lamps over time.

    car = a_car(track=1).drives((0, 300), (200, 300), 0, 4).stands(until_s=40).hidden(10, 14)
    for observation in observe([car], until_s=40, fps=10): ...

Positions are the middle of the box's lower edge, in pixels; times are media seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from rules.observation import (
    Box,
    ClockSource,
    FrameStamp,
    LampSample,
    LampState,
    ObjectClass,
    Observation,
    PlateReading,
    Point,
    TrackPoint,
)


@dataclass(frozen=True)
class Actor:
    """A road user with a path (time, bottom-centre), straight and even between its corners, seen from first to last."""

    track: int
    object_class: ObjectClass
    size_px: tuple[float, float]
    path: tuple[tuple[float, Point], ...] = ()
    unseen: tuple[tuple[float, float], ...] = ()
    renamed: tuple[tuple[float, int], ...] = ()
    plate: str | None = None
    score: float = 0.9

    def at(self, time_s: float, point: Point) -> Actor:
        """Also passes ``point`` at ``time_s`` (later than all points so far)."""
        return replace(self, path=(*self.path, (time_s, point)))

    def drives(self, start: Point, end: Point, from_s: float, to_s: float) -> Actor:
        """Drives evenly from ``start`` to ``end``; carries on from the last point when ``start`` is it."""
        first = () if self.path and self.path[-1] == (from_s, start) else ((from_s, start),)
        return replace(self, path=(*self.path, *first, (to_s, end)))

    def drives_to(self, end: Point, to_s: float) -> Actor:
        """Drives evenly from where it is now to ``end``."""
        return self.at(to_s, end)

    def brakes_to(self, end: Point, from_s: float, to_s: float) -> Actor:
        """Comes to rest at ``end`` with even braking, from where it is now."""
        (x, y), steps = self.path[-1][1], 16
        actor = self
        for step in range(1, steps + 1):
            share = step / steps
            done = 1.0 - (1.0 - share) ** 2
            actor = actor.at(
                from_s + share * (to_s - from_s), (x + done * (end[0] - x), y + done * (end[1] - y))
            )
        return actor

    def stands(self, until_s: float) -> Actor:
        """Stands where it is until then."""
        return self.at(until_s, self.path[-1][1])

    def stands_at(self, point: Point, from_s: float, to_s: float) -> Actor:
        """Is first seen standing at ``point``."""
        return self.at(from_s, point).at(to_s, point)

    def hidden(self, from_s: float, to_s: float) -> Actor:
        """Cannot be seen in this interval."""
        return replace(self, unseen=(*self.unseen, (from_s, to_s)))

    def becomes(self, track: int, at_s: float) -> Actor:
        """The tracker gives it another identity from then on."""
        return replace(self, renamed=(*self.renamed, (at_s, track)))

    def with_plate(self, text: str) -> Actor:
        """Its plate is read as this in every frame in which it is seen."""
        return replace(self, plate=text)

    def track_at(self, time_s: float) -> int:
        """Its track id at that time."""
        return next((track for start, track in reversed(self.renamed) if start <= time_s), self.track)

    def point_at(self, time_s: float) -> Point | None:
        """Where it is, or None where it cannot be seen."""
        if any(start <= time_s < end for start, end in self.unseen):
            return None
        for (t0, (x0, y0)), (t1, (x1, y1)) in zip(self.path, self.path[1:], strict=False):
            if t0 <= time_s <= t1:
                share = 0.0 if t1 == t0 else (time_s - t0) / (t1 - t0)
                return (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
        return None

    def box_at(self, time_s: float) -> Box | None:
        """Its box, or None where it cannot be seen."""
        point = self.point_at(time_s)
        if point is None:
            return None
        width, height = self.size_px
        return (point[0] - width / 2, point[1] - height, point[0] + width / 2, point[1])


def a_car(track: int, size_px: tuple[float, float] = (120.0, 90.0)) -> Actor:
    return Actor(track, ObjectClass.CAR, size_px)


def a_bus(track: int, size_px: tuple[float, float] = (300.0, 200.0)) -> Actor:
    return Actor(track, ObjectClass.BUS, size_px)


def a_motorcycle(track: int, size_px: tuple[float, float] = (40.0, 80.0)) -> Actor:
    return Actor(track, ObjectClass.MOTORCYCLE, size_px)


def a_bicycle(track: int, size_px: tuple[float, float] = (40.0, 80.0)) -> Actor:
    return Actor(track, ObjectClass.BICYCLE, size_px)


def a_person(track: int, size_px: tuple[float, float] = (30.0, 80.0)) -> Actor:
    return Actor(track, ObjectClass.PERSON, size_px)


@dataclass(frozen=True)
class Lamp:
    """A signal head with its states from given times on; ``unknown`` before the first."""

    head_id: str
    states: tuple[tuple[float, LampState], ...] = ()

    def shows(self, state: LampState, from_s: float) -> Lamp:
        """Shows this from then on."""
        return replace(self, states=(*self.states, (from_s, state)))

    def sample(self, time_s: float) -> LampSample:
        shown = next((state for start, state in reversed(self.states) if start <= time_s), LampState.UNKNOWN)
        return LampSample(
            head_id=self.head_id, state=shown, confidence=0.0 if shown is LampState.UNKNOWN else 0.95
        )


def a_lamp(head_id: str) -> Lamp:
    return Lamp(head_id)


def a_reading(
    track: int,
    text: str,
    confidence: float = 0.99,
    alternatives: dict[int, tuple[tuple[str, float], ...]] | None = None,
    sharpness: float = 300.0,
    detection_score: float = 0.9,
) -> PlateReading:
    """One reading of a plate; ``alternatives`` are given by the position of the character."""
    others = alternatives or {}
    return PlateReading(
        track_id=track,
        text=text,
        char_confidences=(confidence,) * len(text),
        char_alternatives=tuple(others.get(position, ()) for position in range(len(text))),
        detection_score=detection_score,
        sharpness=sharpness,
        corners_px=((0.0, 0.0), (80.0, 0.0), (80.0, 25.0), (0.0, 25.0)),
    )


def a_stamp(
    time_s: float, fps: float = 25.0, camera_id: str = "cam1", started_at: datetime | None = None
) -> FrameStamp:
    """The stamp of the frame at that time, with a declared wall clock where ``started_at`` is given."""
    return FrameStamp(
        camera_id=camera_id,
        segment=0,
        index=round(time_s * fps),
        media_s=time_s,
        captured_at=None if started_at is None else started_at + timedelta(seconds=time_s),
        clock_source=ClockSource.NONE if started_at is None else ClockSource.DECLARED,
    )


def observe(
    actors: Sequence[Actor],
    *,
    until_s: float,
    fps: float = 25.0,
    from_s: float = 0.0,
    lamps: Sequence[Lamp] = (),
    camera_id: str = "cam1",
    started_at: datetime | None = None,
    random: Random | None = None,
    jitter: float = 0.0,
    missed: float = 0.0,
    dropped: Iterable[tuple[float, float]] = (),
) -> list[Observation]:
    """The observations of all frames from ``from_s`` to ``until_s``.

    With ``random``, each side of each box moves by up to ``jitter`` of the box's width or height, and the
    share ``missed`` of the detections is left out. No frame exists in the intervals ``dropped``.
    """
    chance = random or Random(0)
    holes = tuple(dropped)
    found = []
    for index in range(round(from_s * fps), round(until_s * fps) + 1):
        time_s = index / fps
        if any(start <= time_s < end for start, end in holes):
            continue
        seen = []
        for actor in actors:
            box = actor.box_at(time_s)
            if box is not None and chance.random() >= missed:
                seen.append((actor, actor.track_at(time_s), _jittered(box, jitter, chance)))
        found.append(
            Observation(
                stamp=a_stamp(time_s, fps, camera_id, started_at),
                tracks=tuple(
                    TrackPoint(track_id=track, object_class=actor.object_class, box_px=box, score=actor.score)
                    for actor, track, box in seen
                ),
                lamps=tuple(lamp.sample(time_s) for lamp in lamps),
                plates=tuple(
                    a_reading(track, actor.plate) for actor, track, _ in seen if actor.plate is not None
                ),
            )
        )
    return found


def _jittered(box: Box, jitter: float, chance: Random) -> Box:
    if jitter == 0.0:
        return box
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return (
        x1 + chance.uniform(-jitter, jitter) * width,
        y1 + chance.uniform(-jitter, jitter) * height,
        x2 + chance.uniform(-jitter, jitter) * width,
        y2 + chance.uniform(-jitter, jitter) * height,
    )
