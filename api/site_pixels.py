"""Converts the site file's shares of the picture into pixels of one camera's picture, unrounded."""

from __future__ import annotations

from api.site_fields import NormLine
from api.site_signals import ScalePart
from rules.geometry import Segment, unit
from rules.observation import Point

SizePx = tuple[int, int]
"""(width, height) of a picture in pixels."""


def point_px(point: Point, size_px: SizePx) -> Point:
    """The point in pixels."""
    return (point[0] * size_px[0], point[1] * size_px[1])


def line_px(line: NormLine, size_px: SizePx) -> Segment:
    """Both ends of the line in pixels."""
    return (point_px(line[0], size_px), point_px(line[1], size_px))


def direction_px(arrow: NormLine, size_px: SizePx) -> Point:
    """The unit vector of the arrow as it runs in the picture."""
    (tail_x, tail_y), (head_x, head_y) = line_px(arrow, size_px)
    return unit((head_x - tail_x, head_y - tail_y))


def scale_px_per_m(scale: ScalePart, direction: Point, size_px: SizePx) -> float:
    """Pixels per metre along ``direction`` (a unit vector in pixels): the measured length projected on it."""
    (from_x, from_y), (to_x, to_y) = line_px((scale.start, scale.end), size_px)
    return abs((to_x - from_x) * direction[0] + (to_y - from_y) * direction[1]) / scale.length_m
