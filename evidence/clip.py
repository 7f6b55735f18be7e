"""Clips: packets put into an MP4 as they came from the camera, never encoded again; the only door to PyAV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
from av.video.stream import VideoStream

from evidence.errors import ClipError
from evidence.mp4 import index_first, sample_count
from evidence.ports import Footage, P, StreamParameters

BEFORE_S = 6.0
AFTER_S = 6.0
"""A clip shows this much before and after the event (design section 4)."""

ARRIVAL_BEFORE_S = 5.0
ARRIVAL_AFTER_S = 1.0
"""The arrival of a parked vehicle: six seconds around its first photo, which is taken once it surely stands."""

EVERY_S = 10.0
"""Between arrival and event a parked vehicle is shown once in so many seconds."""

BROWSER_CODECS = frozenset({"h264", "av1", "libdav1d"})
"""Codecs that a browser plays from an MP4; H.265, MPEG-4 part 2 and Motion JPEG it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPacket:
    """One compressed packet with the media second at which it is shown; ``pts`` in units of ``time_base``."""

    media_s: float
    pts: int
    duration: int
    is_keyframe: bool
    time_base: Fraction
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of the clip: ``what`` is ``event``, ``arrival`` or ``interval`` (one keyframe every ten seconds)."""

    what: str
    packets: tuple[TimedPacket, ...]

    @property
    def first_s(self) -> float:
        """Media seconds of its first picture."""
        return self.packets[0].media_s

    @property
    def last_s(self) -> float:
        """Media seconds of its last picture."""
        return max(packet.media_s for packet in self.packets)


def cut(footage: Footage[P], what: str, from_s: float, to_s: float) -> Part:
    """The pictures from ``from_s`` (the keyframe at or before it) to ``to_s``, as far as the footage goes.

    Pictures that come after the first keyframe but are shown before it build on what is not there: they
    are left out. Raises ClipError where there is no keyframe, and what ``packets_between`` raises.
    """
    packets = [_timed(footage, packet) for packet in footage.packets_between(from_s, to_s)]
    if not packets or not packets[0].is_keyframe:
        raise ClipError(f"no keyframe to begin with at {from_s:.3f} s")
    first_s = packets[0].media_s
    return Part(what=what, packets=tuple(packet for packet in packets if packet.media_s >= first_s))


def keyframe_at(footage: Footage[P], media_s: float) -> TimedPacket:
    """The last keyframe at or before that moment, but not more than a group older than ``EVERY_S``. Raises as ``cut`` does."""
    packets = cut(footage, "interval", media_s - EVERY_S, media_s).packets
    return [packet for packet in packets if packet.is_keyframe and packet.media_s <= media_s][-1]


def joined(arrival: Part | None, between: Sequence[TimedPacket], event: Part) -> tuple[Part, ...]:
    """Arrival, keyframes and event in order of time, without any packet twice."""
    parts = []
    begun_s = event.first_s
    after_s = -1.0
    if arrival is not None and arrival.first_s < begun_s:
        own = _before(arrival.packets, event.packets[0])
        if own:
            parts.append(Part(what=arrival.what, packets=own))
            after_s = parts[0].last_s
    lone = []
    for packet in between:
        if after_s < packet.media_s < begun_s:
            lone.append(packet)
            after_s = packet.media_s
    if lone:
        parts.append(Part(what="interval", packets=tuple(lone)))
    return (*parts, event)


def mux(parameters: StreamParameters, parts: Sequence[Part]) -> bytes:
    """An MP4 whose first picture is at 0 s and whose time runs as the camera's: a gap between parts stays a gap.

    The index stands first (it plays while it loads); the same packets give the same bytes. Raises
    ClipError where the codec cannot be put into an MP4, or the file read back is not what was put in.
    """
    packets = [packet for part in parts for packet in part.packets]
    buffer = BytesIO()
    try:
        with (
            av.open(BytesIO(parameters.template), "r") as source,
            av.open(
                buffer,
                "w",
                format="mp4",
                options={"fflags": "+bitexact"},
            ) as target,
        ):
            stream = target.add_stream_from_template(source.streams.video[0], opaque=True)
            stream.time_base = packets[0].time_base
            for packet in _stamped(packets, stream):
                target.mux(packet)
        data = index_first(buffer.getvalue())
        found = sample_count(data)
    except (av.FFmpegError, ValueError) as exc:
        raise ClipError(f"{parameters.codec_name} cannot be put into an MP4 unchanged ({exc})") from exc
    if found != len(packets):
        raise ClipError(f"the MP4 holds {found} pictures, not the {len(packets)} that were put in")
    return data


def plays_in_browser(parameters: StreamParameters) -> bool:
    """Whether a browser can be expected to play the clip."""
    return parameters.codec_name in BROWSER_CODECS


def _timed(footage: Footage[P], packet: P) -> TimedPacket:
    if packet.pts is None:
        raise ClipError("a packet has no presentation time")
    return TimedPacket(
        media_s=footage.media_s_of(packet),
        pts=packet.pts,
        duration=packet.duration,
        is_keyframe=packet.is_keyframe,
        time_base=packet.time_base,
        data=packet.data,
    )


def _before(packets: Sequence[TimedPacket], first: TimedPacket) -> tuple[TimedPacket, ...]:
    """The packets up to ``first`` where it is one of them, else all."""
    at = next((i for i, packet in enumerate(packets) if packet.pts == first.pts), len(packets))
    return tuple(packets[:at])


def _stamped(packets: Sequence[TimedPacket], stream: VideoStream) -> list[av.Packet[Any]]:
    """PyAV's packets with times from 0 and decoding times that rise and never pass the presentation times."""
    shown = sorted(packet.pts for packet in packets)
    delay = max(at - packet.pts for at, packet in zip(shown, packets, strict=True))
    stamped = []
    last = None
    for at, packet in zip(shown, packets, strict=True):
        dts = at - delay - shown[0]
        dts = dts if last is None else max(dts, last + 1)
        last = dts
        made: av.Packet[Any] = av.Packet(packet.data)
        made.stream = stream
        made.time_base = packet.time_base
        made.dts = dts
        made.pts = max(packet.pts - shown[0], dts)
        made.duration = packet.duration
        made.is_keyframe = packet.is_keyframe
        stamped.append(made)
    return stamped
