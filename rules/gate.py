"""When a track crosses a gate line, told from sightings that jitter around it."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass

from rules.geometry import foot_share, interpolate
from rules.observation import FrameStamp, Point
from rules.site import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """A gate was crossed at ``t_s`` (interpolated) at ``at_px``; ``stamp`` is of the first sighting on the other side."""

    direction: str
    stamp: FrameStamp
    t_s: float
    at_px: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A track with regard to a gate, as last seen.

    ``declared`` is -1 before the gate, +1 past it, 0 as long as it was never clear of it; ``past_px`` is how far
    past the line it was seen (negative: before it). ``over`` is the crossing of the line that counts once the
    track is clear of it on the other side.
    """

    declared: int
    stamp: FrameStamp
    at_px: Point
    past_px: float
    over: Crossed | None = None


def step(
    side: Side | None,
    at_px: Point,
    past_px: float,
    stamp: FrameStamp,
    gate: Gate,
    band_px: float,
    max_gap_s: float,
) -> tuple[Side, Crossed | None]:
    """The side after one more sighting ``past_px`` past the line, and the crossing that is now certain.

    The track is clear of the gate when it is farther than ``band_px`` from its line along its direction.
    After more than ``max_gap_s`` without a sighting nothing is inferred.
    """
    clear = 0 if abs(past_px) < band_px else (1 if past_px > 0.0 else -1)
    if side is None or stamp.media_s - side.stamp.media_s > max_gap_s:
        return Side(declared=clear, stamp=stamp, at_px=at_px, past_px=past_px), None
    over = side.over
    if (side.past_px < 0.0) != (past_px < 0.0):
        over = _crossed(side, at_px, past_px, stamp, gate)
    if clear == 0:
        return Side(declared=side.declared, stamp=stamp, at_px=at_px, past_px=past_px, over=over), None
    certain = over if side.declared == -clear else None
    return Side(declared=clear, stamp=stamp, at_px=at_px, past_px=past_px), certain


def _crossed(side: Side, at_px: Point, past_px: float, stamp: FrameStamp, gate: Gate) -> Crossed | None:
    """The crossing between two sightings on either side of the line, None where it misses the segment."""
    share = side.past_px / (side.past_px - past_px)
    met_px = (
        interpolate(side.at_px[0], at_px[0], share),
        interpolate(side.at_px[1], at_px[1], share),
    )
    if not 0.0 <= foot_share(met_px, gate.line_px, gate.direction) <= 1.0:
        return None
    return Crossed(
        direction="forward" if past_px >= 0.0 else "backward",
        stamp=stamp,
        t_s=interpolate(side.stamp.media_s, stamp.media_s, share),
        at_px=met_px,
    )


def lane_at(at_px: Point, gate: Gate) -> int | None:
    """The lane of a point on the gate's line, from 1 at its first end; None for a gate without lanes."""
    if not gate.lane_shares:
        return None
    return 1 + bisect(gate.lane_shares, foot_share(at_px, gate.line_px, gate.direction))
