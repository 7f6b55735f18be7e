"""What a proof is: a claim, a function that tries it, and how often it tries at small and at full size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Figures = Mapping[str, int | float | str | bool]
"""Measured values by name, the unit in the name."""


class Trial(Protocol):
    """One run of a proof."""

    @property
    def size(self) -> int:
        """How much to do, in the proof's own unit."""
        ...

    @property
    def folder(self) -> Path:
        """A scratch folder, empty at the start; when an interrupted run is resumed, as the interruption left it."""
        ...

    @property
    def shared(self) -> Path:
        """The folder of shared test material beside the checkout."""
        ...

    def once(self, step: str, work: Callable[[], Figures]) -> Figures:
        """The step's figures: from ``work``, or from before the interruption when the step was already done then."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the claim held, and the figures that say so."""

    passed: bool
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A module ``benchmarks/proof_NAME.py`` holds one of these as ``PROOF``.

    ``claim`` is one sentence that is true when the proof passes. ``small`` is the size that ``make test``
    tries (seconds), ``full`` the one of ``make prove NAME=...`` (as long as it takes). ``prove`` does the
    work, long work in steps given to ``Trial.once``; it raises where it could not be tried at all.
    """

    claim: str
    small: int
    full: int
    prove: Callable[[Trial], Verdict]
    needs_shared: bool = False
