"""Ways on the ground: polylines with rounded corners, measured by distance along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP_M = 0.25
AHEAD_M, BRAKES = 25.0, 1.6
"""How far drivers look ahead for bends, and how hard they brake for them (m/s²)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Path:
    """Points every ``STEP_M`` metres, (n, 2), x and y in metres; ``headings`` in radians; ``limits`` in m/s."""

    points: Floats
    headings: Floats
    limits: tuple[float, ...]
    _pairs: tuple[tuple[float, float], ...]

    @property
    def length_m(self) -> float:
        return (len(self._pairs) - 1) * STEP_M

    def at(self, s_m: float) -> tuple[float, float]:
        """The point ``s_m`` along the way; before its start and after its end it goes straight on."""
        last = len(self._pairs) - 1
        index = min(max(int(s_m / STEP_M), 0), last - 1)
        share = s_m / STEP_M - index
        (x1, y1), (x2, y2) = self._pairs[index], self._pairs[index + 1]
        return x1 + (x2 - x1) * share, y1 + (y2 - y1) * share

    def limit(self, s_m: float) -> float:
        """The highest speed from which the bends of the next ``AHEAD_M`` can still be taken."""
        return self.limits[min(max(int(s_m / STEP_M), 0), len(self.limits) - 1)]

    def where(self, x: float, y: float) -> float:
        """How far along the way its point nearest to (x, y) lies."""
        offsets = self.points - np.array([x, y])
        return float(np.argmin((offsets**2).sum(axis=1))) * STEP_M


def path(corners: Sequence[tuple[float, float]], radius_m: float = 8.0) -> Path:
    """The way through ``corners``, each rounded over ``radius_m`` (less where a leg is short)."""
    pts = np.array(corners, float)
    dense: list[Floats] = [pts[:1]]
    for before, corner, after in zip(pts[:-2], pts[1:-1], pts[2:], strict=True):
        reach = min(radius_m, float(np.hypot(*(corner - before))) / 2, float(np.hypot(*(after - corner))) / 2)
        start = corner + (before - corner) / np.hypot(*(before - corner)) * reach
        end = corner + (after - corner) / np.hypot(*(after - corner)) * reach
        t = np.linspace(0.0, 1.0, 40)[:, None]
        dense.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    dense.append(pts[-1:])
    raw = np.concatenate(dense)
    steps = np.hypot(*np.diff(raw, axis=0).T)
    raw = raw[np.concatenate([[True], steps > 1e-6])]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(raw, axis=0).T))])
    s = np.arange(0.0, along[-1] + STEP_M, STEP_M)
    even = np.stack([np.interp(s, along, raw[:, axis]) for axis in (0, 1)], axis=1)
    moves = np.diff(even, axis=0, append=even[-1:] + (even[-1:] - even[-2:-1]))
    headings = np.unwrap(np.arctan2(moves[:, 1], moves[:, 0]))
    bend = np.abs(np.gradient(headings)) / STEP_M
    bend = np.convolve(bend, np.ones(9) / 9, mode="same")
    squares = 2.2 / np.maximum(bend, 1e-3)
    ahead = np.arange(int(AHEAD_M / STEP_M))
    padded = np.concatenate([squares, np.full(len(ahead), squares[-1])])
    windows = padded[np.arange(len(squares))[:, None] + ahead] + 2.0 * BRAKES * ahead * STEP_M
    return Path(
        points=even,
        headings=headings,
        limits=tuple(np.sqrt(windows.min(axis=1)).tolist()),
        _pairs=tuple(map(tuple, even.tolist())),
    )
