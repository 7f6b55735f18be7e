"""Follows road users from picture to picture: ByteTrack on media time, with ids of its own from 1.

ByteTrack (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022) matches
the sure detections with all tracks first, then the unsure ones with the tracks that are left. Four things differ
from its authors' code: time is media time, so that the frame rate may vary; it passes for tracks seen once as well,
whose speed is thus known from the second sighting on; a match compares boxes alone, not boxes times score (the paper
has no such product, and it loses small riders found with a score of 0.3); tracks are matched within one kind only
(cars, buses and trucks, or persons, motorcycles and bicycles).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from detector.detection import TWO_WHEELED, Detection
from detector.motion import STEP_S, BoxMotion
from detector.postprocess import overlaps
from rules.observation import Box, FrameStamp, ObjectClass, TrackPoint

LEAST_RIDDEN, LEAST_RIDDEN_SHARE = 2, 0.15
"""A person is a rider when a machine was found under them this often and in this part of their sightings. At 640x480
a rider is found in nearly every frame, the machine in some third of them; somebody walking past a parked motorcycle
is on it, as far as boxes tell, for a few frames only."""

_TIME_SLACK_S = 1e-6
"""Media times are sums of fractions; two that are equal may differ by this."""


class Tracker(Protocol):
    """Gives detections the ids of road users."""

    def update(self, detections: Sequence[Detection], stamp: FrameStamp) -> tuple[TrackPoint, ...]:
        """The tracks seen in this frame, by id; ids start at 1 and are never given twice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """Thresholds of ByteTrack. An overlap is an intersection over union (0..1) of a predicted and a found box.

    ``sure_score``: parts sure from unsure detections. ``new_score``: the least that starts a track.
    ``sure_overlap``, ``unsure_overlap``: the least for a match with a sure, an unsure detection.
    ``second_overlap``: the least for the second sighting, without which a track is forgotten and never reported.
    ``lost_s``: how long a track survives unseen. ``same_overlap``: a lost and a seen track that overlap more are
    one, and the older of them stays.

    The overlaps and ``lost_s`` are those of the authors' code; the scores are lower than its 0.6 and 0.7, which
    are those of a large model trained for the task: small models find small riders with 0.3.
    """

    sure_score: float = 0.25
    new_score: float = 0.35
    sure_overlap: float = 0.2
    unsure_overlap: float = 0.5
    second_overlap: float = 0.3
    lost_s: float = 1.0
    same_overlap: float = 0.85


class _ClassVote:
    """What a road user was taken for, over their whole life."""

    __slots__ = ("_score_sums", "_sightings")

    def __init__(self) -> None:
        self._sightings = dict.fromkeys(ObjectClass, 0)
        self._score_sums = dict.fromkeys(ObjectClass, 0.0)

    def add(self, detection: Detection) -> None:
        self._sightings[detection.object_class] += 1
        self._score_sums[detection.object_class] += detection.class_score

    def winner(self) -> ObjectClass:
        """The class with the largest sum of scores; of a person who rides, that of their machine."""
        candidates = [object_class for object_class, count in self._sightings.items() if count]
        if ObjectClass.PERSON in candidates:
            ridden = sum(self._sightings[machine] for machine in TWO_WHEELED)
            if ridden < max(LEAST_RIDDEN, LEAST_RIDDEN_SHARE * sum(self._sightings.values())):
                return ObjectClass.PERSON
            candidates.remove(ObjectClass.PERSON)
        return max(candidates, key=self._score_sums.__getitem__)


class _Track:
    """One road user as far as known; ``id`` is 0 until they were seen a second time."""

    __slots__ = ("box_px", "first_s", "id", "last_s", "lost", "motion", "score", "soft", "vote")

    def __init__(self, detection: Detection, media_s: float) -> None:
        self.id = 0
        self.lost = False
        self.first_s = self.last_s = media_s
        self.soft = _is_soft(detection.object_class)
        self.motion = BoxMotion(detection.box_px)
        self.vote = _ClassVote()
        self._note(detection)

    def see(self, detection: Detection, media_s: float) -> None:
        self.lost = False
        self.last_s = media_s
        self.motion.correct(detection.box_px)
        self._note(detection)

    def _note(self, detection: Detection) -> None:
        self.box_px: Box = detection.box_px
        self.score = detection.score
        self.vote.add(detection)


class ByteTracker:
    """A Tracker for one camera. A new segment starts with no tracks; its ids go on."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._tracks: list[_Track] = []
        self._last_id = 0
        self._stamp: FrameStamp | None = None

    def update(self, detections: Sequence[Detection], stamp: FrameStamp) -> tuple[TrackPoint, ...]:
        """The tracks seen in this frame, by id, in the boxes that were measured, never in predicted ones.

        A track is reported from its second sighting on (in the first frame of a segment from the first); its
        class is what it was taken for over its life so far, and so may change. Raises ValueError when ``stamp``
        is not later than the last one of its segment.
        """
        settings = self._settings
        starts = self._stamp is None or self._stamp.segment != stamp.segment
        self._advance(stamp, starts=starts)
        sure = [d for d in detections if d.score >= settings.sure_score]
        unsure = [d for d in detections if d.score < settings.sure_score]
        left, sure = _match([t for t in self._tracks if t.id], sure, settings.sure_overlap, stamp.media_s)
        left, _ = _match([t for t in left if not t.lost], unsure, settings.unsure_overlap, stamp.media_s)
        for track in left:
            track.lost = True
        forgotten, sure = _match(
            [t for t in self._tracks if not t.id], sure, settings.second_overlap, stamp.media_s
        )
        new = [_Track(d, stamp.media_s) for d in sure if d.score >= settings.new_score]
        self._tracks = _without_doubles(
            [t for t in self._tracks if t not in forgotten] + new, settings.same_overlap
        )
        for track in self._tracks:
            if not track.id and (starts or track not in new):
                self._last_id += 1
                track.id = self._last_id
        return tuple(
            TrackPoint(track_id=t.id, object_class=t.vote.winner(), box_px=t.box_px, score=t.score)
            for t in sorted(self._tracks, key=lambda t: t.id)
            if t.id and not t.lost
        )

    def _advance(self, stamp: FrameStamp, *, starts: bool) -> None:
        """Brings the tracks to the time of ``stamp``, without those unseen for too long."""
        before, self._stamp = self._stamp, stamp
        if starts or before is None:
            self._tracks = []
            return
        elapsed_s = stamp.media_s - before.media_s
        if elapsed_s <= 0:
            raise ValueError(f"frame at {stamp.media_s} s after the one at {before.media_s} s")
        oldest_s = stamp.media_s - self._settings.lost_s - _TIME_SLACK_S
        self._tracks = [t for t in self._tracks if t.last_s >= oldest_s]
        for track in self._tracks:
            track.motion.predict(elapsed_s / STEP_S, unseen=track.lost)


def _match(
    tracks: list[_Track], found: list[Detection], least_overlap: float, media_s: float
) -> tuple[list[_Track], list[Detection]]:
    """The tracks and detections that are left when those that match best together have been joined."""
    if not tracks or not found:
        return tracks, found
    overlap = overlaps(_predicted(tracks), np.array([d.box_px for d in found]))
    alike = np.array([t.soft for t in tracks])[:, None] == np.array([_is_soft(d.object_class) for d in found])
    overlap = np.where(alike & (overlap >= least_overlap), overlap, 0.0)
    rows, columns = linear_sum_assignment(np.maximum(overlap, least_overlap), maximize=True)
    pairs = {
        int(row): int(column) for row, column in zip(rows, columns, strict=True) if overlap[row, column] > 0
    }
    for row, column in pairs.items():
        tracks[row].see(found[column], media_s)
    taken = set(pairs.values())
    return (
        [track for row, track in enumerate(tracks) if row not in pairs],
        [detection for column, detection in enumerate(found) if column not in taken],
    )


def _without_doubles(tracks: list[_Track], same_overlap: float) -> list[_Track]:
    """``tracks`` where of a lost and a seen one at the same place only the longer-lived is left, in doubt the lost."""
    seen, lost = [t for t in tracks if not t.lost], [t for t in tracks if t.lost]
    if not seen or not lost:
        return tracks
    doubles = []
    for row, column in np.argwhere(overlaps(_predicted(seen), _predicted(lost)) > same_overlap):
        one, other = seen[row], lost[column]
        if one.soft == other.soft:
            doubles.append(other if one.last_s - one.first_s > other.last_s - other.first_s else one)
    return [t for t in tracks if t not in doubles]


def _predicted(tracks: Sequence[_Track]) -> NDArray[np.float64]:
    return np.array([track.motion.box_px() for track in tracks])


def _is_soft(object_class: ObjectClass) -> bool:
    """Of the kind persons, motorcycles and bicycles, which are found one for the other."""
    return object_class in TWO_WHEELED or object_class is ObjectClass.PERSON
