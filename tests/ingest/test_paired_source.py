"""Two streams of one camera: frames of the small one, and the same moment from the large one's packets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.paired_analyst import PairedAnalyst
from detector.analyst import VideoAnalyst
from detector.detection import Detection
from detector.picture import Picture, Pixels
from detector.tracker import ByteTracker
from ingest.errors import FrameGoneError, StreamEndedError, StreamNotFoundError
from ingest.paired_source import PairedRing, PairedSource
from ingest.rtsp_source import Transport
from rules.observation import Box, ObjectClass, PlateReading
from tests.ingest.conftest import Serve
from tests.ingest.recordings import BITS, CELL_PX, number_in, record

LARGE, SMALL = (320, 192), (160, 96)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def number_of(bgr: Pixels) -> int:
    cells = [bgr[4 : CELL_PX - 4, bit * CELL_PX + 4 : (bit + 1) * CELL_PX - 4] for bit in range(BITS)]
    return sum(1 << bit for bit, cell in enumerate(cells) if np.mean(cell) > 127)


def connect(
    url: str, ring: PairedRing, transport: Transport = Transport.TCP, small: str = "1"
) -> PairedSource:
    return PairedSource(
        url,
        url + small,
        camera_id="c1",
        clock=SystemClock(),
        segment=3,
        packet_ring=ring,
        read_timeout_s=3,
        transport=transport,
    )


@pytest.fixture
def url(tmp_path: Path, serve_rtsp: Serve) -> str:
    large = record(tmp_path / "large.mp4", frames=200, size=LARGE, group=25, b_frames=2)
    small = record(tmp_path / "small.mp4", frames=200, size=SMALL, group=25, b_frames=0)
    return serve_rtsp(large, small).url


@pytest.mark.parametrize("transport", list(Transport))
def test_the_large_picture_shows_the_moment_of_the_small_one(url: str, transport: Transport) -> None:
    """The server begins both streams when each is asked for, so they differ by the time between; RTCP tells by how much."""
    ring = PairedRing()
    source = connect(url, ring, transport)
    frames = list(source.frames())
    assert source.size_px == LARGE
    assert source.small_px == SMALL
    assert len(frames) > 100
    media_s = [frame.stamp.media_s for frame in frames]
    assert media_s == sorted(set(media_s))
    begun_apart = {number_of(ring.decode_frame(frame.stamp)) - number_in(frame) for frame in frames[60:120:6]}
    assert len(begun_apart) <= 2, "always the same distance, within a frame"
    assert ring.decode_frame(frames[90].stamp).shape == (LARGE[1], LARGE[0], 3)
    packets = ring.packets_between(3.0, 4.0)
    assert packets[0].is_keyframe
    assert ring.media_s_of(packets[0]) <= 3.0
    assert ring.kept_s is not None
    assert ring.kept_s[1] >= media_s[-1] - 0.5
    with pytest.raises(FrameGoneError):
        ring.decode_frame(replace(frames[90].stamp, media_s=1000.0))
    source.close()
    assert str(source.damage).startswith("the camera ended")


def test_a_main_stream_that_is_not_there_opens_nothing(url: str) -> None:
    with pytest.raises(StreamNotFoundError):
        connect(url + "8", PairedRing(), small="")
    with pytest.raises(StreamNotFoundError):
        connect(url, PairedRing(), small="8")


def test_a_small_picture_of_another_shape_is_refused(tmp_path: Path, serve_rtsp: Serve) -> None:
    large = record(tmp_path / "large.mp4", frames=50, size=LARGE)
    square = record(tmp_path / "square.mp4", frames=50, size=(160, 160))
    with pytest.raises(StreamEndedError, match="has another shape"):
        connect(serve_rtsp(large, square).url, PairedRing())


class OneCar:
    """Finds a car where the small picture has it."""

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        assert (picture.width, picture.height) == SMALL
        return (
            Detection(
                object_class=ObjectClass.CAR, box_px=(20.0, 30.0, 80.0, 60.0), score=0.9, class_score=0.9
            ),
        )


class Plates:
    """Remembers the pictures and boxes in which it was asked to read."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], Box]] = []

    def read(self, bgr: Pixels, box_px: Box, track_id: int) -> PlateReading | None:
        self.asked.append((bgr.shape, box_px))
        return None


def test_road_users_are_found_in_the_small_picture_and_told_in_pixels_of_the_large_one(url: str) -> None:
    ring, plates = PairedRing(), Plates()
    source = connect(url, ring)
    analyst = PairedAnalyst(VideoAnalyst(OneCar(), ByteTracker()), plates, ring, (2.0, 2.0))
    seen = []
    for frame in source.frames():
        seen.append(analyst.observe(frame, (1,) if frame.stamp.index % 20 == 10 else ()))
        if len(seen) == 75:
            break
    source.close()
    assert {point.box_px for one in seen for point in one.tracks or ()} == {(40.0, 60.0, 160.0, 120.0)}
    assert len(plates.asked) >= 3
    assert set(plates.asked) == {((LARGE[1], LARGE[0], 3), (40.0, 60.0, 160.0, 120.0))}
    assert analyst.glance(frame).tracks is None
