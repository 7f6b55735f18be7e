"""A decoded picture as the other rooms see it: its planes as decoded, and blue-green-red where somebody asks."""

from __future__ import annotations

import numpy as np
from av import VideoFrame
from av.video.plane import VideoPlane

from ingest.frame import Pixels
from rules.observation import FrameStamp

PLANAR_420 = ("yuv420p", "yuvj420p")
"""Pixel formats whose planes are handed out as they lie in the decoder's memory."""

MOST_PX = 8192
"""The largest side of a picture; 8K cameras have 7680."""

NO_COLOUR = 128
"""U and V of grey (ITU-R BT.601 and BT.709 alike)."""


class DecodedFrame:
    """One decoded frame; converts nothing until it is asked to, and each thing once."""

    __slots__ = ("_bgr", "_picture", "_planes", "_stamp")

    def __init__(self, picture: VideoFrame, stamp: FrameStamp) -> None:
        self._picture = picture
        self._stamp = stamp
        self._bgr: Pixels | None = None
        self._planes: tuple[Pixels, Pixels, Pixels] | None = None

    @property
    def stamp(self) -> FrameStamp:
        return self._stamp

    @property
    def width(self) -> int:
        return self._picture.width

    @property
    def height(self) -> int:
        return self._picture.height

    def bgr(self) -> Pixels:
        """The whole picture, uint8 (height, width, 3), blue-green-red, read-only; converted on first use, then kept."""
        if self._bgr is None:
            self._bgr = to_bgr(self._picture)
        return self._bgr

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        """Y (height, width), U and V (height/2, width/2, rounded up), uint8, read-only, range as decoded.

        Views of the decoder's memory for 8-bit 4:2:0, else converted on first use, then kept.
        """
        if self._planes is None:
            self._planes = to_planes(self._picture)
        return self._planes


def to_bgr(picture: VideoFrame) -> Pixels:
    """uint8 (height, width, 3), blue-green-red, read-only, C-contiguous; the matrix and range that the stream states.

    By one thread: who decodes a frame again must get the same bytes.
    """
    pixels: Pixels = np.ascontiguousarray(picture.to_ndarray(format="bgr24", threads=1), np.uint8)
    pixels.setflags(write=False)
    return pixels


def to_planes(picture: VideoFrame) -> tuple[Pixels, Pixels, Pixels]:
    """Y, U, V as ``DecodedFrame.planes`` promises; formats other than 8-bit 4:2:0 are converted, keeping their range."""
    name = picture.format.name
    if name.startswith("gray"):
        luma = _view(picture.reformat(format="gray", threads=1).planes[0])
        neutral = np.full(((picture.height + 1) // 2, (picture.width + 1) // 2), NO_COLOUR, np.uint8)
        neutral.setflags(write=False)
        return luma, neutral, neutral
    if name not in PLANAR_420:
        wanted = "yuvj420p" if name.startswith("yuvj") else "yuv420p"
        picture = picture.reformat(format=wanted, threads=1)
    y, u, v = (_view(plane) for plane in picture.planes)
    return y, u, v


def _view(plane: VideoPlane) -> Pixels:
    """The plane's memory without the padding of its rows."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    view: Pixels = rows[: plane.height, : plane.width]
    view.setflags(write=False)
    return view
