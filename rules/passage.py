"""Who passed: crossings of the camera's gates, and the plates of passing vehicles where the camera reads all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import gate
from rules.class_vote import ClassVotes, likeliest, with_vote
from rules.finding import Output, Passage, PlateResult, Watch
from rules.gate import Side
from rules.geometry import Ruler, bottom_center, ruler
from rules.observation import VEHICLE_CLASSES, FrameStamp, ObjectClass, Observation, Point, TrackPoint
from rules.site import Camera, Gate, Pictures, PlatePolicy
from rules.snapshot import Snapshot

GONE_S = 1.0
"""A track unseen for this long has left; its plate will not be read again."""

SETTLED_S = 10.0
"""A crossing is recorded after this time even when its vehicle is still in view."""

SAME_PLATE_S = 5.0
"""The same plate, again so soon after it was last seen, is the same vehicle under another track."""

BAND_SHARE = 0.1
"""A crossing counts once the vehicle is past the gate by this share of its box's height: jitter never counts twice."""

BAND_MIN_PX = 2.0
"""Nor does it by less than this, however small the box: boxes are hardly placed better than to a pixel at each end."""

WATCH_S = 1.0
"""For how long a watch asks for the plate to be read; it is renewed after half of it."""

SLOW_AFTER_S, SLOW_EVERY_S = 15.0, 4.0
"""A vehicle so long in view stands: its plate doesn't change, and is read for ``WATCH_S`` that often."""

ENOUGH_READINGS, ENOUGH_CONFIDENCE = 10, 0.9
"""From here on more readings would not change the plate."""

PlateOf = Callable[[int], PlateResult | None]
"""The vote over the plate of a track so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """What is remembered of one vehicle's track."""

    first_s: float
    stamp: FrameStamp
    point_px: Point
    classes: ClassVotes = ()
    sides: Mapping[str, Side] = field(default_factory=dict)
    counted: frozenset[tuple[str, str]] = frozenset()
    waiting: tuple[Passage, ...] = ()
    watch_next_s: float = 0.0

    @property
    def object_class(self) -> ObjectClass:
        """The class seen most often; the first seen of equals."""
        return likeliest(self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageState:
    """Vehicles in view by track, and when each plate just recorded was last seen.

    ``recorded_s`` is by gate, direction (both None without gates) and text.
    """

    tracks: Mapping[int, Passing] = field(default_factory=dict)
    recorded_s: Mapping[tuple[str | None, str | None, str], float] = field(default_factory=dict)


def initial(camera: Camera) -> PassageState:
    """The state before the camera's first observation of a segment."""
    return PassageState()


def step(
    state: PassageState, observation: Observation, camera: Camera, plates: PlateOf
) -> tuple[PassageState, tuple[Output, ...]]:
    """The state after one observation, and the passages that are complete.

    Each track is counted at most once per gate and direction, where the middle of its box's bottom crosses
    the gate's segment; no crossing is inferred across more than ``camera.max_gap_s`` without a sighting. A
    passage is said when its vehicle has left, or ``SETTLED_S`` later, so that it holds the best plate. Where
    the camera reads all plates and has no gate, each vehicle whose plate was read yields one when it leaves.
    """
    if observation.tracks is None or not _wanted(camera):
        return state, ()
    now_s = observation.stamp.media_s
    outputs: list[Output] = []
    oldest_s = min((track.first_s for track in state.tracks.values()), default=now_s)
    recorded_s = {key: at_s for key, at_s in state.recorded_s.items() if oldest_s - at_s <= SAME_PLATE_S}
    tracks: dict[int, Passing] = {}
    for track_id in sorted(state.tracks):
        track = state.tracks[track_id]
        if now_s - track.stamp.media_s > GONE_S:
            outputs.extend(_said(_leaving(track_id, track, camera), track, plates, recorded_s))
            continue
        due = [p for p in track.waiting if now_s - p.t_s > SETTLED_S]
        if due:
            outputs.extend(_said(due, track, plates, recorded_s))
            track = replace(track, waiting=tuple(p for p in track.waiting if p not in due))
        tracks[track_id] = track
    gates = [(line, ruler(line.line_px, line.direction)) for line in camera.gates]
    for point in observation.tracks:
        if point.object_class not in VEHICLE_CLASSES:
            continue
        track = _seen(tracks.get(point.track_id), point, observation, camera, gates)
        if _unread(track, point, now_s, camera, plates):
            outputs.append(Watch(track_id=point.track_id, why="every plate is read", until_s=now_s + WATCH_S))
            every_s = WATCH_S / 2.0 if now_s - track.first_s < SLOW_AFTER_S else SLOW_EVERY_S
            track = replace(track, watch_next_s=now_s + every_s)
        tracks[point.track_id] = track
    return PassageState(tracks=tracks, recorded_s=recorded_s), tuple(outputs)


def finish(state: PassageState, camera: Camera, plates: PlateOf) -> tuple[PassageState, tuple[Output, ...]]:
    """The passages of the vehicles that are still in view when the segment ends."""
    recorded_s = dict(state.recorded_s)
    outputs = [
        passage
        for track_id in sorted(state.tracks)
        for passage in _said(
            _leaving(track_id, state.tracks[track_id], camera), state.tracks[track_id], plates, recorded_s
        )
    ]
    return PassageState(recorded_s=recorded_s), tuple(outputs)


def _wanted(camera: Camera) -> bool:
    return bool(camera.gates) or camera.plates is PlatePolicy.ALL


def _unread(track: Passing, point: TrackPoint, now_s: float, camera: Camera, plates: PlateOf) -> bool:
    """Whether the track's plate shall be read now."""
    if camera.plates is not PlatePolicy.ALL or point.object_class is ObjectClass.BICYCLE:
        return False
    if now_s < track.watch_next_s:
        return False
    plate = plates(point.track_id)
    return plate is None or plate.readings < ENOUGH_READINGS or plate.confidence < ENOUGH_CONFIDENCE


def _leaving(track_id: int, track: Passing, camera: Camera) -> tuple[Passage, ...]:
    """What a track that left has still to say: its crossings, or without any gate that it was there."""
    if camera.gates:
        return track.waiting
    return (
        Passage(
            camera_id=camera.camera_id,
            gate_id=None,
            direction=None,
            track_id=track_id,
            stamp=track.stamp,
            t_s=track.stamp.media_s,
            at_px=track.point_px,
            object_class=track.object_class,
            plate=None,
        ),
    )


def _said(
    passages: Iterable[Passage],
    track: Passing,
    plates: PlateOf,
    recorded_s: dict[tuple[str | None, str | None, str], float],
) -> list[Passage]:
    """The passages with their plates, less those of a plate just recorded; notes in ``recorded_s`` what is said."""
    said = []
    for passage in passages:
        plate = plates(passage.track_id)
        text = None if plate is None else plate.text
        if text is None:
            if passage.gate_id is not None:
                said.append(replace(passage, plate=plate, object_class=track.object_class))
            continue
        from_s, to_s = passage.t_s, passage.t_s
        if passage.gate_id is None:
            from_s, to_s = track.first_s, track.stamp.media_s
        key = (passage.gate_id, passage.direction, text)
        last_s = recorded_s.get(key)
        recorded_s[key] = to_s if last_s is None else max(to_s, last_s)
        if last_s is None or from_s - last_s > SAME_PLATE_S:
            said.append(replace(passage, plate=plate, object_class=track.object_class))
    return said


def _seen(
    track: Passing | None,
    point: TrackPoint,
    observation: Observation,
    camera: Camera,
    gates: Sequence[tuple[Gate, Ruler]],
) -> Passing:
    """The track after one more sighting, its crossings included."""
    stamp, at_px = observation.stamp, bottom_center(point.box_px)
    if track is None:
        track = Passing(first_s=stamp.media_s, stamp=stamp, point_px=at_px)
    band_px = max(BAND_MIN_PX, BAND_SHARE * (point.box_px[3] - point.box_px[1]))
    sides, counted, waiting = dict(track.sides), track.counted, track.waiting
    for line, measure in gates:
        sides[line.gate_id], crossed = gate.step(
            sides.get(line.gate_id), at_px, measure.past_px(at_px), stamp, line, band_px, camera.max_gap_s
        )
        if crossed is None or (line.gate_id, crossed.direction) in counted:
            continue
        counted |= {(line.gate_id, crossed.direction)}
        passage = Passage(
            camera_id=camera.camera_id,
            gate_id=line.gate_id,
            direction=crossed.direction,
            track_id=point.track_id,
            stamp=crossed.stamp,
            t_s=crossed.t_s,
            at_px=crossed.at_px,
            object_class=point.object_class,
            plate=None,
            lane=gate.lane_at(crossed.at_px, line),
            snapshot=_snapshot(point, observation, line, crossed.direction),
        )
        waiting = (*waiting, passage)
    return Passing(
        first_s=track.first_s,
        stamp=stamp,
        point_px=at_px,
        classes=with_vote(track.classes, point.object_class),
        sides=sides,
        counted=counted,
        waiting=waiting,
        watch_next_s=track.watch_next_s,
    )


def _snapshot(point: TrackPoint, observation: Observation, line: Gate, direction: str) -> Snapshot | None:
    """The vehicle as it is seen now, just past the gate; None where the gate takes no picture that way."""
    if line.pictures is not Pictures.BOTH and line.pictures.value != direction:
        return None
    left, top, right, bottom = point.box_px
    others = tuple(
        (other.object_class, other.box_px)
        for other in observation.tracks or ()
        if other.track_id != point.track_id
        and max(left, other.box_px[0]) < min(right, other.box_px[2])
        and max(top, other.box_px[1]) < min(bottom, other.box_px[3])
    )
    return Snapshot(stamp=observation.stamp, box_px=point.box_px, others=others)
