"""The rule for red lights: who drove over a stop line while it was red, and who stopped past it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import approach, signal
from rules.approach import Sighting
from rules.finding import Keep, Output, PhotoRole, Release, Rule, Watch
from rules.observation import VEHICLE_CLASSES, LampState, ObjectClass, Observation, TrackPoint
from rules.red_light_finding import Drive, red_light_finding, stopped_finding, verdict
from rules.signal import HeadState
from rules.site import Camera, StopLine

HISTORY_S = 40.0
"""How long a track's sightings are kept; a vehicle needs far less from the line to the further-on line."""

WATCH_BEFORE_M = 12.0
"""A vehicle nearer than this before a red line is watched: at 50 km/h it is there in under a second."""

STANDING_SPAN_M = 0.75
"""A vehicle whose ground point stays within this range stands; boxes of standing vehicles jitter by less."""

HIDDEN_SHARE = 0.3
"""A box bottom that is covered by more than this share of its width by a nearer road user is no ground point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approaching:
    """One track at one line: its sightings, its class votes, whether a photo is kept, and what was said of it already."""

    history: tuple[Sighting, ...] = ()
    classes: tuple[tuple[ObjectClass, int], ...] = ()
    kept: bool = False
    stood: bool = False
    judged: bool = False

    @property
    def object_class(self) -> ObjectClass:
        """The class seen most often; the first seen of equals."""
        return max(self.classes, key=lambda vote: vote[1])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLightState:
    """All tracks at one line, by track id; treated as immutable."""

    tracks: Mapping[int, Approaching] = field(default_factory=dict)


def step(
    state: RedLightState, observation: Observation, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> tuple[RedLightState, tuple[Output, ...]]:
    """The state after one observation, and what is to be said.

    ``heads`` are the states, after this observation, of all heads that allow the line's movement; a line
    without heads, or with one that is not surely red, accuses nobody. No crossing is inferred across more
    than ``camera.max_gap_s`` without a sighting.
    """
    if observation.tracks is None:
        return state, ()
    now_s = observation.stamp.media_s
    outputs: list[Output] = []
    tracks: dict[int, Approaching] = {}
    for track_id, track in state.tracks.items():
        if now_s - track.history[-1].stamp.media_s <= camera.max_gap_s:
            tracks[track_id] = track
        else:
            outputs.extend(_gone(track_id, track, heads, line))
    red_now = bool(heads) and all(
        signal.state_now(head, now_s, camera.max_gap_s) is LampState.RED for head in heads
    )
    for point in observation.tracks:
        if point.object_class not in VEHICLE_CLASSES or _foot_hidden(point, observation.tracks):
            continue
        track = _with_sighting(tracks.get(point.track_id, Approaching()), point, observation, line)
        tracks[point.track_id], said = _judge(point.track_id, track, heads, red_now, line)
        outputs.extend(said)
    return RedLightState(tracks=tracks), tuple(outputs)


def finish(state: RedLightState, heads: Sequence[HeadState], line: StopLine) -> tuple[Output, ...]:
    """What is to be said of the tracks that were still in view when the segment ended."""
    return tuple(
        output for track_id, track in state.tracks.items() for output in _gone(track_id, track, heads, line)
    )


def _with_sighting(
    track: Approaching, point: TrackPoint, observation: Observation, line: StopLine
) -> Approaching:
    seen = approach.sight(point, observation.stamp, line)
    oldest_s = observation.stamp.media_s - HISTORY_S
    start = 0
    while start < len(track.history) and track.history[start].stamp.media_s < oldest_s:
        start += 1
    votes = dict(track.classes)
    votes[point.object_class] = votes.get(point.object_class, 0) + 1
    return replace(track, history=(*track.history[start:], seen), classes=tuple(votes.items()))


def _foot_hidden(point: TrackPoint, others: Sequence[TrackPoint]) -> bool:
    """Whether a nearer road user (one whose box ends lower) covers the bottom of the box."""
    x1, _, x2, bottom = point.box_px
    for other in others:
        left, top, right, other_bottom = other.box_px
        covers = top < bottom < other_bottom and min(right, x2) - max(left, x1) > HIDDEN_SHARE * (x2 - x1)
        if covers and other.track_id != point.track_id:
            return True
    return False


def _judge(
    track_id: int, track: Approaching, heads: Sequence[HeadState], red_now: bool, line: StopLine
) -> tuple[Approaching, list[Output]]:
    last = track.history[-1]
    length_m = approach.CLASS_LENGTH_M[track.object_class]
    lead_m = approach.leading_m(last.ground_m, length_m, line.view)
    said: list[Output] = []
    if track.judged or not heads:
        return track, said
    if red_now and lead_m >= -WATCH_BEFORE_M:
        said.append(Watch(track_id=track_id, why="near a red stop line", until_s=last.stamp.media_s + 1.0))
    if lead_m < 0.0:
        return track, said
    if approach.past_further_on(last, line):
        drive = _drive(track_id, track, heads, line)
        if drive is not None:
            past = approach.first_past(drive.history, drive.crossing, length_m, line)
            if past is None or past == len(drive.history) - 1:
                return track, said
            said.extend(_driven_on(drive, past, track.stood))
        return _finished(track_id, track, said)
    if red_now and not track.stood:
        return _over_the_line(track_id, track, heads, line, said)
    return track, said


def _finished(track_id: int, track: Approaching, said: list[Output]) -> tuple[Approaching, list[Output]]:
    if track.kept:
        said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
    return replace(track, judged=True, kept=False), said


def _over_the_line(
    track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine, said: list[Output]
) -> tuple[Approaching, list[Output]]:
    """A vehicle between the line and the further-on line on red: keep its first photo, and see whether it stands."""
    drive = _drive(track_id, track, heads, line)
    if drive is not None and not track.kept and not track.stood:
        before = drive.history[drive.crossing.photo_before].stamp
        said.append(Keep(rule=Rule.RED_LIGHT, track_id=track_id, role=PhotoRole.BEFORE_LINE, stamp=before))
        track = replace(track, kept=True)
    if _stands(track.history, line.standing_s):
        if drive is not None:
            said.extend(_stopped(drive))
        if track.kept:
            said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
        track = replace(track, stood=True, kept=False)
    return track, said


def _stands(history: Sequence[Sighting], standing_s: float) -> bool:
    """Whether the vehicle was seen to stay within ``STANDING_SPAN_M`` for ``standing_s``."""
    from_s = history[-1].stamp.media_s - standing_s
    if history[0].stamp.media_s > from_s:
        return False
    recent = [sighting.ground_m for sighting in history if sighting.stamp.media_s >= from_s]
    return max(recent) - min(recent) <= STANDING_SPAN_M


def _drive(track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine) -> Drive | None:
    """The track's drive over the line within its ends and along the approach; None where it did not cross so."""
    length_m = approach.CLASS_LENGTH_M[track.object_class]
    crossing = approach.find_crossing(track.history, length_m, line)
    if crossing is None or not approach.within_segment(track.history[crossing.after], line):
        return None
    if not approach.keeps_to_approach(track.history[crossing.photo_before], track.history[-1], line):
        return None
    return Drive(
        track_id=track_id,
        object_class=track.object_class,
        history=track.history,
        crossing=crossing,
        line=line,
        heads=tuple(heads),
    )


def _driven_on(drive: Drive, past: int, stood: bool) -> list[Output]:
    judged = verdict(drive)
    if judged is None:
        return []
    if stood:
        judged = judged.held("It crossed on red, stood past the line, and drove on later.")
    return [red_light_finding(drive, past, judged)]


def _stopped(drive: Drive) -> list[Output]:
    ground_m = drive.history[-1].ground_m
    if approach.leading_m(ground_m, approach.shortest_m(drive.length_m), drive.line.view) < 0.0:
        return []
    judged = verdict(drive)
    return [] if judged is None else [stopped_finding(drive, judged)]


def _gone(track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine) -> list[Output]:
    """A vehicle that vanished with its rear past the line but before the further-on line is held: the last photo is missing."""
    said: list[Output] = []
    drive = None if track.judged or track.stood or not heads else _drive(track_id, track, heads, line)
    if drive is not None:
        past = approach.first_past(drive.history, drive.crossing, drive.length_m, line)
        judged = verdict(drive)
        if past is not None and judged is not None:
            held = judged.held("It was not seen beyond the further-on line.")
            said.append(red_light_finding(drive, past, held))
    if track.kept:
        said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
    return said
