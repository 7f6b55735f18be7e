"""Pictures of GA 36 plates: blue with seven characters, green with eight, yellow with seven."""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT = Path(__file__).resolve().parents[2] / "evidence" / "fonts" / "NotoSansCJKsc-Regular-subset.otf"


@lru_cache(maxsize=512)
def plate_picture(text: str, colour: str) -> NDArray[np.uint8]:
    """RGB (140, 440 or 480, 3) of the plate; ``colour`` is blue, green or yellow."""
    wide = 480 if colour == "green" else 440
    ground = {"blue": (18, 62, 165), "green": (120, 205, 130), "yellow": (236, 178, 20)}[colour]
    ink = (245, 245, 245) if colour == "blue" else (12, 12, 14)
    image = Image.new("RGB", (wide, 140), ground)
    draw = ImageDraw.Draw(image)
    if colour == "green":
        for y in range(140):
            share = y / 139
            draw.line(
                [(0, y), (wide, y)],
                fill=tuple(
                    round(a + (b - a) * share) for a, b in zip((225, 240, 228), (70, 190, 95), strict=True)
                ),
            )
    draw.rounded_rectangle((4, 4, wide - 5, 135), 10, outline=ink, width=4)
    lefts = _lefts(len(text), wide)
    for index, (character, left) in enumerate(zip(text, lefts, strict=True)):
        width = 45 if len(text) == 7 or index < 2 else 43
        image.paste(ink, (round(left), 25), _glyph(character, width, 90))
    dot = lefts[2] - (22 if len(text) == 7 else 26)
    draw.ellipse((dot - 5, 65, dot + 5, 75), fill=ink)
    for x in (110, wide - 110):
        draw.ellipse((x - 5, 12, x + 5, 20), fill=(150, 150, 150))
    return np.asarray(image)


def _lefts(count: int, wide: int) -> list[float]:
    gap = 12.0 if count == 7 else 9.0
    width = 45.0 if count == 7 else 43.5
    lefts = [15.5, 15.5 + width + gap]
    start = lefts[1] + width + (34.0 if count == 7 else 49.0)
    return lefts + [start + i * (width + gap) for i in range(count - 2)]


def _glyph(character: str, width: int, height: int) -> Image.Image:
    """The character scaled to fill its cell; plate characters are narrow and bold, but a province's many strokes are thin."""
    if character in _STROKES:
        return _drawn(*_STROKES[character], width, height)
    font = ImageFont.truetype(str(FONT), 120)
    bold = 3 if character.isascii() else _BOLDER.get(character, 0)
    left, top, right, bottom = font.getbbox(character, stroke_width=bold)
    mask = Image.new("L", (max(round(right - left), 1), max(round(bottom - top), 1)), 0)
    ImageDraw.Draw(mask).text((-left, -top), character, fill=255, font=font, stroke_width=bold)
    if character in _THINNER:
        mask = mask.filter(ImageFilter.MinFilter(3))
    if character in "1I":
        narrow = Image.new("L", (width, height), 0)
        narrow.paste(mask.resize((max(width // 2, 1), height), Image.Resampling.LANCZOS), (width // 4, 0))
        return narrow
    return mask.resize((width, height), Image.Resampling.LANCZOS)


_THINNER, _BOLDER = "赣渝", {"鄂": 1}
"""Provinces whose strokes run together, or get lost, where the others are read."""

Line = tuple[tuple[float, float], ...]
_RING: Line = tuple(
    (0.5 + 0.383 * cos(turn), 0.5 + 0.442 * sin(turn)) for turn in (pi * step / 24 for step in range(49))
)
_STROKES: dict[str, tuple[float, tuple[Line, ...]]] = {
    # The middle of a plate's M ends halfway down; the free font's, squeezed, is a W or an N to every reader.
    "M": (
        0.23,
        (
            ((0.117, 0.0), (0.117, 1.0)),
            ((0.883, 0.0), (0.883, 1.0)),
            ((0.117, 0.0), (0.5, 0.55)),
            ((0.883, 0.0), (0.5, 0.55)),
        ),
    ),
    # A plate's Q is a 0 with a tail that crosses its ring.
    "Q": (0.23, (_RING, ((0.5, 0.68), (1.0, 1.0)))),
    # The left half narrower than in print, or the right one is taken for the whole.
    "桂": (
        0.167,
        (
            ((0.0, 0.25), (0.38, 0.25)),
            ((0.19, 0.0), (0.19, 1.0)),
            ((0.19, 0.3), (0.02, 0.72)),
            ((0.19, 0.32), (0.38, 0.6)),
            ((0.51, 0.14), (0.93, 0.14)),
            ((0.45, 0.4), (0.98, 0.4)),
            ((0.51, 0.66), (0.93, 0.66)),
            ((0.42, 0.96), (1.0, 0.96)),
            ((0.72, 0.0), (0.72, 0.4)),
            ((0.72, 0.48), (0.72, 0.96)),
        ),
    ),
    # Of these two, print has too many strokes for a cell of a few pixels; a plate's are spread wide.
    "黑": (
        0.156,
        (
            ((0.1, 0.0), (0.1, 0.36)),
            ((0.9, 0.0), (0.9, 0.36)),
            ((0.02, 0.04), (0.98, 0.04)),
            ((0.02, 0.36), (0.98, 0.36)),
            ((0.5, 0.0), (0.5, 0.74)),
            ((0.08, 0.55), (0.92, 0.55)),
            ((0.0, 0.74), (1.0, 0.74)),
            ((0.28, 0.1), (0.36, 0.26)),
            ((0.72, 0.1), (0.64, 0.26)),
            ((0.1, 0.84), (0.02, 1.0)),
            ((0.34, 0.84), (0.38, 1.0)),
            ((0.6, 0.84), (0.66, 1.0)),
            ((0.86, 0.84), (0.97, 1.0)),
        ),
    ),
    "粤": (
        0.11,
        (
            ((0.5, 0.0), (0.42, 0.08)),
            ((0.1, 0.1), (0.1, 0.55)),
            ((0.9, 0.1), (0.9, 0.55)),
            ((0.05, 0.1), (0.95, 0.1)),
            ((0.05, 0.55), (0.95, 0.55)),
            ((0.2, 0.32), (0.8, 0.32)),
            ((0.5, 0.14), (0.5, 0.51)),
            ((0.5, 0.32), (0.26, 0.48)),
            ((0.5, 0.32), (0.74, 0.48)),
            ((0.3, 0.17), (0.38, 0.26)),
            ((0.7, 0.17), (0.62, 0.26)),
            ((0.0, 0.66), (1.0, 0.66)),
            ((0.34, 0.66), (0.28, 0.8)),
            ((0.26, 0.8), (0.86, 0.8)),
            ((0.86, 0.8), (0.8, 0.97)),
            ((0.8, 0.97), (0.55, 0.97)),
        ),
    ),
}
"""Characters that we draw: how thick in shares of the width, and the middles of the strokes in shares of the cell."""


def _drawn(thick: float, lines: tuple[Line, ...], width: int, height: int) -> Image.Image:
    """A character of strokes that are as thick across as along."""
    fine = 4
    wide, high = width * fine, height * fine
    mask = Image.new("L", (wide, high), 0)
    draw = ImageDraw.Draw(mask)
    for line in lines:
        draw.line([(x * wide, y * high) for x, y in line], fill=255, width=round(thick * wide), joint="curve")
    return mask.resize((width, height), Image.Resampling.LANCZOS)
