"""Scene photos: the decoded frame as it was, thin marks of what was tested, and the data bar below it."""

from __future__ import annotations

from dataclasses import dataclass

from evidence.picture import Colour, Mark
from rules.finding import Finding, Photo
from rules.observation import Box, Point

LINE: Colour = (255, 255, 0)
FURTHER_LINE: Colour = (255, 160, 0)
ZONE: Colour = (255, 255, 0)
VEHICLE: Colour = (255, 0, 255)
LEADING: Colour = (0, 255, 255)
TRAILING: Colour = (0, 255, 0)
"""Blue, green, red; bright colours that neither asphalt, nor paint, nor a lamp has."""

POINT_ARM_PX = 7.0
CORNER_SHARE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPhoto:
    """A scene photo that stands in the package as ``name``, and the SHA-256 of its frame as decoded, nothing drawn."""

    name: str
    photo: Photo
    frame_sha256: str
    size_px: tuple[int, int]


def scene_marks(finding: Finding, photo: Photo) -> tuple[Mark, ...]:
    """Lines or zone that were tested, corners around the accused vehicle, a cross at each tested point."""
    marks = []
    if finding.line_px is not None:
        marks.append(Mark(points_px=finding.line_px, colour=LINE))
    if finding.further_line_px is not None:
        marks.append(Mark(points_px=finding.further_line_px, colour=FURTHER_LINE))
    if finding.zone_px:
        marks.append(Mark(points_px=finding.zone_px, colour=ZONE, closed=True))
    marks += _corners(photo.box_px)
    if photo.trailing_px is not None:
        marks += _cross(photo.trailing_px, TRAILING)
    if photo.leading_px is not None:
        marks += _cross(photo.leading_px, LEADING)
    return tuple(marks)


def _cross(point: Point, colour: Colour) -> list[Mark]:
    x, y = point
    return [
        Mark(points_px=((x - POINT_ARM_PX, y), (x + POINT_ARM_PX, y)), colour=colour),
        Mark(points_px=((x, y - POINT_ARM_PX), (x, y + POINT_ARM_PX)), colour=colour),
    ]


def _corners(box: Box) -> list[Mark]:
    """The box's corners only: its sides would hide what stands beside it."""
    x1, y1, x2, y2 = box
    dx, dy = (x2 - x1) * CORNER_SHARE, (y2 - y1) * CORNER_SHARE
    return [
        Mark(points_px=((x, y + dy * down), (x, y), (x + dx * right, y)), colour=VEHICLE)
        for x, right in ((x1, 1.0), (x2, -1.0))
        for y, down in ((y1, 1.0), (y2, -1.0))
    ]
