"""Single frames of a clip by their numbers: sought where they are far apart, decoded one after the other where they are near."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
from av.video.frame import VideoFrame

NEAR_FRAMES = 60
"""Decoding on over so many frames costs less than a new start at the keyframe before."""


def frames_at(path: Path, numbers: Iterable[int]) -> Iterator[tuple[int, VideoFrame]]:
    """The frames of those numbers, rising. Raises ValueError where the clip holds no such frame."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None and stream.average_rate is not None
        start, tick = stream.start_time or 0, 1 / (stream.time_base * stream.average_rate)
        decoded = container.decode(stream)
        before = 0
        for number in numbers:
            at = start + round(number * tick)
            if number - before > NEAR_FRAMES:
                container.seek(at, stream=stream)
                decoded = container.decode(stream)
            before = number
            frame = next((one for one in decoded if one.pts is not None and one.pts >= at), None)
            if frame is None or frame.pts != at:
                raise ValueError(f"{path.name} has no frame {number}")
            yield number, frame
