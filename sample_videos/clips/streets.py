"""The clips at the kerb, and the checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sample_videos.clips.junction import pavements
from sample_videos.render.camera import Camera
from sample_videos.scene import Gate, Scene, Zone
from sample_videos.world.demand import Demand
from sample_videos.world.paths import Path, path
from sample_videos.world.places import STREET_KERB_Y, Head
from sample_videos.world.signals import Program
from sample_videos.world.traffic import Control, Hold, Trip

DRIVE_Y, KERB_LANE_Y = -1.75, -5.15
FOR_EVER = 9999.0
LANE, BACK = path([(-120.0, DRIVE_Y), (190.0, DRIVE_Y)]), path([(190.0, 1.75), (-80.0, 1.75)])
KERB_ZONE = ((5.0, -3.55), (54.0, -3.55), (54.0, -STREET_KERB_Y), (5.0, -STREET_KERB_Y))
KERB_ZONE_CLOSE = tuple((max(x, 6.5), y) for x, y in KERB_ZONE)
STREET_LAMPS = tuple(
    (x, side * 5.4, 8.4) for x in (-40.0, -16.0, 8.0, 32.0, 56.0, 80.0) for side in (-1.0, 1.0)
)


def kerb_camera(size: tuple[int, int] = (1280, 720)) -> Camera:
    """Over the far kerb, looking along the near one from behind."""
    return Camera(eye=(-6.0, 5.2, 6.6), target=(20.0, -4.2, 0.3), across_deg=42.0, size_px=size)


def kerb_close() -> Camera:
    """From far behind through a long lens, as parking is watched: rear plates are 95 px wide or wider all along the zone."""
    return Camera(eye=(-60.0, 4.5, 5.0), target=(25.0, -5.2, 0.55), across_deg=4.75, size_px=(1920, 1080))


def _parks(
    demand: Demand,
    kind: str,
    x: float,
    *,
    until_s: float = FOR_EVER,
    who: str = "parked before the clip begins",
) -> None:
    """A vehicle that stands at the kerb, its front bumper at ``x``, since before the clip."""
    way = path(
        [(-60.0, KERB_LANE_Y), (x + 4.0, KERB_LANE_Y), (x + 13.0, DRIVE_Y), (190.0, DRIVE_Y)], radius_m=4.0
    )
    trip = demand.add(kind, way, -29.9, 9.0, who=who)
    front = trip.kind.front_overhang_m
    index = demand.trips.index(trip)
    demand.trips[index] = _standing(trip, x + 60.0 - front, until_s)


def _standing(trip: Trip, s_m: float, until_s: float) -> Trip:
    return replace(
        trip,
        start_m=s_m,
        start_speed_mps=0.0,
        holds=(Hold(s_m=s_m + trip.kind.front_overhang_m, until_s=until_s),),
    )


def _pulls_in(demand: Demand, kind: str, x: float, arrives_s: float, *, until_s: float, who: str) -> None:
    """A vehicle that comes along the lane, stops at the kerb with its front bumper at ``x``, and may leave again."""
    way = path(
        [
            (-120.0, DRIVE_Y),
            (x - 14.5, DRIVE_Y),
            (x - 5.5, KERB_LANE_Y),
            (x + 4.0, KERB_LANE_Y),
            (x + 15.0, DRIVE_Y),
            (190.0, DRIVE_Y),
        ]
    )
    demand.add(
        kind,
        way,
        arrives_s - (x + 120.0) / 8.0,
        9.0,
        who=who,
        holds=(Hold(s_m=way.where(x, KERB_LANE_Y), until_s=until_s),),
    )


def _street(
    name: str,
    about: str,
    demand: Demand,
    *,
    seed: int,
    camera: Camera,
    seconds: float,
    light: str = "day",
    fps: float = 12.5,
    max_mb: float = 2.2,
    every_s: float = 5.0,
    started_at: str = "2026-05-12T10:20:00+08:00",
    **more: Any,
) -> Scene:
    begin = -30.0
    if every_s > 0.0:
        demand.flow(LANE, begin, seconds, every_s, speed_mps=9.5)
    demand.flow(BACK, begin, seconds, 4.5, speed_mps=10.0)
    demand.flow(
        path([(190.0, 4.9), (-80.0, 4.9)]),
        begin,
        seconds,
        9.0,
        speed_mps=6.0,
        mix={"motorcycle": 0.6, "bicycle": 0.4},
    )
    pavements(demand, begin, seconds, STREET_KERB_Y + 2.6)
    programs = more.pop("programs", {})
    traffic = demand.solve(programs, from_s=begin, to_s=seconds + 1.0, remember=True)
    return Scene(
        name=name,
        about=about,
        light=light,
        layout="street",
        camera=camera,
        fps=fps,
        seconds=seconds,
        traffic=traffic,
        started_at=started_at,
        seed=seed,
        max_mb=max_mb,
        lamps=STREET_LAMPS,
        programs=programs,
        **more,
    )


def parking_all_day() -> Scene:
    """No parking at any time: two stay too long, one only stops, a bus hides them for a while."""
    demand = Demand(np.random.default_rng(201))
    _parks(demand, "sedan", 12.5)
    _parks(demand, "suv", 38.0)
    _pulls_in(demand, "hatchback", 24.0, 6.0, until_s=FOR_EVER, who="pulls in and stays")
    _pulls_in(demand, "sedan", 53.5, 11.0, until_s=34.0, who="stops for less than allowed")
    colours = ((0.05, 0.2, 0.42), (0.42, 0.08, 0.04))
    for index, (x, from_s, until_s) in enumerate(((-4.0, 19.0, 20.3), (-3.0, 53.0, 57.0))):
        demand.add(
            "bus",
            LANE,
            from_s - (x + 120.0) / 8.5,
            8.5,
            who="bus that hides the kerb",
            paint=colours[index],
            holds=(Hold(s_m=120.0 + x, until_s=until_s, blinks="both"),),
        )
    zone = Zone(zone_id="kerb", corners=KERB_ZONE_CLOSE, allowed_stop_s=38.0)
    return _street(
        "parking_all_day",
        "No parking: cars stay at the kerb, a bus hides them",
        demand,
        seed=201,
        camera=kerb_close(),
        seconds=64.0,
        fps=25.0,
        max_mb=6.2,
        every_s=14.0,
        zones=(zone,),
        never=("one stay reported twice", "a no_parking event for the car that only stops"),
    )


def parking_queue() -> Scene:
    """A queue before a red signal stands in the zone for longer than one may stop there."""
    demand = Demand(np.random.default_rng(212))
    ahead = Program(
        head_id="ahead",
        changes=((-60.0, "green"), (2.0, "flashing_green"), (5.0, "amber"), (8.0, "red"), (48.0, "green")),
    )
    control = (Control(s_m=160.0, head_id="ahead"),)
    kerb_lane = path([(-120.0, KERB_LANE_Y), (190.0, KERB_LANE_Y)])
    demand.flow(LANE, -30.0, 64.0, 4.2, speed_mps=9.5, controls=control)
    demand.flow(kerb_lane, -30.0, 64.0, 4.6, speed_mps=9.5, controls=control)
    zone = Zone(zone_id="kerb", corners=KERB_ZONE, allowed_stop_s=20.0, queue_heads=("ahead",))
    return _street(
        "parking_queue",
        "Standing queue: traffic waits at a red signal in a no-parking zone",
        demand,
        seed=212,
        camera=kerb_camera(),
        seconds=60.0,
        every_s=0.0,
        zones=(zone,),
        programs={"ahead": ahead},
        light="overcast",
        heads=(Head(head_id="ahead", place=(43.0, -7.2, 3.6), facing_x=-1.0),),
        never=("a no_parking event for a vehicle that waits in the queue",),
    )


def parking_limited_hours() -> Scene:
    """The zone begins to hold at 08:00, while a car stands there."""
    demand = Demand(np.random.default_rng(223))
    _parks(demand, "hatchback", 13.0)
    _parks(demand, "van", 33.0, until_s=12.0, who="leaves before the hours begin")
    _pulls_in(demand, "suv", 30.0, 40.0, until_s=53.0, who="stops for less than allowed")
    demand.add(
        "bus",
        LANE,
        -12.0,
        8.5,
        who="bus that hides the kerb",
        holds=(Hold(s_m=131.5, until_s=11.5, blinks="both"),),
    )
    zone = Zone(zone_id="kerb", corners=KERB_ZONE, allowed_stop_s=25.0, windows=(("08:00", "19:00"),))
    return _street(
        "parking_limited_hours",
        "Limited hours: the no-parking hours begin while a car stands there",
        demand,
        seed=223,
        camera=kerb_camera(),
        seconds=62.0,
        every_s=8.0,
        zones=(zone,),
        started_at="2026-05-12T07:59:40+08:00",
        light="afternoon",
        never=("a no_parking event before 20 s + the allowed stop",),
    )


def checkpoint() -> Scene:
    """Front views at a gate, plates read of everybody."""
    demand = Demand(np.random.default_rng(234))
    lanes: tuple[Path, ...] = (LANE, path([(-120.0, -5.0), (190.0, -5.0)]))
    demand.flow(lanes[1], -30.0, 45.0, 4.0, speed_mps=10.0)
    camera = Camera(eye=(17.5, -3.4, 5.0), target=(4.5, -3.4, 0.9), across_deg=21.0, size_px=(1920, 1080))
    return _street(
        "checkpoint",
        "Checkpoint: fronts and plates of everybody who passes",
        demand,
        seed=234,
        camera=camera,
        seconds=45.0,
        every_s=3.6,
        max_mb=4.0,
        gates=(Gate(gate_id="gate", x_m=3.0, y1=-6.6, y2=0.0),),
        plates="all",
    )
