"""What is kept about each case and its decision, and the Protocol of whoever keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from evidence.chain import Link, LinkKind, NextLink
from rules.errors import StoplineError
from rules.finding import Rule, Status


class PackageState(StrEnum):
    """Whether the sealed package holds all that its rule asks for."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"


class Decision(StrEnum):
    """What a person decided."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    VOID = "void"
    """It was confirmed, and a supervisor took that back."""


class Stage(StrEnum):
    """In whose queue a case is."""

    REVIEW = "review"
    OPINION = "opinion"
    SECOND_REVIEW = "second_review"
    ADJUDICATION = "adjudication"
    CLOSED = "closed"
    APPEAL = "appeal"
    WITHDRAWN = "withdrawn"
    """Its rule is suspended at its site for the time when it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """A finding with its sealed package. ``event_json`` is its line of ``events.jsonl``; paths are relative to the data folder.

    ``time_zone`` is the IANA name of the site's zone, in which people are told when it was.
    """

    id: str
    rule: Rule
    site_id: str
    camera_id: str
    place_id: str
    status: Status
    t_s: float
    captured_at: datetime | None
    time_zone: str
    vehicle_class: str
    plate_text: str | None
    package: PackageState
    package_reasons: tuple[str, ...]
    evidence_path: str
    manifest_path: str
    manifest_sha256: str
    event_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One decision of one person. ``code`` is a rejection code, None when confirmed."""

    decision: Decision
    code: str | None
    note: str
    reviewer: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A record with what was decided about it; ``number`` orders the queue (ascending, in order of recording).

    ``decision`` and ``reviews`` tell what stands: of a case that awaits a second review they tell nothing yet.
    ``phase`` is the stage without regard to an opinion that was asked for, or a suspension. ``plate_ocr`` is what was
    read where a person corrected the record's plate, empty where nothing was. ``version`` rises with each change of the
    case; ``due_from`` is when the clock of its deadline began, None where nothing is due.
    """

    number: int
    record: CaseRecord
    decision: Decision
    reviews: tuple[Review, ...]
    hold: LegalHold | None = None
    removal: Removal | None = None
    stage: Stage = Stage.REVIEW
    phase: Stage = Stage.REVIEW
    version: int = 1
    due_from: datetime | None = None
    plate_ocr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """Who ordered that a case stays whatever its period says, why and when."""

    reason: str
    placed_by: str
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """When the removal of a case began (its tombstone stands since then), and ended; None where that is still to be done."""

    begun_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCase:
    """A case that is kept, and when it was recorded: the time of its link, None where it has none."""

    case: Case
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases to list; None means any."""

    status: Status | None = None
    camera_id: str | None = None


class AlreadyDecidedError(StoplineError):
    """A second decision on a decided case."""

    code = "already_decided"

    def __init__(self, case_id: str, decision: Decision) -> None:
        super().__init__(f"case {case_id} is already {decision.value}")
        self.case_id = case_id
        self.decision = decision


class CaseRemovedError(StoplineError):
    """A case whose time was over: its evidence was deleted."""

    code = "case_removed"

    def __init__(self, case_id: str, at: datetime) -> None:
        super().__init__(
            f"case {case_id} was removed on {at:%Y-%m-%d} because its time was over; its tombstone is in the chain"
        )
        self.case_id = case_id
        self.at = at


class LegalHoldError(StoplineError):
    """A hold that cannot be placed or lifted; ``why`` says why."""

    code = "legal_hold"

    def __init__(self, case_id: str, why: str) -> None:
        super().__init__(f"case {case_id} {why}")
        self.case_id = case_id
        self.why = why


class Records(Protocol):
    """Keeps cases and decisions durably; every method is one transaction."""

    def add_case(
        self, record: CaseRecord, chain_id: str | None = None, next_link: NextLink | None = None
    ) -> bool:
        """True when the case was added, False when a case of that id already stands (it is not changed then).

        With ``next_link``, the chain has a link for the record's manifest afterwards: it is asked for one where
        there was none.
        """
        ...

    def add_link(self, chain_id: str, next_link: NextLink) -> Link:
        """The link that was made, kept: unless the chain has one of that kind and manifest, which is returned then."""
        ...

    def link_of(self, chain_id: str, kind: LinkKind, manifest_sha256: str) -> Link | None:
        """The link of that kind for that manifest; None where the chain has none."""
        ...

    def links(self, chain_id: str, *, after_number: int = 0) -> Sequence[Link]:
        """The links of that chain with a higher number, ascending."""
        ...

    def keep_links(self, links: Sequence[Link]) -> None:
        """The links, which follow those that the records have of their chain, are kept as they are."""
        ...

    def chain_ids(self) -> tuple[str, ...]:
        """The ids of all chains that have links, sorted."""
        ...

    def case(self, case_id: str) -> Case | None: ...

    def page(self, wanted: CaseFilter, *, after_number: int | None, limit: int) -> Sequence[Case]:
        """Up to ``limit`` cases with ``number`` above ``after_number``, ascending; none whose removal has begun."""
        ...

    def decide(self, case_id: str, review: Review) -> Case:
        """The case as decided.

        Raises KeyError for an unknown id, AlreadyDecidedError for a decided one, CaseRemovedError for one that is gone.
        """
        ...

    def place_hold(self, case_id: str, hold: LegalHold) -> Case:
        """The case, which stays until the hold is lifted. Raises KeyError, LegalHoldError (held already), CaseRemovedError."""
        ...

    def lift_hold(self, case_id: str, by: str, at: datetime) -> Case:
        """The case without its hold, of which the records keep who lifted it. Raises KeyError, LegalHoldError (not held)."""
        ...

    def any_hold(self) -> bool:
        """Whether any case is under legal hold."""
        ...

    def kept(self, *, after_number: int | None, limit: int) -> Sequence[KeptCase]:
        """Up to ``limit`` cases whose removal has not begun, with ``number`` above ``after_number``, ascending."""
        ...

    def half_removed(self) -> Sequence[Case]:
        """The cases whose removal has begun and not ended, ascending."""
        ...

    def begin_removal(self, seen: Case, at: datetime, chain_id: str, next_link: NextLink) -> Link | None:
        """The tombstone, which the chain has from now on: the case is out of the queue, and may be deleted.

        None, and nothing has changed, where it is held, or decided otherwise than when it was ``seen``, or begun.
        """
        ...

    def end_removal(self, case_id: str, at: datetime) -> None:
        """What names a person is gone from the records: plate, event, notes, reasons. Raises KeyError."""
        ...
