"""Files damaged at random places: they are refused by one of our errors, or what they show is sound."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import IngestError
from ingest.file_source import FileSource
from ingest.packet_ring import PacketRing
from tests.ingest.recordings import record

VARIANTS = 25


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.ts", "libx264"),
        ("a.mkv", "libx264"),
        ("a.avi", "mpeg4"),
        ("b.ts", "mpeg2video"),
    ],
)
def test_a_damaged_file_is_refused_or_shows_only_what_decodes_again_to_the_byte(
    tmp_path: Path, name: str, codec: str
) -> None:
    path = record(tmp_path / name, codec=codec)
    whole = path.read_bytes()
    shown = 0
    for seed in range(VARIANTS):
        path.write_bytes(_damaged(whole, random.Random(seed)))
        ring = PacketRing()
        try:
            source = FileSource(path, camera_id="c1", packet_ring=ring)
        except IngestError:
            continue
        last_s = -1.0
        for frame in source.frames():
            assert frame.stamp.media_s > last_s
            last_s = frame.stamp.media_s
            if frame.stamp.index % 7 == seed % 7:
                # At once: a damaged frame rate may stretch the clip beyond what the ring keeps.
                assert np.array_equal(ring.decode_frame(frame.stamp), frame.bgr()), seed
                assert ring.packets_between(last_s, last_s)[0].is_keyframe, seed
                shown += 1
        source.close()
    assert shown > VARIANTS


def _damaged(whole: bytes, chance: random.Random) -> bytes:
    content = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        at, size = chance.randrange(len(content)), chance.randint(1, 60)
        content[at : at + size] = chance.randbytes(size)
    return bytes(content[: chance.randrange(len(content))] if chance.random() < 0.3 else content)
