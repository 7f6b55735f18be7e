"""Makes small recordings for tests; every picture carries its number, so that order and loss show in the pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ingest.frame import Frame, Pixels

BITS = 8
CELL_PX = 16


def draw(number: int, size: tuple[int, int]) -> Pixels:
    """BGR picture of that number: a moving texture under a row of eight cells, white for a 1, lowest bit left."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([x + 5 * number, y + 3 * number, x + y - 4 * number], axis=-1).astype(np.uint8)
    for bit in range(BITS):
        value = 255 if number >> bit & 1 else 0
        picture[:CELL_PX, bit * CELL_PX : (bit + 1) * CELL_PX] = value
    return picture


def number_in(frame: Frame) -> int:
    """The number that ``draw`` put into the picture, as read from its luminance."""
    luma = frame.planes()[0]
    cells = [luma[4 : CELL_PX - 4, bit * CELL_PX + 4 : (bit + 1) * CELL_PX - 4] for bit in range(BITS)]
    return sum(1 << bit for bit, cell in enumerate(cells) if cell.mean() > 127)


def record(
    path: Path,
    *,
    frames: int = 50,
    size: tuple[int, int] = (160, 96),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rate: int = 25,
    group: int = 12,
    b_frames: int = 3,
    options: Mapping[str, str] | None = None,
    container: str | None = None,
    container_options: Mapping[str, str] | None = None,
    times_ms: Sequence[int] | None = None,
) -> Path:
    """Writes a recording of ``frames`` numbered pictures, at ``rate`` or at ``times_ms``, and returns its path."""
    if codec == "libx264":
        # No scene cuts, three B-frames in every row: the order of decoding is never that of showing.
        options = {
            "x264-params": f"scenecut=0:keyint={group}:b-adapt=0:bframes={b_frames}",
            **(options or {}),
        }
    with av.open(str(path), "w", format=container, options=dict(container_options or {})) as output:
        stream = output.add_stream(codec, rate=rate, options=dict(options or {}))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.gop_size = group
        stream.max_b_frames = b_frames
        stream.codec_context.time_base = Fraction(1, 1000) if times_ms else Fraction(1, rate)
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(draw(number, size), format="bgr24")
            picture.pts = times_ms[number] if times_ms else number
            picture.time_base = stream.codec_context.time_base
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path


def hide_beginning(path: Path, source: Path, hidden_ms: int) -> Path:
    """Writes an MP4 with the pictures of ``source`` (in milliseconds) whose edit list begins after ``hidden_ms``."""
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(source)) as whole, av.open(str(path), "w", options=options) as output:
        template = whole.streams.video[0]
        stream = output.add_stream_from_template(template)
        for at, packet in enumerate(whole.demux(template)):
            if packet.size:
                assert packet.pts is not None
                packet.pts -= hidden_ms
                packet.dts = 40 * at - 80 - hidden_ms
                packet.stream = stream
                output.mux(packet)
    return path


def cut(path: Path, size_bytes: int) -> Path:
    """Shortens the file to that many bytes."""
    path.write_bytes(path.read_bytes()[:size_bytes])
    return path


def spoil(path: Path, at: int, size_bytes: int) -> Path:
    """Overwrites so many bytes in the middle of the file."""
    content = bytearray(path.read_bytes())
    content[at : at + size_bytes] = b"\xaa" * size_bytes
    path.write_bytes(content)
    return path
