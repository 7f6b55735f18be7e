"""The clips of other movements at the junction: left, right, on foot, and nobody doing wrong."""

from __future__ import annotations

from sample_videos.clips.junction import (
    BIKE_BESIDE,
    HEADS,
    IN,
    LEFT,
    LINE_S,
    MAIN,
    OUT,
    Phases,
    departing_high,
    junction_scene,
    straight_line,
)
from sample_videos.clips.red_lights import NEVER, runs
from sample_videos.scene import Crosswalk, Line, Scene
from sample_videos.world.demand import Demand
from sample_videos.world.paths import path
from sample_videos.world.places import KERB_Y, ZEBRA, Head
from sample_videos.world.signals import Program
from sample_videos.world.traffic import Control


def left_arrow() -> Scene:
    """A left arrow of its own: red while straight on is green."""
    phases = Phases(red_s=16.0, green_again_s=52.0)
    left = Program(
        head_id="left",
        changes=((-60.0, "red"), (18.0, "green"), (25.0, "flashing_green"), (28.0, "amber"), (31.0, "red")),
    )
    arrow = (Control(s_m=LINE_S, head_id="left"),)

    def script(demand: Demand) -> None:
        demand.arriving("sedan", LEFT, 6.0, 9.0, arrow, turns="left", who="turns left on the red arrow")
        demand.arriving(
            "hatchback", LEFT, 32.6, 9.5, arrow, turns="left", who="turns left after the arrow turned red"
        )
        demand.arriving("suv", OUT, 17.6, 11.5, MAIN, who="runs the round red straight on")
        demand.flow(LEFT, -26.0, 58.0, 6.0, controls=arrow, turns="left")

    heads = (
        Head(head_id="main", place=(35.2, -4.6, 4.9), facing_x=-1.0),
        Head(head_id="left", place=(35.2, -2.6, 4.9), facing_x=-1.0, arrow="left"),
        HEADS[1],
    )
    lines = (
        Line(
            line_id="left",
            movement="left",
            y1=-3.5,
            y2=-0.2,
            further_x=10.0,
            view="departing",
            heads=("left",),
        ),
        Line(
            line_id="straight",
            movement="straight",
            y1=-KERB_Y + 0.2,
            y2=-3.5,
            further_x=9.0,
            view="departing",
            heads=("main",),
        ),
    )
    return junction_scene(
        "junction_left_arrow",
        "Left arrow: a left turn on a red arrow while straight on is green",
        seed=63,
        view="departing",
        phases=phases,
        seconds=58.0,
        script=script,
        lines=lines,
        heads=heads,
        more_programs=(left, phases.cross(first_s=17.0)),
        inner=OUT,
        never=NEVER,
    )


def right_turn() -> Scene:
    """Right turns on red are allowed; running the red straight on beside them is not."""
    phases = Phases(red_s=7.0, green_again_s=38.0)

    def script(demand: Demand) -> None:
        runs(demand, "sedan", IN, 8.6, "runs the red straight on")
        runs(demand, "motorcycle", BIKE_BESIDE, 18.0, "rides past the waiting ones on red", 7.5)

    return junction_scene(
        "junction_right_turn",
        "Right turn on red: allowed, beside offences straight on",
        seed=74,
        view="departing",
        phases=phases,
        seconds=46.0,
        script=script,
        every_s=5.5,
        right_lane=True,
        lines=(straight_line("departing", further_x=15.0),),
        light="afternoon",
        never=(*NEVER, "a red_light event for a right turn"),
    )


def waiting_area() -> Scene:
    """A left-turn waiting area: left-turners pass the first line while straight on is green and wait at a second."""
    phases = Phases(red_s=18.0, green_again_s=54.0)
    left = Program(
        head_id="left",
        changes=((-60.0, "red"), (20.0, "green"), (28.0, "flashing_green"), (31.0, "amber"), (34.0, "red")),
    )
    both = (Control(s_m=LINE_S, head_id="main"), Control(s_m=LINE_S + 8.0, head_id="left"))

    def script(demand: Demand) -> None:
        demand.flow(LEFT, -30.0, 50.0, 6.0, controls=both, turns="left")
        demand.arriving(
            "sedan", LEFT, 36.0, 6.0, both[1:], turns="left", who="turns left from the waiting area on red"
        )

    heads = (
        Head(head_id="main", place=(35.2, -4.6, 4.9), facing_x=-1.0),
        Head(head_id="left", place=(35.2, -2.6, 4.9), facing_x=-1.0, arrow="left"),
        HEADS[1],
    )
    lines = (
        Line(
            line_id="waiting",
            movement="left",
            x_m=8.0,
            y1=-3.5,
            y2=0.5,
            further_x=13.0,
            view="departing",
            heads=("left",),
        ),
        Line(
            line_id="straight",
            movement="straight",
            y1=-KERB_Y + 0.2,
            y2=-3.5,
            further_x=9.0,
            view="departing",
            heads=("main",),
        ),
    )
    return junction_scene(
        "junction_waiting_area",
        "Waiting area: left turns wait beyond the first line, legally",
        seed=85,
        view="departing",
        phases=phases,
        seconds=56.0,
        script=script,
        camera=departing_high(),
        lines=lines,
        heads=heads,
        more_programs=(left, phases.cross(first_s=20.0)),
        inner=OUT,
        never=(*NEVER, "any event for waiting in the waiting area"),
    )


def crosswalk() -> Scene:
    """A crossing with pedestrians, one of whom and a cyclist enter on red."""
    phases = Phases(red_s=12.0, green_again_s=40.0)
    feet = Program(
        head_id="feet", changes=((-60.0, "red"), (14.0, "green"), (32.0, "flashing_green"), (36.0, "red"))
    )

    def script(demand: Demand) -> None:
        wait = (Control(s_m=1.4, head_id="feet"),)
        for i, (x, sign, start) in enumerate(
            ((3.0, 1, -3.0), (4.0, 1, -1.0), (5.0, -1, 0.0), (3.6, -1, 4.0), (4.6, 1, 9.0))
        ):
            way = path([(x, -sign * (KERB_Y + 2.0)), (x, sign * (KERB_Y + 2.0))])
            demand.add(
                "person",
                way,
                start,
                1.2 + 0.08 * i,
                controls=wait,
                accel=1.0,
                who="waits, crosses on green",
                gap_m=0.2,
            )
        way = path([(3.4, -KERB_Y - 2.0), (3.4, KERB_Y + 2.0)])
        demand.add("person", way, 2.0, 1.7, accel=1.2, who="crosses on red")
        across = path([(4.4, -KERB_Y - 4.0), (4.4, KERB_Y + 4.0)])
        demand.add("bicycle", across, 38.5, 3.2, accel=1.2, who="rides over the crossing on red")

    heads = (*HEADS, Head(head_id="feet", place=(7.0, -10.4, 3.2), facing_x=-1.0, scale=0.85))
    walk = Crosswalk(crosswalk_id="near", x1=ZEBRA[0], x2=ZEBRA[1], y1=-KERB_Y, y2=KERB_Y, head_id="feet")
    return junction_scene(
        "junction_crosswalk",
        "Crossing: pedestrians on green and red, a cyclist on red",
        seed=118,
        view="departing",
        phases=phases,
        seconds=50.0,
        script=script,
        heads=heads,
        more_programs=(feet,),
        crosswalks=(walk,),
        every_s=6.0,
        never=NEVER,
    )


def quiet() -> Scene:
    """Five minutes in which nobody does anything wrong."""
    return junction_scene(
        "junction_quiet",
        "Quiet: five minutes of lawful traffic",
        seed=129,
        view="departing",
        phases=Phases(red_s=20.0, green_again_s=48.0),
        seconds=304.0,
        script=lambda demand: None,
        light="overcast",
        every_s=11.0,
        cross_every_s=11.0,
        max_mb=6.4,
        never=("any asserted event",),
    )
