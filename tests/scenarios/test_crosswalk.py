"""The pilot at crossings: who enters on red is counted and warned, who is already on it may finish, and nobody is identified."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from rules.finding import Finding
from rules.observation import LampState, ObjectClass, SceneFault
from rules.site import Camera, Crosswalk, Head, Site
from tests.builders.doubt import with_scene
from tests.builders.junction import fold
from tests.builders.kerb import findings
from tests.builders.scene import Actor, Lamp, a_bicycle, a_car, a_lamp, a_motorcycle, a_person, observe
from tests.scenarios.matrix import scenario

ZEBRA = Crosswalk(
    crosswalk_id="zebra", polygon_px=((200, 200), (440, 200), (440, 400), (200, 400)), head_ids=("walk",)
)
SITE = Site(
    site_id="s",
    name="Crossing",
    time_zone="Asia/Shanghai",
    plate_profile="ga36",
    heads=(Head(head_id="walk", camera_id="cam1", box_px=(10, 10, 30, 70)),),
    cameras=(Camera(camera_id="cam1", width_px=640, height_px=480, crosswalks=(ZEBRA,)),),
)
RED_AT_10 = a_lamp("walk").shows(LampState.GREEN, 0.0).shows(LampState.RED, 10.0)


def walking(enters_s: float, actor: Actor | None = None, speed_px_s: float = 60.0) -> Actor:
    """From the left pavement over the whole crossing; at its edge at ``enters_s``."""
    start, end = (50.0, 300.0), (590.0, 300.0)
    return (actor or a_person(1)).drives(
        start, end, enters_s - 150.0 / speed_px_s, enters_s + 390.0 / speed_px_s
    )


def judged(*actors: Actor, lamp: Lamp = RED_AT_10, **conditions: object) -> list[Finding]:
    return findings(fold(observe(actors, until_s=30, lamps=[lamp], **conditions), SITE))  # type: ignore[arg-type]


@pytest.mark.parametrize("who", [a_person(1), a_bicycle(1)])
@scenario(rule="crosswalk_red", condition="offence")
@scenario(rule="crosswalk_red", condition="classes")
def test_who_enters_on_foot_or_by_bicycle_on_red_is_counted_with_the_time_into_red(who: Actor) -> None:
    (finding,) = judged(walking(15.0, who))
    assert (finding.rule.value, finding.status.value, finding.place_id) == (
        "crosswalk_red",
        "asserted",
        "zebra",
    )
    assert finding.t_s == pytest.approx(15.0, abs=0.05)
    assert finding.time_into_red_s == pytest.approx(5.0, abs=0.1)


@scenario(rule="crosswalk_red", condition="classes")
def test_a_cyclist_who_is_taken_for_a_motorcyclist_while_entering_is_counted() -> None:
    observed = observe([walking(15.0, a_bicycle(1))], until_s=30, lamps=[RED_AT_10])
    mistaken = [
        replace(one, tracks=tuple(replace(t, object_class=ObjectClass.MOTORCYCLE) for t in one.tracks or ()))
        if 14.9 < one.stamp.media_s < 15.8
        else one
        for one in observed
    ]
    (finding,) = findings(fold(mistaken, SITE))
    assert (finding.status.value, finding.object_class) == ("asserted", ObjectClass.BICYCLE)


@pytest.mark.parametrize("who", [a_car(1), a_motorcycle(1)])
@scenario(rule="crosswalk_red", condition="classes")
def test_motor_vehicles_are_none_of_the_crossings_business(who: Actor) -> None:
    assert judged(walking(15.0, who)) == []


@scenario(rule="crosswalk_red", condition="lawful")
def test_who_entered_on_green_may_finish_on_red() -> None:
    assert judged(walking(8.0, speed_px_s=30.0)) == []


@scenario(rule="crosswalk_red", condition="lawful")
def test_who_waits_on_the_pavement_on_red_is_left_alone() -> None:
    assert judged(a_person(1).stands_at((150, 300), 0, 30)) == []


@scenario(rule="crosswalk_red", condition="lawful")
def test_who_is_first_seen_on_the_crossing_is_not_taken_for_one_who_entered_on_red() -> None:
    assert judged(a_person(1).drives((300, 300), (590, 300), 15.0, 20.0)) == []


@pytest.mark.parametrize(("enters_s", "found"), [(10.5, []), (11.2, ["asserted"])])
@scenario(rule="crosswalk_red", condition="boundary")
def test_a_second_of_red_is_granted(enters_s: float, found: list[str]) -> None:
    assert [finding.status.value for finding in judged(walking(enters_s))] == found


@scenario(rule="crosswalk_red", condition="uncertain")
def test_who_enters_about_when_the_granted_second_ends_is_held() -> None:
    found = judged(walking(11.0), fps=5.0)
    assert [finding.status.value for finding in found] == ["held"]


@scenario(rule="crosswalk_red", condition="boundary")
def test_feet_that_jitter_at_the_edge_enter_nothing() -> None:
    waiting = a_person(1).stands_at((198, 300), 0, 30)
    assert judged(waiting, random=Random(3), jitter=0.1) == []


@scenario(rule="crosswalk_red", condition="once")
def test_one_walk_over_the_crossing_is_counted_once() -> None:
    assert len(judged(walking(15.0, speed_px_s=30.0), random=Random(5), jitter=0.05)) == 1


@scenario(rule="crosswalk_red", condition="identity_switch")
def test_a_walker_whose_track_changes_on_the_crossing_is_not_counted_twice() -> None:
    assert len(judged(walking(15.0).becomes(7, 17.0))) == 1


@scenario(rule="crosswalk_red", condition="occlusion")
@scenario(rule="crosswalk_red", condition="gap")
def test_who_was_hidden_by_a_bus_while_entering_is_not_counted() -> None:
    assert judged(walking(15.0).hidden(14.0, 16.0)) == []
    assert judged(walking(15.0), dropped=[(14.0, 16.0)]) == []


@scenario(rule="crosswalk_red", condition="elsewhere")
def test_who_crosses_the_road_beside_the_crossing_is_not_counted_here() -> None:
    assert judged(a_person(1).drives((50, 450), (590, 450), 12.0, 20.0)) == []


@scenario(rule="crosswalk_red", condition="queue")
def test_of_a_crowd_only_those_who_walk_off_are_counted() -> None:
    waiting = [a_person(10 + index).stands_at((100 + 20 * index, 300), 0, 30) for index in range(4)]
    found = judged(*waiting, walking(15.0), walking(16.0, a_person(2)))
    assert [finding.track_id for finding in found] == [1, 2]


@scenario(rule="crosswalk_red", condition="signal_change")
def test_who_enters_on_the_green_after_the_red_is_left_alone() -> None:
    assert judged(walking(20.0), lamp=RED_AT_10.shows(LampState.GREEN, 19.9)) == []


@pytest.mark.parametrize("shown", [LampState.UNKNOWN, LampState.OFF, LampState.AMBER])
@scenario(rule="crosswalk_red", condition="signal_unknown")
def test_nobody_is_counted_while_the_signal_is_not_surely_red(shown: LampState) -> None:
    assert judged(walking(15.0), lamp=RED_AT_10.shows(shown, 13.0)) == []


@scenario(rule="crosswalk_red", condition="disarmed")
def test_nobody_is_counted_by_a_camera_that_was_moved() -> None:
    seen = observe([walking(15.0)], until_s=30, lamps=[RED_AT_10])
    assert findings(fold(with_scene(seen, SceneFault.MOVED, from_s=5.0), SITE)) == []


@scenario(rule="crosswalk_red", condition="proof")
def test_a_warning_holds_no_picture_no_trace_and_no_plate() -> None:
    (finding,) = judged(walking(15.0).with_plate("浙A12345"))
    assert (finding.plate, finding.photos, finding.trace) == (None, (), ())
    assert finding.reasons[-1] == "a warning only: nobody is identified"
