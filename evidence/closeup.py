"""Close-ups: the signal heads in each photo's frame, and the plate as it was seen and as it was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from evidence.picture import Pixels, detail, rectified, side_by_side, stacked
from rules.finding import Finding
from rules.observation import Box, Point
from rules.site import Head, Site


class InBox(Protocol):
    """Something that a box in a frame encloses, such as a signal head."""

    @property
    def box_px(self) -> Box: ...


LAMP_HEIGHT_PX = 240
LAMP_MARGIN = 0.35
LAMP_GAP_PX = 8

PLATE_SIZE_PX = (440, 140)
"""The proportions of a Chinese plate of one row: 440 x 140 mm (GA 36)."""

PLATE_MARGIN = 0.6
PLATE_HEIGHT_PX = 240


def heads_in_view(finding: Finding, site: Site) -> tuple[Head, ...]:
    """The heads that allow the finding's movement and are seen by its own camera, in the order of the site file."""
    lines = site.camera(finding.camera_id).stop_lines
    wanted = {head_id for line in lines if line.line_id == finding.place_id for head_id in line.head_ids}
    return tuple(
        head for head in site.heads if head.head_id in wanted and head.camera_id == finding.camera_id
    )


def lamp_column(frame: Pixels, heads: Sequence[InBox]) -> Pixels:
    """The heads of one frame below each other, enlarged. Raises PictureError for a head outside the frame."""
    return stacked(
        [detail(frame, head.box_px, margin=LAMP_MARGIN, height_px=LAMP_HEIGHT_PX) for head in heads],
        gap_px=LAMP_GAP_PX,
    )


def lamp_strip(columns: Sequence[Pixels]) -> Pixels:
    """The columns of all photos side by side, in their order."""
    return side_by_side(columns, gap_px=LAMP_GAP_PX)


def plate_closeup(frame: Pixels, corners_px: tuple[Point, Point, Point, Point]) -> Pixels:
    """The plate with what is around it, enlarged, and below it the plate seen straight. Raises PictureError outside the frame."""
    xs, ys = [x for x, _ in corners_px], [y for _, y in corners_px]
    box: Box = (min(xs), min(ys), max(xs), max(ys))
    seen = detail(frame, box, margin=PLATE_MARGIN, height_px=PLATE_HEIGHT_PX)
    return stacked((seen, rectified(frame, corners_px, PLATE_SIZE_PX)), gap_px=LAMP_GAP_PX)
