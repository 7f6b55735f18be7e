"""Which red lights nobody watched during a gap, and which vehicles may have used it."""

from __future__ import annotations

from collections.abc import Mapping

from rules import approach
from rules.approaching import Approaching
from rules.handover import MAX_PACE_M_S
from rules.lost import Lost
from rules.observation import LampState, Observation
from rules.sighting import sight
from rules.signal import HeadState
from rules.site import Camera, StopLine


def lost_in(
    from_s: float,
    observation: Observation,
    heads: tuple[Mapping[str, HeadState], Mapping[str, HeadState]],
    tracks: Mapping[int, Approaching],
    line: StopLine,
    camera: Camera,
) -> Lost | None:
    """What was lost at the line since ``from_s``, when a picture was analysed for the last time before this one.

    ``heads`` are the site's heads before the gap and after this observation, ``tracks`` those at the line
    before it. None where there was no gap, or where no movement can have been red in it.
    """
    to_s = observation.stamp.media_s
    if to_s - from_s <= camera.max_gap_s:
        return None
    before, after = heads
    movements = tuple(
        way.name
        for way in line.ways
        if way.head_ids
        and all(
            _maybe_red(before.get(head_id), after.get(head_id), to_s - from_s, line)
            for head_id in way.head_ids
        )
    )
    if not movements:
        return None
    return Lost(
        camera_id=camera.camera_id,
        place_id=line.line_id,
        movements=movements,
        from_s=from_s,
        to_s=to_s,
        tracks=tuple(
            track_id
            for track_id, track in tracks.items()
            if _may_have_used(track_id, track, observation, line, to_s - from_s)
        ),
    )


def _maybe_red(before: HeadState | None, after: HeadState | None, gap_s: float, line: StopLine) -> bool:
    """Whether the head was red at one end, or the gap was long enough for a red between two other states."""
    seen = {_shown(before), _shown(after)} - {LampState.UNKNOWN}
    return LampState.RED in seen or (bool(seen) and gap_s > line.min_amber_s)


def _shown(head: HeadState | None) -> LampState:
    """What the head was last seen to show, be it in a single sample."""
    if head is None:
        return LampState.UNKNOWN
    if head.pending is not None:
        return head.pending[0]
    return head.spans[-1].state if head.spans and not head.broken else LampState.UNKNOWN


def _may_have_used(
    track_id: int, track: Approaching, observation: Observation, line: StopLine, gap_s: float
) -> bool:
    """Whether the vehicle could reach the line in the gap, was not judged before, and is not seen before the line after it."""
    kind = track.object_class
    if track.judged or kind is None or not track.history:
        return False
    reach_m = approach.reach_m(kind, line.view)
    was_m = approach.leading_m(track.history[-1].ground_m, reach_m, line.view)
    if was_m < -MAX_PACE_M_S * gap_s:
        return False
    point = next((point for point in observation.tracks or () if point.track_id == track_id), None)
    if point is None:
        return True
    now_m = approach.leading_m(sight(point, observation.stamp, line).ground_m, reach_m, line.view)
    return now_m >= 0.0
