"""Which vehicles stand and where: each limit on both its sides."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rules import standing
from rules.observation import Box, ObjectClass
from rules.standing import Sample, Trail, arrival, is_at, is_part_of, is_partly_at, remember, resting_place
from tests.builders.scene import a_stamp

PLACE: Box = (100.0, 100.0, 200.0, 180.0)
"""100 px wide and 80 px tall."""


def moved(dx: float = 0.0, dy: float = 0.0, dw: float = 0.0, dh: float = 0.0) -> Box:
    """The place moved by so much, and wider and taller to the right and to the bottom by so much."""
    return (PLACE[0] + dx, PLACE[1] + dy, PLACE[2] + dx + dw, PLACE[3] + dy + dh)


def a_sample(at_s: float, box: Box = PLACE) -> Sample:
    return Sample(stamp=a_stamp(at_s), object_class=ObjectClass.CAR, box_px=box)


def a_trail(
    boxes: Sequence[Box], every_s: float = 0.25, from_s: float = 0.0, first: Sample | None = None
) -> Trail:
    samples = tuple(a_sample(from_s + index * every_s, box) for index, box in enumerate(boxes))
    return Trail(first=first or samples[0], samples=samples)


def test_a_trail_remembers_three_seconds_and_where_it_began() -> None:
    trail: Trail | None = None
    for index in range(21):
        trail = remember(trail, a_sample(0.25 * index))
    assert trail is not None
    assert trail.first.stamp.media_s == 0.0
    assert [sample.stamp.media_s for sample in trail.samples] == [2.0 + 0.25 * index for index in range(13)]
    assert trail.last_s == 5.0


@pytest.mark.parametrize(("after_s", "kept"), [(0.05, 1), (0.125, 2)])
def test_samples_less_than_a_tenth_of_a_second_apart_are_not_kept(after_s: float, kept: int) -> None:
    assert len(remember(remember(None, a_sample(1.0)), a_sample(1.0 + after_s)).samples) == kept


@pytest.mark.parametrize(("pause_s", "began_s"), [(3.0, 1.0), (3.125, 4.125)])
def test_after_a_pause_of_three_seconds_a_trail_begins_anew(pause_s: float, began_s: float) -> None:
    trail = remember(remember(None, a_sample(1.0)), a_sample(1.0 + pause_s))
    assert trail.first.stamp.media_s == began_s


def test_it_stands_where_the_median_of_its_boxes_is_side_by_side() -> None:
    boxes = [moved(dx=dx, dh=dh) for dx, dh in [(0, 0), (1, 2), (0, 1), (1, 0), (0, 2), (1, 1), (9, 1)]]
    assert resting_place(a_trail(boxes)) == (101.0, 100.0, 201.0, 181.0)
    assert resting_place(a_trail([PLACE, *boxes[:4], moved(dx=2.0)])) == (100.5, 100.0, 200.5, 180.0)


@pytest.mark.parametrize(("samples", "stands"), [(5, False), (6, True)])
def test_it_must_be_seen_for_most_of_a_second_and_a_half(samples: int, stands: bool) -> None:
    """1.0 s are not enough, 1.25 s are: four fifths of the time."""
    assert (resting_place(a_trail([PLACE] * samples)) is not None) is stands


@pytest.mark.parametrize(("samples", "stands"), [(2, False), (3, True)])
def test_seen_rarely_the_last_three_boxes_tell(samples: int, stands: bool) -> None:
    assert (resting_place(a_trail([PLACE] * samples, every_s=1.6)) is not None) is stands
    rolling = a_trail([moved(dx=-20.0), PLACE, PLACE], every_s=1.6)
    assert resting_place(rolling) is None


def test_only_the_last_second_and_a_half_counts() -> None:
    assert resting_place(a_trail([*[moved(dx=-90.0)] * 4, *[PLACE] * 7])) == PLACE
    assert resting_place(a_trail([*[moved(dx=-90.0)] * 4, *[PLACE] * 6])) is None


@pytest.mark.parametrize(
    ("drift", "stands"),
    [
        ({"dx": 5.9}, True),
        ({"dx": 6.1}, False),
        ({"dx": -6.1}, False),
        ({"dy": 4.7}, True),
        ({"dy": 4.9}, False),
        ({"dh": 4.7}, True),
        ({"dh": 4.9}, False),
        ({"dh": -4.9}, False),
    ],
)
def test_it_drifts_by_no_more_than_a_sixteenth_of_its_size(drift: dict[str, float], stands: bool) -> None:
    trail = a_trail([*[PLACE] * 3, *[moved(**drift)] * 3])
    assert (resting_place(trail) is not None) is stands


@pytest.mark.parametrize(
    ("box", "there"),
    [
        (moved(dx=14.9), True),
        (moved(dx=15.1), False),
        (moved(dx=-15.1), False),
        (moved(dy=11.9), True),
        (moved(dy=12.1), False),
        (moved(dh=12.1), False),
        (moved(dh=-11.9), True),
    ],
)
def test_a_box_is_at_a_place_within_three_twentieths_of_its_size(box: Box, there: bool) -> None:
    assert is_at(box, PLACE) is there


COVER: Box = (150.0, 90.0, 300.0, 200.0)
"""Hides the right half of the place."""


@pytest.mark.parametrize(
    ("box", "partly"),
    [
        ((100.0, 100.0, 150.0, 180.0), True),
        ((150.0, 100.0, 200.0, 180.0), True),
        ((100.0, 100.0, 200.0, 140.0), True),
        ((100.0, 140.0, 200.0, 180.0), True),
        ((86.0, 100.0, 150.0, 180.0), True),
        ((84.0, 100.0, 150.0, 180.0), False),
        ((150.0, 100.0, 214.0, 180.0), True),
        ((150.0, 100.0, 216.0, 180.0), False),
        ((100.0, 89.0, 150.0, 180.0), True),
        ((100.0, 87.0, 150.0, 180.0), False),
        ((100.0, 100.0, 150.0, 191.0), True),
        ((100.0, 100.0, 150.0, 193.0), False),
        ((100.0, 100.0, 125.0, 180.0), True),
        ((100.0, 100.0, 124.0, 180.0), False),
        ((120.0, 100.0, 180.0, 180.0), False),
        ((100.0, 115.0, 200.0, 165.0), False),
        ((114.0, 111.0, 186.0, 150.0), True),
        ((116.0, 111.0, 184.0, 150.0), False),
        ((114.0, 113.0, 150.0, 167.0), False),
    ],
)
def test_what_remains_visible_of_a_covered_vehicle_reaches_its_sides(box: Box, partly: bool) -> None:
    assert is_partly_at(box, PLACE, [COVER]) is partly
    assert not is_partly_at(box, PLACE, [])


@pytest.mark.parametrize(("left", "covers"), [(180.0, True), (181.0, False)])
def test_a_place_may_hide_its_vehicle_when_a_fifth_is_covered(left: float, covers: bool) -> None:
    cover: Box = (left, 0.0, 400.0, 400.0)
    assert standing.covers(cover, PLACE) is covers
    assert is_partly_at((100.0, 100.0, 150.0, 180.0), PLACE, [cover]) is covers
    assert is_partly_at((100.0, 100.0, 150.0, 180.0), PLACE, [(300.0, 0.0, 400.0, 90.0), cover]) is covers


def test_who_was_there_from_the_first_frame_may_have_come_at_any_time_before() -> None:
    trail = a_trail([PLACE] * 5, from_s=2.0)
    times_s, there = arrival(trail, PLACE)
    assert times_s == (2.0, 2.0)
    assert there == trail.samples


def test_it_came_between_the_last_sample_elsewhere_and_half_a_second_after_the_first_right_there() -> None:
    trail = a_trail([moved(dx=-40.0), moved(dx=-20.0), moved(dx=-10.0), *[PLACE] * 8])
    times_s, there = arrival(trail, PLACE)
    assert times_s == (0.25, 1.25)
    assert there == trail.samples[2:]


def test_it_came_by_its_last_sample_at_the_latest() -> None:
    trail = a_trail([moved(dx=-40.0), moved(dx=-10.0), PLACE])
    assert arrival(trail, PLACE)[0] == (0.0, 0.5)
    rough = a_trail([moved(dx=-40.0), moved(dx=-10.0), moved(dx=-10.0)])
    assert arrival(rough, PLACE)[0] == (0.0, 0.5)
    assert arrival(rough, PLACE)[1] == rough.samples[1:]


def test_who_is_near_the_place_in_all_that_is_remembered_was_elsewhere_before_its_first_sample() -> None:
    earlier = a_sample(0.0, moved(dx=-90.0))
    trail = a_trail([PLACE] * 5, from_s=2.0, first=earlier)
    assert arrival(trail, PLACE)[0] == (2.0, 2.5)


def test_who_only_comes_to_the_place_arrives_with_its_last_sample() -> None:
    trail = a_trail([moved(dx=-40.0)] * 3)
    assert arrival(trail, PLACE) == ((0.5, 0.5), trail.samples[-1:])


@pytest.mark.parametrize(("off_px", "exact"), [(6.9, True), (7.1, False)])
def test_right_there_is_within_seven_percent(off_px: float, exact: bool) -> None:
    trail = a_trail([moved(dx=off_px), *[PLACE] * 6])
    assert (arrival(trail, PLACE)[0] == (0.0, 0.0)) is exact


ZONE = ((0.0, 150.0), (300.0, 150.0), (300.0, 250.0), (0.0, 250.0))


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((100.0, 100.0, 200.0, 200.0), True),
        ((100.0, 0.0, 200.0, 149.0), False),
        ((100.0, 160.0, 200.0, 260.0), True),
        ((100.0, 180.0, 200.0, 280.0), False),
        ((258.0, 100.0, 358.0, 200.0), True),
        ((259.0, 100.0, 359.0, 200.0), False),
        ((-58.0, 100.0, 42.0, 200.0), True),
        ((-59.0, 100.0, 41.0, 200.0), False),
        ((301.0, 100.0, 400.0, 200.0), False),
        ((-100.0, 100.0, -1.0, 200.0), False),
        ((100.0, 300.0, 200.0, 400.0), False),
    ],
)
def test_a_vehicle_is_in_the_zone_with_the_middle_of_its_bottom_or_half_of_its_lower_quarter(
    box: Box, inside: bool
) -> None:
    assert standing.stands_in(box, ZONE) is inside


def test_half_of_the_lower_quarter_in_a_corner_of_the_zone_is_enough() -> None:
    """The middle of the bottom lies below the zone; of three rows, two are in it."""
    assert standing.stands_in((100.0, 165.0, 200.0, 255.0), ZONE)
    assert not standing.stands_in((100.0, 165.0, 200.0, 268.0), ZONE)
    assert not standing.stands_in((201.0, 165.0, 501.0, 255.0), ZONE)


@pytest.mark.parametrize(
    ("box", "much"),
    [
        (PLACE, True),
        (moved(dx=53.0), True),
        (moved(dx=55.0), False),
        ((100.0, 100.0, 110.0, 110.0), True),
        ((97.0, 100.0, 107.0, 110.0), True),
        ((96.9, 100.0, 106.9, 110.0), False),
        ((100.0, 100.0, 100.0, 110.0), False),
        ((0.0, 0.0, 400.0, 400.0), True),
        ((300.0, 100.0, 400.0, 180.0), False),
    ],
)
def test_the_same_vehicle_perhaps_partly_covered_overlaps_its_place_much(box: Box, much: bool) -> None:
    assert standing.overlaps_much(box, PLACE) is much
    assert standing.overlaps_much(PLACE, box) is much


@pytest.mark.parametrize(
    ("box", "within"), [((91.0, 100.0, 191.0, 180.0), True), ((89.0, 100.0, 189.0, 180.0), False)]
)
def test_who_gets_uncovered_lies_within_the_place_but_for_a_tenth(box: Box, within: bool) -> None:
    assert standing.lies_within(box, PLACE) is within
    assert standing.lies_within((120.0, 110.0, 160.0, 150.0), PLACE)


@pytest.mark.parametrize(
    ("box", "part"),
    [
        ((110.0, 110.0, 160.0, 150.0), True),
        ((110.0, 110.0, 161.0, 150.0), False),
        ((110.0, 110.0, 150.0, 160.0), True),
        ((110.0, 110.0, 150.0, 161.0), False),
        ((94.0, 110.0, 144.0, 150.0), False),
        ((96.0, 110.0, 136.0, 150.0), True),
        ((110.0, 110.0, 110.0, 150.0), False),
    ],
)
def test_a_part_of_a_vehicle_is_small_within_it_and_above_its_ground(box: Box, part: bool) -> None:
    assert is_part_of(box, PLACE) is part


@pytest.mark.parametrize(
    ("width_px", "differs"), [(62.0, True), (63.0, False), (100.0, False), (160.0, False), (161.0, True)]
)
def test_a_box_of_another_size_is_another_vehicle(width_px: float, differs: bool) -> None:
    assert standing.differs_in_size((0.0, 0.0, width_px, 80.0), PLACE) is differs


def test_a_place_without_area_is_of_any_other_size() -> None:
    assert standing.differs_in_size((0.0, 0.0, 2.0, 1.0), (5.0, 5.0, 5.0, 5.0))
