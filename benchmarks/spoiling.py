"""Pictures of a camera that was turned, shifted, thrown out of focus or darkened, or has something before its signal heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import cv2
import numpy as np

from ingest.frame import Frame, Pixels
from ingest.ports import FrameSource
from rules.observation import Box, FrameStamp

BLACK, GREY = 16, 128
"""Y of black, and U and V of grey, in limited range."""

Planes = tuple[Pixels, Pixels, Pixels]


class Spoil(Protocol):
    """What becomes of a picture at a media second; what is given is not changed."""

    @property
    def hides_users(self) -> bool:
        """False where no road user is at the places that are changed: ``bgr`` is then as it was."""
        ...

    def bgr(self, pixels: Pixels) -> Pixels: ...

    def planes(self, planes: Planes, media_s: float) -> Planes: ...


class SpoiledFrame:
    """A Frame that shows something else than what was decoded."""

    def __init__(self, frame: Frame, spoil: Spoil) -> None:
        self._frame = frame
        self._spoil = spoil

    @property
    def stamp(self) -> FrameStamp:
        return self._frame.stamp

    @property
    def width(self) -> int:
        return self._frame.width

    @property
    def height(self) -> int:
        return self._frame.height

    def bgr(self) -> Pixels:
        """As a Frame."""
        return self._spoil.bgr(self._frame.bgr())

    def planes(self) -> Planes:
        """As a Frame."""
        return self._spoil.planes(self._frame.planes(), self.stamp.media_s)


class SpoiledSource:
    """A FrameSource whose pictures are spoiled from ``at_s`` (media seconds) on."""

    def __init__(self, source: FrameSource, spoil: Spoil, at_s: float) -> None:
        self._source = source
        self._spoil = spoil
        self._at_s = at_s

    @property
    def size_px(self) -> tuple[int, int]:
        return self._source.size_px

    @property
    def damage(self) -> str | None:
        return self._source.damage

    def frames(self) -> Iterator[Frame]:
        """As a FrameSource."""
        for frame in self._source.frames():
            yield frame if frame.stamp.media_s < self._at_s else SpoiledFrame(frame, self._spoil)

    def close(self) -> None:
        self._source.close()


@dataclass(frozen=True, slots=True)
class WholePicture:
    """Each plane is changed alike; ``change`` is told the plane's value for no light, or no colour."""

    change: Callable[[Pixels, int], Pixels]
    hides_users: bool = True

    def bgr(self, pixels: Pixels) -> Pixels:
        return self.change(pixels, 0)

    def planes(self, planes: Planes, media_s: float) -> Planes:
        y, u, v = planes
        return self.change(y, BLACK), self.change(u, GREY), self.change(v, GREY)


def turned(chance: Random) -> Spoil:
    """The camera turned by 2° about its axis, either way."""
    turn_deg = chance.choice((-2.0, 2.0))

    def change(plane: Pixels, dark: int) -> Pixels:
        height, width = plane.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
        return np.asarray(
            cv2.warpAffine(plane, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
        )

    return WholePicture(change)


def shifted(chance: Random) -> Spoil:
    """What it shows moved by 3 % of the picture's width, in any direction."""
    angle = chance.uniform(0.0, 2.0 * math.pi)

    def change(plane: Pixels, dark: int) -> Pixels:
        height, width = plane.shape[:2]
        way = 0.03 * width
        matrix = np.array(((1.0, 0.0, way * math.cos(angle)), (0.0, 1.0, way * math.sin(angle))))
        return np.asarray(
            cv2.warpAffine(plane, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
        )

    return WholePicture(change)


def refocused(chance: Random) -> Spoil:
    """Out of focus: a blur of 2 to 5 pixels in a picture 1280 wide."""
    sigma = chance.uniform(2.0, 5.0) / 1280.0

    def change(plane: Pixels, dark: int) -> Pixels:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma * plane.shape[1]), np.uint8)

    return WholePicture(change)


def darkened(chance: Random) -> Spoil:
    """A twentieth to three tenths of its light is left."""
    left = chance.uniform(0.05, 0.3)

    def change(plane: Pixels, dark: int) -> Pixels:
        return (dark + (plane.astype(np.float32) - dark) * left).round().astype(np.uint8)

    return WholePicture(change)


@dataclass(frozen=True, slots=True)
class InFront:
    """Things before places where no road user is: each is Y, U, V (height, width, 3), what of it is there, and its top left.

    They sway sideways by ``sway_px`` within ``sway_s``.
    """

    things: Sequence[tuple[Pixels, Pixels, int, int]]
    sway_px: float = 0.0
    sway_s: float = 1.0
    hides_users: bool = False

    def bgr(self, pixels: Pixels) -> Pixels:
        return pixels

    def planes(self, planes: Planes, media_s: float) -> Planes:
        y, u, v = (plane.copy() for plane in planes)
        moved = round(self.sway_px * math.sin(2.0 * math.pi * media_s / self.sway_s))
        for colours, there, left, top in self.things:
            for plane, channel, step in ((y, 0, 1), (u, 1, 2), (v, 2, 2)):
                x0, y0 = max(0, (left + moved) // step), max(0, top // step)
                part = plane[y0 : y0 + len(there[::step]), x0 : x0 + there[:, ::step].shape[1]]
                mask = there[::step, ::step][: part.shape[0], : part.shape[1]] > 0
                part[mask] = colours[::step, ::step, channel][: part.shape[0], : part.shape[1]][mask]
        return y, u, v


def covered(boxes_px: Sequence[Box], chance: Random) -> Spoil:
    """A bag or board of one dull colour, a little larger than the housing, hangs before each signal head."""
    things = []
    for x1, y1, x2, y2 in boxes_px:
        width, height = round(1.2 * (x2 - x1)), round(1.2 * (y2 - y1))
        colour = (chance.randint(20, 150), chance.randint(120, 136), chance.randint(120, 136))
        things.append(
            (
                np.full((height, width, 3), colour, np.uint8),
                np.ones((height, width), np.uint8),
                round((x1 + x2 - width) / 2),
                round((y1 + y2 - height) / 2),
            )
        )
    return InFront(things)


def overgrown(boxes_px: Sequence[Box], light: float, chance: Random) -> Spoil:
    """A branch full of leaves sways before each signal head and leaves nearly nothing of it to be seen.

    ``light`` (0..1) is how bright the scene is.
    """
    things = []
    longest = max(max(x2 - x1, y2 - y1) for x1, y1, x2, y2 in boxes_px)
    for x1, y1, x2, y2 in boxes_px:
        width, height = round((x2 - x1) + 1.6 * longest), round((y2 - y1) + 0.8 * longest)
        leaves, there = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
        while there.mean() < 0.97:
            place = (chance.randrange(width), chance.randrange(height))
            axes = (
                max(1, round(chance.uniform(0.06, 0.12) * longest)),
                max(1, round(chance.uniform(0.02, 0.05) * longest)),
            )
            shine = light * chance.uniform(0.5, 1.2)
            colour = tuple(
                int(min(255.0, shine * part)) for part in (45.0, chance.uniform(95.0, 140.0), 70.0)
            )
            turn_deg = chance.uniform(0.0, 180.0)
            cv2.ellipse(leaves, place, axes, turn_deg, 0.0, 360.0, colour, cv2.FILLED)
            cv2.ellipse(there, place, axes, turn_deg, 0.0, 360.0, 1, cv2.FILLED)
        things.append((_yuv(leaves), there, round((x1 + x2 - width) / 2), round((y1 + y2 - height) / 2)))
    return InFront(things, sway_px=0.1 * longest, sway_s=chance.uniform(1.5, 4.0))


def _yuv(bgr: Pixels) -> Pixels:
    """Limited range BT.601, in 4:4:4."""
    blue, green, red = (bgr[..., channel].astype(np.float32) for channel in range(3))
    y = 16.0 + (65.738 * red + 129.057 * green + 25.064 * blue) / 256.0
    u = 128.0 + (-37.945 * red - 74.494 * green + 112.439 * blue) / 256.0
    v = 128.0 + (112.439 * red - 94.154 * green - 18.285 * blue) / 256.0
    return np.stack((y, u, v), axis=-1).round().astype(np.uint8)
