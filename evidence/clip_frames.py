"""One picture of a clip by its number in the order of showing, decoded from the keyframe before it."""

from __future__ import annotations

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
    try:
        with av.open(BytesIO(clip), "r") as film:
            stream = film.streams.video[0]
            base = stream.time_base
            packets = [packet for packet in film.demux(stream) if packet.size > 0 and packet.pts is not None]
            shown = sorted(packet.pts for packet in packets if packet.pts is not None)
            if not 0 <= number < len(shown) or base is None:
                raise IndexError(number)
            wanted = shown[number]
            keys = [
                i for i, packet in enumerate(packets) if packet.is_keyframe and (packet.pts or 0) <= wanted
            ]
            latest: int | None = None
            for packet in packets[keys[-1] if keys else 0 :]:
                assert packet.pts is not None
                if latest is not None and packet.is_keyframe and (packet.pts - latest) * base > JOINT_S:
                    break  # another part: nothing of it belongs to the picture's group
                latest = packet.pts if latest is None else max(latest, packet.pts)
                for frame in stream.codec_context.decode(packet):
                    if frame.pts == wanted:
                        return np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
            for frame in stream.codec_context.decode(None):
                if frame.pts == wanted:
                    return np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    except av.FFmpegError as exc:
        raise ClipError(f"the clip cannot be decoded ({exc})") from exc
    raise ClipError(f"picture {number} of the clip cannot be decoded")
