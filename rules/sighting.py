"""One track in one frame at one line: where it stands, also when its box suddenly lacks the lower part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from rules.geometry import bottom_center, distance_along
from rules.observation import Box, FrameStamp, ObjectClass, Point, TrackPoint
from rules.site import StopLine

COMPARED_S = 1.0
"""A box is compared with those of the last second."""

FEWEST_BOXES = 4
"""From fewer boxes, two for each half of that second, nothing is expected."""

CUT_SHARE = 0.12
"""A box that is lower than expected by more than this share was cut: shaken by 5 % at both ends, it is not."""

PERSPECTIVE = 0.4
"""A vehicle loses this share of what its top edge rises in the picture, and gains it likewise, by its distance.

It is H / (C - H) for a vehicle H metres tall under a camera C metres up: a rider or a car, and 6 m.
"""

DROVE_ON_SHARE = 0.3
"""A vehicle whose top edge moved by this share of its height since its box was cut drove on: it is not just hidden."""

STILL_SHARE = 0.03
"""A top edge that moved by no more than this share of the box's height within a second stands still."""

HIGH = frozenset({ObjectClass.BUS, ObjectClass.TRUCK})
"""Their top edge may be at the height of a low camera: it then stands still however they move."""

EDGE_SHARE = 0.02
"""A box that ends this near to the picture's lower edge, as a share of the picture's height, may end beyond it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How tall the box was, and where its top edge was when the lower part got lost."""

    top_px: float
    height_px: float

    def height_at(self, top_px: float) -> float:
        """How tall the whole box would be with its top edge there."""
        return self.height_px + PERSPECTIVE * (top_px - self.top_px)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One track in one analysed frame. ``ground_m`` is its ground point's signed distance past the stop line, in metres.

    The ground point is the middle of the box's bottom or, of a box that was ``cut``, where that would be; it
    surely lies within ``bounds_m``.
    """

    stamp: FrameStamp
    box_px: Box
    ground_px: Point
    ground_m: float
    bounds_m: tuple[float, float]
    cut: Cut | None = None

    @property
    def drove_on(self) -> bool:
        """Whether it is not just the bottom of the box that moved, as when the wheels get hidden."""
        cut = self.cut
        return cut is None or abs(self.box_px[1] - cut.top_px) >= DROVE_ON_SHARE * cut.height_px


def sight(
    track: TrackPoint,
    stamp: FrameStamp,
    line: StopLine,
    before: Sequence[Sighting] = (),
    picture_height_px: float = inf,
) -> Sighting:
    """The track as this line sees it; ``before`` are its sightings so far, oldest first.

    Wheels that get hidden, or that the detector loses, move nobody: a box that loses much of its height at
    once, and at its bottom, hangs from its top edge until it is as tall again as it should be.
    """
    box = track.box_px
    cut = _cut(box, stamp.media_s, before, picture_height_px, is_low=track.object_class not in HIGH)
    bottom_px = bottom_center(box)
    bottom_m = distance_along(bottom_px, line.line_px, line.direction) / line.scale_px_per_m
    ground_px, ground_m = bottom_px, bottom_m
    if cut is not None:
        ground_px = (bottom_px[0], box[1] + cut.height_at(box[1]))
        ground_m = distance_along(ground_px, line.line_px, line.direction) / line.scale_px_per_m
    return Sighting(
        stamp=stamp,
        box_px=box,
        ground_px=ground_px,
        ground_m=ground_m,
        bounds_m=(min(ground_m, bottom_m), max(ground_m, bottom_m)),
        cut=cut,
    )


def _cut(
    box: Box, now_s: float, before: Sequence[Sighting], picture_height_px: float, *, is_low: bool
) -> Cut | None:
    """What the box was where it lacks its lower part; one that lacks its head still ends where the vehicle stands.

    Of a vehicle that ``is_low`` also where it lost that part little by little, while its top edge stood still.
    """
    top, height = box[1], _height(box)
    known = before[-1].cut if before else None
    if known is not None:
        moved_on = abs(top - known.top_px) > known.height_px
        return None if moved_on or height >= known.height_at(top) else known
    edge_px = (1.0 - EDGE_SHARE) * picture_height_px
    recent, tallest = [], 0.0
    for old in reversed(before):
        if now_s - old.stamp.media_s > COMPARED_S:
            break
        _, upper_px, _, lower_px = old.box_px
        if lower_px < edge_px:
            recent.append(old)
            if lower_px - upper_px > tallest:
                tallest = lower_px - upper_px
    recent.reverse()
    if len(recent) < FEWEST_BOXES or height >= (1.0 - CUT_SHARE) * tallest:
        return None
    half = len(recent) // 2
    was_top, late_top = (_median([old.box_px[1] for old in part]) for part in (recent[:half], recent[half:]))
    was_height = _median([_height(old.box_px) for old in recent[:half]])
    stood_still = max(abs(top - was_top), abs(late_top - was_top)) <= STILL_SHARE * was_height
    if is_low and stood_still and height < (1.0 - CUT_SHARE) * was_height:
        return Cut(top_px=was_top, height_px=was_height)
    wanted = _expected(recent, 3, now_s) - _expected(recent, 1, now_s)
    lost_below = _jump(recent, 3, box, now_s) > _jump(recent, 1, box, now_s)
    lost_above = _strayed(recent, 1, box, now_s) > _strayed(recent, 3, box, now_s)
    if height >= (1.0 - CUT_SHARE) * wanted or not lost_below or lost_above:
        return None
    return Cut(top_px=top, height_px=_median([_height(old.box_px) for old in recent]))


def _height(box: Box) -> float:
    return box[3] - box[1]


def _expected(recent: Sequence[Sighting], side: int, now_s: float) -> float:
    """That side of the box at ``now_s``, on the straight way through the medians of the first and second half."""
    (was_s, was), (then_s, then) = _halves(recent, side)
    return then + (then - was) * (now_s - then_s) / (then_s - was_s)


def _jump(recent: Sequence[Sighting], side: int, box: Box, now_s: float) -> float:
    """How far that side is from where it was last and from where it would be at the same pace: 0 between both."""
    (was_s, was), (then_s, then) = _halves(recent, side)
    last = recent[-1].box_px[side]
    driven = last + (then - was) * (now_s - recent[-1].stamp.media_s) / (then_s - was_s)
    return _outside(box[side], last, driven)


def _strayed(recent: Sequence[Sighting], side: int, box: Box, now_s: float) -> float:
    """The same from where it was of late: also what it lost some boxes ago, as one that held another vehicle too."""
    _, (_, then) = _halves(recent, side)
    return _outside(box[side], then, _expected(recent, side, now_s))


def _outside(value: float, one_end: float, other_end: float) -> float:
    """How far the value lies outside of the stretch between the two; 0 within it."""
    return max(min(one_end, other_end) - value, value - max(one_end, other_end), 0.0)


def _halves(recent: Sequence[Sighting], side: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """The mean time and the median of that side over the first and over the second half."""
    half = len(recent) // 2
    early, late = (
        (sum(old.stamp.media_s for old in part) / half, _median([old.box_px[side] for old in part]))
        for part in (recent[:half], recent[-half:])
    )
    return early, late


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return (ordered[half] + ordered[-half - 1]) / 2.0
