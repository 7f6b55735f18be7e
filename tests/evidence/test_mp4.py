"""The index of an MP4 moves to the front as FFmpeg's muxer would have put it, and what is cut off or not whole is said."""

from __future__ import annotations

import struct
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from evidence.mp4 import Mp4Error, index_first, sample_count

PICTURES = 30


def film(codec: str, *, index_first: bool, options: dict[str, str] | None = None) -> bytes:
    """The same film every time, its index where FFmpeg puts it."""
    buffer = BytesIO()
    flags = {"movflags": "faststart"} if index_first else {}
    with av.open(
        buffer,
        "w",
        format="mp4",
        options={**flags, "fflags": "+bitexact"},
        io_open=lambda *_: BytesIO(buffer.getvalue()),
    ) as target:
        stream = target.add_stream(codec, rate=25, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(PICTURES):
            picture = np.random.default_rng(number).integers(0, 255, (64, 96, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"bf": "3", "threads": "1"}),
        ("libx265", {"x265-params": "log-level=none:pools=none:frame-threads=1"}),
        ("mpeg4", {"threads": "1"}),
    ],
)
def test_the_index_stands_where_the_muxer_would_have_put_it(codec: str, options: dict[str, str]) -> None:
    last, first = (film(codec, index_first=where, options=options) for where in (False, True))
    assert last.find(b"moov") > last.find(b"mdat")
    assert index_first(last) == first
    assert sample_count(first) == sample_count(last) == PICTURES


def test_what_is_no_whole_file_is_said() -> None:
    whole = film("mpeg4", index_first=False)
    with pytest.raises(Mp4Error, match="does not fit into the file"):
        index_first(whole[:-1])
    with pytest.raises(Mp4Error, match="a box is cut off"):
        sample_count(whole + b"abc")
    with pytest.raises(Mp4Error, match="no index"):
        index_first(whole[: whole.find(b"moov") - 4])
    with pytest.raises(Mp4Error, match="0 tracks instead of one"):
        sample_count(b"")
    at = whole.find(b"stsz") + 12
    (count,) = struct.unpack_from(">I", whole, at)
    fewer = whole[:at] + struct.pack(">I", count - 1) + whole[at + 4 :]
    with pytest.raises(Mp4Error, match=r"its index names \d+ bytes of samples, and it holds"):
        sample_count(fewer)
