"""Composes training samples: one picture or four in a mosaic, scaled, cut, mirrored, recoloured; a seed decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.preprocess import PAD
from models.training.data import Boxes, Picture, Pixels

FINEST = 8
LEAST_SIDE_PX = 4.0
"""Smaller boxes are neither labels nor empty road."""
LEAST_VISIBLE = 0.3
"""The part of a box left by the cut from which it is still a label."""
EVERYTHING = (1 << 16) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """``pixels`` (S, S, 3) uint8 BGR; ``boxes`` (K, 4) xyxy px and ``may_be`` (K,) as in a Picture, all of them known;
    ``labelled`` (N,) the bits of the classes labelled at each cell of the three grids, row by row."""

    pixels: Pixels
    boxes: Boxes
    may_be: NDArray[np.int64]
    labelled: NDArray[np.int64]


class Composer:
    """Makes sample number n of a set of pictures, always the same one."""

    def __init__(self, pictures: Sequence[Picture], seed: int) -> None:
        self._pictures = pictures
        self._seed = seed
        weights = np.array([picture.weight for picture in pictures])
        self._shares = np.cumsum(weights / weights.sum())

    def __call__(self, number: int, size_px: int, mosaic: float) -> Sample:
        """Sample ``number`` of ``size_px``, a mosaic with the probability ``mosaic``, otherwise one picture."""
        chance = np.random.default_rng((self._seed, number))
        canvas = np.full((size_px, size_px, 3), PAD, np.uint8)
        known = np.full((size_px // FINEST, size_px // FINEST), EVERYTHING, np.int64)
        boxes: list[Boxes] = []
        may_be: list[NDArray[np.int64]] = []
        if chance.random() < mosaic:
            x, y = (int(v) for v in chance.uniform(0.35, 0.65, 2) * size_px)
            areas = [(0, 0, x, y), (x, 0, size_px, y), (0, y, x, size_px), (x, y, size_px, size_px)]
            scales = (0.4, 1.0)
        else:
            areas, scales = [(0, 0, size_px, size_px)], (0.6, 1.5)
        for area in areas:
            found = self._place(canvas, known, area, scales, chance)
            boxes.append(found[0])
            may_be.append(found[1])
        all_boxes, all_may_be = np.concatenate(boxes), np.concatenate(may_be)
        for box in all_boxes[all_may_be == 0]:
            x1, y1, x2, y2 = (box / FINEST).round().astype(int)
            known[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)] = 0
        if chance.random() < 0.5:
            canvas, known = canvas[:, ::-1], known[:, ::-1]
            all_boxes = np.stack(
                (size_px - all_boxes[:, 2], all_boxes[:, 1], size_px - all_boxes[:, 0], all_boxes[:, 3]), 1
            )
        grids = (known, known[1::2, 1::2], known[2::4, 2::4])
        keep = all_may_be != 0
        return Sample(
            pixels=_recoloured(np.ascontiguousarray(canvas), chance),
            boxes=all_boxes[keep],
            may_be=all_may_be[keep],
            labelled=np.concatenate([g.ravel() for g in grids]),
        )

    def _place(
        self,
        canvas: Pixels,
        known: NDArray[np.int64],
        area: tuple[int, int, int, int],
        scales: tuple[float, float],
        chance: np.random.Generator,
    ) -> tuple[Boxes, NDArray[np.int64]]:
        picture = self._pictures[
            min(int(np.searchsorted(self._shares, chance.random())), len(self._shares) - 1)
        ]
        x1, y1, x2, y2 = area
        height, width = picture.pixels.shape[:2]
        scale = len(canvas) / max(height, width) * math.exp(chance.uniform(*np.log(scales)))
        lean = math.exp(chance.uniform(-0.12, 0.12))
        wide, high = max(8, round(width * scale * lean)), max(8, round(height * scale / lean))
        # The offset of the picture in the area: a random cut where it is larger, a random place where it is smaller.
        left, top = (
            int(chance.integers(min(0, room), max(0, room) + 1)) for room in (x2 - x1 - wide, y2 - y1 - high)
        )
        shown = np.asarray(
            cv2.resize(
                picture.pixels,
                (wide, high),
                interpolation=cv2.INTER_AREA if wide < width else cv2.INTER_LINEAR,
            )
        )
        cut = shown[max(0, -top) : y2 - y1 - top, max(0, -left) : x2 - x1 - left]
        at_x, at_y = x1 + max(0, left), y1 + max(0, top)
        canvas[at_y : at_y + cut.shape[0], at_x : at_x + cut.shape[1]] = cut
        to_x, to_y = at_x + cut.shape[1], at_y + cut.shape[0]
        known[round(at_y / FINEST) : round(to_y / FINEST), round(at_x / FINEST) : round(to_x / FINEST)] = (
            picture.labelled
        )
        if not len(picture.boxes):
            return picture.boxes, picture.may_be
        ratio = np.array([wide / width, high / height] * 2, np.float32)
        whole = picture.boxes * ratio + np.array([x1 + left, y1 + top] * 2, np.float32)
        limit = np.array([at_x, at_y, to_x, to_y], np.float32)
        boxes = np.stack(
            (
                np.clip(whole[:, 0], limit[0], limit[2]),
                np.clip(whole[:, 1], limit[1], limit[3]),
                np.clip(whole[:, 2], limit[0], limit[2]),
                np.clip(whole[:, 3], limit[1], limit[3]),
            ),
            1,
        )
        sides, whole_sides = boxes[:, 2:] - boxes[:, :2], whole[:, 2:] - whole[:, :2]
        visible = sides.prod(1) / np.maximum(whole_sides.prod(1), 1e-6)
        is_label = (visible >= LEAST_VISIBLE) & (sides.min(1) >= LEAST_SIDE_PX)
        there = (sides > 0).all(1)
        return boxes[there], np.where(is_label, picture.may_be, 0)[there]


def _recoloured(pixels: Pixels, chance: np.random.Generator) -> Pixels:
    """``pixels`` in another light, sometimes grey, blurred or noisy."""
    gains = 1 + chance.uniform(-1, 1, 3) * (0.02, 0.6, 0.4)
    ramp = np.arange(256)
    hue, saturation, value = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV))
    tables = [
        ((ramp * gains[0]) % 180).astype(np.uint8),
        np.clip(ramp * gains[1], 0, 255).astype(np.uint8),
        np.clip(ramp * gains[2], 0, 255).astype(np.uint8),
    ]
    parts = [cv2.LUT(part, table) for part, table in zip((hue, saturation, value), tables, strict=True)]
    pixels = np.asarray(cv2.cvtColor(cv2.merge(parts), cv2.COLOR_HSV2BGR), np.uint8)
    kind = chance.random()
    if kind < 0.07:
        pixels = np.asarray(
            cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8
        )
    elif kind < 0.14:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), chance.uniform(0.5, 1.5)), np.uint8)
    elif kind < 0.21:
        noise = chance.normal(0, chance.uniform(3, 12), pixels.shape)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    elif kind < 0.28:
        half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(cv2.resize(half, pixels.shape[1::-1]), np.uint8)
    return pixels
