"""The truth of events against scenes whose answer is known in closed form."""

from __future__ import annotations

from dataclasses import replace
from math import radians, tan

import pytest

from sample_videos.render.camera import Camera
from sample_videos.scene import Crosswalk, Gate, Line, Scene, Zone
from sample_videos.truth_events import events_truth
from sample_videos.world.kinds import KINDS
from sample_videos.world.paths import path
from sample_videos.world.signals import Program
from sample_videos.world.traffic import Control, Hold, Trip, drive_all

CAMERA = Camera(eye=(-24.0, -4.0, 6.0), target=(10.0, -4.0, 0.5), across_deg=40.0, size_px=(1280, 720))
WAY = path([(-140.0, -1.75), (150.0, -1.75)])
CAR = Trip(trip_id=1, kind=KINDS["sedan"], path=WAY, depart_s=0.0, speed_mps=10.0, plate="沪A00000")
LINE = Line(
    line_id="straight",
    movement="straight",
    y1=-7.0,
    y2=-0.2,
    further_x=13.5,
    view="departing",
    heads=("main",),
)


def scene(
    *trips: Trip, red_s: float = 12.0, seconds: float = 40.0, started_at: str = "2026-05-12T07:59:50+08:00"
) -> Scene:
    programs = {
        "main": Program(head_id="main", changes=((-60.0, "green"), (red_s - 3.0, "amber"), (red_s, "red"))),
        "feet": Program(head_id="feet", changes=((-60.0, "red"), (10.0, "green"))),
    }
    return Scene(
        name="x", about="x", light="day", layout="junction", camera=CAMERA, fps=12.5, seconds=seconds, seed=1,
        traffic=drive_all(trips, programs, from_s=0.0, to_s=seconds), started_at=started_at, programs=programs,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("red_s", "rule", "required", "lookalike"),
    [
        (12.0, "red_light", True, ""),
        (13.5, "red_light", False, ""),
        (13.8, None, None, "crossed within the grace"),
        (14.2, None, None, "was over the line when red began"),
        (14.5, None, None, "crossed on the last moment of amber"),
        (16.0, None, None, ""),
    ],
)
def test_a_car_at_ten_metres_a_second(
    red_s: float, rule: str | None, required: bool | None, lookalike: str
) -> None:
    """Its front wheels are 140 m away at 0 s, so they reach the line at 14.0 s; the rear ones 0.274 s later."""
    found = events_truth(replace(scene(replace(CAR, runs_red=True), red_s=red_s), lines=(LINE,)))
    (crossing,) = found["crossings"]
    assert crossing["front_wheels_s"] == pytest.approx(14.0, abs=0.001)
    assert crossing["rear_wheels_s"] == pytest.approx(14.274, abs=0.001)
    assert crossing["into_red_s"] == (pytest.approx(14.0 - red_s, abs=0.001) if red_s < 14.0 else None)
    assert [(e["rule"], e["required"]) for e in found["events"]] == ([(rule, required)] if rule else [])
    if lookalike != "was over the line when red began":
        assert [entry["why"] for entry in found["legal_lookalikes"]] == ([lookalike] if lookalike else [])
    else:
        assert len(found["legal_lookalikes"]) == 1


def test_stopping_past_the_line_is_told_from_running_it() -> None:
    stopper = replace(CAR, controls=(Control(s_m=140.0, head_id="main"),), stops_past_m=3.0)
    found = events_truth(replace(scene(stopper, red_s=9.0), lines=(LINE,)))
    (event,) = found["events"]
    assert event["rule"] == "stopped_past_line"
    traffic = scene(stopper, red_s=9.0).traffic
    standing = next(i for i, m in enumerate(traffic.drives[0].moments) if m.speed_mps == 0.0) * 0.08
    assert event["t"] == pytest.approx(standing + LINE.standing_s, abs=0.5)


def test_who_stops_before_the_line_crosses_nothing() -> None:
    found = events_truth(
        replace(scene(replace(CAR, controls=(Control(s_m=140.0, head_id="main"),)), red_s=9.0), lines=(LINE,))
    )
    assert found["crossings"] == [] and found["events"] == []


@pytest.mark.parametrize(
    ("windows", "t_s"), [((), 15.0), ((("08:00", "09:00"),), 25.0), ((("09:00", "10:00"),), None)]
)
def test_parking_counts_from_the_later_of_arrival_and_opening(
    windows: tuple[tuple[str, str], ...], t_s: float | None
) -> None:
    """Parked since before 0 s; the clip begins at 07:59:50, so hours from 08:00 begin at 10 s."""
    kerb = path([(-20.0, -5.0), (60.0, -5.0)])
    parked = replace(
        CAR, path=kerb, start_m=40.0, start_speed_mps=0.0, holds=(Hold(s_m=40.92, until_s=999.0),)
    )
    zone = Zone(
        zone_id="kerb",
        corners=((0.0, -6.0), (40.0, -6.0), (40.0, -4.0), (0.0, -4.0)),
        allowed_stop_s=15.0,
        windows=windows,
    )
    found = events_truth(replace(scene(parked), zones=(zone,)))
    assert [(e["rule"], e["t"]) for e in found["events"]] == (
        [] if t_s is None else [("no_parking", pytest.approx(t_s, abs=0.1))]
    )


def test_passages_have_the_time_of_the_front_wheels() -> None:
    found = events_truth(replace(scene(CAR), gates=(Gate(gate_id="gate", x_m=-40.0, y1=-7.0, y2=0.0),)))
    assert [(p["gate"], p["t"], p["plate"]) for p in found["passages"]] == [
        ("gate", pytest.approx(10.0, abs=0.001), "沪A00000")
    ]


@pytest.mark.parametrize(("depart_s", "on_red"), [(0.0, True), (12.0, False)])
def test_on_foot_only_entering_on_red_counts(depart_s: float, on_red: bool) -> None:
    walker = Trip(
        trip_id=1,
        kind=KINDS["person"],
        path=path([(4.0, -12.0), (4.0, 12.0)]),
        depart_s=depart_s,
        speed_mps=1.4,
        runs_red=True,
    )
    walk = Crosswalk(crosswalk_id="near", x1=2.0, x2=6.0, y1=-9.5, y2=9.5, head_id="feet")
    found = events_truth(replace(scene(walker), crosswalks=(walk,)))
    assert [event["rule"] for event in found["events"]] == (["crosswalk_red"] if on_red else [])


def test_the_camera_is_a_pinhole() -> None:
    """A point on the optical axis is in the middle; one at a known angle beside it lies where the tangent says."""
    camera = Camera(eye=(0.0, 0.0, 5.0), target=(20.0, 0.0, 5.0), across_deg=60.0, size_px=(1000, 500))
    assert camera.pixel(50.0, 0.0, 5.0) == pytest.approx((500.0, 250.0))
    focal_px = 500.0 / tan(radians(30.0))
    assert camera.pixel(30.0, -6.0, 2.0) == pytest.approx(
        (500.0 + focal_px * 6.0 / 30.0, 250.0 + focal_px * 3.0 / 30.0)
    )
