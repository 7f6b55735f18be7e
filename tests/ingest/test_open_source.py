"""What the user names is a recording or a camera, or an error that says what would be right."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import FileMissingError, SourceKindError
from ingest.file_source import FileSource
from ingest.open_source import is_live, open_source
from ingest.packet_ring import PacketRing
from ingest.rtsp_source import RtspSource
from tests.ingest.conftest import Serve
from tests.ingest.recordings import record


class NoClock:
    def now(self) -> datetime:
        raise AssertionError("nobody may ask for the time")


STARTED_AT = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_path_opens_a_recording_and_asks_no_clock(tmp_path: Path) -> None:
    ring = PacketRing()
    source = open_source(
        str(record(tmp_path / "a.mp4")),
        camera_id="c1",
        clock=NoClock(),
        segment=2,
        started_at=STARTED_AT,
        error_s=0.5,
        duration_s=0.4,
        packet_ring=ring,
    )
    assert isinstance(source, FileSource)
    stamps = [frame.stamp for frame in source.frames()]
    source.close()
    assert len(stamps) == 10
    assert (stamps[0].captured_at, stamps[0].error_s, stamps[0].segment) == (STARTED_AT, 0.5, 2)
    assert ring.kept_s is not None


def test_an_rtsp_address_opens_a_camera(tmp_path: Path, serve_rtsp: Serve) -> None:
    class May:
        def now(self) -> datetime:
            return STARTED_AT

    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=20))
    source = open_source(
        camera.url,
        camera_id="c1",
        clock=May(),
        segment=2,
        error_s=0.5,
        duration_s=0.4,
        packet_ring=PacketRing(),
    )
    assert isinstance(source, RtspSource)
    stamps = [frame.stamp for frame in source.frames()]
    source.close()
    assert 9 <= len(stamps) <= 11
    assert (stamps[0].captured_at, stamps[0].error_s, stamps[0].segment) == (STARTED_AT, 0.5, 2)


@pytest.mark.parametrize(
    "source", ["http://u:geheim@cam/1.mp4", "file:///tmp/a.mp4", "udp://@239.0.0.1:1234"]
)
def test_other_addresses_are_refused_and_nothing_is_fetched(source: str) -> None:
    with pytest.raises(SourceKindError) as caught:
        open_source(source, camera_id="c1", clock=NoClock())
    assert "geheim" not in str(caught.value)
    assert "rtsp://" in caught.value.message


def test_a_start_time_belongs_to_a_recording() -> None:
    with pytest.raises(SourceKindError, match="belongs to a recording") as caught:
        open_source("rtsp://u:geheim@cam/1", camera_id="c1", clock=NoClock(), started_at=STARTED_AT)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("path", ["rtsp:/camera", "concat:a|b", "pipe:0", "http:a.mp4", "a b:c.mp4"])
def test_a_path_is_never_taken_for_a_protocol(path: str) -> None:
    assert not is_live(path)
    with pytest.raises(FileMissingError):
        open_source(path, camera_id="c1", clock=NoClock())


def test_what_is_live() -> None:
    assert is_live("rtsp://cam/1")
    assert is_live("RTSPS://cam/1")
    assert not is_live("http://cam/1")
    assert not is_live("recordings/rtsp/1.mp4")
