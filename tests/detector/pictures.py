"""Pictures made of arrays, for tests of the detector."""

from __future__ import annotations

from dataclasses import dataclass, field

from detector.picture import Pixels
from rules.observation import FrameStamp


def stamp(index: int, media_s: float, segment: int = 0) -> FrameStamp:
    """A stamp of the camera that tests use."""
    return FrameStamp(camera_id="cam", segment=segment, index=index, media_s=media_s)


@dataclass(frozen=True)
class ArrayPicture:
    """A picture whose pixels are given as blue-green-red."""

    pixels: Pixels
    stamp: FrameStamp = field(default_factory=lambda: stamp(0, 0.0))

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    def bgr(self) -> Pixels:
        return self.pixels

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        raise AssertionError("the detector reads bgr() only")
