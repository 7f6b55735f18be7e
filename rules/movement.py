"""Which way a vehicle goes over a stop line: told by the exit it left by, else by its lane."""

from __future__ import annotations

from collections.abc import Sequence

from rules.geometry import foot_share
from rules.sighting import Sighting
from rules.site import StopLine
from rules.site_movement import Lane, Movement


def lane_at(sighting: Sighting, line: StopLine) -> Lane | None:
    """The lane in which the vehicle meets the line; None where the line has no lanes or it meets none."""
    share = foot_share(sighting.ground_px, line.line_px, line.direction)
    return next((lane for lane in line.lanes if lane.share[0] <= share < lane.share[1]), None)


def possible(lane: Lane | None, left_by: str | None, line: StopLine) -> tuple[Movement, ...]:
    """The movements that the vehicle may have made, at least one: that of the exit it crossed, else those of its lane."""
    if left_by is not None:
        return tuple(way for way in line.ways if way.name == left_by)
    if lane is not None:
        return tuple(way for way in line.ways if way.name in lane.movements)
    return line.ways


def undecided(ways: Sequence[Movement]) -> bool:
    """Whether an exit may yet tell which of the ways it is."""
    return len(ways) > 1 and any(way.exit_px is not None for way in ways)
