"""Whether a vehicle that shows under a new track, or again after it was hidden, is one that was seen just before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot

from rules.approaching import Approaching
from rules.geometry import bottom_center
from rules.observation import Box, FrameStamp, ObjectClass, TrackPoint
from rules.sighting import Sighting, sight
from rules.site import StopLine

PACE_S = 0.4
"""The pace of a vehicle is taken over the last sightings within this time; jitter counts for more over less."""

SIZE_RATIO = 1.5
"""A vehicle is not wider than this times what it was within half a second."""

MAX_PACE_M_S = 25.0
"""Nobody who was hidden is taken for somebody who would have driven faster than this."""

TWO_WHEELS = frozenset({ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE, ObjectClass.PERSON})
"""Detectors take riders and their machines for one another, but not for cars."""


def successors(
    tracks: Mapping[int, Approaching], seen: tuple[TrackPoint, ...], now_s: float
) -> dict[int, int]:
    """New track id to the lost one that it continues, where nobody else can be meant.

    It must be where the lost vehicle is expected, within half the width of its box, of about its width and
    kind; no second lost vehicle and no second new track may fit.
    """
    names = {point.track_id for point in seen}
    lost = {track_id: track for track_id, track in tracks.items() if track_id not in names and track.history}
    fits = [
        (point.track_id, track_id)
        for point in seen
        if point.track_id not in tracks
        for track_id, track in lost.items()
        if _continues(track, point, now_s)
    ]
    return unambiguous(fits)


def unambiguous(fits: Sequence[tuple[int, int]]) -> dict[int, int]:
    """New track id to lost one, of pairs that fit: those of whom neither fits another."""
    new, old = [pair[0] for pair in fits], [pair[1] for pair in fits]
    return {to: origin for to, origin in fits if new.count(to) == 1 and old.count(origin) == 1}


def _continues(track: Approaching, point: TrackPoint, now_s: float) -> bool:
    last = track.history[-1]
    kind = track.object_class or ObjectClass.PERSON
    if (kind in TWO_WHEELS) is not (point.object_class in TWO_WHEELS):
        return False
    was, now = _width(last.box_px), _width(point.box_px)
    if was <= 0.0 or now <= 0.0 or max(was, now) > SIZE_RATIO * min(was, now):
        return False
    pace = _pace_px_s(track)
    away_s = now_s - last.stamp.media_s
    x, y = bottom_center(point.box_px)
    off = hypot(x - last.ground_px[0] - pace[0] * away_s, y - last.ground_px[1] - pace[1] * away_s)
    return off <= 0.5 * was


def _width(box: Box) -> float:
    return box[2] - box[0]


def _pace_px_s(track: Approaching) -> tuple[float, float]:
    last = track.history[-1]
    first = next(s for s in track.history if last.stamp.media_s - s.stamp.media_s <= PACE_S)
    if first is last:
        return (0.0, 0.0)
    over_s = last.stamp.media_s - first.stamp.media_s
    return (
        (last.ground_px[0] - first.ground_px[0]) / over_s,
        (last.ground_px[1] - first.ground_px[1]) / over_s,
    )


def came_on(last: Sighting, point: TrackPoint, stamp: FrameStamp, line: StopLine) -> bool:
    """Whether a vehicle that was hidden meanwhile can have driven on, forwards, to where it shows again."""
    seen = sight(point, stamp, line)
    hidden_s = stamp.media_s - last.stamp.media_s
    way_px = hypot(seen.ground_px[0] - last.ground_px[0], seen.ground_px[1] - last.ground_px[1])
    return seen.ground_m >= last.bounds_m[0] and way_px <= MAX_PACE_M_S * hidden_s * line.scale_px_per_m
