"""One vehicle's stay in a no-parking zone: where it stands, since when, and when nobody saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rules.class_vote import ClassVotes, likeliest, with_vote
from rules.finding import Photo, TracePoint
from rules.observation import Box, FrameStamp, ObjectClass
from rules.site import NoParkingZone
from rules.standing import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A vehicle that stands in a zone.

    ``tracks`` are all its track ids, the first of which names it in outputs. ``place_px`` is where it stands,
    ``arrival_s`` bounds when it came, ``clock_s`` when the legal clock began (None outside the zone's
    hours). ``gaps_s`` are the intervals without a sighting near. ``limit`` is the first frame at
    or after the end of the allowed stop, ``said_s`` when a finding was said. ``elsewhere``: its track was seen
    somewhere else since its last sighting, and surely by driving there (False: the track jumped to another
    vehicle; None: not seen); ``empty_since_s``: its place looks empty since then; ``replaced``: its track has
    come to rest at another place. ``free_s``: until when it stood lawfully, in a queue or by a use, and nothing
    counts; ``granted``: a use lets it stand, or longer than others.
    """

    zone_id: str
    tracks: tuple[int, ...]
    place_px: Box
    arrival_s: tuple[float, float]
    classes: ClassVotes
    last: Sample
    clock_s: tuple[float, float] | None = None
    gaps_s: tuple[tuple[float, float], ...] = ()
    photos: tuple[Photo, ...] = ()
    trace: tuple[TracePoint, ...] = ()
    limit: FrameStamp | None = None
    said_s: float | None = None
    elsewhere: bool | None = None
    empty_since_s: float | None = None
    replaced: bool = False
    watch_next_s: float = 0.0
    free_s: float | None = None
    granted: bool = False

    @property
    def object_class(self) -> ObjectClass:
        """The class seen most often; the first seen of equals."""
        return likeliest(self.classes)

    @property
    def dwell_s(self) -> float:
        """How long it stood at least, on the legal clock, until its last sighting."""
        return 0.0 if self.clock_s is None else max(0.0, self.last.stamp.media_s - self.clock_s[1])

    @property
    def unseen_s(self) -> tuple[tuple[float, float], ...]:
        """The intervals on the legal clock in which nobody saw it."""
        if self.clock_s is None:
            return ()
        since_s = self.clock_s[1]
        return tuple((max(from_s, since_s), to_s) for from_s, to_s in self.gaps_s if to_s > since_s)

    @property
    def unseen_total_s(self) -> float:
        """How much of the dwell nobody saw."""
        return sum(to_s - from_s for from_s, to_s in self.unseen_s)

    def exceeded_s(self, zone: NoParkingZone) -> float:
        """When the allowed stop is exceeded, by the middle of the interval in which the clock began."""
        return (0.0 if self.clock_s is None else sum(self.clock_s) / 2.0) + zone.allowed_stop_s


def new_stay(
    zone_id: str,
    track_id: int,
    place: Box,
    arrival_s: tuple[float, float],
    there: Sequence[Sample],
    max_gap_s: float,
) -> Stay:
    """A stay that began with these samples of the vehicle at its place; its legal clock does not run yet."""
    stay = Stay(
        zone_id=zone_id,
        tracks=(track_id,),
        place_px=place,
        arrival_s=arrival_s,
        classes=(),
        last=there[0],
    )
    for sample in there:
        stay = sighted(stay, sample, max_gap_s)
    return stay


def joined(stay: Stay, track_id: int, place: Box, there: Sequence[Sample], max_gap_s: float) -> Stay:
    """The stay whose vehicle goes on under another track; after a finding it also takes the new place."""
    tracks = stay.tracks if stay.tracks[-1] == track_id else (*stay.tracks, track_id)
    place = stay.place_px if stay.said_s is None else place
    stay = replace(stay, tracks=tracks, place_px=place, replaced=False)
    for sample in there:
        if sample.stamp.media_s > stay.last.stamp.media_s:
            stay = sighted(stay, sample, max_gap_s)
    return stay


def sighted(stay: Stay, sample: Sample, max_gap_s: float) -> Stay:
    """The stay with its vehicle seen at its place once more.

    A sighting vouches for half of ``max_gap_s`` before and after it; what lies farther from both is unseen.
    """
    gaps_s = stay.gaps_s
    before_s, now_s = stay.last.stamp.media_s, sample.stamp.media_s
    if stay.said_s is None and now_s - before_s > max_gap_s:
        gaps_s = (*gaps_s, (before_s + max_gap_s / 2.0, now_s - max_gap_s / 2.0))
    classes = with_vote(stay.classes, sample.object_class)
    return replace(stay, last=sample, classes=classes, gaps_s=gaps_s, elsewhere=None, empty_since_s=None)


def without_clock(stay: Stay) -> Stay:
    """The stay outside the zone's hours: nothing of it counts."""
    return replace(stay, clock_s=None, gaps_s=(), photos=(), trace=(), limit=None)


def begun_anew(stay: Stay, now_s: float) -> Stay:
    """The same vehicle's stay as if it had come at ``now_s``."""
    return replace(without_clock(stay), arrival_s=(now_s, now_s), said_s=None)
