"""The class of a track: what a detector takes it for most often, and what it may be."""

from __future__ import annotations

import pytest

from rules.class_vote import ClassVotes, likeliest, likely, with_vote
from rules.observation import ObjectClass

CAR, BUS, TRUCK = ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK


def seen_as(*classes: ObjectClass) -> ClassVotes:
    votes: ClassVotes = ()
    for object_class in classes:
        votes = with_vote(votes, object_class)
    return votes


def test_a_car_that_is_taken_for_a_truck_now_and_then_stays_a_car() -> None:
    assert likeliest(seen_as(TRUCK, CAR, CAR, TRUCK, CAR, BUS)) is CAR


def test_of_classes_seen_equally_often_the_first_seen_counts() -> None:
    assert likeliest(seen_as(BUS, TRUCK, TRUCK, BUS)) is BUS
    assert likeliest(seen_as(TRUCK, BUS, BUS, TRUCK)) is TRUCK


def test_a_car_before_a_truck_where_it_may_well_be_either() -> None:
    assert likeliest(seen_as(TRUCK, TRUCK, CAR)) is CAR
    assert likeliest(seen_as(TRUCK, TRUCK, TRUCK, TRUCK, CAR)) is CAR
    assert likeliest(seen_as(TRUCK, TRUCK, TRUCK, TRUCK, TRUCK, CAR)) is TRUCK
    assert likeliest(seen_as(BUS, BUS, CAR)) is BUS


def test_what_was_seen_in_a_third_of_the_sightings_is_likely() -> None:
    assert likely(seen_as(CAR, CAR, TRUCK)) == (CAR, TRUCK)
    assert likely(seen_as(CAR, CAR, CAR, TRUCK)) == (CAR,)


def test_a_car_is_likely_from_fewer_sightings() -> None:
    assert likely(seen_as(TRUCK, TRUCK, TRUCK, TRUCK, CAR)) == (TRUCK, CAR)
    assert likely(seen_as(BUS, BUS, BUS, BUS, BUS, CAR)) == (BUS,)


def test_votes_stand_in_the_order_in_which_the_classes_were_first_seen() -> None:
    assert seen_as(TRUCK, CAR, BUS, CAR) == ((TRUCK, 1), (CAR, 2), (BUS, 1))


def test_who_was_never_seen_has_no_class() -> None:
    with pytest.raises(ValueError, match="empty"):
        likeliest(())
