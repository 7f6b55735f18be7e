"""Whether a vehicle that stands in a running lane waits in a queue: it does not park then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rules import signal
from rules.geometry import bottom_center
from rules.observation import LampState
from rules.parking_stay import Stay
from rules.signal import HeadState
from rules.site import NoParkingZone, QueueLane

DISCHARGE_S = 15.0
"""A queue still stands for so long after its light turned green: some seven vehicles drive off at 2 s each."""

NEIGHBOUR_LENGTHS = 2.0
"""A neighbour's ground point is within so many box heights (along the lane) or widths: a length and a gap."""

STOP = (LampState.RED, LampState.AMBER, LampState.RED_AMBER)


def waits(
    stay: Stay,
    zone: NoParkingZone,
    stays: Sequence[Stay],
    heads: Mapping[str, HeadState],
    now_s: float,
    max_gap_s: float,
) -> bool:
    """Whether the vehicle stands because the light ahead is red, or because a neighbour in its lane stands too.

    Never for longer than the zone's ``longest_s`` after it came: a row of parked cars is no queue.
    """
    lane = zone.queue
    if lane is None or now_s - stay.arrival_s[1] > lane.longest_s:
        return False
    if any(_stops(heads[head_id], now_s, max_gap_s) for head_id in lane.head_ids if head_id in heads):
        return True
    return any(
        other is not stay
        and other.zone_id == stay.zone_id
        and now_s - other.last.stamp.media_s <= max_gap_s
        and _neighbours(stay, other, lane)
        for other in stays
    )


def _stops(head: HeadState, now_s: float, max_gap_s: float) -> bool:
    """Whether the head stops traffic, or did until a moment ago."""
    if signal.state_now(head, now_s, max_gap_s) in STOP:
        return True
    stopped = [span for span in head.spans if span.state in STOP]
    return bool(stopped) and now_s - stopped[-1].last_s <= DISCHARGE_S


def _neighbours(stay: Stay, other: Stay, lane: QueueLane) -> bool:
    """Whether the other stands right before or behind, in the same lane."""
    (x, y), (other_x, other_y) = bottom_center(stay.place_px), bottom_center(other.place_px)
    dx, dy = other_x - x, other_y - y
    forth, aside = lane.direction, (-lane.direction[1], lane.direction[0])
    width, height = stay.place_px[2] - stay.place_px[0], stay.place_px[3] - stay.place_px[1]
    along_px = abs(forth[0]) * width + abs(forth[1]) * height
    across_px = abs(aside[0]) * width + abs(aside[1]) * height
    return (
        abs(dx * forth[0] + dy * forth[1]) <= NEIGHBOUR_LENGTHS * along_px
        and abs(dx * aside[0] + dy * aside[1]) <= 0.5 * across_px
    )
