"""How long cases are kept: from when on one may go, and by when it must be gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evidence.records import Case, Decision, KeptCase
from rules.finding import Status


class Standing(StrEnum):
    """What a case is to retention: as it was decided, or, undecided, whether it accuses."""

    OPEN = "open"
    HELD = "held"
    EXEMPT = "exempt"
    REJECTED = "rejected"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A case may go ``at_least_days`` after its day, and must be gone ``at_most_days`` after it; days of 24 hours."""

    at_least_days: int
    at_most_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """The periods of one site; cases of a standing without one stay."""

    open: Period | None = None
    held: Period | None = None
    exempt: Period | None = None
    rejected: Period | None = None
    confirmed: Period | None = None

    def of(self, standing: Standing) -> Period | None:
        """The period of that standing."""
        match standing:
            case Standing.OPEN:
                return self.open
            case Standing.HELD:
                return self.held
            case Standing.EXEMPT:
                return self.exempt
            case Standing.REJECTED:
                return self.rejected
            case Standing.CONFIRMED:
                return self.confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """From when on a case may go, and by when it must be gone."""

    may_go: datetime
    must_go: datetime


def standing_of(case: Case) -> Standing:
    """A decision counts before the status that the rules gave; a void case is kept as a rejected one is."""
    if case.decision is Decision.VOID:
        return Standing.REJECTED
    if case.decision is not Decision.OPEN:
        return Standing(case.decision.value)
    return Standing.OPEN if case.record.status is Status.ASSERTED else Standing(case.record.status.value)


def term_of(kept: KeptCase, period: Period) -> Term | None:
    """The term of a case: counted from its last decision, else from when it was recorded.

    Not from when it happened: an old recording may be replayed today. None where it has no link, which alone says when
    it was recorded, and without which it cannot have a tombstone.
    """
    reviews = kept.case.reviews
    if kept.recorded_at is None:
        return None
    since = reviews[-1].decided_at if reviews else kept.recorded_at
    return Term(
        may_go=since + timedelta(days=period.at_least_days),
        must_go=since + timedelta(days=period.at_most_days),
    )
