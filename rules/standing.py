"""Which vehicles stand and where, told from tracked boxes that jitter, drop out and get partly covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.geometry import bottom_center, box_area, center, iou, point_in_polygon
from rules.observation import Box, FrameStamp, ObjectClass, Point

MEMORY_S = 3.0
"""How much of each track is remembered: twice the time in which standing still is judged."""

SPACING_S = 0.1
"""Samples of a track lie at least this far apart, so that its memory is bounded at any frame rate."""

STILL_S = 1.5
"""A vehicle stands when it did not move for this long: longer than a detector's jitter, shorter than any limit."""

DRIFT_SHARE = 0.06
"""Between the halves of that time centre and bottom may move by this share of the box: jitter of 5 % stays below."""

PLACE_SHARE = 0.15
"""A box is at a place when centre and bottom are this near, as a share of the place's size: 0.6 m for a car."""

EXACT_SHARE = 0.07
"""As near as this, a braking car (2 m/s²) rolls for at most another half second, which is ``ROLL_S``."""

ROLL_S = 0.5
"""Half a second of braking at 2 m/s² is a quarter of a metre, 6 % of a car."""

COVER_SHARE = 0.2
"""A place may hide its vehicle when another box covers this share of it."""

LOWER_BAND = 0.25
"""The part of a box's height, from its bottom, that is taken as lying on the ground."""

WITHIN_SHARE = 0.9
"""A box lies within another but for a tenth of its area: boxes jitter."""

PART_MOST_SHARE, PART_CLEAR_SHARE = 0.25, 0.25
"""A detection of a part of a vehicle has at most a quarter of its area, and ends at least a quarter of the vehicle's height
above where that touches the ground."""

FEWEST_SAMPLES = 3
"""From fewer nothing has a median: one box that jumps would decide where a vehicle stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A vehicle as seen in one frame."""

    stamp: FrameStamp
    object_class: ObjectClass
    box_px: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What is remembered of one track: where it was first seen, and its recent samples, oldest first, never empty."""

    first: Sample
    samples: tuple[Sample, ...]

    @property
    def last_s(self) -> float:
        return self.samples[-1].stamp.media_s


def remember(trail: Trail | None, sample: Sample) -> Trail:
    """The trail with the sample added, unless it follows too closely; begun anew after a pause of ``MEMORY_S``."""
    now_s = sample.stamp.media_s
    if trail is None or now_s - trail.last_s > MEMORY_S:
        return Trail(first=sample, samples=(sample,))
    if now_s - trail.last_s < SPACING_S:
        return trail
    start = 0
    while now_s - trail.samples[start].stamp.media_s > MEMORY_S:
        start += 1
    return Trail(first=trail.first, samples=(*trail.samples[start:], sample))


def resting_place(trail: Trail) -> Box | None:
    """The box (side by side the median) where the track has stood for ``STILL_S`` until its last sample, or None."""
    recent = [sample for sample in trail.samples if trail.last_s - sample.stamp.media_s <= STILL_S]
    if len(recent) < FEWEST_SAMPLES:
        recent = list(trail.samples[-FEWEST_SAMPLES:])
    if len(recent) < FEWEST_SAMPLES or trail.last_s - recent[0].stamp.media_s < 0.8 * STILL_S:
        return None
    half = len(recent) // 2
    before, after = _mean(recent[:half]), _mean(recent[-half:])
    if not _near(after, before, DRIFT_SHARE):
        return None
    x1, y1, x2, y2 = (_median([sample.box_px[side] for sample in recent]) for side in range(4))
    return (x1, y1, x2, y2)


def is_at(box: Box, place: Box) -> bool:
    """Whether centre and bottom of the box are within ``PLACE_SHARE`` of the place's size."""
    return _near(box, place, PLACE_SHARE)


def is_partly_at(box: Box, place: Box, others: Sequence[Box]) -> bool:
    """Whether the box is what remains visible of the place while another box covers some of it.

    It lies inside the place, is at least a quarter of it, and still reaches one of its sides and its top or
    bottom. A vehicle that drives away from the camera shrinks likewise, hence the demand for a cover.
    """
    dx, dy = PLACE_SHARE * (place[2] - place[0]), PLACE_SHARE * (place[3] - place[1])
    left, top = abs(box[0] - place[0]) <= dx, abs(box[1] - place[1]) <= dy
    right, bottom = abs(box[2] - place[2]) <= dx, abs(box[3] - place[3]) <= dy
    inside = (
        box[0] >= place[0] - dx
        and box[1] >= place[1] - dy
        and box[2] <= place[2] + dx
        and box[3] <= place[3] + dy
    )
    if not (inside and (left or right) and (top or bottom) and box_area(box) >= 0.25 * box_area(place)):
        return False
    return any(covers(other, place) for other in others)


def arrival(trail: Trail, place: Box) -> tuple[tuple[float, float], tuple[Sample, ...]]:
    """When the track came to rest at the place: (earliest, latest) media seconds, and its samples there since.

    Earliest is the last sample that was not at the place, latest the first that lies within ``EXACT_SHARE``
    of it plus ``ROLL_S``, never later than the last sample. Both are the first sample's time where the track
    stood so exactly when it was first seen: then the stay is only known to be at least as long.
    """
    start = len(trail.samples)
    while start > 0 and is_at(trail.samples[start - 1].box_px, place):
        start -= 1
    there = trail.samples[start:] or trail.samples[-1:]
    exact = next((sample for sample in there if _near(sample.box_px, place, EXACT_SHARE)), there[-1])
    if exact is trail.first:
        return (exact.stamp.media_s, exact.stamp.media_s), there
    earliest = trail.samples[max(0, start - 1)]
    return (earliest.stamp.media_s, min(exact.stamp.media_s + ROLL_S, trail.last_s)), there


def stands_in(box: Box, polygon: Sequence[Point]) -> bool:
    """Whether a vehicle with this box has its ground in the polygon.

    True where the middle of the box's bottom lies inside, or at least half of its ``LOWER_BAND`` does (a car
    at the kerb seen from the front, whose visible end stands partly over the edge of the zone).
    """
    if point_in_polygon(bottom_center(box), polygon):
        return True
    x1, y1, x2, y2 = box
    top = y2 - LOWER_BAND * (y2 - y1)
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    if x2 < min(xs) or x1 > max(xs) or y2 < min(ys) or top > max(ys):
        return False
    inside = sum(
        point_in_polygon((x1 + (i + 0.5) / 6 * (x2 - x1), top + (j + 0.5) / 3 * (y2 - top)), polygon)
        for i in range(6)
        for j in range(3)
    )
    return inside * 2 >= 18


def covers(box: Box, place: Box) -> bool:
    """Whether the box covers at least ``COVER_SHARE`` of the place."""
    return _shared_area(box, place) >= COVER_SHARE * box_area(place)


def overlaps_much(box: Box, place: Box) -> bool:
    """Whether one is mostly a part of the other or both are much the same: the same vehicle, perhaps partly covered."""
    smaller = min(box_area(box), box_area(place))
    return iou(box, place) >= 0.3 or (smaller > 0.0 and _shared_area(box, place) >= 0.7 * smaller)


def is_swallowed(place: Box, box: Box) -> bool:
    """Whether the box is that of something larger before the place: a moment ago the vehicle that stands there was smaller."""
    return differs_in_size(box, place) and box_area(box) > box_area(place) and lies_within(place, box)


def lies_within(box: Box, place: Box) -> bool:
    """Whether the box lies within the place, as that of a vehicle does which stands there and gets uncovered."""
    return _shared_area(box, place) >= WITHIN_SHARE * box_area(box)


def is_part_of(box: Box, place: Box) -> bool:
    """Whether the box is a part of the vehicle at the place: small, well within its box, and ending well above its ground.

    Who really stood behind that vehicle would be hidden by it, and who stands before it ends lower.
    """
    area, clear_px = box_area(box), PART_CLEAR_SHARE * (place[3] - place[1])
    return (
        0.0 < area <= PART_MOST_SHARE * box_area(place)
        and box[3] <= place[3] - clear_px
        and lies_within(box, place)
    )


def differs_in_size(box: Box, place: Box) -> bool:
    """Whether the box cannot be that of the same vehicle a moment later: its area differs by more than 60 %."""
    return not 1 / 1.6 <= box_area(box) / max(1.0, box_area(place)) <= 1.6


def _near(box: Box, place: Box, share: float) -> bool:
    width, height = place[2] - place[0], place[3] - place[1]
    (x, y), (place_x, place_y) = center(box), center(place)
    return (
        abs(x - place_x) <= share * width
        and abs(y - place_y) <= share * height
        and abs(box[3] - place[3]) <= share * height
    )


def _shared_area(first: Box, second: Box) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, width) * max(0.0, height)


def _mean(samples: Sequence[Sample]) -> Box:
    x1, y1, x2, y2 = (sum(sample.box_px[side] for sample in samples) / len(samples) for side in range(4))
    return (x1, y1, x2, y2)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return (ordered[half] + ordered[-half - 1]) / 2.0
