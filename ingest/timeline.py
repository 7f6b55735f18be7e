"""Places the pictures of one segment in media time, whatever stamps they carry."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction

RESTART_S = 1
"""A stamp further back than this is a clock that began anew, not a stray stamp. No stream that reorders
its pictures is out by as much once they stand in presentation order."""


class Misplaced(StrEnum):
    """Why a picture has no place in its segment."""

    NOT_ADVANCING = "not_advancing"
    RESTARTED = "restarted"


class Timeline:
    """Media time of one segment: 0 at its first picture, rising with every picture that is placed.

    A picture without a stamp comes one ``duration`` after the picture before it.
    """

    def __init__(self, time_base: Fraction, interval_s: Fraction) -> None:
        """``interval_s`` is used where a picture has neither a stamp nor a duration."""
        self._time_base = time_base
        self._interval_s = interval_s
        self._origin: Fraction | None = None
        self._last_s: Fraction | None = None
        self._step_s = interval_s

    @property
    def last_s(self) -> float:
        """Media seconds of the last picture placed; 0.0 before there is one."""
        return float(self._last_s or 0)

    def place(self, stamp: int | None, duration: int) -> float | Misplaced:
        """Media seconds of the next picture. ``stamp`` and ``duration`` are in units of the time base."""
        expected_s = Fraction(0) if self._last_s is None else self._last_s + self._step_s
        if stamp is None:
            media_s = expected_s
        else:
            if self._origin is None:
                self._origin = stamp - expected_s / self._time_base
            media_s = (stamp - self._origin) * self._time_base
        if self._last_s is not None and media_s <= self._last_s:
            went_back_s = self._last_s - media_s
            return Misplaced.RESTARTED if went_back_s > RESTART_S else Misplaced.NOT_ADVANCING
        self._last_s = media_s
        self._step_s = duration * self._time_base if duration > 0 else self._interval_s
        return float(media_s)
