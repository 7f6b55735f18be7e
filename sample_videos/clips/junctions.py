"""The clips at the junction."""

from __future__ import annotations

import numpy as np

from sample_videos.clips.junction import (
    BIKE_BESIDE,
    HEADS,
    IN,
    LEFT,
    LINE_S,
    MAIN,
    OUT,
    Phases,
    junction_scene,
    straight_line,
)
from sample_videos.scene import Crosswalk, Line, Scene
from sample_videos.world.demand import Demand
from sample_videos.world.paths import Path, path
from sample_videos.world.places import KERB_Y, ZEBRA, Head
from sample_videos.world.signals import Program
from sample_videos.world.traffic import Control, Hold, Trip

FULL_HD = (1920, 1080)
NEVER = ("a red_light event for oncoming or crossing traffic", "one crossing reported twice")


def _runs(demand: Demand, kind: str, way: Path, at_s: float, who: str, speed: float = 11.5) -> Trip:
    return demand.arriving(kind, way, at_s, speed, MAIN, who=who)


def red_departing() -> Scene:
    """Red light straight on, vehicles driving away."""
    phases = Phases(red_s=8.0, green_again_s=33.0)

    def script(demand: Demand) -> None:
        _runs(demand, "sedan", IN, 9.5, "runs the red just after it began")
        _runs(demand, "suv", OUT, 10.4, "runs the red after it began")
        _runs(demand, "motorcycle", BIKE_BESIDE, 14.5, "rides past the waiting ones on red", 8.0)
        _runs(demand, "motorcycle", BIKE_BESIDE, 21.5, "rides past the waiting ones on red", 7.5)
        _runs(demand, "hatchback", OUT, 8.2, "crosses within the grace", 12.0)
        demand.jumping("hatchback", IN, 33.0, 13.0, MAIN)

    return junction_scene(
        "junction_red_departing",
        "Red light, departing view: cars and riders run a red light straight on",
        seed=11,
        view="departing",
        phases=phases,
        seconds=44.0,
        script=script,
        size=FULL_HD,
        fps=25.0,
        max_mb=8.0,
        never=NEVER,
    )


def red_approaching() -> Scene:
    """Red light straight on, vehicles driving towards the camera."""
    phases = Phases(red_s=10.0, green_again_s=36.0)

    def script(demand: Demand) -> None:
        _runs(demand, "suv", IN, 11.6, "runs the red after it began")
        _runs(demand, "sedan", OUT, 12.3, "runs the red after it began")
        _runs(demand, "motorcycle", BIKE_BESIDE, 17.0, "rides past the waiting ones on red", 7.0)
        _runs(demand, "motorcycle", BIKE_BESIDE, 24.0, "rides past the waiting ones on red", 8.0)
        _runs(demand, "sedan", OUT, 9.7, "crosses on the last moment of amber", 12.0)
        demand.jumping("sedan", IN, 36.0, 15.0, MAIN)

    return junction_scene(
        "junction_red_approaching",
        "Red light, approaching view: fronts of vehicles that run a red light",
        seed=23,
        view="approaching",
        phases=phases,
        seconds=46.0,
        script=script,
        size=FULL_HD,
        fps=25.0,
        max_mb=8.0,
        light="afternoon",
        never=NEVER,
    )


def late_amber() -> Scene:
    """Crossings on flashing green, on late amber, within the grace; two clear offences beside them."""
    phases = Phases(red_s=14.0, green_again_s=32.0)

    def script(demand: Demand) -> None:
        for kind, way, at_s, who in (
            ("sedan", IN, 13.6, "crosses on late amber"),
            ("hatchback", OUT, 13.75, "crosses on late amber"),
            ("motorcycle", BIKE_BESIDE, 14.15, "crosses within the grace"),
            ("suv", IN, 15.9, "runs the red after it began"),
            ("sedan", OUT, 51.5, "crosses on late amber"),
            ("hatchback", IN, 52.15, "crosses within the grace"),
            ("motorcycle", BIKE_BESIDE, 51.8, "crosses on late amber"),
            ("van", OUT, 53.6, "runs the red after it began"),
        ):
            _runs(demand, kind, way, at_s, who, 8.0 if kind == "motorcycle" else 11.5)

    return junction_scene(
        "junction_late_amber",
        "Late amber: crossings on flashing green, amber and the first moments of red",
        seed=35,
        view="departing",
        phases=phases,
        seconds=62.0,
        script=script,
        light="overcast",
        every_s=4.0,
        never=NEVER,
    )


def stopped_past() -> Scene:
    """Vehicles that stop beyond the line on red."""
    phases = Phases(red_s=8.0, green_again_s=34.0)

    def script(demand: Demand) -> None:
        for kind, way, at_s, past_m in (("sedan", IN, 13.5, 3.2), ("suv", OUT, 15.0, 2.9)):
            trip = demand.add(
                kind,
                way,
                at_s - 3.0 - LINE_S / 10.5,
                10.5,
                controls=MAIN,
                stops_past_m=past_m,
                who="stops past the line",
            )
            demand.wanted[trip.trip_id] = (at_s, 2.6)
        _runs(demand, "motorcycle", BIKE_BESIDE, 20.0, "rides past the waiting ones on red", 7.5)

    return junction_scene(
        "junction_stopped_past_line",
        "Stopped past the line: two vehicles stop beyond the line on red",
        seed=41,
        view="departing",
        phases=phases,
        seconds=46.0,
        script=script,
        light="afternoon",
        never=NEVER,
    )


def queue_pushed() -> Scene:
    """Traffic jams beyond the junction; who crossed on green stands over the line when red begins."""
    phases = Phases(red_s=16.0, green_again_s=40.0)

    def script(demand: Demand) -> None:
        for way, x, until in ((IN, 20.5, 30.0), (OUT, 18.5, 33.0)):
            demand.add(
                "sedan",
                way,
                -6.0,
                9.0,
                controls=MAIN,
                holds=(Hold(s_m=LINE_S + x, until_s=until, blinks="both"),),
                who="breaks down beyond the junction",
            )

    return junction_scene(
        "junction_queue_pushed",
        "Queue over the line: a jam stands over the line on red after crossing on green",
        seed=52,
        view="departing",
        phases=phases,
        seconds=50.0,
        script=script,
        light="day",
        every_s=3.4,
        cross_every_s=0.0,
        never=NEVER,
    )


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
            further_x=13.5,
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
        _runs(demand, "sedan", IN, 8.6, "runs the red straight on")
        _runs(demand, "motorcycle", BIKE_BESIDE, 18.0, "rides past the waiting ones on red", 7.5)

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
            further_x=13.5,
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
        lines=lines,
        heads=heads,
        more_programs=(left, phases.cross(first_s=20.0)),
        inner=OUT,
        never=(*NEVER, "any event for waiting in the waiting area"),
    )


def night() -> Scene:
    """The departing view at night."""
    phases = Phases(red_s=9.0, green_again_s=32.0)

    def script(demand: Demand) -> None:
        _runs(demand, "sedan", IN, 10.8, "runs the red after it began")
        _runs(demand, "suv", OUT, 11.4, "runs the red after it began")
        _runs(demand, "motorcycle", BIKE_BESIDE, 18.0, "rides past the waiting ones on red", 7.5)
        _runs(demand, "hatchback", OUT, 8.7, "crosses on late amber", 12.0)

    return junction_scene(
        "junction_night",
        "Night: red light at a junction lit by street lamps",
        seed=96,
        view="departing",
        phases=phases,
        seconds=46.0,
        script=script,
        light="night",
        never=NEVER,
        started_at="2026-05-12T22:15:00+08:00",
    )


def rain() -> Scene:
    """The approaching view in rain."""
    phases = Phases(red_s=9.0, green_again_s=33.0)

    def script(demand: Demand) -> None:
        _runs(demand, "hatchback", IN, 10.7, "runs the red after it began", 10.0)
        _runs(demand, "van", OUT, 11.6, "runs the red after it began", 10.0)
        _runs(demand, "motorcycle", BIKE_BESIDE, 16.5, "rides past the waiting ones on red", 7.0)
        _runs(demand, "sedan", OUT, 8.6, "crosses on late amber", 10.0)

    return junction_scene(
        "junction_rain",
        "Rain: red light in rain, approaching view",
        seed=107,
        view="approaching",
        phases=phases,
        seconds=46.0,
        script=script,
        light="rain",
        never=NEVER,
    )


def crosswalk() -> Scene:
    """A crossing with pedestrians, one of whom and a cyclist enter on red."""
    phases = Phases(red_s=12.0, green_again_s=40.0)
    feet = Program(
        head_id="feet", changes=((-60.0, "red"), (14.0, "green"), (32.0, "flashing_green"), (36.0, "red"))
    )

    def script(demand: Demand) -> None:
        wait = (Control(s_m=1.8, head_id="feet"),)
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
        across = path([(4.4, KERB_Y + 4.0), (4.4, -KERB_Y - 4.0)])
        demand.add("bicycle", across, 38.5, 3.2, accel=1.2, who="rides over the crossing on red")

    heads = (*HEADS, Head(head_id="feet", place=(7.0, 10.2, 3.2), facing_x=-1.0, scale=0.85))
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
        max_mb=8.0,
        never=("any asserted event",),
    )


def fresh(seed: int) -> Scene:
    """A junction clip that nobody has seen: view, light, times and offences by the seed."""
    rng = np.random.default_rng(seed)
    view = str(rng.choice(["departing", "approaching"]))
    red = float(rng.uniform(7.0, 12.0))
    phases = Phases(red_s=round(red, 1), green_again_s=round(red + rng.uniform(20.0, 26.0), 1))

    def script(demand: Demand) -> None:
        for way in (IN, OUT):
            if rng.random() < 0.8:
                kind = str(rng.choice(["sedan", "suv", "hatchback", "van"]))
                _runs(
                    demand,
                    kind,
                    way,
                    round(red + float(rng.uniform(1.0, 3.0)), 2),
                    "runs the red",
                    float(rng.uniform(9.5, 12.5)),
                )
        for at_s in (red + rng.uniform(5.0, 8.0), red + rng.uniform(11.0, 15.0)):
            if rng.random() < 0.7:
                _runs(
                    demand,
                    "motorcycle",
                    BIKE_BESIDE,
                    round(float(at_s), 2),
                    "rides past the waiting ones on red",
                    7.5,
                )
        if rng.random() < 0.5:
            _runs(
                demand,
                "sedan",
                OUT,
                round(red - float(rng.uniform(0.1, 0.5)), 2),
                "crosses on late amber",
                11.5,
            )

    light = str(rng.choice(["day", "afternoon", "overcast", "dusk", "rain", "night"]))
    return junction_scene(
        f"fresh_{seed}",
        f"Fresh junction {seed}",
        seed=1000 + seed,
        view=view,
        phases=phases,
        seconds=42.0,
        script=script,
        light=light,
        never=NEVER,
    )
