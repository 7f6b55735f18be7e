"""Turns a plate seen at an angle into the straight strip that the recogniser reads."""

from __future__ import annotations

import math

import cv2
import numpy as np

from detector.picture import Pixels
from detector.plate_detect import Corners

STRIP_HEIGHT_PX = 32
"""What the recogniser takes."""
STRIP_WIDTH_PX = 100
"""The true proportions of a one-row plate, 440 x 140 mm (GA 36). The crop set, whose pictures are 94x24, is read
exactly at 99.4 % when brought to 100x32, and at 98.6 % in its own proportions (measured)."""
MARGIN_X, MARGIN_Y = 0.02, 0.04
"""Of the strip's sides, shown around the found corners: they are off by a pixel or two in 120."""

TWO_ROWS_BELOW = 2.6
"""Width by height below which a plate may have two rows: they measure 2.0 (440x220) and 1.6 (220x140), one-row plates
3.1 and 3.4 seen from the front and 2.4 from the side of a road (measured)."""
UPPER_ROW_TO, LOWER_ROW_FROM = 0.415, 0.335
"""The rows as parts of a two-row plate's height; the gap lies between, so that both may overlap in it."""
UPPER_ROW_SIDES = 0.2
"""Of the width, empty on each side of the upper row's two characters."""
UPPER_WIDTH_PX, LOWER_WIDTH_PX = 30, 70
"""Strip widths that bring both rows' characters to the proportions of a one-row plate's."""


def aspect(corners: Corners) -> float:
    """Mean width by mean height of the quadrilateral ``corners`` (4, 2)."""
    top, right, bottom, left = (
        float(np.hypot(*(corners[(side + 1) % 4] - corners[side]))) for side in range(4)
    )
    return (top + bottom) / max(left + right, 1e-6)


def rectify(bgr: Pixels, corners: Corners, *, rows: int) -> Pixels:
    """The plate at ``corners`` (top-left first, clockwise) of ``bgr`` as a straight picture, uint8, blue-green-red.

    It is STRIP_WIDTH_PX wide and STRIP_HEIGHT_PX high for one row, twice as high for two.
    """
    width, height = STRIP_WIDTH_PX, STRIP_HEIGHT_PX * rows
    longest = max(float(np.hypot(*(corners[side] - corners[side - 1]))) for side in (1, 3))
    times = max(1, math.ceil(longest / width))  # a large plate is warped at its own size, then averaged down
    x1, y1, x2, y2 = MARGIN_X * width, MARGIN_Y * height, (1 - MARGIN_X) * width, (1 - MARGIN_Y) * height
    target = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float32) * times
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    size = (width * times, height * times)
    warped = cv2.warpPerspective(bgr, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(warped, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def strip(plate: Pixels, *, rows: int) -> Pixels:
    """A straight plate picture of any size as the recogniser's strip, uint8 (STRIP_HEIGHT_PX, STRIP_WIDTH_PX, 3).

    Two rows are laid end to end, the upper first: the recogniser was trained on whole one-row plates and reads
    a lone row badly.
    """
    if rows == 1:
        return _resize(plate, STRIP_WIDTH_PX)
    height, width = plate.shape[:2]
    sides = round(width * UPPER_ROW_SIDES)
    upper = plate[: max(1, round(height * UPPER_ROW_TO)), sides : max(sides + 1, width - sides)]
    lower = plate[min(height - 1, round(height * LOWER_ROW_FROM)) :]
    return np.hstack([_resize(upper, UPPER_WIDTH_PX), _resize(lower, LOWER_WIDTH_PX)])


def sharpness(plate: Pixels) -> float:
    """Variance of the Laplacian of the plate's luma at strip size (8-bit steps squared): small when blurred."""
    grey = cv2.cvtColor(plate, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _resize(picture: Pixels, width_px: int) -> Pixels:
    shrinks = picture.shape[0] > STRIP_HEIGHT_PX and picture.shape[1] > width_px
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (width_px, STRIP_HEIGHT_PX), interpolation=how).astype(np.uint8, copy=False)
