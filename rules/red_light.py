"""The rule for red lights: who drove over a stop line while it was red, and who stopped past it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import approach, aspect, handover, movement
from rules.approaching import Approaching, feet_hidden, still_there, with_sighting
from rules.drive import Drive, drive_of
from rules.finding import Keep, Output, PhotoRole, Release, Rule, Watch
from rules.observation import Observation
from rules.red_light_finding import red_light_finding, stopped_finding
from rules.ruling import Ruling, rule_on
from rules.signal import HeadState
from rules.site import Camera, StopLine

AWAITED_S = 2.0
"""A vehicle that crossed and is then hidden is awaited for this long beyond the further-on line."""

WATCH_BEFORE_M = 12.0
"""A vehicle nearer than this before a red line is watched: at 50 km/h it is there in under a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLightState:
    """All tracks at one line, by track id; treated as immutable."""

    tracks: Mapping[int, Approaching] = field(default_factory=dict)


def step(
    state: RedLightState, observation: Observation, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> tuple[RedLightState, tuple[Output, ...]]:
    """The state after one observation, and what is to be said.

    ``heads`` are the states, after this observation, of all heads that the line names; a movement without
    heads, or with one that is not surely red, accuses nobody. No crossing is inferred across more than
    ``camera.max_gap_s`` without a sighting.
    """
    if observation.tracks is None:
        return state, ()
    now_s = observation.stamp.media_s
    outputs: list[Output] = []
    tracks: dict[int, Approaching] = {}
    for track_id, track in state.tracks.items():
        unseen_s = now_s - track.last_seen_s
        if unseen_s > camera.max_gap_s and not track.awaited:
            track = replace(track, awaited=_may_yet_show(track_id, track, heads, line, camera))
        if unseen_s <= (AWAITED_S if track.awaited else camera.max_gap_s):
            tracks[track_id] = track
        else:
            outputs.extend(_gone(track_id, track, heads, line, camera))
    released = _hand_over(tracks, observation, now_s)
    red_now = any(
        aspect.all_red([head for head in heads if head.head_id in way.head_ids], now_s, camera.max_gap_s)
        for way in line.ways
    )
    hidden = feet_hidden(observation.tracks)
    for point in observation.tracks:
        known = tracks.get(point.track_id) or Approaching(last_seen_s=now_s)
        if known.awaited and not handover.came_on(known.history[-1], point, observation.stamp, line):
            outputs.extend(_gone(point.track_id, known, heads, line, camera))
            known = Approaching(last_seen_s=now_s)
        if point.track_id in hidden:
            tracks[point.track_id] = still_there(known, now_s)
            continue
        track = with_sighting(known, point, observation, line, camera)
        tracks[point.track_id], said = _judge(point.track_id, track, heads, red_now, line, camera)
        outputs.extend(said)
    return RedLightState(tracks=tracks), (*outputs, *released)


def _hand_over(tracks: dict[int, Approaching], observation: Observation, now_s: float) -> list[Output]:
    """Tracks that a new one continues go under its name; what was kept under the old one is kept anew, then released."""
    released: list[Output] = []
    for new, old in handover.successors(tracks, observation.tracks or (), now_s).items():
        track = tracks.pop(old)
        if track.kept:
            released.append(Release(rule=Rule.RED_LIGHT, track_id=old))
        tracks[new] = replace(track, names=(*track.names, old), kept=False)
    return released


def finish(
    state: RedLightState, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> tuple[Output, ...]:
    """What is to be said of the tracks that were still in view when the segment ended."""
    return tuple(
        output
        for track_id, track in state.tracks.items()
        for output in _gone(track_id, track, heads, line, camera)
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
    object_class = None if track.judged or not heads else track.object_class
    if object_class is None:
        return track, said
    last = track.history[-1]
    reach_m = approach.reach_m(object_class, line.view)
    lead_m = approach.leading_m(last.ground_m, reach_m, line.view)
    if red_now and lead_m >= -WATCH_BEFORE_M:
        said.append(Watch(track_id=track_id, why="near a red stop line", until_s=last.stamp.media_s + 1.0))
    if lead_m < 0.0:
        return track, said
    if track.left_by is not None or approach.past_further_on(last, line):
        drive = drive_of(track_id, track, heads, line, camera)
        if drive is not None:
            if drive.past is None or drive.past == len(drive.history) - 1 or movement.undecided(drive.ways):
                return track, said
            said.extend(_driven_on(drive, drive.past, track.stood))
        return _finished(track_id, track, said)
    if red_now and not track.stood:
        return _over_the_line(track_id, track, heads, line, camera, said)
    return track, said


def _finished(track_id: int, track: Approaching, said: list[Output]) -> tuple[Approaching, list[Output]]:
    if track.kept:
        said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
    return replace(track, judged=True, kept=False), said


def _over_the_line(
    track_id: int,
    track: Approaching,
    heads: Sequence[HeadState],
    line: StopLine,
    camera: Camera,
    said: list[Output],
) -> tuple[Approaching, list[Output]]:
    """A vehicle between the line and the further-on line on red: keep its first photo, and see whether it stands."""
    stands = approach.stands(track.history, line.standing_s, camera.max_gap_s)
    if track.kept and not stands:
        return track, said
    drive = drive_of(track_id, track, heads, line, camera)
    if drive is not None and not track.kept:
        before = drive.history[drive.crossing.photo_before].stamp
        said.append(Keep(rule=Rule.RED_LIGHT, track_id=track_id, role=PhotoRole.BEFORE_LINE, stamp=before))
        track = replace(track, kept=True)
    if stands:
        if drive is not None:
            said.extend(_stopped(drive))
        if track.kept:
            said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
        track = replace(track, stood=True, kept=False)
    return track, said


def _driven_on(drive: Drive, past: int, stood: bool) -> list[Output]:
    ruling = rule_on(drive)
    if ruling is None:
        return []
    over_s = drive.history[past].stamp.media_s - drive.crossing.t_s
    if stood or over_s > drive.line.standing_s + drive.reach_m / approach.SLOW_M_S:
        ruling = ruling.held("It crossed on red, stood past the line, and drove on later.")
    return [red_light_finding(drive, past, ruling)]


def _stopped(drive: Drive) -> list[Output]:
    least_m = drive.history[-1].bounds_m[0]
    if approach.leading_m(least_m, approach.shortest_m(drive.reach_m), drive.line.view) < 0.0:
        return []
    ruling = rule_on(drive)
    if ruling is None or ruling.rule is not Rule.RED_LIGHT or ruling.doubtful:
        return []
    return [stopped_finding(drive, ruling)]


def _gone(
    track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> list[Output]:
    """A vehicle that vanished with its rear past the line is held where the last photo is missing."""
    said: list[Output] = []
    unsaid = bool(heads) and not track.judged and not track.stood
    drive = drive_of(track_id, track, heads, line, camera) if unsaid else None
    if drive is not None and drive.past is not None:
        ruling = rule_on(drive)
        if ruling is not None:
            said.append(red_light_finding(drive, drive.past, _seen_to_the_end(drive, ruling)))
    if track.kept:
        said.append(Release(rule=Rule.RED_LIGHT, track_id=track_id))
    return said


def _may_yet_show(
    track_id: int, track: Approaching, heads: Sequence[HeadState], line: StopLine, camera: Camera
) -> bool:
    """Whether the vehicle surely crossed, and only the sight of it beyond the further-on line is missing."""
    if track.judged or track.stood or not heads:
        return False
    drive = drive_of(track_id, track, heads, line, camera)
    return drive is not None and drive.beyond is None


def _seen_to_the_end(drive: Drive, ruling: Ruling) -> Ruling:
    """The ruling as it stands if the vehicle was seen beyond the further-on line, else held."""
    if drive.beyond is not None:
        return ruling
    return ruling.held("It was not seen beyond the further-on line.")
