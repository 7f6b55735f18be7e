"""Films made from a clip: its pictures one by one, and a new H.264 film of changed ones, each shown when it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

import av
import numpy as np
from av.video.stream import VideoStream

from evidence.errors import ClipError
from evidence.picture import Pixels

CRF = "20"
"""Hardly to be told from the original, at about the size of a camera's stream."""

PRESET = "veryfast"
"""A film of 12 s is made in a few seconds on two cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmPicture:
    """One picture of a clip: at which second of it, uint8 (height, width, 3), blue-green-red."""

    at_s: float
    pixels: Pixels


def pictures(clip: bytes) -> Iterator[FilmPicture]:
    """The pictures of an MP4 in the order in which they are shown. Raises ClipError where it cannot be decoded."""
    try:
        with av.open(BytesIO(clip), "r") as film:
            for frame in film.decode(video=0):
                if frame.time is None:
                    raise ClipError("a picture of the clip has no time")
                pixels = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
                yield FilmPicture(at_s=float(frame.time), pixels=pixels)
    except (av.FFmpegError, IndexError) as exc:
        raise ClipError(f"the clip cannot be decoded ({exc})") from exc


def times(clip: bytes) -> tuple[float, ...]:
    """At which seconds its pictures are shown, ascending, without decoding them. Raises ClipError."""
    try:
        with av.open(BytesIO(clip), "r") as film:
            base = film.streams.video[0].time_base
            shown = [
                packet.pts for packet in film.demux(video=0) if packet.size > 0 and packet.pts is not None
            ]
    except (av.FFmpegError, IndexError) as exc:
        raise ClipError(f"the clip cannot be read ({exc})") from exc
    if base is None:
        raise ClipError("the clip does not say in what its times are told")
    return tuple(float(pts * base) for pts in sorted(shown))


def changed(clip: bytes, change: Callable[[FilmPicture], Pixels]) -> bytes:
    """An H.264 MP4 with as many pictures at the same times, each as ``change`` gives it; its index stands first.

    The source's sound, where it has any, is left out. Raises ClipError, and what ``change`` raises.
    """
    buffer = BytesIO()
    try:
        with (
            av.open(BytesIO(clip), "r") as source,
            av.open(
                buffer,
                "w",
                format="mp4",
                options={"movflags": "faststart", "fflags": "+bitexact"},
                io_open=lambda *_: BytesIO(buffer.getvalue()),
            ) as target,
        ):
            taken = source.streams.video[0]
            stream = target.add_stream("libx264", options={"crf": CRF, "preset": PRESET, "bf": "0"})
            _like(stream, taken)
            count = 0
            for frame in source.decode(taken):
                if frame.pts is None or frame.time is None:
                    raise ClipError("a picture of the clip has no time")
                pixels = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
                made = av.VideoFrame.from_ndarray(
                    _even(change(FilmPicture(at_s=float(frame.time), pixels=pixels))), format="bgr24"
                )
                made.pts = frame.pts
                if frame.time_base is not None:
                    made.time_base = frame.time_base
                target.mux(stream.encode(made))
                count += 1
            target.mux(stream.encode())
        data = buffer.getvalue()
    except (av.FFmpegError, ValueError, IndexError) as exc:
        raise ClipError(f"no film can be made of the clip ({exc})") from exc
    if len(times(data)) != count:
        raise ClipError(f"the film holds other than the {count} pictures that were put in")
    return data


def _like(stream: VideoStream, taken: VideoStream) -> None:
    stream.width, stream.height = taken.width // 2 * 2, taken.height // 2 * 2
    stream.pix_fmt = "yuv420p"

    if taken.time_base is not None:
        stream.codec_context.time_base = taken.time_base


def _even(pixels: Pixels) -> Pixels:
    """Without the last row or column where their number is odd: H.264's colours come for two by two pixels."""
    high, wide = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    return np.ascontiguousarray(pixels[:high, :wide])
