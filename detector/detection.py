"""One road user found in one picture, and the role of whatever finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from detector.picture import Picture
from rules.observation import Box, ObjectClass

TWO_WHEELED = frozenset({ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One road user found in one picture, in a box that is clipped to it and not empty.

    ``score`` (0..1) says how surely somebody is there, ``class_score`` how surely they are of ``object_class``;
    the two differ for a rider whose machine is made out less surely than the person on it.
    """

    object_class: ObjectClass
    box_px: Box
    score: float
    class_score: float


class Detector(Protocol):
    """Finds the road users of one picture."""

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        """Everyone found, best score first; empty when nobody is there.

        Raises InferenceFailed when the model fails: failure is never an empty road.
        """
        ...
