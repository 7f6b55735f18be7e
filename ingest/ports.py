"""The roles that the camera loop needs others to play."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ingest.frame import Frame
from rules.finding import Keep, Output, Release
from rules.observation import FrameStamp, Observation


class Clock(Protocol):
    """Says what time it is; tests hand in one that they move themselves."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...


class FrameSource(Protocol):
    """Yields the frames of one segment in presentation order, each once, and closes what it opened."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        ...

    @property
    def damage(self) -> str | None:
        """What a reader must know of the recording, as a sentence: broken off, skipped, undated; None when sound.

        Complete once ``frames()`` has ended.
        """
        ...

    def frames(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


class Analyst(Protocol):
    """Turns one frame into an observation; ``watched`` are the tracks whose plates shall be read."""

    def observe(self, frame: Frame, watched: Sequence[int]) -> Observation: ...


class Lease(Protocol):
    """One camera is ours: nobody else reads it, judges it or writes its chain meanwhile."""

    @property
    def number(self) -> int:
        """The fencing number: higher than that of every holder before."""
        ...

    def holds(self) -> bool:
        """Whether it is still ours."""
        ...

    def segments(self) -> Iterator[int]:
        """Numbers of segments that no holder has used or will use, from the fencing number on."""
        ...

    def release(self) -> None: ...


class Leases(Protocol):
    """Gives out the leases of cameras."""

    def acquire(self, camera_id: str) -> Lease | None:
        """The lease; None while somebody else holds it."""
        ...


class LaggingSource(FrameSource, Protocol):
    """A source that waits for nobody."""

    @property
    def lag_s(self) -> float:
        """How far the frame given out last is behind what has come."""
        ...

    def skip_to_keyframe(self) -> None:
        """Nothing is decoded up to the next keyframe."""
        ...


class Judge(Protocol):
    """Folds observations into outputs; holds the state of one segment's rules."""

    def step(self, observation: Observation) -> tuple[Output, ...]: ...

    def finish(self) -> tuple[Output, ...]:
        """What remains to be said when the segment has ended (passages of tracks still in view)."""
        ...


class Sink(Protocol):
    """Takes what the loop produces, in order: observations for the record, outputs for the evidence."""

    def observed(self, observation: Observation) -> None: ...

    def said(self, outputs: Sequence[Output], now: FrameStamp) -> None: ...


__all__ = [
    "Analyst",
    "Clock",
    "FrameSource",
    "Judge",
    "Keep",
    "LaggingSource",
    "Lease",
    "Leases",
    "Release",
    "Sink",
]
