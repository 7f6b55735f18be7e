"""A pinhole camera over the street, and what it makes of points in the world (x, y on the ground, z up, metres)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import radians, tan

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where it hangs, what it looks at, and how wide (degrees across the picture)."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    across_deg: float
    size_px: tuple[int, int]

    def view(self) -> Floats:
        """World to camera, 4x4, the camera looking along -z."""
        eye = np.array(self.eye)
        forward = np.array(self.target) - eye
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([right, up, -forward])
        matrix[:3, 3] = -matrix[:3, :3] @ eye
        return matrix

    def projection(self) -> Floats:
        """Camera to clip space, 4x4."""
        near, far = 1.0, 400.0
        sx = 1.0 / tan(radians(self.across_deg) / 2)
        sy = sx * self.size_px[0] / self.size_px[1]
        matrix = np.zeros((4, 4))
        matrix[0, 0], matrix[1, 1] = sx, sy
        matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
        matrix[3, 2] = -1.0
        return matrix

    def matrix(self) -> Floats:
        """World to clip space, 4x4."""
        return _matrix(self)

    def project(self, points: ArrayLike) -> Floats:
        """Pixels (n, 2) of points (n, 3), origin top-left; nan where a point is not before the camera."""
        world = np.asarray(points, float).reshape(-1, 3)
        clip = np.concatenate([world, np.ones((len(world), 1))], axis=1) @ self.matrix().T
        w = np.where(clip[:, 3] > 0.5, clip[:, 3], np.nan)
        x = (clip[:, 0] / w + 1.0) / 2.0 * self.size_px[0]
        y = (1.0 - clip[:, 1] / w) / 2.0 * self.size_px[1]
        return np.stack([x, y], axis=1)

    def pixel(self, x: float, y: float, z: float = 0.0) -> tuple[float, float]:
        """One point's pixel."""
        px = self.project([(x, y, z)])[0]
        return float(px[0]), float(px[1])


@cache
def _matrix(camera: Camera) -> Floats:
    """Made once a camera: every road user of every frame is projected with it."""
    return camera.projection() @ camera.view()
