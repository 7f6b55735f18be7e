"""What the lens, the sensor and the weather add to a rendered frame: softness, glare, rain, noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sample_videos.render.light import Light

Pixels = NDArray[np.uint8]
TILES = 8


class Film:
    """One camera's film; the same frame number always gives the same noise."""

    def __init__(self, light: Light, size_px: tuple[int, int], seed: int) -> None:
        self._light = light
        wide, high = size_px
        rng = np.random.default_rng(seed)
        grain = rng.normal(0.0, light.noise, (TILES, high, wide)).astype(np.float32)
        grain += cv2.GaussianBlur(grain.transpose(1, 2, 0), (0, 0), 1.0).transpose(2, 0, 1) * 1.5
        self._grain = np.clip(np.round(grain), -20, 20).astype(np.int8)
        self._streaks = [_streaks(rng, wide, high) for _ in range(6)] if light.rain > 0.0 else []

    def expose(self, frame: Pixels, identities: NDArray[np.uint16], number: int) -> Pixels:
        """The finished picture, RGB uint8, of the rendered one; ``identities`` says where something moves."""
        high, wide = frame.shape[:2]
        soft = cv2.GaussianBlur(frame, (3, 3), 0.52)
        near = cv2.dilate((identities > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
        mask = cv2.resize(near, (wide, high), interpolation=cv2.INTER_NEAREST)
        picture = np.ascontiguousarray(frame)
        cv2.copyTo(soft, mask, picture)
        if self._light.night > 0.0 or self._light.rain > 0.0:
            picture = self._glare(picture)
        if self._streaks:
            streaks = np.roll(
                self._streaks[number % 6], ((number * 97) % high, (number * 211) % wide), (0, 1)
            )
            picture = np.asarray(cv2.add(picture, cv2.merge([streaks] * 3)), np.uint8)
        grain = self._grain[(number * 5) % TILES]
        shift = (number * 37) % high
        noise = np.roll(grain, shift, axis=0).astype(np.int16)
        return np.asarray(np.clip(picture.astype(np.int16) + noise[:, :, None], 0, 255), np.uint8)

    def _glare(self, picture: Pixels) -> Pixels:
        small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        least = 205 if self._light.night > 0.0 else 225
        bright = cv2.subtract(small, np.full_like(small, least))
        halo = cv2.GaussianBlur(bright, (0, 0), 2.0).astype(np.float32) * 3.0
        halo += cv2.GaussianBlur(bright, (0, 0), 9.0).astype(np.float32) * 4.0
        wide = cv2.resize(
            np.clip(halo, 0, 255).astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR
        )
        return np.asarray(cv2.add(picture, wide), np.uint8)


def develop(light: Light) -> Pixels:
    """The camera's tone curve for that light: 256 values, contrast as outdoor cameras give it."""
    gamma, gain, lift = light.tone
    return np.clip((np.arange(256) / 255.0) ** gamma * 255.0 * gain + lift, 0, 255).astype(np.uint8)


def _streaks(rng: np.random.Generator, wide: int, high: int) -> Pixels:
    """Grey streaks of falling rain on black."""
    layer = np.zeros((high, wide), np.uint8)
    for _ in range(wide * high // 4200):
        x, y = int(rng.integers(wide)), int(rng.integers(high))
        long = int(rng.integers(8, 26))
        cv2.line(layer, (x, y), (x + long // 7, y + long), int(rng.integers(14, 46)), 1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(layer, (3, 3), 0.6), np.uint8)
