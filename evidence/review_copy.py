"""An H.264 copy, for a browser, of a clip that browsers do not play: the same pictures at the same times."""

from __future__ import annotations

from io import BytesIO

import av

from evidence.errors import ClipError
from evidence.playback import shown_frames

NAME = "clip-h264.mp4"
OPTIONS = {"crf": "20", "preset": "veryfast", "bf": "0", "g": "25"}
"""Hardly to be told from the original; a keyframe a second, so that the page's slider follows at once."""


def review_copy(clip: bytes) -> bytes:
    """The MP4, its index first, its width and height even. Raises ClipError where the clip cannot be decoded whole."""
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
            stream = target.add_stream("libx264", options=OPTIONS)
            stream.width, stream.height = taken.width // 2 * 2, taken.height // 2 * 2
            stream.pix_fmt = "yuv420p"
            assert taken.time_base is not None
            stream.codec_context.time_base = taken.time_base
            for frame in shown_frames(source):
                made = frame.reformat(width=stream.width, height=stream.height, format="yuv420p")
                made.pts, made.time_base = frame.pts, taken.time_base
                target.mux(stream.encode(made))
                count += 1
            target.mux(stream.encode())
    except (av.FFmpegError, ValueError, IndexError) as exc:
        raise ClipError(f"no copy of the clip can be made ({exc})") from exc
    with av.open(BytesIO(clip), "r") as source:
        held = sum(packet.size > 0 for packet in source.demux(video=0))
    if count != held:
        raise ClipError(f"only {count} of the clip's {held} pictures can be decoded")
    return buffer.getvalue()
