"""One track's drive over one stop line: the crossing, the lane and the movements that it may have made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rules import approach, movement
from rules.approach import Crossing
from rules.approaching import Approaching
from rules.observation import ObjectClass
from rules.sighting import Sighting
from rules.signal import HeadState
from rules.site import Camera, StopLine
from rules.site_movement import Lane, Movement

STRAIGHT = "straight"
"""The movement of a line whose vehicles don't turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One track's drive over one line: what a ruling is about.

    ``past`` indexes the first sighting with the trailing point past the line, None where there is none.
    ``earlier_tracks`` are those under which it was seen before. ``heads`` are all heads of the line,
    ``ways`` the movements that it may have made, ``lane`` where it met the line; ``has_left`` says that it
    crossed an exit. ``others`` are the same drive, were it of another class that it may be; None where it then did not cross so.
    """

    track_id: int
    earlier_tracks: tuple[int, ...]
    object_class: ObjectClass
    history: tuple[Sighting, ...]
    crossing: Crossing
    past: int | None
    line: StopLine
    heads: tuple[HeadState, ...]
    ways: tuple[Movement, ...]
    lane: Lane | None
    has_left: bool
    max_gap_s: float
    others: tuple[Drive | None, ...] = ()

    @property
    def reach_m(self) -> float:
        """How far its unseen tested point lies from the seen one."""
        return approach.reach_m(self.object_class, self.line.view)

    @property
    def hidden_s(self) -> float:
        """The longest time without a sighting between the line and beyond it."""
        upto = len(self.history) - 1 if self.beyond is None else self.beyond
        times_s = [sighting.stamp.media_s for sighting in self.history[self.crossing.after : upto + 1]]
        return max((later - earlier for earlier, later in pairwise(times_s)), default=0.0)

    @property
    def earliest_s(self) -> float:
        """When the leading point can have crossed at the earliest: not before it was first seen."""
        earliest_s = self.crossing.earliest_s
        return self.history[0].stamp.media_s if earliest_s is None else earliest_s

    @property
    def beyond(self) -> int | None:
        """The first sighting after ``past`` beyond the further-on line or, else, the last one of a vehicle that left."""
        if self.past is None:
            return None
        last = len(self.history) - 1
        after = range(self.past + 1, len(self.history))
        found = next((i for i in after if approach.past_further_on(self.history[i], self.line)), None)
        return last if found is None and self.has_left and last > self.past else found


def drive_of(
    track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> Drive | None:
    """The track's drive over the line within its ends and along the approach; None where it did not cross so.

    Where a line has exits, vehicles turn after it: the approach then counts up to the place past the line. Where one
    for straight on has none, whoever turns off after it is not one of those it is for.
    """
    if track.object_class is None:
        return None
    drive = _drive_as(track.object_class, track_id, track, heads, line, camera)
    if drive is None or not track.other_classes:
        return drive
    others = (_drive_as(other, track_id, track, heads, line, camera) for other in track.other_classes)
    return replace(drive, others=tuple(others))


def _drive_as(
    object_class: ObjectClass,
    track_id: int,
    track: Approaching,
    heads: Sequence[HeadState],
    line: StopLine,
    camera: Camera,
) -> Drive | None:
    history = track.history
    reach_m = approach.reach_m(object_class, line.view)
    crossing = approach.find_crossing(history, reach_m, line, camera.max_gap_s)
    if crossing is None or not approach.within_segment(history[crossing.after], line):
        return None
    past = approach.first_past(history, crossing, reach_m, line)
    may_turn = past is not None and any(way.exit_px is not None for way in line.ways)
    straight_to = history[past] if may_turn and past is not None else history[-1]
    if not approach.keeps_to_approach(history[crossing.photo_before], straight_to, line):
        return None
    goes_on = past is not None and not may_turn and line.movement == STRAIGHT
    if past is not None and goes_on and approach.turns_off(history[past], history[-1], line):
        return None
    lane = movement.lane_at(history[crossing.after], line)
    return Drive(
        track_id=track_id,
        earlier_tracks=track.names,
        object_class=object_class,
        history=history,
        crossing=crossing,
        past=past,
        line=line,
        heads=tuple(heads),
        lane=lane,
        ways=movement.possible(lane, track.left_by, line),
        has_left=track.left_by is not None,
        max_gap_s=camera.max_gap_s,
    )
