"""Turns one picture into an observation: lamps, tracked road users, and the plates of those who are watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detector.detection import Detector
from detector.picture import Picture, Pixels
from detector.tracker import Tracker
from rules.observation import (
    VEHICLE_CLASSES,
    Box,
    LampSample,
    Observation,
    PlateReading,
    SceneState,
    TrackPoint,
)


class LampSampler(Protocol):
    """Says what the configured signal heads show."""

    def read(self, picture: Picture) -> tuple[LampSample, ...]:
        """One sample for each head, ``unknown`` included."""
        ...


class SceneSampler(Protocol):
    """Says whether the camera still shows what it showed at first."""

    def look(self, picture: Picture) -> SceneState | None:
        """None where this picture is not looked at."""
        ...


class PlateRecogniser(Protocol):
    """Reads the plate of one vehicle."""

    def read(self, bgr: Pixels, box_px: Box, track_id: int) -> PlateReading | None:
        """The reading for the vehicle in ``box_px`` of the whole picture ``bgr``, None where no plate is found."""
        ...


class VideoAnalyst:
    """Sees for one camera: it holds the tracker's state, so pictures come in order and from one camera only."""

    def __init__(
        self,
        detector: Detector,
        tracker: Tracker,
        lamps: LampSampler | None = None,
        plates: PlateRecogniser | None = None,
        scene: SceneSampler | None = None,
    ) -> None:
        """Without ``lamps`` no head is sampled, without ``plates`` no plate is read, without ``scene`` all is believed."""
        self._detector = detector
        self._tracker = tracker
        self._lamps = lamps
        self._plates = plates
        self._scene = scene

    def observe(self, picture: Picture, watched: Sequence[int]) -> Observation:
        """What is seen in ``picture``; of the ``watched`` tracks, the plates of the vehicles that are in it.

        Raises DetectorError when a model fails: failure is never an empty road.
        """
        lamps = self._lamps.read(picture) if self._lamps else ()
        tracks = self._tracker.update(self._detector.detect(picture), picture.stamp)
        return Observation(
            stamp=picture.stamp,
            tracks=tracks,
            lamps=lamps,
            plates=self._read_plates(picture, tracks, frozenset(watched)),
            scene=self._scene.look(picture) if self._scene else None,
        )

    def glance(self, picture: Picture) -> Observation:
        """What the lamps show, and nothing else: for a picture that there is no time to look at."""
        lamps = self._lamps.read(picture) if self._lamps else ()
        return Observation(stamp=picture.stamp, tracks=None, lamps=lamps)

    def _read_plates(
        self, picture: Picture, tracks: Sequence[TrackPoint], watched: frozenset[int]
    ) -> tuple[PlateReading, ...]:
        if self._plates is None:
            return ()
        readings = (
            self._plates.read(picture.bgr(), track.box_px, track.track_id)
            for track in tracks
            if track.track_id in watched and track.object_class in VEHICLE_CLASSES
        )
        return tuple(reading for reading in readings if reading is not None)
