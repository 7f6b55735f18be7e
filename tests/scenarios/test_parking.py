"""Parking where nothing allows it: found once, at the right time, whatever the camera misses, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from rules.finding import PhotoRole
from tests.builders.kerb import PLACE, a_kerb, a_zone
from tests.builders.scene import Actor, a_bicycle, a_bus, a_car, a_motorcycle, a_person, observe
from tests.scenarios.matrix import scenario


def statuses(*actors: Actor, until_s: float = 60.0, **conditions: object) -> list[str]:
    found = a_kerb().findings(observe(actors, until_s=until_s, fps=10, **conditions))  # type: ignore[arg-type]
    return [finding.status.value for finding in found]


def arriving(stop_s: float, leaves_s: float) -> Actor:
    """A car that drives in from the left, brakes to its place, stands and drives off."""
    car = (
        a_car(1)
        .drives((-60, 300), (190, 300), stop_s - 4.0, stop_s - 2.0)
        .brakes_to(PLACE, stop_s - 2.0, stop_s)
    )
    return car.stands(leaves_s).drives_to((700, 300), leaves_s + 4.0)


@scenario(rule="no_parking", condition="offence")
def test_a_car_that_stands_longer_than_allowed_is_accused_when_the_allowed_stop_is_over() -> None:
    (finding,) = a_kerb().findings(observe([arriving(4.0, 40.0)], until_s=60, fps=10))
    assert finding.status.value == "asserted"
    assert finding.t_s == pytest.approx(24.0, abs=1.0)


@scenario(rule="no_parking", condition="lawful")
def test_a_car_that_drives_off_in_time_is_left_alone() -> None:
    assert statuses(arriving(4.0, 22.0)) == []


@scenario(rule="no_parking", condition="lawful")
def test_traffic_that_creeps_through_the_zone_is_left_alone() -> None:
    assert statuses(a_car(1).drives((-60, 300), (700, 300), 0.0, 60.0)) == []


@pytest.mark.parametrize(("stood_s", "found"), [(19.0, []), (23.0, ["asserted"])])
@scenario(rule="no_parking", condition="boundary")
def test_nobody_is_accused_before_the_allowed_stop_is_over(stood_s: float, found: list[str]) -> None:
    assert statuses(arriving(4.0, 4.0 + stood_s)) == found


@scenario(rule="no_parking", condition="uncertain")
def test_a_car_that_leaves_before_the_last_photo_is_held_and_the_sentence_names_the_photo() -> None:
    (finding,) = a_kerb(a_zone(allowed_stop_s=15.0)).findings(
        observe([a_car(1).stands_at(PLACE, 0, 18).drives_to((700, 300), 20)], until_s=60, fps=10)
    )
    assert finding.status.value == "held"
    assert any("photo 'last' is missing" in reason for reason in finding.reasons)


@scenario(rule="no_parking", condition="uncertain")
def test_a_part_of_a_parked_car_that_the_detector_takes_for_a_motorcycle_is_not_accused_beside_the_car() -> (
    None
):
    car = a_car(1).stands_at(PLACE, 0, 60)
    left, top, right, bottom = car.box_at(0.0) or (0.0, 0.0, 0.0, 0.0)
    wide, high = right - left, bottom - top
    door = replace(a_motorcycle(2), size_px=(0.3 * wide, 0.4 * high))
    at = (right - 0.25 * wide, bottom - 0.4 * high)
    (finding,) = a_kerb().findings(observe([car, door.stands_at(at, 2, 60)], until_s=60, fps=10))
    assert (finding.track_id, finding.status.value) == (1, "asserted")


@scenario(rule="no_parking", condition="offence")
def test_a_motorcycle_parked_in_front_of_a_parked_car_is_accused_as_well() -> None:
    car = a_car(1).stands_at(PLACE, 0, 60)
    left, top, right, bottom = car.box_at(0.0) or (0.0, 0.0, 0.0, 0.0)
    size_px = (0.3 * (right - left), 0.4 * (bottom - top))
    rider = replace(a_motorcycle(2), size_px=size_px).stands_at((PLACE[0], bottom), 2, 60)
    found = a_kerb().findings(observe([car, rider], until_s=60, fps=10))
    assert sorted((one.track_id, one.status.value) for one in found) == [(1, "asserted"), (2, "asserted")]


@pytest.mark.parametrize("switched_s", [2.0, 11.0, 19.0])
@scenario(rule="no_parking", condition="identity_switch")
def test_a_car_whose_track_changes_while_it_stands_is_one_stay(switched_s: float) -> None:
    assert statuses(a_car(1).stands_at(PLACE, 0, 60).becomes(9, switched_s)) == ["asserted"]


@scenario(rule="no_parking", condition="occlusion")
def test_a_car_hidden_behind_a_bus_for_three_seconds_is_accused_and_the_unseen_time_is_told() -> None:
    (finding,) = a_kerb().findings(
        observe([a_car(1).stands_at(PLACE, 0, 60).hidden(8.0, 11.0)], until_s=60, fps=10)
    )
    assert finding.status.value == "asserted"
    assert finding.unseen_s == pytest.approx(3.0 - 0.5, abs=0.2)


@scenario(rule="no_parking", condition="occlusion")
def test_a_car_that_a_bus_uncovers_bit_by_bit_under_another_track_is_still_the_one_that_parked() -> None:
    before = a_car(1).stands_at(PLACE, 0, 8)
    wide, high = before.size_px
    bit = replace(a_car(9), size_px=(0.4 * wide, high)).stands_at((PLACE[0] + 0.3 * wide, PLACE[1]), 11, 11.4)
    after = a_car(9).stands_at(PLACE, 11.5, 60)
    (finding,) = a_kerb().findings(observe([before, bit, after], until_s=60, fps=10))
    assert (finding.track_id, finding.status.value) == (1, "asserted")
    assert finding.t_s == pytest.approx(20.0, abs=1.0)


@scenario(rule="no_parking", condition="occlusion")
def test_a_car_that_drives_into_a_place_while_nobody_sees_it_is_another_one() -> None:
    before = a_car(1).stands_at(PLACE, 0, 8)
    other = a_car(9).drives((700, 300), PLACE, 9, 12).stands(30)
    assert a_kerb().findings(observe([before, other], until_s=30, fps=10)) == []


@scenario(rule="no_parking", condition="occlusion")
def test_a_car_hidden_for_half_of_its_stay_is_held() -> None:
    (finding,) = a_kerb().findings(
        observe([a_car(1).stands_at(PLACE, 0, 32).hidden(4.0, 20.0)], until_s=32, fps=10)
    )
    assert finding.status.value == "held"


@scenario(rule="no_parking", condition="gap")
def test_frames_missing_for_three_seconds_count_as_unseen() -> None:
    seen = observe([a_car(1).stands_at(PLACE, 0, 60)], until_s=60, fps=10, dropped=[(8.0, 11.0)])
    (finding,) = a_kerb().findings(seen)
    assert finding.unseen_s == pytest.approx(3.0 - 0.5, abs=0.2)


@scenario(rule="no_parking", condition="gap")
def test_a_car_that_is_gone_after_a_long_gap_is_not_accused_of_having_stood_through_it() -> None:
    assert statuses(a_car(1).stands_at(PLACE, 0, 12), dropped=[(12.0, 50.0)]) == []


@scenario(rule="no_parking", condition="elsewhere")
def test_a_car_beside_the_zone_may_stand() -> None:
    assert statuses(a_car(1).stands_at((300, 440), 0, 60)) == []


@pytest.mark.parametrize(
    ("who", "found"),
    [(a_bus(1), 1), (a_motorcycle(1), 1), (a_bicycle(1), 0), (a_person(1), 0)],
)
@scenario(rule="no_parking", condition="classes")
def test_buses_and_motorcycles_park_and_bicycles_and_people_do_not(who: Actor, found: int) -> None:
    assert len(statuses(who.stands_at(PLACE, 0, 60))) == found


@scenario(rule="no_parking", condition="once")
def test_a_second_detection_of_the_same_car_is_no_second_case() -> None:
    assert statuses(a_car(1).stands_at(PLACE, 0, 60), a_car(2).stands_at((303, 301), 5, 60)) == ["asserted"]


@scenario(rule="no_parking", condition="proof")
def test_three_photos_at_least_ten_seconds_apart_span_more_than_the_allowed_stop() -> None:
    (finding,) = a_kerb().findings(observe([a_car(1).stands_at(PLACE, 0, 60)], until_s=60, fps=10))
    times_s = [photo.stamp.media_s for photo in finding.photos]
    assert [photo.role for photo in finding.photos] == [PhotoRole.FIRST, PhotoRole.MIDDLE, PhotoRole.LAST]
    assert all(after - before >= 10.0 for before, after in pairwise(times_s))
    assert times_s[-1] - times_s[0] > 20.0
