"""The case against a stay in a no-parking zone: its photos, what it lacks, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

from rules import standing
from rules.finding import (
    DwellSpan,
    Finding,
    Keep,
    Output,
    Photo,
    PhotoRole,
    Release,
    Rule,
    Status,
    TracePoint,
)
from rules.finding_id import finding_id
from rules.geometry import bottom_center, box_area
from rules.observation import FrameStamp, ObjectClass
from rules.parking_stay import Stay, without_clock
from rules.site import NoParkingZone

PARKING_CLASSES = frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.MOTORCYCLE})
"""Who can park illegally; bicycles and people cannot."""

PHOTO_APART_S = 10.0
"""Photos of a stationary offence lie at least this far apart (GA/T 832-2014)."""

PHOTO_MARGIN_S = 0.1
"""First to last exceeds the allowed stop by this, so that the times printed on the photos show it."""

PHOTO_AREA_SHARE = 0.6
"""A photo needs at least this share of the vehicle uncovered."""

HELD_AFTER_S = 30.0
"""A case that still lacks something so long after the allowed stop is held: its clip would be gone from memory."""

TRACE_POINTS = 200
"""The trace has about this many points per allowed stop, but none closer than half a second."""


def judge(
    stay: Stay,
    zone: NoParkingZone,
    stamp: FrameStamp,
    in_force_since_s: float | None,
    camera_id: str,
) -> tuple[Stay, tuple[Output, ...]]:
    """The stay after the frame ``stamp``, with the photos that are due, and the finding once it is proven.

    ``in_force_since_s`` is None outside the zone's hours: then the clock stops and starts anew with them.
    Where the share of the unseen is above the zone's, a photo is missing, or the vehicle may have begun to
    roll in the last one, the finding waits, and is held after ``HELD_AFTER_S``.
    """
    if stay.said_s is not None:
        return stay, ()
    if in_force_since_s is None:
        released = _release(stay) if stay.photos else ()
        return without_clock(stay), released
    if stay.clock_s is None:
        earliest_s, latest_s = (max(arrived_s, in_force_since_s) for arrived_s in stay.arrival_s)
        stay = replace(stay, clock_s=(earliest_s, latest_s))
    t_s = stay.exceeded_s(zone)
    if stay.limit is None and stamp.media_s >= t_s:
        stay = replace(stay, limit=stamp)
    keeps: tuple[Output, ...] = ()
    if stay.last.stamp == stamp:
        stay = _traced(stay, zone)
        role = _due(stay, zone)
        if role is not None:
            stay = replace(
                stay, photos=(*stay.photos, Photo(role=role, stamp=stamp, box_px=stay.last.box_px))
            )
            keep = Keep(rule=Rule.NO_PARKING, track_id=stay.tracks[0], role=role, stamp=stamp, cut_now=True)
            keeps = (keep,)
    if stay.dwell_s <= zone.allowed_stop_s:
        return stay, keeps
    lacking = _lacking(stay, zone)
    if lacking and stamp.media_s < t_s + HELD_AFTER_S:
        return stay, keeps
    said = _finding(stay, zone, lacking, camera_id)
    return replace(stay, said_s=stamp.media_s), (*keeps, *said, *_release(stay))


def close(stay: Stay, zone: NoParkingZone, camera_id: str) -> tuple[Output, ...]:
    """What remains to be said when the vehicle has left or the picture ended.

    A stay surely longer than allowed (by ``STILL_S``: the vehicle may have begun to roll) whose proof lacks
    something is held; keeps are released.
    """
    if stay.said_s is not None:
        return ()
    surely_over = stay.dwell_s > zone.allowed_stop_s + standing.STILL_S
    said = _finding(stay, zone, _lacking(stay, zone), camera_id) if surely_over and stay.limit else ()
    return (*said, *(_release(stay) if stay.photos else ()))


def _release(stay: Stay) -> tuple[Output, ...]:
    return (Release(rule=Rule.NO_PARKING, track_id=stay.tracks[0]),)


def _due(stay: Stay, zone: NoParkingZone) -> PhotoRole | None:
    """The role of the photo that the current frame shall be, if any."""
    now_s, photos = stay.last.stamp.media_s, stay.photos
    if len(photos) == 3 or box_area(stay.last.box_px) < PHOTO_AREA_SHARE * box_area(stay.place_px):
        return None
    if not photos:
        return PhotoRole.FIRST
    since_first_s = now_s - photos[0].stamp.media_s
    if len(photos) == 1:
        due = since_first_s >= max(PHOTO_APART_S, zone.allowed_stop_s / 2.0)
        return PhotoRole.MIDDLE if due else None
    due = (
        since_first_s >= zone.allowed_stop_s + PHOTO_MARGIN_S
        and now_s - photos[1].stamp.media_s >= PHOTO_APART_S
    )
    return PhotoRole.LAST if due else None


def _traced(stay: Stay, zone: NoParkingZone) -> Stay:
    stamp = stay.last.stamp
    apart_s = max(0.5, zone.allowed_stop_s / TRACE_POINTS)
    if stay.trace and stamp.media_s - stay.trace[-1].media_s < apart_s:
        return stay
    point = TracePoint(index=stamp.index, media_s=stamp.media_s, box_px=stay.last.box_px)
    return replace(stay, trace=(*stay.trace, point))


def _lacking(stay: Stay, zone: NoParkingZone) -> tuple[str, ...]:
    """One sentence for each thing that the proof of the stay lacks."""
    lacking = []
    unseen_s, dwell_s = stay.unseen_total_s, stay.dwell_s
    if unseen_s > zone.max_unseen_share * dwell_s:
        share = 100.0 * unseen_s / dwell_s if dwell_s > 0.0 else 100.0
        lacking.append(
            f"not seen for {unseen_s:.1f} s of {dwell_s:.1f} s ({share:.0f} %);"
            f" at most {100.0 * zone.max_unseen_share:.0f} % is allowed"
        )
    lacking.extend(f"photo '{role.value}' is missing: {why}" for role, why in _missing(stay, zone))
    if len(stay.photos) == 3 and stay.last.stamp.media_s < stay.photos[-1].stamp.media_s + standing.STILL_S:
        lacking.append(f"not seen standing for another {standing.STILL_S} s after the last photo")
    return tuple(lacking)


def _missing(stay: Stay, zone: NoParkingZone) -> tuple[tuple[PhotoRole, str], ...]:
    needed_s = max(zone.allowed_stop_s + PHOTO_MARGIN_S, 2 * PHOTO_APART_S)
    why = f"the vehicle was not seen uncovered and standing for {needed_s:.1f} s after the first photo"
    roles = (PhotoRole.FIRST, PhotoRole.MIDDLE, PhotoRole.LAST)
    return tuple((role, why) for role in roles[len(stay.photos) :])


def _spans(stay: Stay) -> tuple[DwellSpan, ...]:
    """The dwell in seen and unseen stretches, without a hole."""
    assert stay.clock_s is not None
    spans = []
    at_s = stay.clock_s[1]
    for from_s, to_s in stay.unseen_s:
        if from_s > at_s:
            spans.append(DwellSpan(from_s=at_s, to_s=from_s, seen=True))
        spans.append(DwellSpan(from_s=from_s, to_s=to_s, seen=False))
        at_s = to_s
    if stay.last.stamp.media_s > at_s:
        spans.append(DwellSpan(from_s=at_s, to_s=stay.last.stamp.media_s, seen=True))
    return tuple(spans)


def _finding(
    stay: Stay, zone: NoParkingZone, lacking: tuple[str, ...], camera_id: str
) -> tuple[Finding, ...]:
    """The finding, held where the proof lacks something; none for an exempt class."""
    if stay.object_class in zone.exempt_classes or stay.clock_s is None or stay.limit is None:
        return ()
    stood = f"stood at least {stay.dwell_s:.1f} s in {zone.zone_id}; {zone.allowed_stop_s:.0f} s are allowed"
    finding = Finding(
        id=finding_id(camera_id, Rule.NO_PARKING, stay.limit, stay.tracks[0]),
        rule=Rule.NO_PARKING,
        camera_id=camera_id,
        place_id=zone.zone_id,
        track_id=stay.tracks[0],
        stamp=stay.limit,
        t_s=stay.exceeded_s(zone),
        t_error_s=(stay.clock_s[1] - stay.clock_s[0]) / 2.0,
        at_px=bottom_center(stay.place_px),
        object_class=stay.object_class,
        status=Status.HELD if lacking else Status.ASSERTED,
        reasons=(stood, *lacking),
        dwell_s=stay.dwell_s,
        unseen_s=stay.unseen_total_s,
        allowed_stop_s=zone.allowed_stop_s,
        photos=stay.photos,
        missing=_missing(stay, zone),
        trace=stay.trace,
        dwell=_spans(stay),
        zone_px=zone.polygon_px,
    )
    return (finding,)
