"""The rule for red lights: who drove over a stop line while it was red, and who stopped past it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import approach, aspect
from rules.approach import Sighting
from rules.finding import Keep, Output, PhotoRole, Release, Rule, Watch
from rules.geometry import bottom_center
from rules.observation import VEHICLE_CLASSES, ObjectClass, Observation, TrackPoint
from rules.red_light_finding import Drive, red_light_finding, stopped_finding, verdict
from rules.signal import HeadState
from rules.site import Camera, StopLine

HISTORY_S = 40.0
"""How long a track's sightings are kept; a vehicle needs far less from the line to the further-on line."""

WATCH_BEFORE_M = 12.0
"""A vehicle nearer than this before a red line is watched: at 50 km/h it is there in under a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approaching:
    """One track at one line: the sightings of its ground point, its class votes, and what was said of it already.

    ``last_seen_s`` is when it was last seen at all: a vehicle whose wheels are hidden is still there.
    ``kept`` says that a photo of it is kept.
    """

    last_seen_s: float
    history: tuple[Sighting, ...] = ()
    classes: tuple[tuple[ObjectClass, int], ...] = ()
    kept: bool = False
    stood: bool = False
    judged: bool = False

    @property
    def object_class(self) -> ObjectClass | None:
        """The vehicle class seen most often, the first seen of equals; None for who was only ever a pedestrian.

        A rider who comes into the picture before the machine does is one road user with it.
        """
        votes = [vote for vote in self.classes if vote[0] in VEHICLE_CLASSES]
        return max(votes, key=lambda vote: vote[1])[0] if votes else None


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
        if now_s - track.last_seen_s <= camera.max_gap_s:
            tracks[track_id] = track
        else:
            outputs.extend(_gone(track_id, track, heads, line, camera))
    red_now = aspect.all_red(heads, now_s, camera.max_gap_s)
    for point in observation.tracks:
        track = replace(tracks.get(point.track_id, Approaching(last_seen_s=now_s)), last_seen_s=now_s)
        if not _foot_hidden(point, observation.tracks):
            track = _with_sighting(track, point, observation, line)
            track, said = _judge(point.track_id, track, heads, red_now, line, camera)
            outputs.extend(said)
        tracks[point.track_id] = track
    return RedLightState(tracks=tracks), tuple(outputs)


def finish(
    state: RedLightState, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> tuple[Output, ...]:
    """What is to be said of the tracks that were still in view when the segment ended."""
    return tuple(
        output
        for track_id, track in state.tracks.items()
        for output in _gone(track_id, track, heads, line, camera)
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
    """Whether the ground point lies inside the box of a nearer road user (one whose box ends lower)."""
    x, bottom = bottom_center(point.box_px)
    return any(
        top < bottom < other_bottom and left < x < right
        for left, top, right, other_bottom in (other.box_px for other in others)
    )


def _judge(
    track_id: int,
    track: Approaching,
    heads: Sequence[HeadState],
    red_now: bool,
    line: StopLine,
    camera: Camera,
) -> tuple[Approaching, list[Output]]:
    said: list[Output] = []
    object_class = track.object_class
    if track.judged or not heads or object_class is None:
        return track, said
    last = track.history[-1]
    reach_m = approach.reach_m(object_class, line.view)
    lead_m = approach.leading_m(last.ground_m, reach_m, line.view)
    if red_now and lead_m >= -WATCH_BEFORE_M:
        said.append(Watch(track_id=track_id, why="near a red stop line", until_s=last.stamp.media_s + 1.0))
    if lead_m < 0.0:
        return track, said
    if approach.past_further_on(last, line):
        drive = _drive(track_id, track, heads, line, camera)
        if drive is not None:
            past = approach.first_past(drive.history, drive.crossing, reach_m, line)
            if past is None or past == len(drive.history) - 1:
                return track, said
            said.extend(_driven_on(drive, past, track.stood))
        return _finished(track_id, track, said)
    if red_now and not track.stood:
        drive = _drive(track_id, track, heads, line, camera)
        return _over_the_line(track_id, track, drive, line, camera, said)
    return track, said


def _finished(track_id: int, track: Approaching, said: list[Output]) -> tuple[Approaching, list[Output]]:
    if track.kept:
        said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
    return replace(track, judged=True, kept=False), said


def _over_the_line(
    track_id: int,
    track: Approaching,
    drive: Drive | None,
    line: StopLine,
    camera: Camera,
    said: list[Output],
) -> tuple[Approaching, list[Output]]:
    """A vehicle between the line and the further-on line on red: keep its first photo, and see whether it stands."""
    if drive is not None and not track.kept and not track.stood:
        before = drive.history[drive.crossing.photo_before].stamp
        said.append(Keep(rule=Rule.RED_LIGHT, track_id=track_id, role=PhotoRole.BEFORE_LINE, stamp=before))
        track = replace(track, kept=True)
    if approach.stands(track.history, line.standing_s, camera.max_gap_s):
        if drive is not None:
            said.extend(_stopped(drive))
        if track.kept:
            said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
        track = replace(track, stood=True, kept=False)
    return track, said


def _drive(
    track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> Drive | None:
    """The track's drive over the line within its ends and along the approach; None where it did not cross so."""
    object_class = track.object_class
    if object_class is None:
        return None
    reach_m = approach.reach_m(object_class, line.view)
    crossing = approach.find_crossing(track.history, reach_m, line, camera.max_gap_s)
    if crossing is None or not approach.within_segment(track.history[crossing.after], line):
        return None
    if not approach.keeps_to_approach(track.history[crossing.photo_before], track.history[-1], line):
        return None
    return Drive(
        track_id=track_id,
        object_class=object_class,
        history=track.history,
        crossing=crossing,
        line=line,
        heads=tuple(heads),
    )


def _driven_on(drive: Drive, past: int, stood: bool) -> list[Output]:
    judged = verdict(drive)
    if judged is None:
        return []
    over_s = drive.history[past].stamp.media_s - drive.crossing.t_s
    if stood or over_s > drive.line.standing_s + drive.reach_m / approach.SLOW_M_S:
        judged = judged.held("It crossed on red, stood past the line, and drove on later.")
    return [red_light_finding(drive, past, judged)]


def _stopped(drive: Drive) -> list[Output]:
    ground_m = drive.history[-1].ground_m
    if approach.leading_m(ground_m, approach.shortest_m(drive.reach_m), drive.line.view) < 0.0:
        return []
    judged = verdict(drive)
    return [] if judged is None else [stopped_finding(drive, judged)]


def _gone(
    track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> list[Output]:
    """A vehicle that vanished with its rear past the line but before the further-on line is held: the last photo is missing."""
    said: list[Output] = []
    unsaid = bool(heads) and not track.judged and not track.stood
    drive = _drive(track_id, track, heads, line, camera) if unsaid else None
    if drive is not None:
        past = approach.first_past(drive.history, drive.crossing, drive.reach_m, line)
        judged = verdict(drive)
        if past is not None and judged is not None:
            held = judged.held("It was not seen beyond the further-on line.")
            said.append(red_light_finding(drive, past, held))
    if track.kept:
        said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
    return said
