"""The geometry keeps its promises under mirroring, rotation, shift and scale, and against independent methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import atan2, cos, hypot, isclose, pi, sin

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules import geometry
from rules.geometry import (
    along,
    bottom_center,
    box_area,
    center,
    distance_along,
    foot_share,
    interpolate,
    iou,
    line_normal,
    point_in_polygon,
    polygon_area,
    segments_cross,
    self_crossing,
    unit,
)
from rules.observation import Box, Point

coordinates = st.floats(-2000, 2000, allow_nan=False).map(lambda value: round(value, 3))
points = st.tuples(coordinates, coordinates)
angles = st.floats(0, 2 * pi)
whole = st.integers(-6, 6)
grid_points = st.tuples(whole, whole)
boxes = st.builds(
    lambda x, y, w, h: (x, y, x + w, y + h),
    coordinates,
    coordinates,
    st.floats(0.5, 500),
    st.floats(0.5, 500),
)


@st.composite
def lines_with_direction(draw: st.DrawFn) -> tuple[geometry.Segment, Point]:
    """A line of at least 10 px and a travel direction at 6 to 174 degrees to it."""
    a, b = draw(points), draw(points)
    assume(hypot(b[0] - a[0], b[1] - a[1]) >= 10.0)
    to_line = draw(st.floats(0.1, pi - 0.1)) + (pi if draw(st.booleans()) else 0.0)
    heading = atan2(b[1] - a[1], b[0] - a[0]) + to_line
    return (a, b), (cos(heading), sin(heading))


@st.composite
def star_polygons(draw: st.DrawFn) -> tuple[Point, ...]:
    """A simple polygon: corners at growing angles around the origin, at various distances."""
    count = draw(st.integers(3, 9))
    turns = [(i + draw(st.floats(0.1, 0.9))) * 2 * pi / count for i in range(count)]
    return tuple((r * cos(t), r * sin(t)) for t in turns if (r := draw(st.floats(20, 900))))


def mirrored(point: Point) -> Point:
    return (-point[0], point[1])


def turned(angle: float) -> Callable[[Point], Point]:
    return lambda p: (p[0] * cos(angle) - p[1] * sin(angle), p[0] * sin(angle) + p[1] * cos(angle))


def near(a: float, b: float) -> bool:
    return isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)


def test_a_box_stands_on_the_middle_of_its_lower_edge() -> None:
    assert bottom_center((10, 20, 50, 80)) == (30, 80)
    assert center((10, 20, 50, 80)) == (30, 50)


@given(points)
def test_a_unit_vector_keeps_the_heading_and_has_length_one(vector: Point) -> None:
    assume(hypot(*vector) > 1e-3)
    x, y = unit(vector)
    assert near(hypot(x, y), 1.0)
    assert near(x * vector[1] - y * vector[0], 0.0)
    assert x * vector[0] + y * vector[1] > 0


def test_the_zero_vector_and_a_direction_along_the_line_are_refused() -> None:
    with pytest.raises(ValueError, match="no direction"):
        unit((0.0, 0.0))
    with pytest.raises(ValueError, match="no direction"):
        line_normal(((5, 5), (5, 5)), (0, 1))
    with pytest.raises(ValueError, match="along the line"):
        distance_along((0, 0), ((0, 0), (10, 0)), (1, 0))


def test_driving_up_the_picture_a_point_below_the_line_is_before_it() -> None:
    line, up = ((0.0, 400.0), (500.0, 400.0)), (0.0, -1.0)
    assert distance_along((250, 430), line, up) == -30
    assert distance_along((250, 380), line, up) == 20
    assert distance_along((250, 430), line, (0.0, 1.0)) == 30
    assert foot_share((125, 430), line, up) == 0.25


def test_along_a_slanted_direction_the_distance_is_what_remains_to_drive() -> None:
    slanted = unit((1.0, -1.0))
    assert near(distance_along((0, 410), ((0, 400), (500, 400)), slanted), -10 * 2**0.5)
    assert near(foot_share((0, 410), ((0, 400), (500, 400)), slanted), 10 / 500)


@given(lines_with_direction(), points)
def test_driving_the_distance_ends_on_the_line(drawn: tuple[geometry.Segment, Point], point: Point) -> None:
    line, direction = drawn
    foot = along(point, direction, -distance_along(point, line, direction))
    assert abs(distance_along(foot, line, direction)) < 1e-6
    share = foot_share(point, line, direction)
    on_line = (interpolate(line[0][0], line[1][0], share), interpolate(line[0][1], line[1][1], share))
    assert hypot(foot[0] - on_line[0], foot[1] - on_line[1]) < 1e-3


@given(lines_with_direction(), points, st.floats(0.1, 900))
def test_driving_on_adds_to_the_distance_and_keeps_the_foot(
    drawn: tuple[geometry.Segment, Point], point: Point, driven: float
) -> None:
    line, direction = drawn
    further = along(point, direction, driven)
    before, after = distance_along(point, line, direction), distance_along(further, line, direction)
    assert near(after - before, driven)
    assert isclose(
        foot_share(further, line, direction), foot_share(point, line, direction), rel_tol=1e-4, abs_tol=1e-4
    )


@given(lines_with_direction(), points)
def test_the_order_of_the_lines_ends_turns_the_share_and_nothing_else(
    drawn: tuple[geometry.Segment, Point], point: Point
) -> None:
    (a, b), direction = drawn
    assert near(distance_along(point, (a, b), direction), distance_along(point, (b, a), direction))
    assert isclose(
        foot_share(point, (a, b), direction),
        1.0 - foot_share(point, (b, a), direction),
        rel_tol=1e-6,
        abs_tol=1e-4,
    )


@given(lines_with_direction(), points)
def test_the_other_direction_turns_the_sign(drawn: tuple[geometry.Segment, Point], point: Point) -> None:
    line, (dx, dy) = drawn
    assert near(distance_along(point, line, (dx, dy)), -distance_along(point, line, (-dx, -dy)))


@given(lines_with_direction(), points, angles, st.booleans(), st.floats(0.1, 8.0), points)
def test_distances_and_shares_do_not_depend_on_the_frame_of_reference(
    drawn: tuple[geometry.Segment, Point],
    point: Point,
    angle: float,
    mirror: bool,
    scale: float,
    shift: Point,
) -> None:
    (a, b), direction = drawn
    turn = turned(angle)

    def of_vector(v: Point) -> Point:
        return turn(mirrored(v) if mirror else v)

    def of_point(p: Point) -> Point:
        x, y = of_vector(p)
        return (x * scale + shift[0], y * scale + shift[1])

    moved_line = (of_point(a), of_point(b))
    distance = distance_along(point, (a, b), direction)
    moved = distance_along(of_point(point), moved_line, of_vector(direction))
    assert isclose(moved, distance * scale, rel_tol=1e-5, abs_tol=1e-4)
    assert isclose(
        foot_share(of_point(point), moved_line, of_vector(direction)),
        foot_share(point, (a, b), direction),
        rel_tol=1e-4,
        abs_tol=1e-3,
    )


@given(lines_with_direction())
def test_the_normal_is_square_to_the_line_and_looks_ahead(drawn: tuple[geometry.Segment, Point]) -> None:
    (a, b), direction = drawn
    normal = line_normal((a, b), direction)
    length = hypot(b[0] - a[0], b[1] - a[1])
    assert near(hypot(*normal), 1.0)
    assert abs(normal[0] * (b[0] - a[0]) + normal[1] * (b[1] - a[1])) < 1e-6 * length
    assert normal[0] * direction[0] + normal[1] * direction[1] > 0


def winding_number(point: Point, polygon: Sequence[Point]) -> int:
    """How often the polygon runs round the point, by summing the angles that its edges span."""
    total = 0.0
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        u, v = (ax - point[0], ay - point[1]), (bx - point[0], by - point[1])
        total += atan2(u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1])
    return round(total / (2 * pi))


def distance_to_edges(point: Point, polygon: Sequence[Point]) -> float:
    best = float("inf")
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        length_sq = (bx - ax) ** 2 + (by - ay) ** 2
        share = ((point[0] - ax) * (bx - ax) + (point[1] - ay) * (by - ay)) / length_sq if length_sq else 0.0
        share = min(1.0, max(0.0, share))
        best = min(best, hypot(point[0] - ax - share * (bx - ax), point[1] - ay - share * (by - ay)))
    return best


@given(star_polygons(), st.tuples(st.floats(-950, 950), st.floats(-950, 950)))
def test_inside_a_polygon_means_that_it_winds_round_the_point(
    polygon: tuple[Point, ...], point: Point
) -> None:
    assume(distance_to_edges(point, polygon) > 1e-6)
    assert point_in_polygon(point, polygon) == (winding_number(point, polygon) % 2 == 1)


@given(star_polygons(), st.tuples(st.floats(-950, 950), st.floats(-950, 950)), angles, st.floats(0.1, 5.0))
def test_being_inside_does_not_depend_on_the_frame_of_reference(
    polygon: tuple[Point, ...], point: Point, angle: float, scale: float
) -> None:
    assume(distance_to_edges(point, polygon) > 1e-3)
    turn = turned(angle)

    def moved(p: Point) -> Point:
        x, y = turn(mirrored(p))
        return (x * scale, y * scale)

    expected = point_in_polygon(point, polygon)
    assert point_in_polygon(moved(point), [moved(p) for p in polygon]) == expected
    assert point_in_polygon(point, polygon[::-1]) == expected
    assert point_in_polygon(point, (*polygon[1:], polygon[0])) == expected


@given(st.floats(0, 99.99), st.floats(0, 99.99))
def test_of_two_polygons_that_share_an_edge_exactly_one_contains_each_point(x: float, y: float) -> None:
    parts = [
        [(0.0, 0.0), (40.0, 0.0), (40.0, 60.0), (0.0, 60.0)],
        [(40.0, 0.0), (100.0, 0.0), (100.0, 60.0), (40.0, 60.0)],
        [(0.0, 60.0), (100.0, 60.0), (100.0, 100.0), (0.0, 100.0)],
    ]
    assert sum(point_in_polygon((x, y), part) for part in parts) == 1


@given(star_polygons(), angles, st.floats(0.1, 8.0), points)
def test_the_area_grows_with_the_square_of_the_scale(
    polygon: tuple[Point, ...], angle: float, scale: float, shift: Point
) -> None:
    turn = turned(angle)
    moved = [(x * scale + shift[0], y * scale + shift[1]) for x, y in map(turn, polygon)]
    assert isclose(polygon_area(moved), polygon_area(polygon) * scale**2, rel_tol=1e-5, abs_tol=1e-2)
    assert isclose(polygon_area(polygon[::-1]), polygon_area(polygon), rel_tol=1e-9)


@given(boxes)
def test_a_box_has_the_area_of_its_outline(box: Box) -> None:
    x1, y1, x2, y2 = box
    assert isclose(
        box_area(box), polygon_area([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]), rel_tol=1e-6, abs_tol=1e-3
    )


@given(boxes, boxes, points, st.floats(0.1, 9.0))
def test_overlap_is_symmetric_bounded_and_free_of_scale(
    first: Box, second: Box, shift: Point, scale: float
) -> None:
    shared = iou(first, second)
    assert 0.0 <= shared <= 1.0 + 1e-9
    assert shared == iou(second, first)

    def moved(box: Box) -> Box:
        return (
            box[0] * scale + shift[0],
            box[1] * scale + shift[1],
            box[2] * scale + shift[0],
            box[3] * scale + shift[1],
        )

    assert isclose(iou(moved(first), moved(second)), shared, rel_tol=1e-3, abs_tol=1e-3)


@given(boxes)
def test_a_box_overlaps_itself_wholly_and_what_lies_beside_it_not_at_all(box: Box) -> None:
    assume(box_area(box) > 1e-3)
    width = box[2] - box[0]
    assert isclose(iou(box, box), 1.0, rel_tol=1e-9)
    assert iou(box, (box[0] + width * 1.001, box[1], box[2] + width * 1.001, box[3])) == 0.0


@given(
    st.tuples(whole, whole, st.integers(1, 6), st.integers(1, 6)),
    st.tuples(whole, whole, st.integers(1, 6), st.integers(1, 6)),
)
def test_overlap_equals_counting_the_cells_of_a_grid(
    first: tuple[int, int, int, int], second: tuple[int, int, int, int]
) -> None:
    def cells(x: int, y: int, w: int, h: int) -> set[tuple[int, int]]:
        return {(i, j) for i in range(x, x + w) for j in range(y, y + h)}

    a, b = cells(*first), cells(*second)
    as_boxes = [(x, y, x + w, y + h) for x, y, w, h in (first, second)]
    assert isclose(iou(as_boxes[0], as_boxes[1]), len(a & b) / len(a | b))


def meet_in_more_than_a_shared_end(a: Point, b: Point, c: Point, d: Point) -> bool:
    """The same question answered in exact arithmetic, by solving for the parameters of both segments."""
    ax, ay, bx, by, cx, cy, dx, dy = (Fraction(v) for p in (a, b, c, d) for v in p)
    rx, ry, sx, sy = bx - ax, by - ay, dx - cx, dy - cy
    cross = rx * sy - ry * sx
    if cross != 0:
        t = ((cx - ax) * sy - (cy - ay) * sx) / cross
        u = ((cx - ax) * ry - (cy - ay) * rx) / cross
        return 0 <= t <= 1 and 0 <= u <= 1 and not (t in (0, 1) and u in (0, 1))
    if (cx - ax) * ry - (cy - ay) * rx != 0:
        return False
    length_sq = rx * rx + ry * ry
    shares = sorted(((px - ax) * rx + (py - ay) * ry) / length_sq for px, py in ((cx, cy), (dx, dy)))
    return min(shares[1], Fraction(1)) > max(shares[0], Fraction(0))


@given(grid_points, grid_points, grid_points, grid_points)
def test_segments_cross_as_exact_arithmetic_says(a: Point, b: Point, c: Point, d: Point) -> None:
    assume(a != b and c != d)
    expected = meet_in_more_than_a_shared_end(a, b, c, d)
    assume({a, b} != {c, d})
    assert segments_cross((a, b), (c, d)) == expected
    assert segments_cross((c, d), (a, b)) == expected
    assert segments_cross((b, a), (c, d)) == expected


@given(star_polygons())
def test_a_simple_polygon_does_not_cross_itself(polygon: tuple[Point, ...]) -> None:
    assert self_crossing(polygon) is None


def test_rounding_at_a_shared_corner_is_no_crossing() -> None:
    corner = (22.64141798478519, 10.600292054384438)
    assert not segments_cross(
        (corner, (10.000000000000002, 17.32050807568877)), ((24.606764056667835, -4.41669137018651), corner)
    )


def test_a_bow_tie_crosses_itself_and_names_the_edges() -> None:
    assert self_crossing([(0, 0), (10, 10), (10, 0), (0, 10)]) == (0, 2)


def test_a_polygon_that_touches_its_own_corner_or_edge_is_found() -> None:
    assert self_crossing([(0, 0), (4, 0), (2, 2), (4, 4), (0, 4), (2, 2)]) is not None
    assert self_crossing([(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)]) is not None


def test_a_polygon_that_turns_back_on_itself_is_found() -> None:
    assert self_crossing([(0, 0), (10, 0), (5, 0), (5, 5)]) is not None


L_SHAPE = ((0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (5.0, 5.0), (5.0, 10.0), (0.0, 10.0))


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((2.0, 8.0), True),
        ((8.0, 2.0), True),
        ((8.0, 8.0), False),
        ((-1.0, 5.0), False),
        ((11.0, 2.0), False),
        ((2.0, 11.0), False),
        ((2.0, -1.0), False),
        ((4.9, 9.9), True),
        ((5.1, 9.9), False),
    ],
)
def test_a_point_in_the_notch_of_a_polygon_is_outside(point: Point, inside: bool) -> None:
    assert point_in_polygon(point, L_SHAPE) is inside
    assert point_in_polygon(point, L_SHAPE[::-1]) is inside


def test_a_slanted_edge_parts_inside_from_outside() -> None:
    triangle = ((0.0, 0.0), (100.0, 40.0), (20.0, 80.0))
    assert point_in_polygon((49.0, 20.0), triangle)
    assert not point_in_polygon((51.0, 20.0), triangle)
    assert point_in_polygon((59.0, 60.0), triangle)
    assert not point_in_polygon((61.0, 60.0), triangle)


def test_a_line_across_the_way_is_measured_from_its_first_end() -> None:
    line, ahead = ((100.0, 400.0), (500.0, 400.0)), (0.0, -1.0)
    assert line_normal(line, ahead) == (0.0, -1.0)
    assert line_normal(line[::-1], ahead) == (0.0, -1.0)
    assert line_normal(line, (0.0, 1.0)) == (0.0, 1.0)
    assert distance_along((200.0, 390.0), line, ahead) == 10.0
    assert distance_along((200.0, 420.0), line, ahead) == -20.0
    assert foot_share((200.0, 390.0), line, ahead) == 0.25
    assert foot_share((200.0, 390.0), line[::-1], ahead) == 0.75


def test_a_slanted_line_is_met_along_the_way_of_travel() -> None:
    line, ahead = ((0.0, 0.0), (100.0, 100.0)), (1.0, 0.0)
    assert distance_along((70.0, 40.0), line, ahead) == pytest.approx(30.0)
    assert distance_along((20.0, 40.0), line, ahead) == pytest.approx(-20.0)
    assert foot_share((70.0, 40.0), line, ahead) == pytest.approx(0.4)
    assert line_normal(line, ahead) == pytest.approx((0.5**0.5, -(0.5**0.5)))


@pytest.mark.parametrize(
    ("first", "second", "cross"),
    [
        (((0, 0), (10, 10)), ((0, 10), (10, 0)), True),
        (((0, 0), (10, 10)), ((3, 0), (10, 7)), False),
        (((0, 0), (10, 10)), ((5, 5), (9, 0)), True),
        (((0, 0), (10, 10)), ((10, 10), (20, 0)), False),
        (((0, 0), (10, 10)), ((4, 4), (20, 20)), True),
        (((0, 0), (10, 10)), ((11, 11), (20, 20)), False),
        (((0, 0), (4, 4)), ((0, 10), (10, 0)), False),
        (((0, 0), (5, 5)), ((0, 10), (10, 0)), True),
        (((2, 7), (6, 7)), ((4, 7), (4, 9)), True),
        (((2, 7), (6, 7)), ((7, 7), (7, 9)), False),
    ],
)
def test_segments_cross_or_touch_within_or_miss(
    first: geometry.Segment, second: geometry.Segment, cross: bool
) -> None:
    for one, other in ((first, second), (first[::-1], second), (first, second[::-1])):
        assert segments_cross(one, other) is cross
        assert segments_cross(other, one) is cross


def test_areas_and_overlap_in_numbers() -> None:
    assert polygon_area(L_SHAPE) == polygon_area(L_SHAPE[::-1]) == 75.0
    assert box_area((10.0, 20.0, 40.0, 60.0)) == 1200.0
    assert box_area((40.0, 20.0, 10.0, 60.0)) == 0.0
    assert iou((0.0, 0.0, 10.0, 10.0), (5.0, 2.0, 15.0, 12.0)) == pytest.approx(40.0 / 160.0)
    assert iou((0.0, 0.0, 10.0, 10.0), (10.0, 0.0, 20.0, 10.0)) == 0.0
    assert iou((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)) == 0.0
    assert center((10.0, 20.0, 40.0, 60.0)) == (25.0, 40.0)
    assert bottom_center((10.0, 20.0, 40.0, 60.0)) == (25.0, 60.0)
    assert along((1.0, 2.0), (0.6, -0.8), 5.0) == pytest.approx((4.0, -2.0))
    assert interpolate(2.0, 6.0, 0.25) == 3.0
