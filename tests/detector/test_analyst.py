"""An observation holds the lamps, the tracks and the plates of those who are watched and in the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.analyst import VideoAnalyst
from detector.detection import Detection
from detector.errors import InferenceFailed
from detector.lamps import LampBox, LampReader
from detector.picture import Picture, Pixels
from detector.tracker import ByteTracker
from ingest.ports import Analyst
from rules.observation import Box, LampSample, LampState, ObjectClass, PlateReading
from tests.detector.pictures import ArrayPicture, stamp

PIXELS = np.zeros((100, 200, 3), np.uint8)


class Script:
    """A detector that finds what it is told, one entry a picture; None: it fails."""

    def __init__(self, *scenes: list[Detection] | None) -> None:
        self.scenes = list(scenes)

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        scene = self.scenes.pop(0)
        if scene is None:
            raise InferenceFailed(Path("model.onnx"), "out of memory")
        return tuple(scene)


class Lamps:
    def read(self, picture: Picture) -> tuple[LampSample, ...]:
        return (LampSample(head_id="h", state=LampState.RED, confidence=0.9),)


class Plates:
    """Reads a plate of every vehicle that stands in the left half."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Box]] = []

    def read(self, bgr: Pixels, box_px: Box, track_id: int) -> PlateReading | None:
        assert bgr is PIXELS
        self.asked.append((track_id, box_px))
        return reading(track_id) if box_px[0] < 100 else None


def reading(track_id: int) -> PlateReading:
    return PlateReading(
        track_id=track_id,
        text="A1",
        char_confidences=(0.9, 0.8),
        char_alternatives=((), ()),
        detection_score=0.9,
        sharpness=10.0,
        corners_px=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    )


def at(x: float, object_class: ObjectClass = ObjectClass.CAR) -> Detection:
    return Detection(object_class=object_class, box_px=(x, 0, x + 30, 30), score=0.9, class_score=0.9)


def picture(index: int) -> ArrayPicture:
    return ArrayPicture(PIXELS, stamp(index, index / 25))


def test_what_is_seen_in_one_picture() -> None:
    plates = Plates()
    analyst = VideoAnalyst(
        Script([at(0), at(50), at(150)], [at(0), at(50), at(150)]), ByteTracker(), Lamps(), plates
    )
    first = analyst.observe(picture(0), watched=[])
    assert first.stamp == stamp(0, 0.0)
    assert first.tracks is not None
    assert [(t.track_id, t.box_px[0]) for t in first.tracks] == [(1, 0), (2, 50), (3, 150)]
    assert first.lamps == (LampSample(head_id="h", state=LampState.RED, confidence=0.9),)
    assert first.plates == ()
    assert plates.asked == []
    second = analyst.observe(picture(1), watched=[3, 1, 7])
    assert plates.asked == [(1, (0, 0, 30, 30)), (3, (150, 0, 180, 30))]
    assert second.plates == (reading(1),)


def test_a_watched_track_that_is_hidden_is_not_read() -> None:
    plates = Plates()
    analyst = VideoAnalyst(Script([at(0)], []), ByteTracker(), Lamps(), plates)
    analyst.observe(picture(0), watched=[])
    hidden = analyst.observe(picture(1), watched=[1])
    assert hidden.tracks == ()
    assert plates.asked == []


def test_nobodys_plate_is_looked_for_on_a_pedestrian() -> None:
    plates = Plates()
    analyst = VideoAnalyst(Script([at(0, ObjectClass.PERSON)]), ByteTracker(), None, plates)
    assert analyst.observe(picture(0), watched=[1]).plates == ()
    assert plates.asked == []


def test_without_lamps_and_plates() -> None:
    seen = VideoAnalyst(Script([at(0)]), ByteTracker()).observe(picture(0), watched=[1])
    assert (seen.lamps, seen.plates) == ((), ())


def test_a_failing_model_is_no_empty_road() -> None:
    with pytest.raises(InferenceFailed, match="out of memory"):
        VideoAnalyst(Script(None), ByteTracker()).observe(picture(0), watched=[])


def test_the_analyst_plays_the_role_that_the_camera_loop_needs() -> None:
    boxes = [LampBox(head_id="h", box_px=(0.0, 0.0, 10.0, 30.0))]
    role: Analyst = VideoAnalyst(Script(), ByteTracker(), LampReader(boxes))
    assert callable(role.observe)
