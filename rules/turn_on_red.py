"""Whether a vehicle stopped before it turned on red."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rules import approach
from rules.sighting import Sighting
from rules.site import View

STOP_S = 1.0
"""Who stays within ``approach.STANDING_SPAN_M`` for this long has stopped; rolling at 3 km/h counts as a stop too."""

STOP_ZONE_M = 5.0
"""A stop is looked for from this far before the line on; who is first seen later may have stopped before."""


def has_stopped(history: Sequence[Sighting], reach_m: float, view: View, max_gap_s: float) -> bool | None:
    """Whether the vehicle was seen to stop, before the line or past it; None where it may have stopped unseen."""
    if any(approach.stands(history[: i + 1], STOP_S, max_gap_s) for i in range(1, len(history))):
        return True
    lead_m = [approach.leading_m(sighting.ground_m, reach_m, view) for sighting in history]
    near = next((i for i in range(len(lead_m) - 1, -1, -1) if lead_m[i] < -STOP_ZONE_M), None)
    if near is None:
        return None
    times_s = [sighting.stamp.media_s for sighting in history[near:]]
    return None if any(after - before > max_gap_s for before, after in pairwise(times_s)) else False
