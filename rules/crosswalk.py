"""The pilot rule for crosswalks: who enters one on foot or by bicycle while it is red; counted and warned, never identified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import hypot

from rules import signal
from rules.class_vote import ClassVotes, likeliest, with_vote
from rules.finding import Finding, Output, Rule, Status
from rules.finding_id import finding_id
from rules.geometry import bottom_center, point_in_polygon
from rules.handover import unambiguous
from rules.observation import Box, FrameStamp, ObjectClass, Observation, Point, TrackPoint
from rules.signal import HeadState, RedTime
from rules.site import Camera, Crosswalk

CLASSES = frozenset({ObjectClass.PERSON, ObjectClass.BICYCLE})
"""Who follows the crossing's signal; motor vehicles have stop lines of their own."""

SETTLED_S = 0.6
"""Who stays on the crossing, or off it, for so long has entered or left it: feet at its edge jitter in and out."""

SIZE_RATIO = 1.5
"""Nobody is taller or shorter than by this from one track to the next that is taken for the same person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """One road user at one crossing: whether on it, and what was seen since the feet last were on the other side.

    ``classes`` are the votes of all its sightings: detectors take a cyclist for a motorcyclist now and then.
    ``box_px`` is of the last sighting. ``entered`` bounds when the edge was passed, None while on the side that
    is already told; ``stamp`` and ``at_px`` are of the first sighting on the new side.
    """

    inside: bool
    last_s: float
    box_px: Box
    classes: ClassVotes
    entered: tuple[float, float] | None = None
    stamp: FrameStamp | None = None
    at_px: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrosswalkState:
    """All road users at one crossing, by track; treated as immutable."""

    walkers: Mapping[int, Walker] = field(default_factory=dict)


def step(
    state: CrosswalkState,
    observation: Observation,
    heads: Sequence[HeadState],
    crosswalk: Crosswalk,
    camera: Camera,
) -> tuple[CrosswalkState, tuple[Output, ...]]:
    """The state after one observation, and who has just entered on red.

    ``heads`` are the states, after this observation, of the crossing's heads. Who is first seen on the
    crossing, or was on it when it turned red, may finish; so may who is seen under another track from some
    sighting on. No entry is inferred across more than ``camera.max_gap_s`` without a sighting, nor where the
    track changes with the side. A finding holds neither photos nor a trace, and its track is a number of this
    segment only.
    """
    if observation.tracks is None:
        return state, ()
    stamp = observation.stamp
    walkers = {
        track_id: walker
        for track_id, walker in state.walkers.items()
        if stamp.media_s - walker.last_s <= camera.max_gap_s
    }
    for new, old in _successors(walkers, observation.tracks, crosswalk).items():
        walkers[new] = walkers.pop(old)
    said: list[Output] = []
    for point in observation.tracks:
        before = walkers.get(point.track_id)
        if before is None and point.object_class not in CLASSES:
            continue
        at_px = bottom_center(point.box_px)
        classes = with_vote(() if before is None else before.classes, point.object_class)
        inside = point_in_polygon(at_px, crosswalk.polygon_px)
        walker, entry = _seen(before, point.box_px, classes, inside, stamp)
        walkers[point.track_id] = walker
        object_class = likeliest(classes)
        if entry is not None and heads and object_class in CLASSES:
            said.extend(_judged(point.track_id, object_class, entry, heads, crosswalk))
    return CrosswalkState(walkers=walkers), tuple(said)


def _successors(
    walkers: Mapping[int, Walker], seen: Sequence[TrackPoint], crosswalk: Crosswalk
) -> dict[int, int]:
    """New track id to the lost walker that it continues, where nobody else can be meant."""
    names = {point.track_id for point in seen}
    fits = [
        (point.track_id, track_id)
        for track_id, walker in walkers.items()
        if track_id not in names
        for point in seen
        if point.track_id not in walkers
        and point.object_class in CLASSES
        and _continues(walker, point, crosswalk)
    ]
    return unambiguous(fits)


def _continues(walker: Walker, point: TrackPoint, crosswalk: Crosswalk) -> bool:
    """Whether the feet are within a box's width of where they were, and the box is about as high.

    Who shows on the crossing does not continue somebody who was last seen off it: that would be an entry nobody saw.
    """
    x1, y1, x2, y2 = walker.box_px
    (was_x, was_y), (x, y) = bottom_center(walker.box_px), bottom_center(point.box_px)
    was, now = y2 - y1, point.box_px[3] - point.box_px[1]
    if hypot(x - was_x, y - was_y) > x2 - x1 or max(was, now) > SIZE_RATIO * min(was, now):
        return False
    was_on = walker.inside is (walker.entered is None)
    return was_on or not point_in_polygon((x, y), crosswalk.polygon_px)


def _seen(
    walker: Walker | None, box_px: Box, classes: ClassVotes, inside: bool, stamp: FrameStamp
) -> tuple[Walker, Walker | None]:
    """The walker after one more sighting, and itself as it entered once that is certain."""
    now_s = stamp.media_s
    if walker is None or inside is walker.inside:
        known = inside if walker is None else walker.inside
        return Walker(inside=known, last_s=now_s, box_px=box_px, classes=classes), None
    entered = walker.entered or (walker.last_s, now_s)
    changing = Walker(
        inside=walker.inside,
        last_s=now_s,
        box_px=box_px,
        classes=classes,
        entered=entered,
        stamp=walker.stamp or stamp,
        at_px=walker.at_px or bottom_center(box_px),
    )
    if now_s - entered[1] < SETTLED_S:
        return changing, None
    settled = Walker(inside=inside, last_s=now_s, box_px=box_px, classes=classes)
    return settled, changing if inside else None


def _judged(
    track_id: int,
    object_class: ObjectClass,
    entry: Walker,
    heads: Sequence[HeadState],
    crosswalk: Crosswalk,
) -> tuple[Finding, ...]:
    assert entry.entered is not None and entry.stamp is not None and entry.at_px is not None
    earliest_s, latest_s = entry.entered
    reds = [signal.time_into_red(head, earliest_s, latest_s) for head in heads]
    certain = [red for red in reds if red is not None and red.certain and red.steady]
    if len(certain) < len(heads):
        return ()
    red: RedTime = min(certain, key=lambda one: one.min_s)
    possible_s = float("inf") if red.max_s is None else red.max_s
    if possible_s < crosswalk.grace_s:
        return ()
    sure = red.min_s >= crosswalk.grace_s
    upper = "" if red.max_s is None else f", at most {red.max_s:.2f} s"
    reason = f"entered at least {red.min_s:.2f} s{upper} into red; {crosswalk.grace_s:.2f} s are granted"
    return (
        Finding(
            id=finding_id(entry.stamp.camera_id, Rule.CROSSWALK_RED, entry.stamp, track_id),
            rule=Rule.CROSSWALK_RED,
            camera_id=entry.stamp.camera_id,
            place_id=crosswalk.crosswalk_id,
            track_id=track_id,
            stamp=entry.stamp,
            t_s=(earliest_s + latest_s) / 2.0,
            t_error_s=(latest_s - earliest_s) / 2.0,
            at_px=entry.at_px,
            object_class=object_class,
            status=Status.ASSERTED if sure else Status.HELD,
            reasons=(reason, "a warning only: nobody is identified"),
            time_into_red_s=None if red.max_s is None else (red.min_s + red.max_s) / 2.0,
            time_into_red_min_s=red.min_s,
            time_into_red_max_s=red.max_s,
            crossing_s=entry.entered,
            grace_s=crosswalk.grace_s,
            zone_px=crosswalk.polygon_px,
        ),
    )
