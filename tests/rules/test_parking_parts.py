"""Stays, queues and whose place it is, in single steps: each limit on both its sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rules import parking_queue, parking_stay
from rules.finding import Photo, PhotoRole, TracePoint
from rules.observation import Box, LampState, ObjectClass
from rules.parking_identity import is_double, same_vehicle
from rules.parking_stay import Stay
from rules.signal import HeadState
from rules.site import NoParkingZone, QueueLane
from rules.standing import Sample, Trail
from tests.builders.scene import a_stamp
from tests.builders.stop_line import a_head

CAR, BUS, MOTORCYCLE = ObjectClass.CAR, ObjectClass.BUS, ObjectClass.MOTORCYCLE
PLACE: Box = (100.0, 200.0, 200.0, 280.0)
"""100 px wide, 80 px tall."""


def moved(dx: float = 0.0, dy: float = 0.0) -> Box:
    return (PLACE[0] + dx, PLACE[1] + dy, PLACE[2] + dx, PLACE[3] + dy)


def a_sample(at_s: float, box: Box = PLACE, object_class: ObjectClass = CAR) -> Sample:
    return Sample(stamp=a_stamp(at_s), object_class=object_class, box_px=box)


def a_stay(seen_s: float = 20.0, place: Box = PLACE, **options: Any) -> Stay:
    fields: dict[str, Any] = {
        "zone_id": "lane",
        "tracks": (1,),
        "place_px": place,
        "arrival_s": (9.5, 10.5),
        "classes": ((CAR, 3),),
        "last": a_sample(seen_s, place),
    }
    return Stay(**{**fields, **options})


def test_a_dwell_counts_on_the_legal_clock_from_its_latest_beginning() -> None:
    assert a_stay(20.0).dwell_s == 0.0
    assert a_stay(20.0, clock_s=(9.5, 10.5)).dwell_s == 9.5
    assert a_stay(20.0, clock_s=(25.0, 25.5)).dwell_s == 0.0


def test_what_was_unseen_before_the_clock_began_does_not_count() -> None:
    gaps_s = ((2.0, 4.0), (9.0, 12.0), (15.0, 16.0))
    stay = a_stay(20.0, clock_s=(9.5, 10.5), gaps_s=gaps_s)
    assert stay.unseen_s == ((10.5, 12.0), (15.0, 16.0))
    assert stay.unseen_total_s == 2.5
    assert a_stay(20.0, gaps_s=gaps_s).unseen_s == ()
    assert a_stay(20.0, clock_s=(4.0, 4.0), gaps_s=gaps_s).unseen_s == ((9.0, 12.0), (15.0, 16.0))


def test_the_allowed_stop_is_exceeded_by_the_middle_of_its_beginning() -> None:
    zone = NoParkingZone(zone_id="lane", polygon_px=(), allowed_stop_s=30.0)
    assert a_stay(clock_s=(9.5, 10.5)).exceeded_s(zone) == 40.0
    assert a_stay().exceeded_s(zone) == 30.0


def test_a_new_stay_knows_its_classes_its_last_sample_and_what_nobody_saw() -> None:
    there = [a_sample(10.0), a_sample(10.5, object_class=BUS), a_sample(12.0)]
    stay = parking_stay.new_stay("lane", 3, PLACE, (9.0, 10.0), there, 0.5)
    assert (stay.zone_id, stay.tracks, stay.place_px, stay.arrival_s) == ("lane", (3,), PLACE, (9.0, 10.0))
    assert (stay.classes, stay.object_class) == (((CAR, 2), (BUS, 1)), CAR)
    assert (stay.last, stay.gaps_s, stay.clock_s) == (there[-1], ((10.75, 11.75),), None)


@pytest.mark.parametrize(("after_s", "gaps_s"), [(0.5, ()), (0.75, ((20.25, 20.5),))])
def test_a_sighting_vouches_for_half_the_gap_around_it(after_s: float, gaps_s: tuple[object, ...]) -> None:
    stay = parking_stay.sighted(
        a_stay(elsewhere=True, empty_since_s=20.1), a_sample(20.0 + after_s), max_gap_s=0.5
    )
    assert stay.gaps_s == gaps_s
    assert (stay.elsewhere, stay.empty_since_s) == (None, None)
    assert stay.classes == ((CAR, 4),)


def test_after_a_finding_no_gap_is_noted_any_more() -> None:
    assert parking_stay.sighted(a_stay(said_s=19.0), a_sample(25.0), 0.5).gaps_s == ()


def test_a_stay_goes_on_under_another_track_from_its_last_sighting() -> None:
    there = [a_sample(19.5), a_sample(20.0), a_sample(20.5), a_sample(21.0)]
    stay = parking_stay.joined(a_stay(replaced=True), 2, moved(5.0), there, 0.5)
    assert (stay.tracks, stay.place_px, stay.replaced) == ((1, 2), PLACE, False)
    assert (stay.classes, stay.last) == (((CAR, 5),), there[-1])
    assert parking_stay.joined(a_stay(), 1, PLACE, there, 0.5).tracks == (1,)
    assert parking_stay.joined(a_stay(said_s=19.0), 2, moved(5.0), there, 0.5).place_px == moved(5.0)


def test_without_its_clock_nothing_of_a_stay_counts_and_begun_anew_it_came_now() -> None:
    photo = Photo(role=PhotoRole.FIRST, stamp=a_stamp(11.0), box_px=PLACE)
    point = TracePoint(index=1, media_s=11.0, box_px=PLACE)
    stay = a_stay(
        clock_s=(9.5, 10.5),
        gaps_s=((11.0, 12.0),),
        photos=(photo,),
        trace=(point,),
        limit=a_stamp(15.0),
        said_s=16.0,
    )
    assert parking_stay.without_clock(stay) == a_stay(said_s=16.0)
    assert parking_stay.begun_anew(stay, 21.0) == a_stay(arrival_s=(21.0, 21.0))


UP = (0.0, -1.0)
LANE = NoParkingZone(
    zone_id="lane",
    polygon_px=(),
    allowed_stop_s=30.0,
    queue=QueueLane(direction=UP, head_ids=("ahead", "unknown"), longest_s=60.0),
)
RED, AMBER, GREEN, RED_AMBER = LampState.RED, LampState.AMBER, LampState.GREEN, LampState.RED_AMBER


def waits(
    stay: Stay,
    *others: Stay,
    head: HeadState | None = None,
    now_s: float = 20.0,
    zone: NoParkingZone = LANE,
) -> bool:
    heads = {} if head is None else {"ahead": head}
    return parking_queue.waits(stay, zone, (*others, stay), heads, now_s, 0.5)


@pytest.mark.parametrize(
    ("state", "queue"),
    [(RED, True), (AMBER, True), (RED_AMBER, True), (GREEN, False), (LampState.OFF, False)],
)
def test_who_stands_before_a_light_that_stops_traffic_waits(state: LampState, queue: bool) -> None:
    assert waits(a_stay(), head=a_head((state, 0.0, 20.0), head_id="ahead")) is queue


@pytest.mark.parametrize(("now_s", "queue"), [(20.0, True), (20.1, False)])
def test_a_queue_still_stands_fifteen_seconds_after_its_light_turned_green(now_s: float, queue: bool) -> None:
    head = a_head((RED, 0.0, 5.0), (GREEN, 5.1, 20.0), head_id="ahead")
    assert waits(a_stay(), head=head, now_s=now_s) is queue
    again = a_head((RED, 0.0, 1.0), (GREEN, 1.1, 2.0), (RED, 2.1, 5.0), (GREEN, 5.1, 20.0), head_id="ahead")
    assert waits(a_stay(), head=again, now_s=now_s) is queue


@pytest.mark.parametrize(("now_s", "queue"), [(70.5, True), (70.6, False)])
def test_no_queue_stands_for_longer_than_the_lanes_longest(now_s: float, queue: bool) -> None:
    assert waits(a_stay(), head=a_head((RED, 0.0, 80.0), head_id="ahead"), now_s=now_s) is queue


def test_without_a_lane_a_head_or_a_neighbour_nobody_waits() -> None:
    red = a_head((RED, 0.0, 20.0), head_id="ahead")
    assert not waits(a_stay(), head=red, zone=replace(LANE, queue=None))
    assert not waits(a_stay())
    assert waits(a_stay(), head=red)


@pytest.mark.parametrize(
    ("dx", "dy", "queue"),
    [
        (0.0, -160.0, True),
        (0.0, -161.0, False),
        (0.0, 160.0, True),
        (0.0, 161.0, False),
        (50.0, -100.0, True),
        (51.0, -100.0, False),
        (-51.0, -100.0, False),
    ],
)
def test_a_neighbour_stands_within_two_lengths_in_the_same_lane(dx: float, dy: float, queue: bool) -> None:
    assert waits(a_stay(), a_stay(place=moved(dx, dy))) is queue


@pytest.mark.parametrize(
    ("dx", "dy", "queue"),
    [
        (200.0, 0.0, True),
        (201.0, 0.0, False),
        (-200.0, 40.0, True),
        (-200.0, 41.0, False),
        (100.0, -41.0, False),
    ],
)
def test_along_a_lane_across_the_picture_lengths_are_widths(dx: float, dy: float, queue: bool) -> None:
    assert LANE.queue is not None
    across = replace(LANE, queue=replace(LANE.queue, direction=(1.0, 0.0)))
    assert waits(a_stay(), a_stay(place=moved(dx, dy)), zone=across) is queue


@pytest.mark.parametrize(
    ("other", "queue"),
    [
        (a_stay(19.5, moved(dy=-100.0)), True),
        (a_stay(19.4, moved(dy=-100.0)), False),
        (a_stay(20.0, moved(dy=-100.0), zone_id="kerb"), False),
    ],
)
def test_a_neighbour_is_seen_now_and_in_the_same_zone(other: Stay, queue: bool) -> None:
    assert waits(a_stay(), other) is queue


@pytest.mark.parametrize(
    ("seen_s", "place", "double"),
    [
        (20.0, moved(24.0), True),
        (20.0, moved(26.0), False),
        (19.9, moved(), False),
        (20.0, (110.0, 210.0, 150.0, 250.0), True),
        (20.0, (110.0, 240.0, 150.0, 280.0), False),
    ],
)
def test_a_second_box_of_a_vehicle_or_of_a_part_of_it_is_no_vehicle(
    seen_s: float, place: Box, double: bool
) -> None:
    assert is_double([a_stay(seen_s)], place, 20.0) is double
    assert is_double([], place, 20.0) is False


def whose(
    stays: Sequence[Stay],
    from_s: float,
    place: Box = PLACE,
    first: Box | None = None,
    object_class: ObjectClass = CAR,
    track_id: int = 9,
) -> int | None:
    """Of which stay the vehicle is that stands at the place since then, and was first seen at ``first``."""
    there = [a_sample(from_s, place, object_class), a_sample(from_s + 1.5, place, object_class)]
    began = a_sample(from_s - 1.0, first or place, object_class)
    return same_vehicle(stays, track_id, Trail(first=began, samples=tuple(there)), place, there, from_s + 1.5)


AWAY = moved(-300.0)


@pytest.mark.parametrize(("unseen_s", "same"), [(2.0, True), (2.1, False)])
def test_nobody_else_can_have_taken_the_place_within_two_seconds(unseen_s: float, same: bool) -> None:
    assert (whose([a_stay()], 20.0 + unseen_s, first=AWAY) == 0) is same


@pytest.mark.parametrize(("unseen_s", "same"), [(30.0, True), (30.1, False)])
def test_who_was_first_seen_right_there_was_hidden_for_up_to_half_a_minute(
    unseen_s: float, same: bool
) -> None:
    assert (whose([a_stay()], 20.0 + unseen_s) == 0) is same
    uncovered: Box = (100.0, 200.0, 150.0, 280.0)
    assert (whose([a_stay()], 20.0 + unseen_s, first=uncovered) == 0) is same


def test_what_is_uncovered_first_may_stick_out_of_the_place_as_it_is_seen_then_but_not_as_it_was_seen_whole() -> (
    None
):
    narrower: Box = (108.0, 200.0, 192.0, 280.0)
    edge: Box = (185.0, 200.0, 200.0, 280.0)
    assert whose([a_stay()], 25.0, place=narrower, first=edge) == 0
    assert whose([a_stay()], 25.0, place=narrower, first=(193.0, 200.0, 215.0, 280.0)) is None


def test_who_was_seen_elsewhere_or_stands_elsewhere_is_another_vehicle() -> None:
    assert whose([a_stay(elsewhere=True)], 25.0) is None
    assert whose([a_stay(elsewhere=False)], 25.0) == 0
    assert whose([a_stay(elsewhere=True)], 21.0) == 0
    assert whose([a_stay()], 21.0, place=moved(16.0)) is None
    assert whose([a_stay()], 21.0, place=moved(14.0)) == 0


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [(CAR, BUS, True), (CAR, MOTORCYCLE, False), (MOTORCYCLE, CAR, False), (MOTORCYCLE, MOTORCYCLE, True)],
)
def test_cars_are_taken_for_buses_and_not_for_motorcycles(
    was: ObjectClass, now: ObjectClass, same: bool
) -> None:
    assert (whose([a_stay(classes=((was, 3),))], 21.0, object_class=now) == 0) is same


def test_a_stay_that_is_seen_under_its_own_track_is_nobody_elses() -> None:
    assert whose([a_stay(22.5)], 21.0) is None


def test_after_a_finding_the_place_may_differ_in_extent_and_time() -> None:
    reported = a_stay(said_s=15.0)
    wider: Box = (100.0, 200.0, 300.0, 280.0)
    assert whose([reported], 500.0, place=wider) == 0
    assert whose([reported], 500.0, place=wider, first=AWAY) is None
    assert whose([reported], 500.0, place=wider, first=AWAY, track_id=1) == 0
    assert whose([reported], 21.0, place=wider, first=AWAY) == 0
    assert whose([reported], 21.0, place=moved(90.0)) is None
    assert whose([a_stay()], 21.0, place=wider) is None


def test_of_two_that_may_be_it_the_one_whose_place_it_shares_most_is() -> None:
    near, nearer = a_stay(place=moved(12.0)), a_stay(place=moved(4.0))
    assert whose([near, nearer], 21.0) == 1
    assert whose([nearer, near], 21.0) == 0
    assert whose([near, a_stay(place=moved(12.0))], 21.0) == 0
