"""What a violation code table proposes for a finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeProposal:
    """A violation code that may fit: what must hold for it, and what no camera sees and the officer is asked.

    ``points`` and ``fine`` are None where they differ by place, or nobody knows on which day it was.
    """

    code: str
    meaning: str
    points: int | None
    preconditions: tuple[str, ...]
    questions: tuple[str, ...]
    fine: str | None = None
