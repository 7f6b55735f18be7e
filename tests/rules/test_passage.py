"""Passages: gate crossings counted once per track and direction, and plates of passing vehicles recorded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import passage, plate_vote
from rules.finding import Output, Passage, PlateResult, Watch
from rules.observation import ObjectClass, Observation
from rules.plate_vote import PlateVotes
from rules.site import Camera, Gate, Pictures, PlatePolicy
from tests.builders.scene import a_bicycle, a_bus, a_car, a_person, a_reading, observe

GATE = Gate(gate_id="in", line_px=((320, 200), (320, 460)), direction=(1.0, 0.0))
COUNTING = Camera(camera_id="cam1", width_px=640, height_px=480, gates=(GATE,), plates=PlatePolicy.OFF)
READING = Camera(camera_id="cam1", width_px=640, height_px=480, plates=PlatePolicy.ALL)


def said_when(observations: Sequence[Observation], camera: Camera) -> list[tuple[float, Output]]:
    """All outputs with the media seconds of the frame after which they came."""
    state = passage.initial(camera)
    votes: PlateVotes = {}
    said: list[tuple[float, Output]] = []

    def plate_of(track_id: int) -> PlateResult | None:
        return plate_vote.result(votes, (track_id,), "ga36")

    for observation in observations:
        votes = plate_vote.step(votes, observation.plates, observation.stamp)
        state, outputs = passage.step(state, observation, camera, plate_of)
        said.extend((observation.stamp.media_s, output) for output in outputs)
    said.extend(
        (observations[-1].stamp.media_s, output) for output in passage.finish(state, camera, plate_of)[1]
    )
    return said


def judged(observations: Sequence[Observation], camera: Camera) -> list[Output]:
    return [output for _, output in said_when(observations, camera)]


def passages(observations: Sequence[Observation], camera: Camera) -> list[Passage]:
    return [output for output in judged(observations, camera) if isinstance(output, Passage)]


def texts(found: Sequence[Passage]) -> list[str | None]:
    return [one.plate.text if one.plate is not None else None for one in found]


def test_a_car_over_the_gate_is_counted_where_and_when_it_crosses() -> None:
    (found,) = passages(observe([a_car(1).drives((20, 300), (620, 300), 0, 6)], until_s=10), COUNTING)
    assert (found.gate_id, found.direction, found.track_id) == ("in", "forward", 1)
    assert found.object_class is ObjectClass.CAR
    assert found.t_s == pytest.approx(3.0)
    assert found.at_px == pytest.approx((320, 300))
    assert found.stamp.media_s in (3.0, 3.04)
    assert found.plate is None


def test_the_other_way_is_backward() -> None:
    (found,) = passages(observe([a_car(1).drives((620, 300), (20, 300), 0, 6)], until_s=10), COUNTING)
    assert found.direction == "backward"
    assert found.t_s == pytest.approx(3.0)


def test_there_and_back_again_are_two_and_a_third_time_is_not_counted() -> None:
    car = a_car(1).drives((20, 300), (620, 300), 0, 6).drives_to((20, 300), 12).drives_to((620, 300), 18)
    found = passages(observe([car], until_s=20), COUNTING)
    assert [one.direction for one in found] == ["forward", "backward"]


@pytest.mark.parametrize(
    ("pictures", "ways"),
    [
        (Pictures.NONE, []),
        (Pictures.FORWARD, ["forward"]),
        (Pictures.BACKWARD, ["backward"]),
        (Pictures.BOTH, ["forward", "backward"]),
    ],
)
def test_a_gate_pictures_the_traffic_of_the_way_that_it_is_told(pictures: Pictures, ways: list[str]) -> None:
    car = a_car(1).drives((20, 300), (620, 300), 0, 6).drives_to((20, 300), 12)
    camera = replace(COUNTING, gates=(replace(GATE, pictures=pictures),))
    found = passages(observe([car], until_s=20), camera)
    assert [one.direction for one in found if one.snapshot is not None] == ways


def test_a_picture_names_who_else_reaches_into_it_just_past_the_gate() -> None:
    car, near = (
        a_car(1).drives((20, 300), (620, 300), 0, 6),
        a_person(2).drives((330, 305), (345, 305), 0, 10),
    )
    far = a_car(3).stands_at((100, 460), 0, 10)
    camera = replace(COUNTING, gates=(replace(GATE, pictures=Pictures.FORWARD),))
    (found,) = passages(observe([car, near, far], until_s=10), camera)
    assert found.snapshot is not None
    assert [object_class for object_class, _ in found.snapshot.others] == [ObjectClass.PERSON]
    assert found.snapshot.box_px[0] < 320 < found.snapshot.box_px[2]
    assert 3.0 <= found.snapshot.stamp.media_s <= 3.5


def test_a_gate_has_ends() -> None:
    assert passages(observe([a_car(1).drives((20, 190), (620, 190), 0, 6)], until_s=10), COUNTING) == []
    assert passages(observe([a_car(1).drives((20, 470), (620, 470), 0, 6)], until_s=10), COUNTING) == []


def test_standing_on_the_gate_with_a_jittering_box_counts_once() -> None:
    car = a_car(1).drives((20, 300), (320, 300), 0, 3).stands(40).drives_to((620, 300), 43)
    found = passages(
        observe([car], until_s=45, random=Random(5), jitter=0.03), replace(COUNTING, gates=(GATE,))
    )
    assert [one.direction for one in found] == ["forward"]


def test_turning_back_on_the_gate_counts_nothing() -> None:
    car = a_car(1).drives((20, 300), (323, 300), 0, 3).stands(5).drives_to((20, 300), 8)
    assert passages(observe([car], until_s=10), COUNTING) == []


def test_no_crossing_is_inferred_across_a_gap() -> None:
    hidden = a_car(1).drives((20, 300), (620, 300), 0, 6).hidden(2.7, 3.3)
    assert passages(observe([hidden], until_s=10), COUNTING) == []
    shortly = a_car(1).drives((20, 300), (620, 300), 0, 6).hidden(2.8, 3.2)
    assert len(passages(observe([shortly], until_s=10), COUNTING)) == 1


def test_vehicles_are_counted_and_people_are_not() -> None:
    actors = [
        a_person(1).drives((20, 300), (620, 300), 0, 6),
        a_bicycle(2).drives((20, 350), (620, 350), 0, 6),
        a_bus(3).drives((20, 400), (620, 400), 0, 6),
    ]
    found = passages(observe(actors, until_s=10), COUNTING)
    assert [one.object_class for one in found] == [ObjectClass.BICYCLE, ObjectClass.BUS]


def test_a_crossing_waits_for_the_best_plate_but_not_for_ever() -> None:
    camera = replace(COUNTING, plates=PlatePolicy.ALL)
    car = a_car(1).drives((20, 300), (620, 300), 0, 6).stands(60).with_plate("晋Q70Z04")
    said_at_s = [
        at_s for at_s, output in said_when(observe([car], until_s=30), camera) if isinstance(output, Passage)
    ]
    assert said_at_s == [pytest.approx(13.04, abs=0.1)]
    left = replace(car, path=car.path[:2])
    (found,) = passages(observe([left], until_s=10), camera)
    assert found.plate is not None
    assert found.plate.text == "晋Q70Z04"
    assert found.plate.readings > 140


def test_with_all_plates_and_no_gate_each_vehicle_whose_plate_was_read_is_recorded_when_it_left() -> None:
    actors = [
        a_car(1).drives((20, 300), (620, 300), 0, 6).with_plate("晋Q70Z04"),
        a_car(2).drives((20, 400), (620, 400), 2, 8),
        a_car(3).drives((620, 350), (20, 350), 1, 40).with_plate("藏YD00000"),
        a_car(4).drives((20, 450), (620, 450), 2, 8).with_plate("藏YL00000"),
    ]
    found = passages(observe(actors, until_s=40), READING)
    assert texts(found) == ["晋Q70Z04", "藏YD00000"]
    assert [one.track_id for one in found] == [1, 3]
    assert all(one.gate_id is None and one.direction is None for one in found)
    assert found[0].t_s == 6.0
    assert found[0].at_px == pytest.approx((620, 300))


def test_a_split_track_is_one_passage_and_a_later_return_is_another() -> None:
    car = a_car(1).drives((20, 300), (620, 300), 0, 8).becomes(2, 3).becomes(3, 6).with_plate("晋Q70Z04")
    assert len(passages(observe([car], until_s=12), READING)) == 1
    again = a_car(9).drives((20, 300), (620, 300), 20, 26).with_plate("晋Q70Z04")
    assert len(passages(observe([car, again], until_s=40), READING)) == 2


def test_a_fragment_within_a_long_stay_is_no_passage_of_its_own() -> None:
    stays = a_car(1).stands_at((200, 300), 0, 60).with_plate("晋Q70Z04")
    double = a_car(2).stands_at((202, 301), 20, 24).with_plate("晋Q70Z04")
    assert len(passages(observe([stays, double], until_s=60), READING)) == 1
    first_half = a_car(1).stands_at((200, 300), 0, 60).becomes(5, 30).with_plate("晋Q70Z04")
    assert len(passages(observe([first_half], until_s=60), READING)) == 1


def test_two_vehicles_with_different_plates_are_two_passages() -> None:
    actors = [
        a_car(1).drives((20, 300), (620, 300), 0, 6).with_plate("晋Q70Z04"),
        a_car(2).drives((20, 400), (620, 400), 0, 6).with_plate("晋Q70Z05"),
    ]
    assert texts(passages(observe(actors, until_s=10), READING)) == ["晋Q70Z04", "晋Q70Z05"]


def watched(observations: Sequence[Observation], camera: Camera) -> list[Watch]:
    return [output for output in judged(observations, camera) if isinstance(output, Watch)]


def test_where_all_plates_are_read_every_vehicle_is_watched_without_a_break() -> None:
    actors = [
        a_car(1).drives((20, 300), (620, 300), 0, 6),
        a_person(2).drives((20, 350), (620, 350), 0, 6),
        a_bicycle(3).drives((20, 350), (620, 350), 0, 6),
    ]
    found = watched(observe(actors, until_s=10), READING)
    assert {watch.track_id for watch in found} == {1}
    until_s = 0.0
    for watch in found:
        assert watch.until_s - 1.0 <= until_s
        until_s = watch.until_s
    assert until_s >= 6.0
    assert watched(observe(actors, until_s=10), COUNTING) == []


def test_a_vehicle_that_stands_is_read_less_and_one_that_is_surely_read_no_more() -> None:
    standing = a_car(1).stands_at((200, 300), 0, 60)
    assert len(watched(observe([standing], until_s=14.9), READING)) == 29
    assert len(watched(observe([standing], until_s=60), READING)) <= 29 + 12
    observations = [
        replace(observation, plates=(a_reading(1, "晋Q70Z04", 0.999),))
        for observation in observe([standing], until_s=60)
    ]
    assert len(watched(observations, READING)) == 1


def test_a_camera_without_gates_that_reads_candidates_only_records_nobody() -> None:
    camera = replace(READING, plates=PlatePolicy.CANDIDATES)
    car = a_car(1).drives((20, 300), (620, 300), 0, 6).with_plate("晋Q70Z04")
    assert judged(observe([car], until_s=10), camera) == []


@settings(max_examples=40)
@given(
    st.integers(0, 2**16).map(Random),
    st.sampled_from([8.0, 12.5, 25.0]),
    st.lists(
        st.tuples(st.floats(0, 30), st.booleans(), st.floats(60, 400), st.floats(220, 440)),
        max_size=8,
    ),
)
def test_jitter_and_misses_do_not_change_the_count(
    random: Random, fps: float, drives: list[tuple[float, bool, float, float]]
) -> None:
    actors = []
    for number, (start_s, forward, speed, y) in enumerate(drives, 1):
        start, end = ((-20, y), (660, y)) if forward else ((660, y), (-20, y))
        actors.append(a_car(number).drives(start, end, start_s, start_s + 680 / speed))
    observations = observe(actors, until_s=45, fps=fps, random=random, jitter=0.03, missed=0.05)
    longest_gap_s = 1.0
    found = passages(observations, replace(COUNTING, max_gap_s=longest_gap_s))
    expected = {
        number: "forward" if forward else "backward" for number, (_, forward, _, _) in enumerate(drives, 1)
    }
    assert {one.track_id: one.direction for one in found} == expected
    assert len(found) == len(expected)
    for one in found:
        start_s, _, speed, y = drives[one.track_id - 1]
        assert one.t_s == pytest.approx(start_s + 340 / speed, abs=0.03 * 120 / speed + 1.1 / fps)
        assert one.at_px[1] == pytest.approx(y, abs=5)
