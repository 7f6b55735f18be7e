"""What a bad network or a bad camera does to a stream: nothing that was not seen is shown, and what was lost is counted."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.file_source import FileSource
from ingest.picture import DecodedFrame
from ingest.rtsp_source import RtspSource, Transport
from rules.observation import ClockSource
from tests.ingest.conftest import Serve
from tests.ingest.recordings import record
from tests.rtsp_relay import relayed


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def luma(frame: DecodedFrame) -> str:
    return hashlib.sha256(frame.planes()[0].tobytes()).hexdigest()


def connect(port: int, transport: Transport = Transport.TCP, duration_s: float | None = None) -> RtspSource:
    return RtspSource(
        f"rtsp://127.0.0.1:{port}/camera",
        camera_id="c1",
        clock=SystemClock(),
        transport=transport,
        read_timeout_s=3,
        duration_s=duration_s,
    )


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("fault", ["lost", "spoiled"])
def test_no_picture_is_shown_that_the_camera_did_not_take(
    tmp_path: Path, serve_rtsp: Serve, transport: Transport, fault: str
) -> None:
    """Two in a hundred packets are lost, or overwritten, which no checksum of RTP notices."""
    path = record(tmp_path / "a.mp4", frames=250, b_frames=0, group=10, size=(320, 240), options={"crf": "4"})
    file = FileSource(path, camera_id="c1")
    known = {luma(frame) for frame in file.frames()}
    file.close()
    camera = serve_rtsp(path)
    with relayed(camera.port) as relay:
        source = connect(relay.port, transport)
        setattr(relay.faults, fault, 0.02)
        frames = list(source.frames())
        source.close()
        assert relay.faults.met[fault] > 5
    if fault == "lost":
        assert {luma(frame) for frame in frames} <= known
    assert 20 < len(frames) < 245
    assert source.skipped.packets_damaged + source.skipped.frames_damaged + source.skipped.frames_doubtful > 0
    media_s = [frame.stamp.media_s for frame in frames]
    assert media_s == sorted(set(media_s))
    assert media_s[-1] == pytest.approx(9.96, abs=1.0), "it goes on to the end"


def test_reordered_datagrams_are_sorted(tmp_path: Path, serve_rtsp: Serve) -> None:
    path = record(tmp_path / "a.mp4", frames=150, b_frames=0, group=25, size=(320, 240), options={"crf": "4"})
    camera = serve_rtsp(path)
    with relayed(camera.port) as relay:
        source = connect(relay.port, Transport.UDP)
        relay.faults.reordered = 0.05
        frames = list(source.frames())
        source.close()
        assert relay.faults.met["reordered"] > 5
    # A busy machine loses a datagram of its own, and with it the rest of a group of 25; unsorted ones would spoil every group.
    assert len(frames) >= 120
    assert source.skipped.frames_damaged <= 2


@pytest.mark.parametrize("transport", list(Transport))
def test_delay_moves_no_frame_in_time(tmp_path: Path, serve_rtsp: Serve, transport: Transport) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=100, b_frames=0))
    with relayed(camera.port) as relay:
        source = connect(relay.port, transport)
        stamps = []
        for number, frame in enumerate(source.frames()):
            relay.faults.delay_s = 0.4 if number > 30 else 0.0
            stamps.append(frame.stamp)
        source.close()
    assert len(stamps) >= 97
    by_arrival = [one for one in stamps if one.clock_source is ClockSource.ARRIVAL]
    offsets = [one.captured_at.timestamp() - one.media_s for one in by_arrival if one.captured_at is not None]
    assert max(offsets[5:]) - min(offsets[5:]) < 0.2


@pytest.mark.timeout(180)
@pytest.mark.parametrize("shift_s", [3600.0, -3600.0])
def test_a_camera_clock_that_jumps_ends_the_segment_and_is_told_off_in_the_next(
    tmp_path: Path, serve_rtsp: Serve, shift_s: float
) -> None:
    """An hour on or back: from the first time by the new clock on, its bound says that it is an hour from ours."""
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=250, b_frames=0), loop=True)
    with relayed(camera.port) as relay:
        source = connect(relay.port)
        for frame in source.frames():
            if frame.stamp.clock_source is ClockSource.RTCP:
                assert frame.stamp.error_s < 5.0
                relay.faults.clock_s = shift_s
        source.close()
        assert f"the camera's clock jumped by {shift_s:+.1f} s" in str(source.damage)

        after = connect(relay.port, duration_s=30.0)
        by_camera = None
        for frame in after.frames():
            if frame.stamp.clock_source is ClockSource.RTCP:
                by_camera = frame.stamp
                break
        after.close()
    assert by_camera is not None
    assert by_camera.captured_at is not None
    assert abs(by_camera.captured_at - datetime.now(UTC) - timedelta(seconds=shift_s)) < timedelta(seconds=5)
    assert by_camera.error_s == pytest.approx(3600, abs=5)
