"""Fifty road users at once before one camera that has every kind of place: for measuring what a step of the rules takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

from rules.observation import Box, FrameStamp, LampSample, LampState, ObjectClass, Observation, TrackPoint
from rules.site import Camera, Crosswalk, Gate, Head, NoParkingZone, Site, StopLine, View
from rules.site_movement import HeadKind, Lane, Movement

FPS = 25.0
CAMERA = "cam"
HEADS = ("left", "straight", "right")
RED_S, GREEN_S, AMBER_S = 30.0, 20.0, 3.0
LANE_PX, LINE_PX, PX_PER_M = 300.0, 700.0, 40.0
LANES_PX = (400.0, 700.0, 1000.0)

LINE = StopLine(
    line_id="line",
    movement="left, straight, right",
    line_px=((400.0, LINE_PX), (1300.0, LINE_PX)),
    further_on_px=((400.0, 420.0), (1300.0, 420.0)),
    direction=(0.0, -1.0),
    view=View.DEPARTING,
    scale_px_per_m=PX_PER_M,
    head_ids=HEADS,
    movements=(
        Movement(name="left", head_ids=("left",), exit_px=((390.0, 300.0), (390.0, 600.0))),
        Movement(name="straight", head_ids=("straight",), exit_px=((400.0, 300.0), (1300.0, 300.0))),
        Movement(name="right", head_ids=("right",), exit_px=((1310.0, 300.0), (1310.0, 600.0))),
    ),
    lanes=tuple(
        Lane(lane_id=name, share=(number / 3.0, (number + 1) / 3.0), movements=(name,))
        for number, name in enumerate(HEADS)
    ),
)

SITE = Site(
    site_id="crowd",
    name="Crowd",
    time_zone="UTC",
    plate_profile="ga36",
    heads=tuple(
        Head(
            head_id=name,
            camera_id=CAMERA,
            box_px=(100.0, 100.0, 120.0, 160.0),
            kind=HeadKind.ROUND if name == "straight" else HeadKind(f"arrow_{name}"),
        )
        for name in HEADS
    ),
    cameras=(
        Camera(
            camera_id=CAMERA,
            width_px=1920,
            height_px=1080,
            stop_lines=(LINE,),
            no_parking=(
                NoParkingZone(
                    zone_id="kerb",
                    polygon_px=((1400.0, 200.0), (1700.0, 200.0), (1700.0, 1060.0), (1400.0, 1060.0)),
                    allowed_stop_s=180.0,
                ),
            ),
            gates=(Gate(gate_id="gate", line_px=((400.0, 330.0), (1300.0, 330.0)), direction=(0.0, -1.0)),),
            crosswalks=(
                Crosswalk(
                    crosswalk_id="crossing",
                    polygon_px=((380.0, 560.0), (1320.0, 560.0), (1320.0, 660.0), (380.0, 660.0)),
                    head_ids=("straight",),
                ),
            ),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a road user is, and the size of its box in pixels."""

    object_class: ObjectClass
    width_px: float
    height_px: float


CAR = Shape(ObjectClass.CAR, 110.0, 90.0)
RIDER = Shape(ObjectClass.MOTORCYCLE, 36.0, 70.0)
WALKER = Shape(ObjectClass.PERSON, 26.0, 70.0)


def crowd(seconds: float) -> Iterator[Observation]:
    """The frames of so many seconds: red, green and amber in turn, and always fifty road users.

    Fifteen vehicles wait before the line and twelve stand far beyond it, three stand past it on red, eight drive
    over it whatever the light shows, one after another, six are parked, six walk over the crossing.
    """
    for index in range(round(seconds * FPS)):
        now_s = index / FPS
        yield Observation(
            stamp=FrameStamp(camera_id=CAMERA, segment=0, index=index, media_s=now_s),
            tracks=tuple(_road_users(now_s)),
            lamps=tuple(LampSample(head_id=name, state=_lamp(now_s), confidence=0.95) for name in HEADS),
        )


def _lamp(now_s: float) -> LampState:
    at_s = now_s % (RED_S + GREEN_S + AMBER_S)
    if at_s < RED_S:
        return LampState.RED
    return LampState.GREEN if at_s < RED_S + GREEN_S else LampState.AMBER


def _road_users(now_s: float) -> Iterator[TrackPoint]:
    for lane, left_px in enumerate(LANES_PX):
        for place in range(5):
            yield _seen(100 + 10 * lane + place, CAR, left_px + 90.0, 880.0 + 40.0 * place, now_s)
        yield _seen(150 + lane, CAR, left_px + 220.0, LINE_PX - 20.0, now_s)
        for place in range(4):
            yield _seen(200 + 10 * lane + place, CAR, left_px + 90.0, 120.0 + 50.0 * place, now_s)
    for number in range(8):
        trip, done_s = divmod(now_s + number, 8.0)
        track = 1000 + 10 * floor(trip) + number
        yield _seen(track, RIDER, 430.0 + 110.0 * number, 1060.0 - 125.0 * done_s, now_s)
    for number in range(6):
        yield _seen(300 + number, CAR, 1550.0, 300.0 + 140.0 * number, now_s)
        trip, done_s = divmod(now_s + 3.0 * number, 18.0)
        track = 5000 + 10 * floor(trip) + number
        yield _seen(track, WALKER, 340.0 + 60.0 * done_s, 575.0 + 14.0 * number, now_s)


def _seen(track: int, shape: Shape, x_px: float, y_px: float, now_s: float) -> TrackPoint:
    """Its box, which jitters by a pixel as a detector's does."""
    shake = (track * 7 + round(now_s * FPS) * 13) % 5 * 0.4 - 0.8
    x1, y2 = x_px - shape.width_px / 2.0 + shake, y_px - shake
    box: Box = (x1, y2 - shape.height_px, x1 + shape.width_px, y2)
    return TrackPoint(track_id=track, object_class=shape.object_class, box_px=box, score=0.9)
