"""Movement in the sample world: reproducible, without collisions, physically plausible, and measured rightly."""

from __future__ import annotations

from math import hypot

import numpy as np
import pytest

from sample_videos.world.demand import Demand, colliding
from sample_videos.world.kinds import KINDS
from sample_videos.world.paths import path
from sample_videos.world.signals import Program, cycle
from sample_videos.world.traffic import DT_S, HARDEST, Control, Hold, Traffic, Trip, drive_all, pose

WAY = path([(-100.0, -1.75), (150.0, -1.75)])
LINE = (Control(s_m=100.0, head_id="main"),)
PROGRAM = cycle("main", first_green_s=0.0, green_s=8.0, red_s=16.0)


def driven(seed: int) -> Traffic:
    demand = Demand(np.random.default_rng(seed))
    demand.flow(WAY, -20.0, 40.0, 3.0, controls=LINE)
    demand.arriving("sedan", WAY, 15.5, 11.0, LINE, who="runs the red")
    return demand.solve({"main": PROGRAM}, from_s=-20.0, to_s=45.0, remember=False)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return driven(5)


def test_same_seed_same_traffic(traffic: Traffic) -> None:
    again = driven(5)
    assert [drive.moments for drive in traffic.drives] == [drive.moments for drive in again.drives]
    assert [d.trip.plate for d in traffic.drives] != [d.trip.plate for d in driven(6).drives]


def test_nobody_collides(traffic: Traffic) -> None:
    assert colliding(traffic, 45.0) == set()


def test_a_collision_is_seen() -> None:
    trips = [
        Trip(trip_id=1, kind=KINDS["sedan"], path=WAY, depart_s=0.0, speed_mps=10.0, start_m=30.0),
        Trip(
            trip_id=2,
            kind=KINDS["sedan"],
            path=path([(-70.0, -30.0), (-70.0, 30.0)]),
            depart_s=0.0,
            speed_mps=6.0,
        ),
    ]
    apart = drive_all(trips, {}, from_s=0.0, to_s=10.0)
    assert colliding(apart, 10.0) == set()
    through = Traffic(
        from_s=0.0, drives=(apart.drives[0], type(apart.drives[0])(trips[0], 0, apart.drives[0].moments))
    )
    assert colliding(through, 10.0) == {1}


def test_only_who_runs_the_red_crosses_on_red(traffic: Traffic) -> None:
    on_red = []
    for drive in traffic.drives:
        t_s = traffic.reaches(drive, 100.0)
        if t_s is not None and PROGRAM.state(t_s) == "red" and t_s - PROGRAM.onset(t_s) > 0.5:
            on_red.append(drive.trip.who)
    assert on_red == ["runs the red"]


def test_speeds_and_decelerations_are_possible(traffic: Traffic) -> None:
    for drive in traffic.drives:
        speeds = np.array([moment.speed_mps for moment in drive.moments])
        assert speeds.min() >= 0.0
        assert np.diff(speeds).max() <= 2.1 * DT_S
        assert np.diff(speeds).min() >= -HARDEST * DT_S - 0.06  # a crawl below 0.06 m/s ends at once


def test_reaching_is_exact() -> None:
    """Free driving at constant speed: position is known in closed form."""
    trip = Trip(trip_id=1, kind=KINDS["suv"], path=WAY, depart_s=2.0, speed_mps=10.0)
    traffic = drive_all([trip], {}, from_s=0.0, to_s=15.0)
    assert traffic.reaches(traffic.drives[0], 87.3) == pytest.approx(2.0 + 8.73, abs=1e-6)
    moment = traffic.moment(traffic.drives[0], 5.01)
    assert moment is not None and moment.s_m == pytest.approx(30.1, abs=1e-6)


def test_a_hold_is_kept_to_the_decimetre() -> None:
    trip = Trip(
        trip_id=1,
        kind=KINDS["bus"],
        path=WAY,
        depart_s=0.0,
        speed_mps=9.0,
        holds=(Hold(s_m=80.0, until_s=30.0),),
    )
    traffic = drive_all([trip], {}, from_s=0.0, to_s=40.0)
    moment = traffic.moment(traffic.drives[0], 28.0)
    assert moment is not None and moment.speed_mps == 0.0
    assert 79.0 < moment.s_m + KINDS["bus"].front_overhang_m < 80.3
    later = traffic.moment(traffic.drives[0], 39.0)
    assert later is not None and later.s_m > moment.s_m + 10.0


def test_wheels_stay_on_a_bent_path() -> None:
    way = path([(-40.0, 0.0), (0.0, 0.0), (0.0, 40.0)], radius_m=10.0)
    trip = Trip(trip_id=1, kind=KINDS["sedan"], path=way, depart_s=0.0, speed_mps=8.0)
    for s_m in (20.0, 38.0, 45.0):
        x, y, heading = pose(trip, s_m)
        front = trip.kind.length_m / 2 - trip.kind.front_overhang_m
        fx, fy = trip.path.at(s_m)
        assert hypot(x + np.cos(heading) * front - fx, y + np.sin(heading) * front - fy) < 1e-6


@pytest.mark.parametrize(
    ("t_s", "state", "lamp"),
    [
        (1.0, "green", "green"),
        (8.2, "flashing_green", "off"),
        (8.7, "flashing_green", "green"),
        (11.5, "amber", "amber"),
        (14.5, "red", "red"),
    ],
)
def test_program(t_s: float, state: str, lamp: str) -> None:
    assert (PROGRAM.state(t_s), PROGRAM.lamp(t_s)) == (state, lamp)


def test_intervals_cover_the_clip() -> None:
    program = Program(head_id="a", changes=((-5.0, "red"), (3.0, "green"), (9.0, "amber")))
    assert program.intervals(10.0) == [("red", 0.0, 3.0), ("green", 3.0, 9.0), ("amber", 9.0, 10.0)]
