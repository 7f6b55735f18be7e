"""The rule for parking: who stood in a no-parking zone for longer than the allowed stop, once per stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import parking_case, parking_identity, parking_queue, parking_stay, standing
from rules.finding import Output, Watch
from rules.geometry import iou
from rules.observation import Box, Observation
from rules.parking_case import PARKING_CLASSES
from rules.parking_identity import HIDDEN_MAX_S
from rules.parking_stay import Stay
from rules.schedule import LocalTime, allowed_to, disarmed_reason, zone_in_force
from rules.signal import HeadState
from rules.site import Camera, NoParkingZone
from rules.standing import Sample, Trail

EMPTY_S = 1.5
"""A place that looks empty for this long has been left, when its vehicle's track was seen elsewhere."""

WATCH_S, WATCH_EVERY_S = 1.0, 4.0
"""A standing vehicle's plate is read for this long, again and again: it doesn't change, and reading costs time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingState:
    """What one camera knows of its zones: tracks, stays in the order in which they began, and what was said.

    ``closed`` are the stays that ended with the last step. ``said_s`` holds, per zone and track, when a
    finding was said; ``in_force_since_s`` per zone since when its hours have been seen to hold. Mappings are
    treated as immutable.
    """

    trails: Mapping[int, Trail] = field(default_factory=dict)
    stays: tuple[Stay, ...] = ()
    closed: tuple[Stay, ...] = ()
    said_s: Mapping[tuple[str, int], float] = field(default_factory=dict)
    in_force_since_s: Mapping[str, float] = field(default_factory=dict)
    last_s: float | None = None
    local: LocalTime | None = None


def initial(camera: Camera) -> ParkingState:
    """The state before the camera's first observation of a segment."""
    return ParkingState()


def step(
    state: ParkingState,
    observation: Observation,
    camera: Camera,
    local: LocalTime | None,
    heads: Mapping[str, HeadState] | None = None,
) -> tuple[ParkingState, tuple[Output, ...]]:
    """The state after one observation, and what is to be said.

    A vehicle counts for the first zone, in the camera's order, in which it stands and which is not disarmed
    for want of a wall clock; ``local`` is the local time of the frame, None where nobody knows it. ``heads``
    are the states of the site's heads: a queue before a red light does not park.
    """
    if observation.tracks is None or not camera.no_parking:
        return state, ()
    stamp, now_s = observation.stamp, observation.stamp.media_s
    samples = {
        point.track_id: Sample(stamp=stamp, object_class=point.object_class, box_px=point.box_px)
        for point in observation.tracks
        if point.object_class in PARKING_CLASSES
    }
    boxes = {point.track_id: point.box_px for point in observation.tracks}
    zones = {zone.zone_id: zone for zone in camera.no_parking}
    since_s = {
        zone.zone_id: state.in_force_since_s.get(zone.zone_id, now_s)
        for zone in camera.no_parking
        if zone_in_force(zone, local)
    }
    trails = {key: trail for key, trail in state.trails.items() if now_s - trail.last_s <= standing.MEMORY_S}
    for track_id, sample in samples.items():
        trails[track_id] = standing.remember(trails.get(track_id), sample)
    blind = state.last_s is None or now_s - state.last_s > camera.max_gap_s
    looked = [_look(stay, samples, boxes, now_s, blind, camera.max_gap_s) for stay in state.stays]
    said_s = {key: at_s for key, at_s in state.said_s.items() if now_s - at_s <= zones[key[0]].reenforce_s}
    armed = [zone for zone in camera.no_parking if disarmed_reason(zone, local) is None]
    stays = _with_rested(looked, trails, now_s, armed, said_s, camera.max_gap_s)

    outputs: list[Output] = []
    kept: list[Stay] = []
    closed: list[Stay] = []
    for stay in stays:
        zone = allowed_to(zones[stay.zone_id], stay.object_class, local)
        if _left(stay, now_s):
            outputs.extend(parking_case.close(stay, zone, camera.camera_id))
            closed.append(stay)
            continue
        if stay.said_s is not None and now_s - stay.said_s > zone.reenforce_s:
            stay = parking_stay.begun_anew(stay, now_s)
        granted = zone is not zones[stay.zone_id]
        use_ended = stay.granted and not granted
        if use_ended or parking_queue.waits(stay, zone, stays, heads or {}, now_s, camera.max_gap_s):
            stay = replace(stay, free_s=now_s)
        if granted is not stay.granted:
            stay = replace(stay, granted=granted)
        stay, told = parking_case.judge(
            stay, zone, stamp, _counts_from_s(stay, since_s, now_s), camera.camera_id
        )
        outputs.extend(told)
        if stay.said_s is not None:
            said_s.update({(stay.zone_id, track_id): stay.said_s for track_id in stay.tracks})
        elif stay.clock_s is not None and now_s >= stay.watch_next_s and stay.last.stamp is stamp:
            until_s = now_s + WATCH_S
            outputs.append(Watch(track_id=stay.tracks[-1], why=f"stands in {zone.zone_id}", until_s=until_s))
            stay = replace(stay, watch_next_s=now_s + WATCH_EVERY_S)
        kept.append(stay)
    state = ParkingState(
        trails=trails,
        stays=tuple(kept),
        closed=tuple(closed),
        said_s=said_s,
        in_force_since_s=since_s,
        last_s=now_s,
        local=local,
    )
    return state, tuple(outputs)


def _counts_from_s(stay: Stay, in_force_since_s: Mapping[str, float], now_s: float) -> float | None:
    """Since when the zone's hours, and the end of a queue or a use, let the stay count; None while they don't."""
    since_s = in_force_since_s.get(stay.zone_id)
    if since_s is None or stay.free_s is None:
        return since_s
    return None if stay.free_s == now_s else max(since_s, stay.free_s)


def finish(state: ParkingState, camera: Camera) -> tuple[ParkingState, tuple[Output, ...]]:
    """What remains to be said when the segment has ended: cases that lack something are held, keeps released."""
    zones = {zone.zone_id: zone for zone in camera.no_parking}
    outputs = [
        output
        for stay in state.stays
        for output in parking_case.close(
            stay, allowed_to(zones[stay.zone_id], stay.object_class, state.local), camera.camera_id
        )
    ]
    return replace(state, stays=(), closed=state.stays), tuple(outputs)


def tracks_of(state: ParkingState, track_id: int) -> tuple[int, ...]:
    """All tracks under which the standing vehicle named ``track_id`` was seen; only itself where none stands.

    A finding's ``track_id`` is the first of them; its plate may have been read under any.
    """
    stays = (*state.stays, *state.closed)
    return next((stay.tracks for stay in stays if track_id in stay.tracks), (track_id,))


def _look(
    stay: Stay,
    samples: Mapping[int, Sample],
    boxes: Mapping[int, Box],
    now_s: float,
    blind: bool,
    max_gap_s: float,
) -> Stay:
    """The stay after looking for its vehicle in one frame; ``blind`` when no frame came for too long before it."""
    sample = samples.get(stay.tracks[-1])
    if sample is not None and (
        standing.is_at(sample.box_px, stay.place_px)
        or standing.is_partly_at(
            sample.box_px,
            stay.place_px,
            [box for track_id, box in boxes.items() if track_id != stay.tracks[-1]],
        )
    ):
        return parking_stay.sighted(stay, sample, max_gap_s)
    elsewhere = stay.elsewhere
    if elsewhere is None and sample is not None:
        soon = now_s - stay.last.stamp.media_s <= max_gap_s
        if soon and standing.is_swallowed(stay.place_px, sample.box_px):
            elsewhere = False
        elif iou(sample.box_px, stay.place_px) < 0.3:
            elsewhere = not (soon and standing.differs_in_size(sample.box_px, stay.place_px))
    covered = any(standing.covers(box, stay.place_px) for box in boxes.values())
    since_s = now_s if stay.empty_since_s is None or blind else stay.empty_since_s
    return replace(stay, elsewhere=elsewhere, empty_since_s=None if covered else since_s)


def _left(stay: Stay, now_s: float) -> bool:
    """Whether the vehicle has gone: its place was seen empty, or (before a finding) it was not seen for too long."""
    if stay.replaced:
        return True
    if stay.empty_since_s is not None:
        empty_s = now_s - stay.empty_since_s
        if empty_s > HIDDEN_MAX_S or (stay.elsewhere and empty_s > EMPTY_S):
            return True
    return stay.said_s is None and now_s - stay.last.stamp.media_s > HIDDEN_MAX_S


def _with_rested(
    looked: Sequence[Stay],
    trails: Mapping[int, Trail],
    now_s: float,
    armed: Sequence[NoParkingZone],
    said_s: Mapping[tuple[str, int], float],
    max_gap_s: float,
) -> list[Stay]:
    """The stays, with each track that has just been found to stand in a zone joined to its stay or begun as a new one."""
    stays = list(looked)
    for track_id in sorted(trails):
        trail = trails[track_id]
        if trail.last_s != now_s or any(
            stay.tracks[-1] == track_id and stay.last.stamp.media_s == now_s for stay in stays
        ):
            continue
        box = trail.samples[-1].box_px
        zone = next((zone for zone in armed if standing.stands_in(box, zone.polygon_px)), None)
        place = None if zone is None else standing.resting_place(trail)
        if zone is None or place is None or parking_identity.is_double(stays, place, now_s):
            continue
        arrival_s, there = standing.arrival(trail, place)
        index = parking_identity.same_vehicle(stays, track_id, trail, place, there, now_s)
        if index is None:
            stays = [_replaced(stay, track_id) for stay in stays]
            fresh = parking_stay.new_stay(zone.zone_id, track_id, place, arrival_s, there, max_gap_s)
            stays.append(replace(fresh, said_s=said_s.get((zone.zone_id, track_id))))
        else:
            stays[index] = parking_stay.joined(stays[index], track_id, place, there, max_gap_s)
    return stays


def _replaced(stay: Stay, track_id: int) -> Stay:
    return replace(stay, replaced=True) if track_id in (stay.tracks[0], stay.tracks[-1]) else stay
