"""The clips of red lights straight on."""

from __future__ import annotations

import numpy as np

from sample_videos.clips.junction import (
    BIKE_BESIDE,
    BIKE_MERGES,
    IN,
    LINE_S,
    MAIN,
    MAIN_CLOSE,
    ONCOMING_CLOSE,
    OUT,
    Phases,
    approaching_close,
    departing_close,
    departing_high,
    junction_scene,
    straight_line,
)
from sample_videos.scene import Scene
from sample_videos.world.demand import Demand
from sample_videos.world.paths import Path
from sample_videos.world.traffic import Hold, Trip

NEVER = ("a red_light event for oncoming or crossing traffic", "one crossing reported twice")


def runs(demand: Demand, kind: str, way: Path, at_s: float, who: str, speed: float = 11.5) -> Trip:
    """A trip that crosses the stop line at ``at_s``, whatever the signal."""
    return demand.arriving(kind, way, at_s, speed, MAIN, who=who)


def red_departing() -> Scene:
    """Red light straight on, vehicles driving away."""
    phases = Phases(red_s=8.0, green_again_s=33.0)

    def script(demand: Demand) -> None:
        runs(demand, "sedan", IN, 9.5, "runs the red just after it began")
        runs(demand, "suv", OUT, 10.4, "runs the red after it began")
        runs(demand, "motorcycle", BIKE_BESIDE, 14.5, "rides past the waiting ones on red", 8.0)
        runs(demand, "motorcycle", BIKE_BESIDE, 21.5, "rides past the waiting ones on red", 7.5)
        runs(demand, "hatchback", OUT, 8.2, "crosses within the grace", 12.0)
        demand.jumping("hatchback", IN, 33.0, 13.0, MAIN)
        # Who waits behind hides where its wheels stand.
        demand.clear.append((IN, -1.0, 19.0))

    return junction_scene(
        "junction_red_departing",
        "Red light, departing view: cars and riders run a red light straight on",
        seed=11,
        view="departing",
        phases=phases,
        seconds=44.0,
        script=script,
        camera=departing_close(),
        heads=MAIN_CLOSE,
        lines=(straight_line("departing", further_x=3.5),),
        fps=25.0,
        max_mb=6.9,
        never=NEVER,
    )


def red_approaching() -> Scene:
    """Red light straight on, vehicles driving towards the camera."""
    phases = Phases(red_s=10.0, green_again_s=36.0)

    def script(demand: Demand) -> None:
        runs(demand, "suv", IN, 11.6, "runs the red after it began")
        runs(demand, "sedan", OUT, 12.3, "runs the red after it began")
        runs(demand, "motorcycle", BIKE_MERGES, 17.0, "rides past the waiting ones on red", 6.8)
        runs(demand, "motorcycle", BIKE_MERGES, 24.0, "rides past the waiting ones on red", 6.8)
        runs(demand, "sedan", OUT, 9.7, "crosses on the last moment of amber", 12.0)
        demand.jumping("sedan", IN, 36.0, 15.0, MAIN)

    return junction_scene(
        "junction_red_approaching",
        "Red light, approaching view: fronts of vehicles that run a red light",
        seed=23,
        view="approaching",
        phases=phases,
        seconds=46.0,
        script=script,
        camera=approaching_close(),
        heads=ONCOMING_CLOSE,
        lines=(straight_line("approaching", further_x=4.0, right_y=-7.6),),
        fps=25.0,
        max_mb=6.2,
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
            runs(demand, kind, way, at_s, who, 8.0 if kind == "motorcycle" else 11.5)

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
            # Who waits behind hides where its wheels stand; nobody comes until it has stood for long enough.
            demand.clear.append((way, at_s - 16.0, at_s - 2.0))
        runs(demand, "motorcycle", BIKE_BESIDE, 20.0, "rides past the waiting ones on red", 7.5)

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
                -18.0,
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
        camera=departing_high(across_deg=36.0),
        light="day",
        every_s=3.4,
        cross_every_s=0.0,
        never=NEVER,
    )


def night() -> Scene:
    """The departing view at night."""
    phases = Phases(red_s=9.0, green_again_s=32.0)

    def script(demand: Demand) -> None:
        runs(demand, "sedan", IN, 10.8, "runs the red after it began")
        runs(demand, "suv", OUT, 11.4, "runs the red after it began")
        runs(demand, "motorcycle", BIKE_BESIDE, 18.0, "rides past the waiting ones on red", 7.5)
        runs(demand, "hatchback", OUT, 8.7, "crosses on late amber", 12.0)

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
        runs(demand, "hatchback", IN, 10.7, "runs the red after it began", 10.0)
        runs(demand, "van", OUT, 11.6, "runs the red after it began", 10.0)
        runs(demand, "motorcycle", BIKE_BESIDE, 16.5, "rides past the waiting ones on red", 7.0)
        runs(demand, "sedan", OUT, 8.6, "crosses on late amber", 10.0)

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
                runs(
                    demand,
                    kind,
                    way,
                    round(red + float(rng.uniform(1.0, 3.0)), 2),
                    "runs the red",
                    float(rng.uniform(9.5, 12.5)),
                )
        for at_s in (red + rng.uniform(5.0, 8.0), red + rng.uniform(11.0, 15.0)):
            if rng.random() < 0.7:
                runs(
                    demand,
                    "motorcycle",
                    BIKE_BESIDE,
                    round(float(at_s), 2),
                    "rides past the waiting ones on red",
                    7.5,
                )
        if rng.random() < 0.5:
            runs(
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
        remember=False,
    )
