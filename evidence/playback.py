"""Decodes a clip in the order in which its pictures are shown, also where parts of it were joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from av.container import InputContainer

JOINT_S = 1.0
"""A keyframe that comes so much later than the picture before it begins a part (a parked vehicle is shown every ten seconds)."""


def shown_frames(film: InputContainer) -> Iterator[av.VideoFrame]:
    """Every picture of the film's video, each with its time.

    A keyframe of an open group does not tell a decoder that a new sequence begins: after a joint it would count pictures on
    from those before, and show them out of order. So the decoder begins anew there. Raises what PyAV raises.
    """
    stream = film.streams.video[0]
    context = stream.codec_context
    base = stream.time_base
    assert base is not None
    latest: int | None = None
    for packet in film.demux(stream):
        if packet.pts is None:
            continue  # the empty one that ends a file
        decoded = []
        if packet.is_keyframe and latest is not None and (packet.pts - latest) * base > JOINT_S:
            decoded += context.decode(None)
            context.flush_buffers()
        latest = packet.pts if latest is None else max(latest, packet.pts)
        yield from _timed([*decoded, *context.decode(packet)], base)
    yield from _timed(context.decode(None), base)


def _timed(frames: Sequence[av.VideoFrame], base: Fraction) -> Iterator[av.VideoFrame]:
    """The frames; a drained decoder leaves out in which unit their ``pts`` is told."""
    for frame in frames:
        frame.time_base = base
        yield frame
