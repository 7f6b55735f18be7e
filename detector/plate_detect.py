"""Finds the licence plate in the crop of one vehicle, with its four corners.

The graph is a RetinaFace-style detector: box, score and four corners relative to two square priors in each cell of
grids of 8, 16 and 32 pixels (the layout is fixed by the weights, see the model manifest). It finds plates that are
at least 40 px wide in its input and places corners best at 100 px and more (measured: README of the models), so it
runs twice: over the vehicle at moderate size, then over the plate's surroundings enlarged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.errors import HeadUnknown
from detector.picture import Pixels
from detector.plate_graph import Floats, PlateGraph
from rules.observation import Box

Corners = NDArray[np.float64]
"""(4, 2) x_px, y_px: top-left, top-right, bottom-right, bottom-left of the plate as read."""

CHANNEL_MEANS = np.array([104, 117, 123], np.float32)
"""Blue, green, red; of the weights' training."""
STRIDES_AND_PRIORS = ((8, (24, 48)), (16, (96, 192)), (32, (384, 768)))
"""Grid step and sides of the square priors, in pixels of the input."""
VARIANCE = 0.1
"""Scale of the corner offsets, in sides of the prior."""
LANDMARK_ORDER = (2, 3, 0, 1)
"""The graph gives bottom-right, bottom-left, top-left, top-right."""

PADDING = 0.05
"""Of the vehicle box's sides, added around it: detectors cut bumpers off."""
ROOF = 0.25
"""Of the vehicle box's height, left out at the top: roof, windscreen, a rider's head; no plate hangs there."""
COARSE_WIDTH_PX = 400
"""Larger vehicle crops are reduced to this width: a plate is at least a tenth of its vehicle's width there."""
FINE_PLATE_PX = 120
"""The plate's width in the second pass; the median score is 0.98 there, and 0.79 at 50 px (measured)."""
FINE_WIDTH, FINE_HEIGHT = 2.2, 3.0
"""Surroundings seen in the second pass, in plate widths and heights."""
COARSE_SCORE = 0.2
"""Nearly all readable plates exceed it in the first pass; the second decides."""
LEAST_SCORE = 0.5
"""The graph's own half."""
MIN_CROP_PX = 8
"""There is nothing to be seen in less."""
MOST_UPRIGHT = 1.5
"""Height by width that no plate has, not even one of 220x140 mm seen from 60 degrees aside (1.3)."""
CANDIDATES = 20
"""How many of the best scores are tried for one that lies in the vehicle's box; all others are far below."""
GRID_PX = 32
"""Inputs are padded to multiples of the coarsest grid."""


@dataclass(frozen=True, slots=True)
class FoundPlate:
    """A plate: ``score`` 0..1 and its ``corners_px`` in the picture it was looked for in."""

    score: float
    corners_px: Corners


class PlateFinder:
    """Finds the plate of one vehicle in a full picture."""

    def __init__(self, path: Path, threads: int) -> None:
        """Open the graph and run it once. Raises WeightsMissing, WeightsDamaged, HeadUnknown or InferenceFailed."""
        self.graph = PlateGraph(path, threads, outputs=3)
        self._run(np.zeros((GRID_PX, GRID_PX, 3), np.uint8))

    def find(self, bgr: Pixels, box_px: Box) -> FoundPlate | None:
        """The plate of the vehicle at ``box_px`` in ``bgr`` (uint8, height x width x 3), or None where none is seen.

        A plate whose middle is outside the box belongs to somebody else. Raises InferenceFailed.
        """
        x1, y1, x2, y2 = box_px
        width, height = x2 - x1, y2 - y1
        around = (x1 - PADDING * width, y1 + ROOF * height, x2 + PADDING * width, y2 + PADDING * height)
        coarse = self._look(bgr, around, min(1.0, COARSE_WIDTH_PX / max(width, 1.0)), box_px)
        if coarse is None or coarse.score < COARSE_SCORE:
            return None
        left, top = coarse.corners_px.min(axis=0).tolist()
        right, bottom = coarse.corners_px.max(axis=0).tolist()
        plate_px = right - left
        if plate_px < MIN_CROP_PX or bottom - top > MOST_UPRIGHT * plate_px:
            return None
        half_width = plate_px * FINE_WIDTH / 2
        half_height = max((bottom - top) * FINE_HEIGHT, plate_px) / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        near = (x - half_width, y - half_height, x + half_width, y + half_height)
        fine = self._look(bgr, near, FINE_PLATE_PX / plate_px, box_px)
        return fine if fine is not None and fine.score >= LEAST_SCORE else None

    def _look(self, bgr: Pixels, area_px: Box, scale: float, box_px: Box) -> FoundPlate | None:
        """The likeliest plate in ``area_px``, looked at ``scale`` times as large, with its middle in ``box_px``."""
        x1, y1 = max(0, math.floor(area_px[0])), max(0, math.floor(area_px[1]))
        x2, y2 = min(bgr.shape[1], math.ceil(area_px[2])), min(bgr.shape[0], math.ceil(area_px[3]))
        if x2 - x1 < MIN_CROP_PX or y2 - y1 < MIN_CROP_PX:
            return None
        crop = bgr[y1:y2, x1:x2]
        if scale != 1.0:
            size = (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale)))
            how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
            crop = cv2.resize(crop, size, interpolation=how).astype(np.uint8, copy=False)
        scores, offsets, size_px = self._run(crop)
        for index in np.argsort(-scores)[:CANDIDATES].tolist():
            corners = _corners(offsets[index], index, size_px) / scale + (x1, y1)
            x, y = corners.mean(axis=0).tolist()
            if box_px[0] <= x <= box_px[2] and box_px[1] <= y <= box_px[3]:
                return FoundPlate(float(scores[index]), corners)
        return None

    def _run(self, crop: Pixels) -> tuple[Floats, Floats, tuple[int, int]]:
        """Scores (N,), corner offsets (N, 8) and the (rows, columns) of the padded input in pixels."""
        rows, columns = (math.ceil(side / GRID_PX) * GRID_PX for side in crop.shape[:2])
        blob = np.zeros((1, 3, rows, columns), np.float32)
        blob[0, :, : crop.shape[0], : crop.shape[1]] = (crop - CHANNEL_MEANS).transpose(2, 0, 1)
        outputs = self.graph.run(blob)
        count = sum(2 * (rows // stride) * (columns // stride) for stride, _ in STRIDES_AND_PRIORS)
        by_width = {output.shape[-1]: output for output in outputs}
        if any(output.shape[:-1] != (count,) for output in outputs) or set(by_width) != {2, 4, 8}:
            raise HeadUnknown(
                self.graph.path,
                f"expected scores ({count}, 2), boxes ({count}, 4) and corners ({count}, 8) at {columns}x{rows}",
                str([output.shape for output in outputs]),
            )
        return by_width[2][:, 1], by_width[8], (rows, columns)


def _corners(offsets: Floats, index: int, size: tuple[int, int]) -> Corners:
    """The corners in input pixels that prior number ``index`` of an input of ``size`` (rows, columns) points to."""
    for stride, priors in STRIDES_AND_PRIORS:
        rows, columns = size[0] // stride, size[1] // stride
        if index < 2 * rows * columns:
            cell, which = divmod(index, 2)
            row, column = divmod(cell, columns)
            centre = np.array([column + 0.5, row + 0.5]) * stride
            corners = centre + offsets.reshape(4, 2).astype(np.float64) * VARIANCE * priors[which]
            return corners[list(LANDMARK_ORDER)]
        index -= 2 * rows * columns
    raise IndexError(index)
