"""Plane geometry in picture coordinates (pixels, y down): distances to lines, crossings, polygons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import hypot

from rules.observation import Box, Point

Segment = tuple[Point, Point]


def bottom_center(box: Box) -> Point:
    """The middle of the box's lower edge: where the visible end of a road user stands on the ground."""
    return ((box[0] + box[2]) / 2.0, box[3])


def center(box: Box) -> Point:
    """The middle of the box."""
    return ((box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0)


def unit(vector: Point) -> Point:
    """The vector scaled to length 1. Raises ValueError for the zero vector."""
    length = hypot(*vector)
    if length == 0.0:
        raise ValueError("a zero vector has no direction")
    return (vector[0] / length, vector[1] / length)


def along(point: Point, direction: Point, distance: float) -> Point:
    """The point moved by ``distance`` in ``direction`` (a unit vector)."""
    return (point[0] + direction[0] * distance, point[1] + direction[1] * distance)


def line_normal(line: Segment, direction: Point) -> Point:
    """The unit normal of the line that points the way of ``direction``.

    Raises ValueError where the line has no length or runs parallel to ``direction``.
    """
    (ax, ay), (bx, by) = line
    normal = unit((ay - by, bx - ax))
    ahead = normal[0] * direction[0] + normal[1] * direction[1]
    if abs(ahead) < 1e-9:
        raise ValueError("the direction runs along the line")
    return normal if ahead > 0.0 else (-normal[0], -normal[1])


def distance_along(point: Point, line: Segment, direction: Point) -> float:
    """Signed pixels from the infinite line to the point, measured along ``direction``: negative before it, positive past it.

    Raises ValueError as ``line_normal`` does.
    """
    return ruler(line, direction).past_px(point)


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures ``distance_along`` for many points of one line and direction."""

    origin: Point
    normal: Point
    ahead: float

    def past_px(self, point: Point) -> float:
        """Signed pixels from the line to the point along the direction."""
        (ax, ay), (nx, ny) = self.origin, self.normal
        return ((point[0] - ax) * nx + (point[1] - ay) * ny) / self.ahead


@lru_cache(maxsize=256)
def ruler(line: Segment, direction: Point) -> Ruler:
    """The ruler of that line and direction, remembered: a camera asks for its few lines thousands of times a second.

    Raises ValueError as ``line_normal`` does.
    """
    normal = line_normal(line, direction)
    ahead = normal[0] * direction[0] + normal[1] * direction[1]
    return Ruler(origin=line[0], normal=normal, ahead=ahead)


def foot_share(point: Point, line: Segment, direction: Point) -> float:
    """Where the point, moved along ``direction`` onto the line, meets it: 0 at the line's first end, 1 at its second.

    Values outside 0..1 lie beyond the ends. Raises ValueError as ``line_normal`` does.
    """
    foot = along(point, direction, -distance_along(point, line, direction))
    (ax, ay), (bx, by) = line
    length_sq = (bx - ax) ** 2 + (by - ay) ** 2
    return ((foot[0] - ax) * (bx - ax) + (foot[1] - ay) * (by - ay)) / length_sq


def interpolate(a: float, b: float, share: float) -> float:
    """The value ``share`` (0..1) of the way from a to b."""
    return a + (b - a) * share


def point_in_polygon(point: Point, polygon: Sequence[Point]) -> bool:
    """Whether the point lies inside (even-odd rule); points on the lower or left edges count as inside."""
    x, y = point
    inside = False
    previous_x, previous_y = polygon[-1]
    for next_x, next_y in polygon:
        if (next_y > y) != (previous_y > y):
            crossing_x = next_x + (y - next_y) * (previous_x - next_x) / (previous_y - next_y)
            if x < crossing_x:
                inside = not inside
        previous_x, previous_y = next_x, next_y
    return inside


def _side(a: Point, b: Point, p: Point) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def segments_cross(first: Segment, second: Segment) -> bool:
    """Whether two segments meet in more than a shared end: properly crossing, or one end lying inside the other."""
    a, b = first
    c, d = second
    s3, s4 = _side(c, d, a), _side(c, d, b)
    if (s3 > 0.0 and s4 > 0.0) or (s3 < 0.0 and s4 < 0.0):
        return False
    s1, s2 = _side(a, b, c), _side(a, b, d)
    if ((s1 > 0) != (s2 > 0)) and ((s3 > 0) != (s4 > 0)) and 0.0 not in (s1, s2, s3, s4):
        return True
    return (
        (s1 == 0.0 and _strictly_between(a, b, c))
        or (s2 == 0.0 and _strictly_between(a, b, d))
        or (s3 == 0.0 and _strictly_between(c, d, a))
        or (s4 == 0.0 and _strictly_between(c, d, b))
    )


def _strictly_between(a: Point, b: Point, p: Point) -> bool:
    if p in (a, b):
        return False
    dot = (p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1])
    length_sq = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    return 0.0 < dot < length_sq


def self_crossing(polygon: Sequence[Point]) -> tuple[int, int] | None:
    """The first two edges (by the index of their first corner) that cross or touch, or None for a simple polygon."""
    count = len(polygon)
    edges = [(polygon[i], polygon[(i + 1) % count]) for i in range(count)]
    for i in range(count):
        for j in range(i + 1, count):
            if segments_cross(edges[i], edges[j]):
                return (i, j)
            neighbours = j == i + 1 or (i == 0 and j == count - 1)
            if not neighbours and set(edges[i]) & set(edges[j]):
                return (i, j)
    return None


def polygon_area(polygon: Sequence[Point]) -> float:
    """The area of a simple polygon in square pixels (shoelace formula), never negative."""
    total = 0.0
    previous_x, previous_y = polygon[-1]
    for next_x, next_y in polygon:
        total += previous_x * next_y - next_x * previous_y
        previous_x, previous_y = next_x, next_y
    return abs(total) / 2.0


def box_area(box: Box) -> float:
    """The area of the box in square pixels."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0..1; 0 where both are empty."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    return shared / (box_area(first) + box_area(second) - shared)
