"""What a person sees of a case: until the second review is in, whoever may give it sees nothing of the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.records.workflow import CaseState, Claim, PlateReading, Step
from api.work.access import GRANTS, Permission, Principal
from evidence.records import Case, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, and in which request."""

    principal: Principal
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTerms:
    """How long a claim lasts, and in which time a case is to be decided."""

    lease: timedelta = timedelta(minutes=10)
    due: timedelta = timedelta(days=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSight:
    """A case as one person may see it. ``version`` changes with all that is seen, but not with claims.

    ``plate_text`` is the plate that this person would decide on. ``claim`` is the one that runs.
    """

    case: Case
    version: str
    plate_text: str | None
    steps: tuple[Step, ...] = field(repr=False)
    readings: tuple[PlateReading, ...] = field(repr=False)
    claim: Claim | None
    is_mine: bool
    is_blind: bool
    due_at: datetime | None


def sight_of(state: CaseState, principal: Principal, terms: WorkTerms, now: datetime) -> CaseSight:
    """The case as that person may see it now."""
    case, account_id = state.case, principal.account_id
    blind = is_blind(case, principal)
    steps, readings = state.steps, state.readings
    if blind:
        steps = tuple(s for s in steps if s.account_id == account_id or s.phase is Stage.SECOND_REVIEW)
    if blind or (case.phase is Stage.REVIEW and Permission.REVIEW in GRANTS[principal.role]):
        readings = tuple(found for found in readings if found.account_id == account_id)
    own = [found for found in readings if found.account_id == account_id]
    is_undecided = case.phase in (Stage.REVIEW, Stage.SECOND_REVIEW, Stage.ADJUDICATION)
    claim = state.claim if state.claim is not None and state.claim.runs(now) else None
    return CaseSight(
        case=case,
        version=f"{case.version}.{len(own)}",
        plate_text=own[-1].text if own and is_undecided else case.record.plate_text,
        steps=steps,
        readings=readings,
        claim=claim,
        is_mine=claim is not None and claim.account_id == account_id,
        is_blind=blind,
        due_at=None if case.due_from is None else case.due_from + terms.due,
    )


def is_blind(case: Case, principal: Principal) -> bool:
    """Whether the person may have to give the second review that the case awaits: a token that permits less is theirs, too."""
    return case.phase is Stage.SECOND_REVIEW and Permission.REVIEW in GRANTS[principal.role]
