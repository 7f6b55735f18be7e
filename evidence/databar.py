"""The data bar: labelled facts in Chinese and English on black below a picture, never on it; the only door to Pillow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evidence.picture import Pixels, stacked

FONT_FILE = "NotoSansCJKsc-Regular-subset.otf"

LABEL_RGB = (150, 170, 190)
VALUE_RGB = (255, 255, 255)

COLUMNS_OF_TEXT = 64
"""So many Chinese characters go into a line of the bar, unless they became too small to read."""

SMALLEST_TEXT_PX = 13
MOST_DRAWN = 512
"""Texts that are kept drawn: labels, places and codes come again in every bar, and drawing was a fifth of a package's time."""

LEAST_WIDTH_PX = 640
"""A narrower picture gets a bar of this width, with black beside the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One fact: what it is, in Chinese and English, and its value."""

    label: str
    value: str


class DataBar:
    """Draws bars; holds the font, and texts that it has drawn."""

    def __init__(self) -> None:
        self._font = (files("evidence") / "fonts" / FONT_FILE).read_bytes()
        self._sizes: dict[int, ImageFont.FreeTypeFont] = {}
        self._drawn: dict[tuple[int, str], Image.Image] = {}

    def below(self, picture: Pixels, fields: Sequence[Field]) -> Pixels:
        """The picture, every pixel of it as it was, with the fields in a bar below it: uint8 (height, width, 3), BGR."""
        return stacked((picture, self.bar(fields, max(LEAST_WIDTH_PX, picture.shape[1]))))

    def bar(self, fields: Sequence[Field], width_px: int) -> Pixels:
        """The bar alone, ``width_px`` wide and as high as the fields need: uint8 (height, width, 3), BGR."""
        text_px = max(SMALLEST_TEXT_PX, width_px // COLUMNS_OF_TEXT)
        font = self._sized(text_px)
        edge, line_px = text_px // 2, round(text_px * 1.5)
        rows = _rows(fields, font, width_px - 2 * edge, gap_px=round(text_px * 1.5))
        bar = Image.new("RGB", (width_px, len(rows) * line_px + edge))  # its channels hold blue, green, red
        for number, row in enumerate(rows):
            for left, text, colour in row:
                at = (edge + left, edge // 2 + number * line_px)
                bar.paste(colour[::-1], at, self._text(text, text_px, line_px))
        return np.asarray(bar, dtype=np.uint8)

    def covers(self, text: str) -> bool:
        """Whether the font has a glyph for every character."""
        font = self._sized(SMALLEST_TEXT_PX)
        unknown = bytes(font.getmask("\uffff"))
        return all(char == " " or bytes(font.getmask(char)) != unknown for char in text)

    def _text(self, text: str, text_px: int, line_px: int) -> Image.Image:
        """The text on one line, as a mask."""
        if (text_px, text) not in self._drawn:
            if len(self._drawn) >= MOST_DRAWN:
                self._drawn.clear()
            font = self._sized(text_px)
            mask = Image.new("L", (_width_px(font, text) + text_px, line_px))
            ImageDraw.Draw(mask).text((0, 0), text, font=font, fill=255)
            self._drawn[text_px, text] = mask
        return self._drawn[text_px, text]

    def _sized(self, text_px: int) -> ImageFont.FreeTypeFont:
        if text_px not in self._sizes:
            self._sizes[text_px] = ImageFont.truetype(
                BytesIO(self._font), text_px, layout_engine=ImageFont.Layout.BASIC
            )
        return self._sizes[text_px]


Piece = tuple[int, str, tuple[int, int, int]]
"""Pixels from the left edge, text, colour (RGB)."""


def _rows(
    fields: Sequence[Field], font: ImageFont.FreeTypeFont, width_px: int, gap_px: int
) -> list[list[Piece]]:
    """The fields one after another; one that doesn't fit begins a new row, one wider than a row is broken anywhere."""
    rows: list[list[Piece]] = [[]]
    left = 0
    for field in fields:
        label = f"{field.label} "
        label_px, value_px = _width_px(font, label), _width_px(font, field.value)
        if rows[-1] and left + label_px + value_px > width_px:
            rows.append([])
            left = 0
        rows[-1].append((left, label, LABEL_RGB))
        left += label_px
        rest = field.value
        while rest:
            fitting = _fitting(rest, font, width_px - left)
            if fitting == 0 and left > 0:
                rows.append([])
                left = 0
                continue
            fitting = max(1, fitting)
            rows[-1].append((left, rest[:fitting], VALUE_RGB))
            left += _width_px(font, rest[:fitting])
            rest = rest[fitting:]
        left += gap_px
    return rows


def _width_px(font: ImageFont.FreeTypeFont, text: str) -> int:
    return math.ceil(font.getlength(text))


def _fitting(text: str, font: ImageFont.FreeTypeFont, room_px: float) -> int:
    """How many characters from the start fit."""
    if font.getlength(text) <= room_px:
        return len(text)
    fitting = 0
    while font.getlength(text[: fitting + 1]) <= room_px:
        fitting += 1
    return fitting
