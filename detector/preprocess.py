"""Fits pictures into the input of a model: one resize, then one copy into the tensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.picture import Pixels

PAD = 114
"""The grey around the picture, 0-255, that YOLOX and Ultralytics train with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Where a picture lies in the input: input = picture * ``scale`` + (``left_px``, ``top_px``), per axis."""

    scale_x: float
    scale_y: float
    left_px: int
    top_px: int
    width_px: int
    height_px: int


def fit(picture_size: tuple[int, int], input_size: tuple[int, int], *, centred: bool) -> Fit:
    """The largest placing of a (width, height) picture in an input that keeps its proportions to a pixel.

    ``centred`` and rounded as Ultralytics does it, otherwise at the top left and rounded down as YOLOX does.
    """
    (width, height), (input_width, input_height) = picture_size, input_size
    ratio = min(input_width / width, input_height / height)
    if centred:
        fitted = max(1, round(width * ratio)), max(1, round(height * ratio))
        left = round((input_width - fitted[0]) / 2 - 0.1)
        top = round((input_height - fitted[1]) / 2 - 0.1)
    else:
        fitted = max(1, int(width * ratio + 1e-6)), max(1, int(height * ratio + 1e-6))
        left = top = 0
    return Fit(
        scale_x=fitted[0] / width,
        scale_y=fitted[1] / height,
        left_px=left,
        top_px=top,
        width_px=fitted[0],
        height_px=fitted[1],
    )


class Letterbox:
    """Fills one tensor again and again. Not for two threads at a time: the tensor is reused."""

    def __init__(self, width_px: int, height_px: int, *, centred: bool, rgb: bool, unit_range: bool) -> None:
        """Tensors of ``height_px`` x ``width_px``; ``rgb`` else BGR, ``unit_range`` 0-1 else 0-255."""
        self._size = (width_px, height_px)
        self._centred = centred
        self._canvas: Pixels = np.empty((height_px, width_px, 3), np.uint8)
        self._blob = np.empty((1, 3, height_px, width_px), np.float32)
        channels = self._canvas[..., ::-1] if rgb else self._canvas
        self._planes = channels.transpose(2, 0, 1)
        self._factor = np.float32(1 / 255) if unit_range else None
        self._fit: Fit | None = None
        self._picture_size = (0, 0)

    def __call__(self, bgr: Pixels) -> tuple[NDArray[np.float32], Fit]:
        """The tensor (1, 3, height, width) float32 of ``bgr`` (H, W, 3), overwritten by the next call, and its fit."""
        size = (bgr.shape[1], bgr.shape[0])
        if self._fit is None or size != self._picture_size:
            self._fit, self._picture_size = fit(size, self._size, centred=self._centred), size
            self._canvas.fill(PAD)
        at = self._fit
        target = self._canvas[at.top_px : at.top_px + at.height_px, at.left_px : at.left_px + at.width_px]
        if target.shape == bgr.shape:
            np.copyto(target, bgr)
        else:
            cv2.resize(bgr, (at.width_px, at.height_px), dst=target, interpolation=cv2.INTER_LINEAR)
        if self._factor is None:
            np.copyto(self._blob[0], self._planes)
        else:
            np.multiply(self._planes, self._factor, out=self._blob[0])
        return self._blob, at
