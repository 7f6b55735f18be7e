"""A vehicle that gets another track is handed over where nobody else can be meant, and one that was hidden goes on."""

from __future__ import annotations

import pytest

from rules.approaching import Approaching
from rules.handover import came_on, successors
from rules.observation import Box, ObjectClass, TrackPoint
from rules.site import View
from tests.builders.scene import a_stamp
from tests.builders.stop_line import a_box, a_line, a_point, a_sighting, a_track, seen_at

CAR, BUS, MOTORCYCLE, BICYCLE, PERSON = (
    ObjectClass.CAR,
    ObjectClass.BUS,
    ObjectClass.MOTORCYCLE,
    ObjectClass.BICYCLE,
    ObjectClass.PERSON,
)


def driving(object_class: ObjectClass = CAR, x_px: float = 300.0) -> Approaching:
    """A vehicle, 40 px wide, that drove 5 m/s and was last seen at 1.0 s, 5 m past the line."""
    return a_track(seen_at([0.5 * i for i in range(11)], x_px=x_px), object_class)


def shown(
    ground_m: float,
    object_class: ObjectClass = CAR,
    x_px: float = 300.0,
    width_px: float = 40.0,
    track_id: int = 2,
) -> TrackPoint:
    return a_point(track_id, a_box(ground_m, x_px=x_px, size_px=(width_px, 60.0)), object_class)


def continued(track: Approaching, *seen: TrackPoint, now_s: float = 1.2) -> dict[int, int]:
    return successors({1: track}, seen, now_s)


def test_a_new_track_where_the_lost_vehicle_is_expected_continues_it() -> None:
    assert continued(driving(), shown(6.0)) == {2: 1}
    assert continued(driving(), shown(5.5), now_s=1.1) == {2: 1}


@pytest.mark.parametrize(("off_m", "same"), [(-1.01, False), (-0.99, True), (0.99, True), (1.01, False)])
def test_it_must_be_within_half_its_width_of_there(off_m: float, same: bool) -> None:
    assert bool(continued(driving(), shown(6.0 + off_m))) is same
    assert bool(continued(driving(), shown(6.0, x_px=300.0 + 20.0 * off_m))) is same


def test_it_drifts_sideways_as_it_did_before() -> None:
    aslant = a_track([a_sighting(0.1 * i, 0.0, x_px=300.0 + 20.0 * i) for i in range(11)])
    assert continued(aslant, shown(0.0, x_px=540.0)) == {2: 1}
    assert continued(aslant, shown(0.0, x_px=500.0)) == {}


def test_its_pace_is_that_of_its_last_four_tenths_of_a_second() -> None:
    stopped = a_track([*seen_at([0.0, 1.0, 2.0, 3.0]), *seen_at([4.0] * 5, from_s=0.4)])
    assert continued(stopped, shown(4.0), now_s=1.0) == {2: 1}
    braked = a_track([*seen_at([0.0, 2.0, 4.0, 6.0]), *seen_at([8.0, 9.0, 9.0, 9.0, 9.0], from_s=0.4)])
    assert continued(braked, shown(9.5), now_s=1.0) == {2: 1}
    assert continued(braked, shown(11.0), now_s=1.0) == {}


def test_who_was_seen_only_once_is_expected_where_it_was() -> None:
    once = a_track([a_sighting(1.0, 5.0)])
    assert continued(once, shown(5.0)) == {2: 1}
    assert continued(once, shown(6.1)) == {}


@pytest.mark.parametrize(("width_px", "same"), [(59.0, True), (61.0, False), (27.0, True), (26.0, False)])
def test_nobody_is_half_as_wide_again_a_moment_later(width_px: float, same: bool) -> None:
    assert bool(continued(driving(), shown(6.0, width_px=width_px))) is same


def test_a_box_without_width_is_nobody() -> None:
    assert continued(driving(), shown(6.0, width_px=0.0)) == {}
    flat: Box = (300.0, 240.0, 300.0, 300.0)
    assert continued(a_track([a_sighting(1.0, 5.0)]), a_point(2, flat)) == {}


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        (CAR, BUS, True),
        (MOTORCYCLE, BICYCLE, True),
        (MOTORCYCLE, PERSON, True),
        (PERSON, BICYCLE, True),
        (CAR, MOTORCYCLE, False),
        (BICYCLE, CAR, False),
        (PERSON, CAR, False),
    ],
)
def test_riders_and_machines_are_taken_for_one_another_and_not_for_cars(
    was: ObjectClass, now: ObjectClass, same: bool
) -> None:
    assert bool(continued(driving(was), shown(6.0, now))) is same


def test_in_doubt_nobody_is_handed_over() -> None:
    two_new = (shown(6.0), shown(6.2, track_id=3))
    assert continued(driving(), *two_new) == {}
    two_lost = {1: driving(), 4: driving(x_px=305.0)}
    assert successors(two_lost, (shown(6.0),), 1.2) == {}
    apart = {1: driving(), 4: driving(x_px=400.0)}
    assert successors(apart, (shown(6.0), shown(6.0, x_px=400.0, track_id=3)), 1.2) == {2: 1, 3: 4}


def test_who_is_still_seen_was_not_lost_and_who_is_known_is_not_new() -> None:
    assert continued(driving(), shown(6.0), shown(6.0, x_px=400.0, track_id=1)) == {}
    known = {1: driving(), 2: driving(x_px=500.0)}
    assert successors(known, (shown(6.0),), 1.2) == {}


def test_a_track_whose_wheels_were_never_seen_is_nobody_to_continue() -> None:
    assert continued(Approaching(last_seen_s=1.0), shown(6.0)) == {}


LAST = a_sighting(1.0, 1.0)


def on(ground_m: float, after_s: float, x_px: float = 300.0) -> bool:
    return came_on(LAST, shown(ground_m, x_px=x_px), a_stamp(1.0 + after_s), a_line())


def test_who_was_hidden_can_have_driven_on_but_not_back() -> None:
    assert on(1.0, 0.4)
    assert on(6.0, 0.4)
    assert not on(0.99, 0.4)


def test_nobody_drove_faster_than_ninety_kilometres_an_hour_while_hidden() -> None:
    assert on(10.9, 0.4)
    assert not on(11.1, 0.4)
    assert on(1.0, 0.4, x_px=499.0)
    assert not on(1.0, 0.4, x_px=501.0)
    assert not on(1.0, 0.4, x_px=99.0)


def test_a_cut_box_may_have_stood_as_far_back_as_its_least_bound() -> None:
    cut = a_sighting(1.0, 1.0, bounds_m=(0.5, 1.0))
    assert came_on(cut, shown(0.6), a_stamp(1.4), a_line())
    assert not came_on(cut, shown(0.4), a_stamp(1.4), a_line())


def test_the_way_is_measured_in_the_metres_of_the_line() -> None:
    down = a_line(View.APPROACHING, scale_px_per_m=40.0)
    last = a_sighting(1.0, 1.0, View.APPROACHING)
    seen = a_point(2, a_box(20.0, View.APPROACHING))
    assert came_on(last, seen, a_stamp(1.4), down)
