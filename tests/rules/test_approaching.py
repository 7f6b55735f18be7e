"""What is known of one track at one line: its sightings and classes, by which exit it left, whose wheels are hidden."""

from __future__ import annotations

import pytest

from rules.approaching import Approaching, feet_hidden, still_there, with_sighting
from rules.observation import Box, ObjectClass, TrackPoint
from rules.site import StopLine
from rules.site_movement import Movement
from tests.builders.stop_line import CAMERA, a_box, a_frame, a_line, a_point, a_track, seen_at

CAR, TRUCK, MOTORCYCLE, PERSON = (
    ObjectClass.CAR,
    ObjectClass.TRUCK,
    ObjectClass.MOTORCYCLE,
    ObjectClass.PERSON,
)


def seen(
    track: Approaching,
    at_s: float,
    ground_m: float,
    x_px: float = 300.0,
    line: StopLine | None = None,
    object_class: ObjectClass = CAR,
) -> Approaching:
    point = a_point(1, a_box(ground_m, x_px=x_px), object_class)
    return with_sighting(track, point, a_frame(at_s, point), line or a_line(), CAMERA)


def test_the_first_sighting_of_a_track_is_all_that_is_known_of_it() -> None:
    track = seen(Approaching(last_seen_s=1.0), 1.0, -3.0)
    assert (track.last_seen_s, track.classes, track.left_by, track.names) == (1.0, ((CAR, 1),), None, ())
    (only,) = track.history
    assert (only.stamp.media_s, only.ground_m, only.box_px) == (1.0, -3.0, a_box(-3.0))
    assert (track.kept, track.awaited, track.stood, track.judged) == (False, False, False, False)


def test_a_sighting_ends_the_waiting_and_nothing_else() -> None:
    before = a_track(
        seen_at([-3.0], from_s=1.0),
        names=(7,),
        kept=True,
        awaited=True,
        stood=True,
        judged=True,
        left_by="left",
    )
    track = seen(before, 1.5, 1.0)
    assert (track.last_seen_s, track.names, track.left_by) == (1.5, (7,), "left")
    assert (track.kept, track.awaited, track.stood, track.judged) == (True, False, True, True)
    assert [one.ground_m for one in track.history] == [-3.0, 1.0]
    there = still_there(before, 1.5)
    assert (there.last_seen_s, there.awaited, there.kept, there.history) == (1.5, False, True, before.history)


@pytest.mark.parametrize(
    ("judged", "at_s", "kept"), [(False, 40.0, 2), (False, 40.1, 1), (True, 2.0, 2), (True, 2.1, 1)]
)
def test_sightings_are_kept_for_forty_seconds_and_for_two_once_it_is_judged(
    judged: bool, at_s: float, kept: int
) -> None:
    track = seen(a_track(seen_at([-3.0]), judged=judged), at_s, 1.0)
    assert len(track.history) == kept
    assert track.history[-1].stamp.media_s == at_s


def with_votes(*votes: tuple[ObjectClass, int]) -> Approaching:
    return Approaching(last_seen_s=0.0, classes=votes)


def test_a_rider_seen_before_the_machine_is_one_with_it_and_a_pedestrian_no_vehicle() -> None:
    assert with_votes((PERSON, 9), (MOTORCYCLE, 1)).object_class is MOTORCYCLE
    assert with_votes((PERSON, 9)).object_class is None
    assert with_votes().object_class is None
    assert with_votes((PERSON, 9), (MOTORCYCLE, 1)).other_classes == ()


def test_a_car_that_is_often_taken_for_a_truck_may_be_one() -> None:
    assert with_votes((CAR, 6), (TRUCK, 4)).other_classes == (TRUCK,)
    assert with_votes((CAR, 9), (TRUCK, 1)).other_classes == ()
    assert with_votes((PERSON, 30), (CAR, 6), (TRUCK, 4)).other_classes == (TRUCK,)


EXITS = a_line(
    movements=(
        Movement(name="free", head_ids=("main",)),
        Movement(name="left", head_ids=("main",), exit_px=((200.0, 0.0), (200.0, 400.0))),
        Movement(name="right", head_ids=("main",), exit_px=((400.0, 0.0), (400.0, 400.0))),
    )
)


@pytest.mark.parametrize(
    ("to_px", "left_by"), [(190.0, "left"), (210.0, None), (410.0, "right"), (390.0, None)]
)
def test_it_left_by_the_exit_that_its_way_crossed(to_px: float, left_by: str | None) -> None:
    track = a_track(seen_at([5.0], from_s=1.0))
    assert seen(track, 1.1, 5.0, to_px, EXITS).left_by == left_by
    assert seen(track, 1.1, 5.0, to_px).left_by is None


def test_the_exit_it_crossed_last_counts_and_none_across_a_gap() -> None:
    track = a_track(seen_at([5.0], from_s=1.0))
    left = seen(track, 1.5, 5.0, 190.0, EXITS)
    assert left.left_by == "left"
    assert seen(left, 1.6, 5.0, 300.0, EXITS).left_by == "left"
    assert seen(seen(left, 1.6, 5.0, 300.0, EXITS), 1.7, 5.0, 410.0, EXITS).left_by == "right"
    assert seen(track, 1.6, 5.0, 190.0, EXITS).left_by is None
    assert seen(Approaching(last_seen_s=1.0), 1.0, 5.0, 190.0, EXITS).left_by is None


def hidden(*boxes: Box) -> frozenset[int]:
    points: list[TrackPoint] = [a_point(number, box) for number, box in enumerate(boxes, start=1)]
    return feet_hidden(points)


NEARER: Box = (100.0, 100.0, 200.0, 200.0)


@pytest.mark.parametrize(
    ("foot", "is_hidden"),
    [
        ((150.0, 150.0), True),
        ((101.0, 150.0), True),
        ((100.0, 150.0), False),
        ((199.0, 150.0), True),
        ((200.0, 150.0), False),
        ((150.0, 100.0), False),
        ((150.0, 101.0), True),
        ((150.0, 179.0), True),
        ((150.0, 180.0), False),
        ((150.0, 250.0), False),
    ],
)
def test_wheels_within_the_box_of_a_nearer_road_user_are_hidden_but_for_its_lowest_fifth(
    foot: tuple[float, float], is_hidden: bool
) -> None:
    box = (foot[0] - 20.0, foot[1] - 50.0, foot[0] + 20.0, foot[1])
    assert hidden(NEARER, box) == ({2} if is_hidden else set())
    assert hidden(box, NEARER) == ({1} if is_hidden else set())


def test_any_nearer_one_may_hide_it_and_nobody_hides_oneself() -> None:
    between: Box = (300.0, 100.0, 400.0, 190.0)
    behind: Box = (330.0, 100.0, 370.0, 150.0)
    assert hidden(NEARER, between, behind) == {3}
    assert hidden(NEARER) == frozenset()
    assert hidden() == frozenset()
