"""Sees for a camera with two streams: road users and lamps in the small picture, plates in the large one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from detector.analyst import PlateRecogniser, VideoAnalyst
from ingest.frame import Frame
from ingest.paired_source import PairedRing
from rules.observation import VEHICLE_CLASSES, Box, FrameStamp, Observation, PlateReading, TrackPoint

PLATE_WITHIN_S = 0.3
"""A large picture that is older than this says nothing about where a plate is now."""


class PairedAnalyst:
    """An analyst whose observations are in pixels of the large picture."""

    def __init__(
        self,
        small: VideoAnalyst,
        plates: PlateRecogniser | None,
        ring: PairedRing,
        scale: tuple[float, float],
    ) -> None:
        """``small`` looks at the small picture, without plates; ``scale`` is the large picture's width and height over its."""
        self._small, self._plates, self._ring, self._scale = small, plates, ring, scale
        self._recent: deque[tuple[float, tuple[TrackPoint, ...]]] = deque(maxlen=16)

    def observe(self, frame: Frame, watched: Sequence[int]) -> Observation:
        """As an Analyst."""
        seen = self._small.observe(frame, ())
        tracks = tuple(replace(point, box_px=self._large_box(point.box_px)) for point in seen.tracks or ())
        self._recent.append((frame.stamp.media_s, tracks))
        return replace(seen, tracks=tracks, plates=self._read_plates(frame.stamp, frozenset(watched)))

    def glance(self, frame: Frame) -> Observation:
        """What the lamps show, and nothing else."""
        return self._small.glance(frame)

    def _read_plates(self, stamp: FrameStamp, watched: frozenset[int]) -> tuple[PlateReading, ...]:
        """Plates in the newest large picture, each looked for where its vehicle was when that was taken."""
        now = self._recent[-1][1]
        wanted = {
            point.track_id
            for point in now
            if point.track_id in watched and point.object_class in VEHICLE_CLASSES
        }
        if self._plates is None or not wanted:
            return ()
        found = self._ring.newest(stamp, PLATE_WITHIN_S)
        if found is None:
            return ()
        picture, at_s = found
        then = min(self._recent, key=lambda one: abs(one[0] - at_s))[1]
        readings = (
            self._plates.read(picture, point.box_px, point.track_id)
            for point in then
            if point.track_id in wanted
        )
        return tuple(reading for reading in readings if reading is not None)

    def _large_box(self, box: Box) -> Box:
        x, y = self._scale
        return (box[0] * x, box[1] * y, box[2] * x, box[3] * y)
