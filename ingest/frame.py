"""A decoded frame and the packets it came from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rules.observation import FrameStamp

Pixels = NDArray[np.uint8]


class Frame(Protocol):
    """One decoded frame. Arrays are read-only and live as long as the frame."""

    @property
    def stamp(self) -> FrameStamp: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def bgr(self) -> Pixels:
        """The whole picture, uint8 (height, width, 3), blue-green-red; converted on first use, then kept."""
        ...

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        """Y (height, width), U and V (height/2, width/2, rounded up), uint8, limited or full range as decoded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One compressed packet of the video stream, in decoding order. ``pts``/``dts`` in units of ``time_base``."""

    segment: int
    pts: int | None
    dts: int | None
    duration: int
    is_keyframe: bool
    time_base: Fraction
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamParameters:
    """What a decoder or a muxer must know of the video stream besides its packets.

    ``codec_name`` is the decoder's (``h264``, ``mpeg4``, ``libdav1d``, …), ``codec_tag`` the container's
    four bytes, ``extradata`` the parameter sets as the container has them (None where they are in the
    packets), ``frame_rate`` the average in Hz as far as known. ``template`` is a small NUT file in memory
    with the same parameters: ``av.open(BytesIO(template)).streams.video[0]`` is what
    ``add_stream_from_template(…, opaque=True)`` wants, also after the source was closed.
    """

    codec_name: str
    codec_tag: str
    extradata: bytes | None
    width: int
    height: int
    pixel_format: str | None
    time_base: Fraction
    frame_rate: Fraction | None
    template: bytes
