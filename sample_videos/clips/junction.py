"""The junction's ways, signals and cameras, and a builder that the junction clips share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sample_videos.render.camera import Camera
from sample_videos.scene import Crosswalk, Line, Scene
from sample_videos.world.demand import Demand
from sample_videos.world.paths import Path, path
from sample_videos.world.places import BIKE_Y, CROSS_HALF, CROSS_X, INNER_Y, KERB_Y, OUTER_Y, Head
from sample_videos.world.signals import Program
from sample_videos.world.traffic import Control

BEGIN_X = -140.0
LINE_S = -BEGIN_X
"""How far along each way of the approach its stop line lies."""

CROSS_EDGE = KERB_Y + 6.5
TWO_WHEELS = {"motorcycle": 0.8, "bicycle": 0.2}

IN, OUT, BIKE = (path([(BEGIN_X, y), (150.0, y)]) for y in (INNER_Y, OUTER_Y, BIKE_Y))
BIKE_BESIDE = path([(BEGIN_X, BIKE_Y + 1.15), (150.0, BIKE_Y + 1.15)])
BIKE_MERGES = path(
    [(BEGIN_X, BIKE_Y + 1.15), (-0.5, BIKE_Y + 1.15), (6.5, OUTER_Y - 0.1), (150.0, OUTER_Y - 0.1)],
    radius_m=3.0,
)
LEFT = path([(BEGIN_X, INNER_Y), (CROSS_X + 1.75, INNER_Y), (CROSS_X + 1.75, 110.0)], radius_m=10.0)
RIGHT = path([(BEGIN_X, OUTER_Y), (CROSS_X - 5.25, OUTER_Y), (CROSS_X - 5.25, -110.0)], radius_m=7.0)
MAIN = (Control(s_m=LINE_S, head_id="main"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """One change of the main road's signal from green to red and back; ``green_again_s`` may lie beyond the clip."""

    red_s: float
    green_again_s: float
    flash_s: float = 3.0
    amber_s: float = 3.0

    def main(self, head_id: str) -> Program:
        """The main road's program; before its green it was red for 20 s, and after the next green the same follows."""
        red, green = self.red_s, self.green_again_s
        lasts = 14.0
        changes = [(-60.0, "red"), (min(-18.0, red - 30.0), "green")]
        while red < 400.0:
            changes += [(red - self.amber_s - self.flash_s, "flashing_green")] * (self.flash_s > 0)
            changes += [(red - self.amber_s, "amber"), (red, "red"), (green, "green")]
            red, green = green + lasts + 6.0, green + lasts + 6.0 + (self.green_again_s - self.red_s)
        return Program(head_id=head_id, changes=tuple(changes))

    def cross(self, head_id: str = "cross", *, first_s: float = 2.0) -> Program:
        """The cross road's: green ``first_s`` after the main road's red, red again 2 s before its next green."""
        changes = [(-60.0, "red")]
        for (at, state), (end, _) in zip(self.main("").changes, self.main("").changes[1:], strict=False):
            if state == "red" and end - at > 10.0:
                changes += [(at + first_s, "green"), (end - 5.0, "amber"), (end - 2.0, "red")]
        return Program(head_id=head_id, changes=tuple(changes))


def departing(size: tuple[int, int] = (1280, 720)) -> Camera:
    """Behind the approach, over its lanes: vehicles drive away from it."""
    return Camera(eye=(-24.0, -4.2, 6.2), target=(10.0, -3.6, 0.4), across_deg=40.0, size_px=size)


def departing_high(across_deg: float = 40.0) -> Camera:
    """As ``departing``, from a mast of 8 m: where lanes queue side by side, those behind hide less of each other."""
    return Camera(
        eye=(-24.0, -4.2, 8.0), target=(10.0, -3.6, 0.4), across_deg=across_deg, size_px=(1280, 720)
    )


def approaching(size: tuple[int, int] = (1280, 720)) -> Camera:
    """Over the middle of the junction, looking back: vehicles drive towards it."""
    return Camera(eye=(20.0, -4.2, 6.3), target=(0.0, -4.2, 0.9), across_deg=44.0, size_px=size)


def departing_close() -> Camera:
    """From far behind through a long lens: every rear plate is 105 px wide or wider when it comes into the picture.

    Aimed to the right of the lanes, so that oncoming vehicles leave the picture before their plates are 60 px wide.
    """
    return Camera(eye=(-45.0, -4.0, 8.0), target=(2.0, -5.22, 0.75), across_deg=12.7, size_px=(1920, 1080))


def approaching_close() -> Camera:
    """Over the near side of the junction, down on the line: a front plate is 95 px wide there and grows to 130 px.

    Oncoming vehicles stay left of the picture, and whoever is too far away for a readable plate above it.
    """
    return Camera(eye=(22.0, -1.2, 6.5), target=(2.0, -3.46, 0.6), across_deg=21.5, size_px=(1920, 1080))


HEADS = (
    Head(head_id="main", place=(35.2, -3.6, 4.9), facing_x=-1.0),
    Head(head_id="oncoming", place=(-3.2, 3.2, 4.35), facing_x=1.0),
)
MAIN_CLOSE = (
    Head(head_id="main", place=(6.8, -10.5, 2.6), facing_x=-1.0, scale=0.9, has_pole=True),
    HEADS[1],
)
ONCOMING_CLOSE = (
    HEADS[0],
    Head(head_id="oncoming", place=(1.5, 0.0, 2.2), facing_x=1.0, scale=0.7, has_pole=True),
)
"""One head low on a pole, at the near corner or between the two ways, where a close view still shows it."""

STREET_LAMPS = tuple(
    (x, side * 7.4, 8.6) for x in (-62.0, -40.0, -18.0, 3.5, 29.0, 52.0, 75.0) for side in (-1.0, 1.0)
)


def straight_line(view: str, *, further_x: float | None = None, right_y: float = 0.2 - KERB_Y) -> Line:
    """The stop line over both lanes and the lane for two-wheelers, or as far to the right as the picture reaches."""
    beyond = (9.0 if view == "departing" else 6.5) if further_x is None else further_x
    head = "main" if view == "departing" else "oncoming"
    return Line(
        line_id="straight",
        movement="straight",
        y1=right_y,
        y2=-0.2,
        further_x=beyond,
        view=view,
        heads=(head,),
    )


def junction_scene(
    name: str,
    about: str,
    *,
    seed: int,
    view: str,
    phases: Phases,
    seconds: float,
    script: Callable[[Demand], None],
    light: str = "day",
    size: tuple[int, int] = (1280, 720),
    fps: float = 12.5,
    max_mb: float = 2.2,
    every_s: float = 4.5,
    cross_every_s: float = 9.0,
    lines: Sequence[Line] | None = None,
    heads: Sequence[Head] = HEADS,
    more_programs: Sequence[Program] = (),
    crosswalks: Sequence[Crosswalk] = (),
    warm_s: float = 26.0,
    inner: Path = IN,
    right_lane: bool = False,
    remember: bool = True,
    never: tuple[str, ...] = (),
    started_at: str = "2026-05-12T09:41:00+08:00",
    camera: Camera | None = None,
) -> Scene:
    """A clip at the junction: random traffic on all ways, and what ``script`` adds."""
    demand = Demand(np.random.default_rng(seed))
    programs = {
        p.head_id: p for p in (phases.main("main"), phases.main("oncoming"), phases.cross(), *more_programs)
    }
    script(demand)
    begin, end = -warm_s, seconds
    if every_s > 0.0:
        demand.flow(inner, begin, end, every_s, controls=MAIN)
        if right_lane:
            demand.flow(RIGHT, begin, end, every_s, speed_mps=9.5, turns="right")
        else:
            demand.flow(OUT, begin, end, every_s, controls=MAIN)
        demand.flow(BIKE, begin, end, 38.0, speed_mps=5.5, mix=TWO_WHEELS, controls=MAIN)
    against = (Control(s_m=118.0, head_id="oncoming"),)
    for y in (-INNER_Y, -OUTER_Y):
        demand.flow(path([(150.0, y), (-60.0, y)]), begin, end, 11.0, controls=against)
    cross = (Control(s_m=90.0 - CROSS_EDGE, head_id="cross"),)
    if cross_every_s <= 0.0:
        cross_every_s = 1e9
    for x, sign in (
        (CROSS_X + 1.75, 1.0),
        (CROSS_X + 5.25, 1.0),
        (CROSS_X - 1.75, -1.0),
        (CROSS_X - 5.25, -1.0),
    ):
        demand.flow(path([(x, -sign * 90.0), (x, sign * 90.0)]), begin, end, cross_every_s, controls=cross)
    pavements(demand, begin, end, KERB_Y + 2.8)
    traffic = demand.solve(programs, from_s=begin, to_s=seconds + 1.0, remember=remember)
    return Scene(
        name=name,
        about=about,
        light=light,
        layout="junction",
        fps=fps,
        seconds=seconds,
        seed=seed,
        max_mb=max_mb,
        camera=camera or (departing(size) if view == "departing" else approaching(size)),
        traffic=traffic,
        started_at=started_at,
        heads=tuple(heads),
        programs=programs,
        lines=tuple(lines) if lines is not None else (straight_line(view),),
        crosswalks=tuple(crosswalks),
        lamps=STREET_LAMPS,
        never=never,
    )


def pavements(demand: Demand, from_s: float, to_s: float, y: float) -> None:
    """People who walk along both pavements."""
    corner = CROSS_X - CROSS_HALF - 2.0
    for side, start, stop in ((-1.0, -34.0, corner), (1.0, corner, -34.0), (-1.0, 62.0, 30.0)):
        way = path([(start, side * y), (stop, side * y)])
        demand.flow(way, from_s, to_s, 14.0, speed_mps=1.35, mix={"person": 1.0}, who="pavement", accel=1.0)
