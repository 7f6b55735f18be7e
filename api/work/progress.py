"""How a long run says how far it is: what the use case tells, whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """How far one source is. ``length_s`` is how much media time it promises, None where it doesn't say."""

    source: str
    number: int
    of: int
    length_s: float | None
    media_s: float
    frames: int
    events: int
    wall_s: float

    @property
    def times_real_time(self) -> float:
        """Media seconds per second of work; 0 before any time has passed."""
        return self.media_s / self.wall_s if self.wall_s > 0.0 else 0.0


class Progress(Protocol):
    """Shows how far a run is. A source is begun, advanced many times, and ended once, with a word for how."""

    def begun(self, at: Advance) -> None: ...

    def advanced(self, at: Advance) -> None: ...

    def ended(self, at: Advance, outcome: str) -> None: ...

    def noted(self, text: str) -> None:
        """Something that a person should know at once: an alarm, or that it is over."""
        ...
