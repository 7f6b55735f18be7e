"""What a gap between pictures cost: a stretch of time in which whoever ran a red light was not seen to do it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No picture was analysed from ``from_s`` to ``to_s`` (media seconds), while a light was or may have been red.

    Who crossed the stop line ``place_id`` meanwhile by one of ``movements`` is not accused. ``tracks`` are the
    vehicles that may have: near enough before the line when the gap began, or on it, and past it or gone
    when it ended.
    """

    camera_id: str
    place_id: str
    movements: tuple[str, ...]
    from_s: float
    to_s: float
    tracks: tuple[int, ...]
