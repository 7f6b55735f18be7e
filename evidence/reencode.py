"""Films made from a clip: its pictures one by one, and a new H.264 film of changed ones, each shown when it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

import av
import numpy as np

from evidence.errors import ClipError
from evidence.picture import Pixels
from evidence.playback import shown_frames

OPTIONS = {"crf": "16", "preset": "veryfast", "bf": "0"}
"""Hardly to be told from the original, at about the size of a camera's stream; 12 s take a few seconds on two cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmPicture:
    """One picture of a clip: at which second of it, uint8 (height, width, 3), blue-green-red."""

    at_s: float
    pixels: Pixels


def pictures(clip: bytes) -> Iterator[FilmPicture]:
    """The pictures of an MP4 in the order in which they are shown. Raises ClipError where it cannot be decoded."""
    try:
        with av.open(BytesIO(clip), "r") as film:
            for frame in shown_frames(film):
                yield _picture(frame)
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


def h264(
    clip: bytes, shown: Callable[[av.VideoFrame], av.VideoFrame], options: Mapping[str, str] = OPTIONS
) -> bytes:
    """An H.264 MP4 with as many pictures at the same times, each as ``shown`` gives it; its index stands first.

    Width and height are even. The source's sound, where it has any, is left out. Raises ClipError where not every picture
    of the clip can be decoded, and what ``shown`` raises.
    """
    buffer = BytesIO()
    count = 0
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
            stream = target.add_stream("libx264", options=dict(options))
            stream.width, stream.height = taken.width // 2 * 2, taken.height // 2 * 2
            stream.pix_fmt = "yuv420p"
            if taken.time_base is not None:
                stream.codec_context.time_base = taken.time_base
            for frame in shown_frames(source):
                made = shown(frame).reformat(width=stream.width, height=stream.height, format="yuv420p")
                made.pts, made.time_base = frame.pts, frame.time_base
                target.mux(stream.encode(made))
                count += 1
            target.mux(stream.encode())
    except (av.FFmpegError, ValueError, IndexError) as exc:
        raise ClipError(f"no H.264 film can be made of the clip ({exc})") from exc
    held = len(times(clip))
    if count != held:
        raise ClipError(f"only {count} of the clip's {held} pictures can be decoded")
    return buffer.getvalue()


def changed(clip: bytes, change: Callable[[FilmPicture], Pixels]) -> bytes:
    """``h264`` of the clip with each picture as ``change`` gives it."""

    def shown(frame: av.VideoFrame) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(_even(change(_picture(frame))), format="bgr24")

    return h264(clip, shown)


def _picture(frame: av.VideoFrame) -> FilmPicture:
    if frame.time is None:
        raise ClipError("a picture of the clip has no time")
    return FilmPicture(
        at_s=float(frame.time), pixels=np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    )


def _even(pixels: Pixels) -> Pixels:
    """Without the last row or column where their number is odd: H.264's colours come for two by two pixels."""
    high, wide = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    return np.ascontiguousarray(pixels[:high, :wide])
