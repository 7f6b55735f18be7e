"""Pictures of GA 36 plates: blue with seven characters, green with eight, yellow with seven."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

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
    font = ImageFont.truetype(str(FONT), 120)
    bold = 3 if character.isascii() else 0
    left, top, right, bottom = font.getbbox(character, stroke_width=bold)
    mask = Image.new("L", (max(round(right - left), 1), max(round(bottom - top), 1)), 0)
    ImageDraw.Draw(mask).text((-left, -top), character, fill=255, font=font, stroke_width=bold)
    if character in "1I":
        narrow = Image.new("L", (width, height), 0)
        narrow.paste(mask.resize((max(width // 2, 1), height), Image.Resampling.LANCZOS), (width // 4, 0))
        return narrow
    return mask.resize((width, height), Image.Resampling.LANCZOS)
