"""How much may wait for a store, records or a disk that are away, and what was told or could not be kept meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evidence.errors import EvidenceError
from rules.finding import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """``spool_bytes`` of sealed packages may wait on the disk; ``memory_bytes`` of unsealed files while that is full.

    From ``alarm_share`` of the spool's bytes on an alarm is told.
    """

    spool_bytes: int = 2_000_000_000
    memory_bytes: int = 256_000_000
    alarm_share: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Unkept:
    """A finding that became no case, since there was no room for its evidence; ``why`` is a sentence."""

    finding_id: str
    rule: Rule
    camera_id: str
    place_id: str
    track_id: int
    t_s: float
    captured_at: datetime | None
    why: str


class SpoolFullError(EvidenceError):
    """The spool's budget is used up; ``why`` says by what."""

    code = "spool_full"
    retryable = True

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}. What was sealed is kept; run the same command again with --resume")
        self.why = why
