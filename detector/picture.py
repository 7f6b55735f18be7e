"""What the detector needs of a decoded frame."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rules.observation import FrameStamp

Pixels = NDArray[np.uint8]


class Picture(Protocol):
    """One decoded frame. Its arrays are read-only and live as long as it does."""

    @property
    def stamp(self) -> FrameStamp: ...

    @property
    def width(self) -> int:
        """Width in pixels."""
        ...

    @property
    def height(self) -> int:
        """Height in pixels."""
        ...

    def bgr(self) -> Pixels:
        """The whole picture, uint8 (height, width, 3), blue-green-red."""
        ...

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        """Y (height, width), U and V (half of each, rounded up), uint8, as decoded."""
        ...
