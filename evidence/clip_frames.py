"""Pictures of a clip by their numbers in the order of showing, decoded from the keyframe before them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import av
import numpy as np

from evidence.errors import ClipError
from evidence.picture import Pixels
from evidence.playback import JOINT_S


def frame_at(clip: bytes, number: int) -> Pixels:
    """The picture of that number, from 0, as uint8 (height, width, 3), blue-green-red; the same as playing the clip gives.

    Raises IndexError where the clip has fewer pictures, ClipError where it cannot be decoded.
    """
    return next(frames_from(clip, number, 1))[1]


def frames_from(clip: bytes, number: int, count: int) -> Iterator[tuple[int, Pixels]]:
    """The picture of that number and up to ``count`` - 1 that follow it in the same part of the clip, as ``frame_at`` gives
    them, each with its number. Raises as ``frame_at``.
    """
    try:
        with av.open(BytesIO(clip), "r") as film:
            stream = film.streams.video[0]
            packets = [packet for packet in film.demux(stream) if packet.size > 0 and packet.pts is not None]
            shown = sorted(packet.pts for packet in packets if packet.pts is not None)
            if not 0 <= number < len(shown):
                raise IndexError(number)
            numbers = {pts: at for at, pts in enumerate(shown[number : number + count], start=number)}
            is_there = False
            for frame in _decoded(stream, packets, shown[number]):
                at = numbers.get(frame.pts or 0)
                if at is not None:
                    is_there |= at == number
                    yield at, np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
                if frame.pts == shown[min(number + count, len(shown)) - 1]:
                    return
            if is_there:
                return
    except av.FFmpegError as exc:
        raise ClipError(f"the clip cannot be decoded ({exc})") from exc
    raise ClipError(f"picture {number} of the clip cannot be decoded")


def _decoded(
    stream: av.VideoStream, packets: list[av.Packet[av.VideoStream]], wanted: int
) -> Iterator[av.VideoFrame]:
    """What the part of the clip shows from the keyframe before that time on."""
    base = stream.time_base
    keys = [at for at, packet in enumerate(packets) if packet.is_keyframe and (packet.pts or 0) <= wanted]
    latest: int | None = None
    for packet in packets[keys[-1] if keys else 0 :]:
        assert packet.pts is not None and base is not None
        if latest is not None and packet.is_keyframe and (packet.pts - latest) * base > JOINT_S:
            break  # another part: nothing of it belongs to the picture's group
        latest = packet.pts if latest is None else max(latest, packet.pts)
        yield from stream.codec_context.decode(packet)
    yield from stream.codec_context.decode(None)
