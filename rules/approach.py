"""One vehicle against one stop line: where its leading and trailing points are, and when the leading one crossed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from types import MappingProxyType

from rules.geometry import along, bottom_center, distance_along, foot_share, interpolate
from rules.observation import ObjectClass, Point
from rules.sighting import Sighting
from rules.site import StopLine, View

BODY_M: Mapping[ObjectClass, float] = MappingProxyType(
    {
        ObjectClass.CAR: 4.5,
        ObjectClass.BUS: 11.0,
        ObjectClass.TRUCK: 8.0,
        ObjectClass.MOTORCYCLE: 2.0,
        ObjectClass.BICYCLE: 1.8,
    }
)
"""Length of a common vehicle of the class from end to end, in metres."""

REAR_TO_FRONT_M: Mapping[ObjectClass, float] = MappingProxyType(
    {
        ObjectClass.CAR: 3.0,
        ObjectClass.BUS: 8.5,
        ObjectClass.TRUCK: 6.0,
        ObjectClass.MOTORCYCLE: 1.2,
        ObjectClass.BICYCLE: 1.0,
    }
)
"""From where the box of a vehicle seen from behind ends to where its front wheels touch the ground, in metres.

A bus or a truck hides its rear wheels under its overhang. A car's are 2.7 m from the front ones; before the line, nearer to
the camera, a metre has more pixels: with 2.8 m, crossings in the sample clips were told 0.03 to 0.07 s late.
"""

SLOW_M_S = 2.0
"""Whoever is slower than walking pace from front to rear over the line did not drive over it in one go."""

LENGTH_UNCERTAINTY = 0.15
"""A vehicle may be this share longer or shorter than its class (design section 4)."""

STANDING_SPAN_M = 0.75
"""A vehicle whose ground point stays within this range stands; boxes of standing vehicles jitter by less."""

BOX_NOISE_SHARE = 0.05
"""A detector puts the bottom of a box this share of its height too high or too low.

YOLOX-nano on the sample clips: 1 to 5 % too low under cars by the median (their shadow), 0 to 2 % under motorcycles."""

MOST_M_S2 = 4.0
"""Nobody brakes or speeds up harder than this on the way over a line, but in an emergency."""

MAX_HEADING_COS = 0.5
"""A vehicle that moves more than 60 degrees off the approach direction does not use this approach."""

TURNED_M = 2.0
"""Over a shorter way nobody can tell whether a vehicle turns: boxes jitter, riders swerve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The leading point reached the line at ``t_s``, at ``at_px``, surely within ``earliest_s`` .. ``latest_s``.

    ``earliest_s`` is None where even the first sighting may already have been over the line. ``before`` and
    ``after`` index the sightings around the line; ``photo_before`` is the one to show before it: the last that was
    so as it was seen and, where there is one, by the longest vehicle of its class.
    """

    t_s: float
    earliest_s: float | None
    latest_s: float
    at_px: Point
    before: int
    after: int
    photo_before: int


def reach_m(object_class: ObjectClass, view: View) -> float:
    """How far the tested point that the camera does not see lies from the one it sees.

    Approaching, the front is seen and the whole body must be past the line; departing, the rear is seen and
    the leading point decides when the line was crossed.
    """
    return BODY_M[object_class] if view is View.APPROACHING else REAR_TO_FRONT_M[object_class]


def leading_m(ground_m: float, reach_m: float, view: View) -> float:
    """The leading point's distance past the line: an approaching vehicle shows it, a departing one its trailing point."""
    return ground_m if view is View.APPROACHING else ground_m + reach_m


def trailing_m(ground_m: float, reach_m: float, view: View) -> float:
    """The trailing point's distance past the line."""
    return ground_m - reach_m if view is View.APPROACHING else ground_m


def leading_px(sighting: Sighting, reach_m: float, line: StopLine) -> Point:
    """Where the leading point is in the picture, by the line's scale."""
    ahead_m = leading_m(0.0, reach_m, line.view)
    return along(sighting.ground_px, line.direction, ahead_m * line.scale_px_per_m)


def trailing_px(sighting: Sighting, reach_m: float, line: StopLine) -> Point:
    """Where the trailing point is in the picture, by the line's scale."""
    ahead_m = trailing_m(0.0, reach_m, line.view)
    return along(sighting.ground_px, line.direction, ahead_m * line.scale_px_per_m)


def longest_m(reach_m: float) -> float:
    """The same for the longest vehicle of the class."""
    return reach_m * (1.0 + LENGTH_UNCERTAINTY)


def shortest_m(reach_m: float) -> float:
    """The same for the shortest vehicle of the class."""
    return reach_m * (1.0 - LENGTH_UNCERTAINTY)


def steadied(raw: Sequence[float]) -> tuple[float, ...]:
    """The distances as medians of three neighbours: a box that jumps for one frame moves nobody over a line."""
    if len(raw) < 3:
        return tuple(raw)
    inner = [max(min(a, b), min(max(a, b), c)) for a, b, c in zip(raw, raw[1:], raw[2:], strict=False)]
    return (raw[0], *inner, raw[-1])


def find_crossing(
    history: Sequence[Sighting], reach_m: float, line: StopLine, max_gap_s: float
) -> Crossing | None:
    """The last time the leading point went from before the line to past it and stayed there; None where it did not.

    At the earliest, the longest vehicle of the class crossed, by the farthest that it may have been; at the
    latest the shortest, by the least far. Both are interpolated, with room for a box that is a little off and
    for a vehicle that did not drive evenly between two sightings. No crossing is inferred where the sightings
    before and after the line are more than ``max_gap_s`` apart.
    """
    ground = steadied([sighting.ground_m for sighting in history])
    least, most = (steadied([sighting.bounds_m[end] for sighting in history]) for end in (0, 1))
    lead = [leading_m(value, reach_m, line.view) for value in ground]
    before = _last_before(lead, history, max_gap_s)
    bounds = ([leading_m(value, reach_m, line.view) for value in bound] for bound in (least, most))
    if before is None or any(_last_before(bound, history, max_gap_s) is None for bound in bounds):
        return None
    after = before + 1
    noise = [BOX_NOISE_SHARE * (one.box_px[3] - one.box_px[1]) / line.scale_px_per_m for one in history]
    farthest = [leading_m(m, longest_m(reach_m), line.view) + n for m, n in zip(most, noise, strict=True)]
    nearest = [leading_m(m, shortest_m(reach_m), line.view) - n for m, n in zip(least, noise, strict=True)]
    surely_before = next((i for i in range(before, -1, -1) if farthest[i] < 0.0), None)
    surely_past = next((i for i in range(after, len(nearest)) if nearest[i] >= 0.0), None)
    latest_before = before if surely_before is None else surely_before
    seen_m = [leading_m(one.ground_m, reach_m, line.view) for one in history]
    photo_before = next(i for i in range(latest_before, -1, -1) if seen_m[i] < 0.0)
    earliest_s, latest_s = None, history[-1].stamp.media_s
    if surely_before is not None:
        earliest_s = _reached_s(farthest, history, surely_before, 1.0, max_gap_s)
    if surely_past is not None:
        latest_s = _reached_s(nearest, history, surely_past - 1, -1.0, max_gap_s)
    share = -lead[before] / (lead[after] - lead[before])
    first, second = history[before], history[after]
    from_px, to_px = leading_px(first, reach_m, line), leading_px(second, reach_m, line)
    return Crossing(
        t_s=interpolate(first.stamp.media_s, second.stamp.media_s, share),
        earliest_s=earliest_s,
        latest_s=latest_s,
        at_px=(interpolate(from_px[0], to_px[0], share), interpolate(from_px[1], to_px[1], share)),
        before=before,
        after=after,
        photo_before=photo_before,
    )


def _reached_s(
    lead: Sequence[float], history: Sequence[Sighting], index: int, sign: float, max_gap_s: float
) -> float:
    """When the line was reached between that sighting and the next, as early (``sign`` 1) or late (-1) as may be.

    Even acceleration a puts it off the straight way by a T² / 8 after T / 2; in a gap anything may have happened.
    """
    first_s, second_s = history[index].stamp.media_s, history[index + 1].stamp.media_s
    if second_s - first_s > max_gap_s:
        return first_s if sign > 0.0 else second_s
    off_m = sign * MOST_M_S2 * (second_s - first_s) ** 2 / 8.0
    share = -(lead[index] + off_m) / (lead[index + 1] - lead[index])
    return interpolate(first_s, second_s, min(max(share, 0.0), 1.0))


def _last_before(lead: Sequence[float], history: Sequence[Sighting], max_gap_s: float) -> int | None:
    """The last sighting before the line, where the next one is past it and no gap lies between."""
    if not lead or lead[-1] < 0.0:
        return None
    before = next((i for i in range(len(lead) - 2, -1, -1) if lead[i] < 0.0), None)
    if before is None:
        return None
    between_s = history[before + 1].stamp.media_s - history[before].stamp.media_s
    return None if between_s > max_gap_s else before


def within_segment(sighting: Sighting, line: StopLine) -> bool:
    """Whether the vehicle meets the line between its two ends."""
    return 0.0 <= foot_share(sighting.ground_px, line.line_px, line.direction) <= 1.0


def past_further_on(sighting: Sighting, line: StopLine) -> bool:
    """Whether the box ends beyond the further-on line, and not because its lower part just got hidden."""
    bottom_px = bottom_center(sighting.box_px)
    points = (bottom_px,) if sighting.drove_on else (bottom_px, sighting.ground_px)
    return all(distance_along(point, line.further_on_px, line.direction) >= 0.0 for point in points)


def keeps_to_approach(first: Sighting, last: Sighting, line: StopLine) -> bool:
    """Whether the way from the first to the last sighting runs within 60 degrees of the approach direction."""
    dx = last.ground_px[0] - first.ground_px[0]
    dy = last.ground_px[1] - first.ground_px[1]
    ahead = dx * line.direction[0] + dy * line.direction[1]
    return ahead > 0.0 and ahead >= MAX_HEADING_COS * hypot(dx, dy)


def turns_off(past: Sighting, last: Sighting, line: StopLine) -> bool:
    """Whether the way from the first place past the line to the last sighting leaves the approach direction."""
    dx, dy = (last.ground_px[axis] - past.ground_px[axis] for axis in (0, 1))
    is_far = hypot(dx, dy) >= TURNED_M * line.scale_px_per_m
    return is_far and not keeps_to_approach(past, last, line)


def first_past(history: Sequence[Sighting], crossing: Crossing, reach_m: float, line: StopLine) -> int | None:
    """The first sighting after the crossing whose trailing point is past the line, even for the longest vehicle."""
    longest = longest_m(reach_m)
    for i in range(crossing.after, len(history)):
        if trailing_m(history[i].bounds_m[0], longest, line.view) >= 0.0:
            return i
    return None


def stands(history: Sequence[Sighting], standing_s: float, max_gap_s: float) -> bool:
    """Whether the vehicle was seen, without a gap, to stay within ``STANDING_SPAN_M`` for ``standing_s``."""
    low = high = history[-1].ground_m
    for later, earlier in zip(history[:0:-1], history[-2::-1], strict=True):
        if later.stamp.media_s - earlier.stamp.media_s > max_gap_s:
            return False
        low, high = min(low, earlier.ground_m), max(high, earlier.ground_m)
        if high - low > STANDING_SPAN_M:
            return False
        if history[-1].stamp.media_s - earlier.stamp.media_s >= standing_s:
            return True
    return False
