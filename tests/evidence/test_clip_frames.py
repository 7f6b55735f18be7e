"""A frame of a clip by its number: the picture that playing the clip shows there, whatever lies between two pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest

from evidence.clip import cut, joined, keyframe_at, mux
from evidence.clip_frames import frame_at
from evidence.errors import ClipError
from evidence.reencode import pictures, times
from ingest.packet_ring import PacketRing
from tests.builders.filmed import Filming, Street, frames_of, number_in

SMALL = (160, 96)
CODECS = [
    ("libx264", {"preset": "ultrafast", "g": "50", "bf": "3", "b-pyramid": "normal"}),
    ("libx264", {"preset": "veryfast", "x264-params": "keyint=50:min-keyint=50:open-gop=1:bframes=3"}),
    ("libx265", {"preset": "ultrafast", "x265-params": "keyint=50:scenecut=0:bframes=4:log-level=none"}),
]


def film_of_uneven_rate(path: Path, codec: str, options: dict[str, str], *, count: int) -> list[float]:
    """Writes the street, each picture 10 to 400 ms after the one before; gives the seconds at which they are shown."""
    street = Street(filming=Filming(size_px=SMALL))
    chance = Random(7)
    at_ms = 0
    shown_s = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(street.draw(index), format="bgr24")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            shown_s.append(at_ms / 1000)
            at_ms += chance.choice([10, 33, 40, 40, 41, 80, 400])
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return shown_s


def ring_of(path: Path) -> PacketRing:
    ring = PacketRing(hold_s=1000.0)
    for _ in frames_of(path, ring):
        pass
    return ring


@pytest.mark.parametrize(("codec", "options"), CODECS)
def test_a_number_gives_the_picture_that_is_shown_there_at_an_uneven_rate(
    tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    path = tmp_path / "street.mkv"
    shown_s = film_of_uneven_rate(path, codec, options, count=160)
    ring = ring_of(path)
    clip = mux(ring.parameters, [cut(ring, "event", 0.0, shown_s[120])])
    played = list(pictures(clip))
    assert len(played) > 100
    assert times(clip) == pytest.approx(shown_s[: len(played)], abs=2e-3)
    for number in Random(3).sample(range(len(played)), 50):
        pixels = frame_at(clip, number)
        assert number_in(pixels, SMALL) == number
        assert np.array_equal(pixels, played[number].pixels)


@pytest.mark.parametrize(("codec", "options"), CODECS)
def test_numbers_go_on_over_the_joints_of_a_parked_cars_clip(
    tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    street = Street(filming=Filming(seconds=30.0, size_px=SMALL, codec=codec, options=tuple(options.items())))
    ring = ring_of(street.film(tmp_path / "street.mkv"))
    parts = joined(cut(ring, "arrival", 2.5, 5.0), [keyframe_at(ring, 12.0)], cut(ring, "event", 22.0, 25.0))
    wanted = sorted(round(packet.media_s * 25) for part in parts for packet in part.packets)
    clip = mux(ring.parameters, parts)
    assert len(times(clip)) == len(wanted)
    for number, drawn in enumerate(wanted):
        assert number_in(frame_at(clip, number), SMALL) == drawn


def test_what_is_not_there_is_said(film: Path) -> None:
    ring = ring_of(film)
    clip = mux(ring.parameters, [cut(ring, "event", 4.0, 6.0)])
    count = len(times(clip))
    frame_at(clip, count - 1)
    for number in (count, -1, 999_999):
        with pytest.raises(IndexError):
            frame_at(clip, number)
    for broken in (b"", b"no film"):
        with pytest.raises(ClipError, match="cannot be"):
            frame_at(broken, 0)
