"""Where a box will be: a Kalman filter with constant velocity, one small filter per coordinate.

The state and its noise are those of ByteTrack (Zhang et al. 2022) and of SORT before it: centre, aspect ratio
(width / height) and height, each with a velocity, and standard deviations in proportion to the height. All the
matrices of that filter are diagonal but for the link of a coordinate with its own velocity, so that its 8x8
algebra falls apart into four 2x2 filters, which are written out here.

The published noise belongs to one frame of a video of 30 frames a second. Here a step is measured in media time:
``steps`` = elapsed seconds / ``STEP_S`` may be any positive number, and the noise grows with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rules.observation import Box

Floats = NDArray[np.float64]

STEP_S = 1 / 30
"""The time to which the noise and the velocities belong."""

POSITION, VELOCITY = 1 / 20, 1 / 160
"""Standard deviations as parts of the box height, per step."""
ASPECT, ASPECT_VELOCITY, ASPECT_MEASURED = 1e-2, 1e-5, 1e-1
"""Those of the aspect ratio, absolute."""

_HEIGHT = 3


class BoxMotion:
    """The estimate of one box: centre x, centre y, aspect, height, and their velocities per step."""

    __slots__ = ("_cross", "_position_var", "_velocity_var", "mean", "velocity")

    def __init__(self, box_px: Box) -> None:
        """Standing at ``box_px``, for all we know."""
        self.mean = _state(box_px)
        self.velocity: Floats = np.zeros(4)
        position, velocity = _spread(self.mean[_HEIGHT], 2 * POSITION, ASPECT, 10 * VELOCITY, ASPECT_VELOCITY)
        self._position_var, self._velocity_var = position**2, velocity**2
        self._cross: Floats = np.zeros(4)

    def predict(self, steps: float, *, unseen: bool) -> None:
        """``steps`` later; an ``unseen`` box keeps its height, since a trend of it soon leads astray."""
        if unseen:
            self.velocity[_HEIGHT] = 0.0
        position, velocity = _spread(self.mean[_HEIGHT], POSITION, ASPECT, VELOCITY, ASPECT_VELOCITY)
        self.mean = self.mean + steps * self.velocity
        self._position_var = (
            self._position_var + 2 * steps * self._cross + steps**2 * self._velocity_var + steps * position**2
        )
        self._cross = self._cross + steps * self._velocity_var
        self._velocity_var = self._velocity_var + steps * velocity**2

    def correct(self, box_px: Box) -> None:
        """Seen at ``box_px``."""
        measured, _ = _spread(self.mean[_HEIGHT], POSITION, ASPECT_MEASURED, 0.0, 0.0)
        innovation_var = self._position_var + measured**2
        position_gain, velocity_gain = self._position_var / innovation_var, self._cross / innovation_var
        innovation = _state(box_px) - self.mean
        self.mean = self.mean + position_gain * innovation
        self.velocity = self.velocity + velocity_gain * innovation
        self._velocity_var = self._velocity_var - velocity_gain * self._cross
        self._cross = (1 - position_gain) * self._cross
        self._position_var = (1 - position_gain) * self._position_var

    def box_px(self) -> Floats:
        """The estimated box, xyxy."""
        x, y, aspect, height = self.mean
        return np.array((x - aspect * height / 2, y - height / 2, x + aspect * height / 2, y + height / 2))


def _state(box_px: Box) -> Floats:
    x1, y1, x2, y2 = box_px
    return np.array(((x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / (y2 - y1), y2 - y1))


def _spread(
    height: float, position: float, aspect: float, velocity: float, aspect_velocity: float
) -> tuple[Floats, Floats]:
    """Standard deviations of the four coordinates and of their velocities."""
    scaled, moving = position * height, velocity * height
    return np.array((scaled, scaled, aspect, scaled)), np.array((moving, moving, aspect_velocity, moving))
