"""Which frame shows a passing vehicle, and who else is in its picture."""

from __future__ import annotations

from dataclasses import dataclass

from rules.observation import Box, FrameStamp, ObjectClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The frame that shows a passing vehicle, its box, and the other road users whose boxes reach into it."""

    stamp: FrameStamp
    box_px: Box
    others: tuple[tuple[ObjectClass, Box], ...] = ()
