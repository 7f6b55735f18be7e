"""One road user found in one picture, and the role of whatever finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from detector.picture import Picture
from rules.observation import Box, ObjectClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A box in float pixels of the original picture, clipped to it, with its class and ``score`` (0..1)."""

    object_class: ObjectClass
    box_px: Box
    score: float


class Detector(Protocol):
    """Finds the road users of one picture."""

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        """Everyone found, best score first; empty when nobody is there.

        Raises InferenceFailed when the model fails: failure is never an empty road.
        """
        ...
