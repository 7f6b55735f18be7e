"""Pixels into evidence pictures: thin marks, enlarged details, files; the only door to OpenCV in this room."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from evidence.errors import EvidenceError
from rules.observation import Box, Point

Pixels = NDArray[np.uint8]
"""uint8 (height, width, 3), blue-green-red."""

Colour = tuple[int, int, int]
"""Blue, green, red."""

JPEG_QUALITY = 92
"""Visually lossless at a size that mail and courts' systems take (about 1 MB at 1080p)."""

SUBPIXEL_BITS = 4


class PictureError(EvidenceError):
    """Pixels that no file can be made of, or a file that is no picture."""

    code = "picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A thin polyline, closed or not, in pixels of the frame."""

    points_px: tuple[Point, ...]
    colour: Colour
    closed: bool = False


def frame_sha256(frame: Pixels) -> str:
    """The SHA-256 (hex) of the frame's bytes: height x width x (blue, green, red), row by row, as decoded, nothing drawn."""
    return hashlib.sha256(np.ascontiguousarray(frame).data).hexdigest()


def with_marks(frame: Pixels, marks: Sequence[Mark]) -> Pixels:
    """A copy of the frame with the marks, one pixel wide up to 1280 pixels of width, two beyond."""
    drawn = np.ascontiguousarray(frame).copy()
    thickness = 1 if frame.shape[1] <= 1280 else 2
    for mark in marks:
        points = np.rint(np.array(mark.points_px) * (1 << SUBPIXEL_BITS)).astype(np.int32)
        cv2.polylines(
            drawn, [points], mark.closed, mark.colour, thickness, lineType=cv2.LINE_AA, shift=SUBPIXEL_BITS
        )
    return drawn


def pixelated(picture: Pixels, box: Box, blocks: int = 6) -> Pixels:
    """A copy in which the box is a mosaic, its blocks at least 1/``blocks`` of its longer side.

    A block holds one average colour, so a face behind a windscreen, which is narrower than a block, cannot be had back.
    """
    return mosaic(picture, (box,), blocks)


def mosaic(picture: Pixels, boxes: Sequence[Box], blocks: int) -> Pixels:
    """A copy in which each box is pixelated, one after another, the largest first."""
    rows, columns = picture.shape[:2]
    hidden = picture.copy()
    for box in sorted(boxes, key=lambda box: -(box[2] - box[0]) * (box[3] - box[1])):
        left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
        right, bottom = min(columns, math.ceil(box[2])), min(rows, math.ceil(box[3]))
        if right <= left or bottom <= top:
            continue
        side = math.ceil(max(right - left, bottom - top) / blocks)
        for y in range(top, bottom, side):
            for x in range(left, right, side):
                block = hidden[y : min(y + side, bottom), x : min(x + side, right)]
                block[:] = np.rint(block.mean(axis=(0, 1)))
    return hidden


def with_area_of(picture: Pixels, other: Pixels, areas_px: Sequence[Sequence[Point]]) -> Pixels:
    """A copy that shows ``other``, of the same size, within each of the convex polygons."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    for area in areas_px:
        cv2.fillConvexPoly(mask, np.rint(np.array(area)).astype(np.int32), 255)
    shown = picture.copy()
    cv2.copyTo(other, mask, shown)
    return shown


def detail(frame: Pixels, box: Box, *, margin: float, height_px: int) -> Pixels:
    """The box and ``margin`` times its size around it, as far as the frame goes, enlarged to that height (cubic).

    Raises PictureError where nothing of it lies in the frame.
    """
    x1, y1, x2, y2 = box
    dx, dy = (x2 - x1) * margin, (y2 - y1) * margin
    rows, columns = frame.shape[:2]
    left, right = max(0, round(x1 - dx)), min(columns, round(x2 + dx))
    top, bottom = max(0, round(y1 - dy)), min(rows, round(y2 + dy))
    if right <= left or bottom <= top:
        raise PictureError(f"the box {box} lies outside the frame of {columns}x{rows} pixels")
    crop = frame[top:bottom, left:right]
    width_px = max(1, round(crop.shape[1] * height_px / crop.shape[0]))
    return np.asarray(cv2.resize(crop, (width_px, height_px), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def rectified(
    frame: Pixels, corners_px: tuple[Point, Point, Point, Point], size_px: tuple[int, int]
) -> Pixels:
    """The quadrilateral (top-left, top-right, bottom-right, bottom-left) seen straight, ``size_px`` (width, height)."""
    width, height = size_px
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    warp = cv2.getPerspectiveTransform(np.array(corners_px, dtype=np.float32), target)
    straight = cv2.warpPerspective(
        frame, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(straight, dtype=np.uint8)


def side_by_side(pictures: Sequence[Pixels], *, gap_px: int) -> Pixels:
    """The pictures in a row on black, aligned at the top."""
    height = max(picture.shape[0] for picture in pictures)
    width = sum(picture.shape[1] for picture in pictures) + gap_px * (len(pictures) - 1)
    row = np.zeros((height, width, 3), dtype=np.uint8)
    left = 0
    for picture in pictures:
        row[: picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + gap_px
    return row


def stacked(pictures: Sequence[Pixels], *, gap_px: int = 0) -> Pixels:
    """The pictures below each other on black, aligned at the left."""
    width = max(picture.shape[1] for picture in pictures)
    height = sum(picture.shape[0] for picture in pictures) + gap_px * (len(pictures) - 1)
    column = np.zeros((height, width, 3), dtype=np.uint8)
    top = 0
    for picture in pictures:
        column[top : top + picture.shape[0], : picture.shape[1]] = picture
        top += picture.shape[0] + gap_px
    return column


def jpeg(picture: Pixels) -> bytes:
    """A baseline JPEG of quality 92 without chroma subsampling (a small red lamp keeps its colour); the same bytes every time."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return _encoded(".jpg", picture, options)


def lossless(frame: Pixels) -> bytes:
    """The frame as PNG, pixel for pixel."""
    return _encoded(".png", frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def within(picture: Pixels, side_px: int) -> Pixels:
    """The picture, made smaller where its longer side has more pixels than that."""
    rows, columns = picture.shape[:2]
    longer = max(rows, columns)
    if longer <= side_px:
        return picture
    size = (max(1, round(columns * side_px / longer)), max(1, round(rows * side_px / longer)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def from_file(data: bytes) -> Pixels:
    """The picture in the bytes of a JPEG or PNG. Raises PictureError."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise PictureError("these bytes are no picture") from exc
    if picture is None:
        raise PictureError("these bytes are no picture")
    return np.asarray(picture, dtype=np.uint8)


def _encoded(suffix: str, picture: Pixels, options: list[int]) -> bytes:
    try:
        done, data = cv2.imencode(suffix, picture, options)
    except cv2.error as exc:
        raise PictureError(f"{picture.shape} pixels cannot be written as {suffix} ({exc.err})") from exc
    if not done:
        raise PictureError(f"{picture.shape} pixels cannot be written as {suffix}")
    return data.tobytes()
