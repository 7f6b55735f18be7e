"""Where a vehicle stands whose box suddenly lacks the lower part, told from the boxes of the second before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from rules.observation import Box, ObjectClass, TrackPoint
from rules.sighting import Sighting, sight
from rules.site import StopLine, View
from tests.builders.scene import a_stamp

LINE = StopLine(
    line_id="north",
    movement="straight",
    line_px=((0.0, 400.0), (640.0, 400.0)),
    further_on_px=((0.0, 300.0), (640.0, 300.0)),
    direction=(0.0, -1.0),
    view=View.DEPARTING,
    scale_px_per_m=20.0,
    head_ids=(),
)


def followed(boxes: Sequence[Box], fps: float = 10.0, picture_height_px: float = 600.0) -> list[Sighting]:
    seen: list[Sighting] = []
    for index, box in enumerate(boxes):
        point = TrackPoint(track_id=1, object_class=ObjectClass.MOTORCYCLE, box_px=box, score=0.9)
        seen.append(sight(point, a_stamp(index / fps, fps), LINE, seen, picture_height_px))
    return seen


def a_box(top: float, height: float) -> Box:
    return (300.0, top, 340.0, top + height)


def bottoms(seen: Sequence[Sighting]) -> list[float]:
    return [sighting.ground_px[1] for sighting in seen]


def test_a_box_that_loses_its_wheels_hangs_from_its_top_and_its_bounds_reach_from_there_to_its_bottom() -> (
    None
):
    seen = followed([*(a_box(320.0 - i, 100.0) for i in range(10)), a_box(310.0, 80.0), a_box(309.0, 78.0)])
    assert bottoms(seen[-3:]) == pytest.approx([411.0, 410.0, 408.6])
    assert seen[-2].ground_m == pytest.approx(-0.5)
    assert seen[-2].bounds_m == pytest.approx((-0.5, 0.5))
    assert seen[-3].bounds_m == (seen[-3].ground_m, seen[-3].ground_m)


@pytest.mark.parametrize(("height", "is_cut"), [(89.0, False), (87.0, True)])
def test_a_box_is_cut_where_it_lost_more_than_an_eighth(height: float, is_cut: bool) -> None:
    seen = followed([*[a_box(320.0, 100.0)] * 6, a_box(320.0, height)])
    assert (seen[-1].cut is not None) is is_cut


def test_it_stays_cut_until_it_is_as_tall_as_before() -> None:
    seen = followed([*[a_box(320.0, 100.0)] * 6, *[a_box(320.0, 80.0)] * 30, a_box(320.0, 99.0)])
    assert bottoms(seen[-2:]) == [420.0, 420.0]
    whole = followed(
        [*[a_box(320.0, 100.0)] * 6, a_box(320.0, 80.0), a_box(320.0, 100.0), a_box(320.0, 99.0)]
    )
    assert bottoms(whole[-2:]) == [420.0, 419.0]


@pytest.mark.parametrize(("top", "bottom"), [(310.0, 406.0), (330.0, 434.0), (280.0, 364.0)])
def test_the_whole_box_gets_smaller_as_it_drives_away_and_taller_as_it_comes(
    top: float, bottom: float
) -> None:
    seen = followed([*[a_box(320.0, 100.0)] * 6, a_box(320.0, 70.0), a_box(top, 70.0)])
    assert seen[-1].ground_px[1] == pytest.approx(bottom)


@pytest.mark.parametrize("top", [271.0, 269.0, 421.0])
def test_a_cut_box_that_is_as_tall_as_it_should_be_there_or_has_moved_by_its_height_ends_at_its_bottom(
    top: float,
) -> None:
    height = 80.5 if top == 271.0 else 70.0
    seen = followed([*[a_box(320.0, 100.0)] * 6, a_box(320.0, 70.0), a_box(top, height)])
    assert (seen[-1].cut is None) is (top != 269.0)


def shrinking(index: int) -> Box:
    """Drives off fast: the box gets smaller at both ends, by a fifth in half a second."""
    height = 200.0 * 0.96**index
    return a_box(380.0 - 10.0 * index, height)


def standing_low(index: int) -> Box:
    """Lost its head, not its wheels."""
    return a_box(320.0, 100.0) if index < 8 else a_box(345.0, 75.0)


def too_tall_at_the_edge(index: int) -> Box:
    """Comes into the picture: its box reaches the lower edge, whatever it is."""
    return (300.0, 470.0 - 10.0 * index, 340.0, 598.0) if index < 10 else a_box(365.0, 90.0)


def merged_for_a_moment(index: int) -> Box:
    return a_box(320.0, 160.0) if 6 <= index < 8 else a_box(320.0, 100.0)


def merged_until_it_set_off(index: int) -> Box:
    """Boxed with what stands behind it, a little less so at last, and alone from the moment at which it moves."""
    height = 170.0 if index < 5 else 160.0 if index < 8 else 100.0
    bottom = 420.0 + (0.0, 1.0, 2.5, 4.5, 7.0)[max(index - 7, 0)]
    return (300.0, bottom - height, 340.0, bottom)


@pytest.mark.parametrize(
    "box", [shrinking, standing_low, too_tall_at_the_edge, merged_for_a_moment, merged_until_it_set_off]
)
def test_what_is_no_cut_stands_where_its_box_ends(box: Callable[[int], Box]) -> None:
    boxes = [box(index) for index in range(12)]
    assert bottoms(followed(boxes)) == [one[3] for one in boxes]


def test_nothing_is_expected_from_less_than_four_boxes_within_the_second() -> None:
    few = followed([*[a_box(320.0, 100.0)] * 3, a_box(320.0, 80.0)])
    assert few[-1].cut is None
    rare = followed([*[a_box(320.0, 100.0)] * 9, a_box(320.0, 80.0)], fps=3.0)
    assert rare[-1].cut is None
