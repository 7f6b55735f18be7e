"""The motion of a box against the full 8x8 Kalman filter that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.motion import BoxMotion
from rules.observation import Box

Matrix = NDArray[np.float64]


class FullFilter:
    """ByteTrack's filter in its published matrix form, for whole steps: the noise is added once a step."""

    def __init__(self, box: Box) -> None:
        self.state = np.concatenate((measurement(box), np.zeros(4)))
        h = self.state[3]
        self.covariance = np.diag(np.array([h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]) ** 2)

    def predict(self, *, unseen: bool) -> None:
        if unseen:
            self.state[7] = 0
        h = self.state[3]
        noise = np.array([h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160])
        step = np.eye(8) + np.eye(8, k=4)
        self.state = step @ self.state
        self.covariance = step @ self.covariance @ step.T + np.diag(noise**2)

    def correct(self, box: Box) -> None:
        h = self.state[3]
        seen = np.eye(4, 8)
        innovation = seen @ self.covariance @ seen.T + np.diag(np.array([h / 20, h / 20, 1e-1, h / 20]) ** 2)
        gain = self.covariance @ seen.T @ np.linalg.inv(innovation)
        self.state = self.state + gain @ (measurement(box) - seen @ self.state)
        self.covariance = self.covariance - gain @ innovation @ gain.T


def measurement(box: Box) -> Matrix:
    x1, y1, x2, y2 = box
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / (y2 - y1), y2 - y1])


def test_equals_the_full_filter() -> None:
    random = np.random.default_rng(4)
    box = np.array([100.0, 50, 140, 130])
    motion, full = BoxMotion(tuple(box)), FullFilter(tuple(box))
    for step in range(60):
        unseen = step % 7 in (3, 4)
        motion.predict(1.0, unseen=unseen)
        full.predict(unseen=unseen)
        np.testing.assert_allclose(motion.mean, full.state[:4], rtol=1e-9)
        np.testing.assert_allclose(motion.velocity, full.state[4:], rtol=1e-9, atol=1e-12)
        if step % 7 not in (2, 3):
            box += np.array([3, 1, 3.5, 1.5]) + random.normal(0, 1, 4)
            motion.correct(tuple(box))
            full.correct(tuple(box))
    np.testing.assert_allclose(measurement(tuple(motion.box_px())), motion.mean)


@pytest.mark.parametrize("step_s", [1 / 30, 1 / 6, 0.01])
def test_a_steady_speed_is_learnt_whatever_the_frame_rate(step_s: float) -> None:
    speed = 120.0  # pixels a second

    def at(t: float) -> Box:
        return (speed * t, 0.0, speed * t + 40, 80.0)

    motion = BoxMotion(at(0))
    for frame in range(1, round(2 / step_s)):
        motion.predict(30 * step_s, unseen=False)
        motion.correct(at(frame * step_s))
    assert motion.velocity[0] * 30 == pytest.approx(speed, rel=0.02)
    assert motion.velocity[[1, 3]] == pytest.approx([0, 0], abs=1e-9)


def test_two_half_steps_go_as_far_as_a_whole_one() -> None:
    halves, whole = BoxMotion((0, 0, 40, 80)), BoxMotion((0, 0, 40, 80))
    for motion in (halves, whole):
        motion.predict(1.0, unseen=False)
        motion.correct((9, 0, 49, 80))
    for _ in range(2):
        halves.predict(0.5, unseen=False)
    whole.predict(1.0, unseen=False)
    np.testing.assert_allclose(halves.mean, whole.mean)
