"""Riders and machines: who is joined to whom, where the joined box ends, and who stays apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.detection import Detection
from detector.riders import join_riders
from rules.observation import Box, ObjectClass

CAR, PERSON, MOTORCYCLE, BICYCLE = (
    ObjectClass.CAR,
    ObjectClass.PERSON,
    ObjectClass.MOTORCYCLE,
    ObjectClass.BICYCLE,
)


def found(object_class: ObjectClass, box_px: Box, score: float = 0.5) -> Detection:
    return Detection(object_class=object_class, box_px=box_px, score=score, class_score=score)


RIDER = found(PERSON, (102, 40, 130, 105), 0.7)
MACHINE = found(MOTORCYCLE, (100, 80, 134, 125), 0.15)


def test_rider_and_machine_become_one_of_the_machines_class() -> None:
    joined = Detection(object_class=MOTORCYCLE, box_px=(100, 40, 134, 125), score=0.7, class_score=0.15)
    assert join_riders([RIDER, MACHINE]) == (joined,)


@pytest.mark.parametrize("bottom", [105, 125, 130])
def test_the_bottom_is_the_machines_wherever_the_riders_box_ends(bottom: float) -> None:
    rider = found(PERSON, (102, 40, 130, bottom), 0.7)
    assert [d.box_px[3] for d in join_riders([rider, MACHINE])] == [125]


def test_a_passenger_is_joined_too() -> None:
    passenger = found(PERSON, (104, 50, 132, 108), 0.4)
    assert [d.box_px for d in join_riders([RIDER, passenger, MACHINE])] == [(100, 40, 134, 125)]


def test_a_fourth_person_stays_on_foot() -> None:
    persons = [found(PERSON, (102, 40 + i, 130, 105), 0.7 - i / 10) for i in range(4)]
    left = join_riders([*persons, MACHINE])
    assert [d.object_class for d in left] == [MOTORCYCLE, PERSON]
    assert left[1] == persons[3]


@pytest.mark.parametrize(
    "person",
    [
        (140, 60, 165, 125),  # beside it
        (120, 20, 160, 60),  # behind it, farther away: feet above the machine
        (102, 95, 130, 140),  # before it: head below its top
        (102, 60, 130, 140),  # before it: feet below the wheels
        (125, 40, 150, 105),  # less than half of the width over it
    ],
)
def test_who_does_not_sit_on_it_stays_a_person(person: Box) -> None:
    walker = found(PERSON, person, 0.6)
    assert join_riders([walker, MACHINE]) == (walker, MACHINE)


def test_a_machine_without_a_rider_stays() -> None:
    assert join_riders([MACHINE]) == (MACHINE,)


def test_a_rider_whose_machine_was_not_found_stays_a_person() -> None:
    assert join_riders([RIDER]) == (RIDER,)


def test_a_rider_takes_the_machine_that_fits_best() -> None:
    beside = found(MOTORCYCLE, (115, 82, 149, 127), 0.2)
    assert [d.box_px for d in join_riders([RIDER, beside, MACHINE])] == [(100, 40, 134, 125), beside.box_px]


def test_two_riders_side_by_side_keep_their_machines() -> None:
    rider = found(PERSON, (132, 42, 160, 107), 0.6)
    machine = found(BICYCLE, (130, 82, 164, 127), 0.3)
    joined = join_riders([RIDER, rider, machine, MACHINE])
    assert [(d.object_class, d.box_px) for d in joined] == [
        (MOTORCYCLE, (100, 40, 134, 125)),
        (BICYCLE, (130, 42, 164, 127)),
    ]


def test_the_same_machine_found_again_inside_is_dropped() -> None:
    again = found(BICYCLE, (104, 90, 130, 120), 0.12)
    assert [d.object_class for d in join_riders([RIDER, MACHINE, again])] == [MOTORCYCLE]


def test_cars_are_left_alone_and_the_best_comes_first() -> None:
    car = found(CAR, (90, 30, 140, 130), 0.65)
    assert [d.object_class for d in join_riders([car, MACHINE, RIDER])] == [MOTORCYCLE, CAR]


boxes = st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
scenes = st.lists(
    st.builds(found, st.sampled_from([CAR, PERSON, MOTORCYCLE, BICYCLE]), boxes, st.floats(0.1, 0.9)),
    max_size=12,
)


@given(scenes)
def test_nobody_is_invented_and_only_riders_and_doubles_go(scene: list[Detection]) -> None:
    joined = join_riders(scene)
    assert [d for d in joined if d.object_class is CAR] == sorted(
        (d for d in scene if d.object_class is CAR), key=lambda d: -d.score
    )
    assert all(d in scene for d in joined if d.object_class is PERSON)
    bottoms = {d.box_px[3] for d in scene if d.object_class in (MOTORCYCLE, BICYCLE)}
    machines = [d for d in joined if d.object_class in (MOTORCYCLE, BICYCLE)]
    assert {d.box_px[3] for d in machines} <= bottoms
    assert [d.score for d in joined] == sorted((d.score for d in joined), reverse=True)
    found_machines = sum(d.object_class in (MOTORCYCLE, BICYCLE) for d in scene)
    assert len(machines) <= found_machines
    assert bool(machines) == bool(found_machines)
