"""Where a vehicle's leading and trailing points are, and when the leading one crossed: each limit on both its sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules import approach
from rules.approach import (
    find_crossing,
    first_past,
    keeps_to_approach,
    past_further_on,
    stands,
    steadied,
    turns_off,
    within_segment,
)
from rules.observation import ObjectClass
from rules.sighting import Cut, Sighting
from rules.site import View
from tests.builders.scene import a_stamp
from tests.builders.stop_line import a_box, a_line, a_sighting, seen_at

CAR_M = 3.0
"""From the rear of a car's box to its front wheels."""

MAX_GAP_S = 0.5
LINE = a_line()


def leading(*metres: float) -> tuple[Sighting, ...]:
    """A car seen from behind whose leading point is there, each tenth of a second."""
    return seen_at(metre - CAR_M for metre in metres)


def metre_by_metre(first_m: float, count: int) -> list[float]:
    return [first_m + step for step in range(count)]


@pytest.mark.parametrize(
    ("object_class", "body_m", "wheels_m"),
    [
        (ObjectClass.CAR, 4.5, 3.0),
        (ObjectClass.BUS, 11.0, 8.5),
        (ObjectClass.TRUCK, 8.0, 6.0),
        (ObjectClass.MOTORCYCLE, 2.0, 1.2),
        (ObjectClass.BICYCLE, 1.8, 1.0),
    ],
)
def test_seen_from_ahead_the_whole_body_must_be_past_and_from_behind_the_front_wheels_lead(
    object_class: ObjectClass, body_m: float, wheels_m: float
) -> None:
    assert approach.reach_m(object_class, View.APPROACHING) == body_m
    assert approach.reach_m(object_class, View.DEPARTING) == wheels_m


def test_the_seen_end_is_the_leading_point_of_who_comes_and_the_trailing_point_of_who_leaves() -> None:
    assert approach.leading_m(1.0, 3.0, View.APPROACHING) == 1.0
    assert approach.trailing_m(1.0, 3.0, View.APPROACHING) == -2.0
    assert approach.leading_m(1.0, 3.0, View.DEPARTING) == 4.0
    assert approach.trailing_m(1.0, 3.0, View.DEPARTING) == 1.0


def test_the_points_are_drawn_by_the_lines_scale() -> None:
    leaving, coming = a_sighting(0.0, -1.0), a_sighting(0.0, 1.0, View.APPROACHING)
    assert approach.leading_px(leaving, 3.0, LINE) == (300.0, 360.0)
    assert approach.trailing_px(leaving, 3.0, LINE) == (300.0, 420.0)
    assert approach.leading_px(coming, 4.5, a_line(View.APPROACHING)) == (300.0, 420.0)
    assert approach.trailing_px(coming, 4.5, a_line(View.APPROACHING)) == (300.0, 330.0)


def test_a_vehicle_may_be_fifteen_percent_longer_or_shorter_than_its_class() -> None:
    assert approach.longest_m(4.0) == pytest.approx(4.6)
    assert approach.shortest_m(4.0) == pytest.approx(3.4)


def test_a_box_that_jumps_for_one_frame_moves_nobody() -> None:
    assert steadied([1.0, 2.0, 9.0, 4.0, 5.0]) == (1.0, 2.0, 4.0, 5.0, 5.0)
    assert steadied([5.0, 4.0, -9.0, 2.0, 1.0]) == (5.0, 4.0, 2.0, 1.0, 1.0)
    assert steadied([3.0, 9.0]) == (3.0, 9.0)
    assert steadied([0.0, 9.0, 1.0]) == (0.0, 1.0, 1.0)


def test_a_crossing_seen_from_behind_is_bounded_by_the_longest_and_the_shortest_car() -> None:
    """Longest: 0.45 m ahead and 0.15 m of box noise; 4 m/s² over a tenth of a second are half a centimetre."""
    crossing = find_crossing(leading(*metre_by_metre(-5.5, 12)), CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert (crossing.before, crossing.after, crossing.photo_before) == (5, 6, 4)
    assert crossing.t_s == pytest.approx(0.55)
    assert crossing.earliest_s == pytest.approx(0.4895)
    assert crossing.latest_s == pytest.approx(0.6105)
    assert crossing.at_px == pytest.approx((300.0, 400.0))


def test_a_crossing_seen_from_ahead_does_not_depend_on_the_length() -> None:
    history = seen_at(metre_by_metre(-5.5, 12), View.APPROACHING)
    crossing = find_crossing(history, 4.5, a_line(View.APPROACHING), MAX_GAP_S)
    assert crossing is not None
    assert (crossing.before, crossing.after, crossing.photo_before) == (5, 6, 5)
    assert crossing.t_s == pytest.approx(0.55)
    assert crossing.earliest_s == pytest.approx(0.5345)
    assert crossing.latest_s == pytest.approx(0.5655)


def test_it_crosses_aslant_where_its_leading_point_meets_the_line() -> None:
    history = [a_sighting(0.1 * i, -4.75 + i, x_px=300.0 + 20.0 * i) for i in range(6)]
    crossing = find_crossing(history, CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert crossing.t_s == pytest.approx(0.175)
    assert crossing.at_px == pytest.approx((335.0, 400.0))


def test_a_front_exactly_on_the_line_is_past_it() -> None:
    crossing = find_crossing(leading(-2.0, -1.0, 0.0, 1.0), CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert (crossing.before, crossing.after) == (1, 2)
    assert crossing.t_s == pytest.approx(0.2)


def test_who_may_have_been_over_the_line_at_first_sight_has_no_earliest_time() -> None:
    crossing = find_crossing(leading(-0.5, 0.5, 1.5, 2.5), CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert crossing.earliest_s is None
    assert crossing.photo_before == 0


def test_who_is_not_surely_past_the_line_crossed_by_the_last_sighting_at_the_latest() -> None:
    crossing = find_crossing(leading(-2.5, -1.5, -0.5, 0.5, 0.5), CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert crossing.latest_s == pytest.approx(0.4)


def test_the_photo_before_the_line_shows_it_there_also_as_its_box_was_seen() -> None:
    crossing = find_crossing(
        leading(-1.1, -0.9, -0.8, 0.1, -0.7, -0.3, 0.3, 0.9, 1.5), CAR_M, LINE, MAX_GAP_S
    )
    assert crossing is not None
    assert (crossing.before, crossing.photo_before) == (5, 2)


def test_of_two_crossings_the_last_counts_and_who_rolls_back_has_not_crossed() -> None:
    there_and_back = (-1.5, -0.5, 0.5, 1.5, 0.5, -0.5)
    assert find_crossing(leading(*there_and_back), CAR_M, LINE, MAX_GAP_S) is None
    crossing = find_crossing(leading(*there_and_back, -1.5, -0.5, 0.5, 1.5), CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert (crossing.before, crossing.after) == (7, 8)


@pytest.mark.parametrize("metres", [(), (0.5,), (-0.5,), (0.5, 1.5, 2.5), (-3.5, -2.5, -1.5)])
def test_who_was_not_seen_on_both_sides_did_not_cross(metres: tuple[float, ...]) -> None:
    assert find_crossing(leading(*metres), CAR_M, LINE, MAX_GAP_S) is None


@pytest.mark.parametrize(("gap_s", "crossed"), [(0.5, True), (0.51, False)])
def test_no_crossing_is_inferred_across_more_than_the_gap(gap_s: float, crossed: bool) -> None:
    history = [*leading(-4.5, -3.5, -2.5), *seen_at([0.0, 1.0, 2.0], from_s=0.2 + gap_s)]
    assert (find_crossing(history, CAR_M, LINE, MAX_GAP_S) is not None) is crossed


def test_a_crossing_must_hold_wherever_a_cut_box_may_really_stand() -> None:
    """Its wheels may not be over yet, or may have been over when it was first seen."""
    seen = leading(-1.5, -0.5, 0.5)
    assert find_crossing(seen, CAR_M, LINE, MAX_GAP_S) is not None
    perhaps_behind = [replace(one, bounds_m=(one.ground_m - 0.6, one.ground_m)) for one in seen]
    perhaps_ahead = [replace(one, bounds_m=(one.ground_m, one.ground_m + 1.6)) for one in seen]
    assert find_crossing(perhaps_behind, CAR_M, LINE, MAX_GAP_S) is None
    assert find_crossing(perhaps_ahead, CAR_M, LINE, MAX_GAP_S) is None


def test_in_a_gap_before_the_line_it_may_have_been_there_at_once() -> None:
    """Surely before the line at 0.1 s, then not seen until 0.8 s, when the longest car might be over."""
    history = [*leading(-2.5, -1.5), *seen_at([-3.4, -2.5, -1.5, -0.5], from_s=0.8)]
    crossing = find_crossing(history, CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert crossing.earliest_s == pytest.approx(0.1)
    assert crossing.photo_before == 1


def test_in_a_gap_past_the_line_it_may_have_crossed_only_at_its_end() -> None:
    history = [*leading(-1.5, -0.5, 0.5), *leading(3.0, 4.0)]
    history[3:] = [replace(one, stamp=a_stamp(0.9 + 0.1 * i)) for i, one in enumerate(history[3:])]
    crossing = find_crossing(history, CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert crossing.latest_s == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("x_px", "within"), [(99.0, False), (100.0, True), (300.0, True), (500.0, True), (501.0, False)]
)
def test_a_line_has_two_ends_which_belong_to_it(x_px: float, within: bool) -> None:
    assert within_segment(a_sighting(0.0, 1.0, x_px=x_px), LINE) is within


@pytest.mark.parametrize(("ground_m", "beyond"), [(4.99, False), (5.0, True), (5.01, True)])
def test_further_on_is_where_the_box_ends_beyond_the_line_drawn_there(ground_m: float, beyond: bool) -> None:
    assert past_further_on(a_sighting(0.0, ground_m), LINE) is beyond


@pytest.mark.parametrize(("moved_px", "beyond"), [(17.0, False), (18.0, True), (-18.0, True)])
def test_a_box_that_lost_its_lower_part_is_further_on_once_its_top_moved_as_well(
    moved_px: float, beyond: bool
) -> None:
    """60 px tall when it was cut: three tenths of that are 18 px."""
    box_px = a_box(5.5)
    cut = Cut(top_px=box_px[1] + moved_px, height_px=60.0)
    seen = replace(a_sighting(0.0, 4.5, cut=cut), box_px=box_px)
    assert past_further_on(seen, LINE) is beyond


def going(right_m: float, ahead_m: float) -> tuple[Sighting, Sighting]:
    return a_sighting(0.0, 1.0), a_sighting(1.0, 1.0 + ahead_m, x_px=300.0 + 20.0 * right_m)


@pytest.mark.parametrize(
    ("right_m", "ahead_m", "keeps"),
    [
        (0.0, 1.0, True),
        (1.7, 1.0, True),
        (-1.7, 1.0, True),
        (1.8, 1.0, False),
        (-1.8, 1.0, False),
        (0.0, -1.0, False),
        (0.0, 0.0, False),
    ],
)
def test_who_uses_the_approach_keeps_within_sixty_degrees_of_it(
    right_m: float, ahead_m: float, keeps: bool
) -> None:
    assert keeps_to_approach(*going(right_m, ahead_m), LINE) is keeps
    down = a_line(View.APPROACHING)
    first, last = going(right_m, -ahead_m)
    assert keeps_to_approach(first, last, down) is keeps


@pytest.mark.parametrize(
    ("right_m", "ahead_m", "turns"),
    [
        (1.9, 0.5, False),
        (2.0, 0.0, True),
        (-2.0, 0.0, True),
        (3.0, 2.0, False),
        (0.0, 9.0, False),
        (0.0, -2.0, True),
    ],
)
def test_who_drove_two_metres_off_the_approach_has_turned(
    right_m: float, ahead_m: float, turns: bool
) -> None:
    assert turns_off(*going(right_m, ahead_m), LINE) is turns


def test_past_the_line_is_where_the_rear_of_the_longest_vehicle_is() -> None:
    history = leading(-0.5, 0.5, 2.5, 3.0, 3.5)
    crossing = find_crossing(history, CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert first_past(history, crossing, CAR_M, LINE) == 3
    assert first_past(history[:3], crossing, CAR_M, LINE) is None
    coming = seen_at([-0.5, 0.5, 5.0, 5.17, 5.18], View.APPROACHING)
    seen_ahead = find_crossing(coming, 4.5, a_line(View.APPROACHING), MAX_GAP_S)
    assert seen_ahead is not None
    assert first_past(coming, seen_ahead, 4.5, a_line(View.APPROACHING)) == 4


def test_a_cut_box_is_past_the_line_by_its_least_bound() -> None:
    history = [
        replace(one, bounds_m=(one.ground_m - 0.5, one.ground_m)) for one in leading(-0.5, 0.5, 3.4, 3.5)
    ]
    crossing = find_crossing(leading(-0.5, 0.5, 3.4, 3.5), CAR_M, LINE, MAX_GAP_S)
    assert crossing is not None
    assert first_past(history, crossing, CAR_M, LINE) == 3


@pytest.mark.parametrize(("range_m", "standing"), [(0.74, True), (0.76, False)])
def test_who_stays_within_three_quarters_of_a_metre_stands(range_m: float, standing: bool) -> None:
    forth = [0.0, range_m / 2.0, range_m, 0.0] * 3
    assert stands(seen_at(forth), 1.0, MAX_GAP_S) is standing


@pytest.mark.parametrize(("standing_s", "standing"), [(1.0, True), (1.05, False)])
def test_it_stands_once_it_was_seen_to_for_the_whole_time(standing_s: float, standing: bool) -> None:
    assert stands(seen_at([2.0] * 11), standing_s, MAX_GAP_S) is standing
    assert stands(seen_at([2.0]), standing_s, MAX_GAP_S) is False


def test_what_came_before_the_standing_time_does_not_matter() -> None:
    assert stands(seen_at([-9.0, -5.0, *[2.0] * 11]), 1.0, MAX_GAP_S)
    assert not stands(seen_at([-9.0, -5.0, *[2.0] * 10]), 1.0, MAX_GAP_S)


@pytest.mark.parametrize(("gap_s", "standing"), [(0.5, True), (0.6, False)])
def test_nobody_knows_whether_it_stood_in_a_gap(gap_s: float, standing: bool) -> None:
    history = [*seen_at([2.0] * 6), *seen_at([2.0] * 6, from_s=0.5 + gap_s)]
    assert stands(history, 1.2, MAX_GAP_S) is standing
