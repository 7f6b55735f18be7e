"""Real recordings: all of each is read, its frames decode again to the byte, and how fast that is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from ingest.file_source import FileSource
from ingest.packet_ring import PacketRing
from rules.observation import FrameStamp

pytestmark = pytest.mark.footage

EVERY = 37
"""Every so many frames one is decoded again: falls on all places of a group of pictures."""


def test_real_recordings_are_read_whole_and_decode_again(
    shared: Path, figure: Callable[[str, object], None]
) -> None:
    truth = json.loads((shared / "footage" / "truth.json").read_text())
    names = sorted(path.name for path in (shared / "footage").glob("*.mp4"))
    assert len(names) >= 7
    for name in names:
        ring = PacketRing(hold_s=120.0)
        source = FileSource(shared / "footage" / name, camera_id="c1", packet_ring=ring)
        frames = 0
        kept: list[tuple[FrameStamp, str]] = []
        for frame in source.frames():
            frames += 1
            if frame.stamp.index % EVERY == 0:
                kept.append((frame.stamp, hashlib.sha256(frame.bgr().tobytes()).hexdigest()))
        source.close()
        assert source.damage is None, name
        assert list(source.size_px) == truth[name]["size"]
        assert source.length_s == pytest.approx(kept[-1][0].media_s, abs=EVERY / 6 + 0.5)
        began = perf_counter()
        for stamp, digest in kept:
            again = hashlib.sha256(ring.decode_frame(stamp).tobytes()).hexdigest()
            assert again == digest, (name, stamp.index)
        again_ms = (perf_counter() - began) / len(kept) * 1000
        figure(name, f"{frames} frames, one decoded again in {again_ms:.0f} ms")


def test_reading_alone_is_many_times_real_time(shared: Path, figure: Callable[[str, object], None]) -> None:
    began = perf_counter()
    source = FileSource(
        shared / "footage" / "hangzhou_parked_cars.mp4", camera_id="c1", packet_ring=PacketRing()
    )
    last_s = [frame.stamp.media_s for frame in source.frames()][-1]
    source.close()
    times = last_s / (perf_counter() - began)
    figure("hangzhou_parked_cars.mp4 read, nothing converted (x real time)", times)
    assert times > 3
