"""Claims, steps and plates of cases in SQL, within the transaction of whoever changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from evidence.records import Case, CaseRecord, Decision, Review, Stage
from evidence.records_rows import case_of
from evidence.records_tables import CASES, REVIEWS
from evidence.workflow_rows import index_plate
from evidence.workflow_tables import CLAIMS, PLATE_READINGS, REVIEW_POLICIES, STEPS
from rules.finding import Rule, Status


class StepKind(StrEnum):
    """What somebody did with a case."""

    REVIEW = "review"
    OPINION_ASKED = "opinion_asked"
    OPINION_GIVEN = "opinion_given"
    SECOND_REVIEW = "second_review"
    ADJUDICATION = "adjudication"
    VOID = "void"
    APPEAL = "appeal"
    APPEAL_DECISION = "appeal_decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act of one person. ``seconds`` is how long they had claimed the case for it; ``plate_text`` the plate they decided on."""

    phase: Stage
    kind: StepKind
    account_id: str
    name: str
    decision: Decision | None
    code: str | None
    note: str
    plate_text: str | None
    at: datetime
    seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateReading:
    """A plate as a person read it; ``is_special`` where no kind of plate is like it, which the person said."""

    phase: Stage
    account_id: str
    name: str
    text: str
    is_special: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A lease of a case. ``number`` rises each time that somebody takes it, so that a stale one is told apart."""

    number: int
    account_id: str | None
    name: str | None
    claimed_at: datetime
    expires_at: datetime

    def runs(self, now: datetime) -> bool:
        """Whether somebody holds the case."""
        return self.account_id is not None and now < self.expires_at

    def is_of(self, account_id: str, now: datetime) -> bool:
        """Whether that account holds the case."""
        return self.account_id == account_id and self.runs(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """All that the records know of a case and of those who worked on it, oldest first."""

    case: Case
    steps: tuple[Step, ...]
    readings: tuple[PlateReading, ...]
    claim: Claim | None

    def reading_of(self, account_id: str) -> PlateReading | None:
        """The newest plate that the account read here."""
        return next((found for found in reversed(self.readings) if found.account_id == account_id), None)


def state_of(connection: Connection, case_id: str) -> CaseState | None:
    """The case of that id with its workflow; None when there is none."""
    case = case_of(connection, case_id)
    if case is None:
        return None
    steps = connection.execute(select(STEPS).where(STEPS.c.case_number == case.number).order_by(STEPS.c.id))
    readings = connection.execute(
        select(PLATE_READINGS)
        .where(PLATE_READINGS.c.case_number == case.number)
        .order_by(PLATE_READINGS.c.id)
    )
    return CaseState(
        case=case,
        steps=tuple(
            Step(
                phase=Stage(row.phase),
                kind=StepKind(row.kind),
                account_id=row.account_id,
                name=row.name,
                decision=None if row.decision is None else Decision(row.decision),
                code=row.code,
                note=row.note,
                plate_text=row.plate_text,
                at=row.at,
                seconds=row.seconds,
            )
            for row in steps
        ),
        readings=tuple(
            PlateReading(
                phase=Stage(row.phase),
                account_id=row.account_id,
                name=row.name,
                text=row.text,
                is_special=row.is_special,
                at=row.at,
            )
            for row in readings
        ),
        claim=claims_of(connection, [case.number]).get(case.number),
    )


def claims_of(connection: Connection, case_numbers: Sequence[int]) -> dict[int, Claim]:
    """The newest claim of each of those cases that ever had one."""
    found = connection.execute(select(CLAIMS).where(CLAIMS.c.case_number.in_(case_numbers)))
    return {
        row.case_number: Claim(
            number=row.number,
            account_id=row.account_id,
            name=row.name,
            claimed_at=row.claimed_at,
            expires_at=row.expires_at,
        )
        for row in found
    }


def put_claim(connection: Connection, case_number: int, claim: Claim) -> None:
    """The case's newest claim is this one."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {
        "number": claim.number,
        "account_id": claim.account_id,
        "name": claim.name,
        "claimed_at": claim.claimed_at,
        "expires_at": claim.expires_at,
    }
    connection.execute(
        insert(CLAIMS)
        .values(case_number=case_number, **values)
        .on_conflict_do_update(index_elements=["case_number"], set_=values)
    )


def release_claim(connection: Connection, case_number: int) -> None:
    """Nobody holds the case; its claim's number is not used again."""
    connection.execute(
        update(CLAIMS).where(CLAIMS.c.case_number == case_number).values(account_id=None, name=None)
    )


def add_step(connection: Connection, case_number: int, step: Step) -> None:
    """The step is the case's last."""
    connection.execute(
        STEPS.insert().values(
            case_number=case_number,
            phase=step.phase.value,
            kind=step.kind.value,
            account_id=step.account_id,
            name=step.name,
            decision=None if step.decision is None else step.decision.value,
            code=step.code,
            note=step.note,
            plate_text=step.plate_text,
            at=step.at,
            seconds=step.seconds,
        )
    )


def add_reading(connection: Connection, case_number: int, reading: PlateReading) -> None:
    """The reading is the case's last."""
    connection.execute(
        PLATE_READINGS.insert().values(
            case_number=case_number,
            phase=reading.phase.value,
            account_id=reading.account_id,
            name=reading.name,
            text=reading.text,
            is_special=reading.is_special,
            at=reading.at,
        )
    )


def move(connection: Connection, case_number: int, *, stage: Stage, phase: Stage) -> None:
    """The case is in that queue, as a new version; where it is an opinion's, it goes on from ``phase`` later."""
    connection.execute(
        update(CASES)
        .where(CASES.c.number == case_number)
        .values(stage=stage.value, phase=phase.value, version=CASES.c.version + 1)
    )


def start_clock(connection: Connection, case_number: int, at: datetime) -> None:
    """The clock of the case's deadline runs from that moment on."""
    connection.execute(update(CASES).where(CASES.c.number == case_number).values(due_from=at))


def close(connection: Connection, case: Case, reviews: Sequence[Review], plate_text: str | None) -> None:
    """The last of ``reviews`` stands: all are the case's reviews, and the plate that people agreed on is its plate."""
    connection.execute(
        REVIEWS.insert(),
        [
            {
                "case_number": case.number,
                "decision": review.decision.value,
                "code": review.code,
                "note": review.note,
                "reviewer": review.reviewer,
                "decided_at": review.decided_at,
            }
            for review in reviews
        ],
    )
    values: dict[str, object] = {
        "decision": reviews[-1].decision.value,
        "stage": Stage.CLOSED.value,
        "phase": Stage.CLOSED.value,
        "version": CASES.c.version + 1,
        "due_from": None,
    }
    if plate_text != case.record.plate_text:
        ocr = case.record.plate_text if case.plate_ocr is None else case.plate_ocr
        values |= {"plate_text": plate_text, "plate_ocr": ocr or ""}
        index_plate(connection, case.number, plate_text)
    connection.execute(update(CASES).where(CASES.c.number == case.number).values(**values))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPolicy:
    """From ``from_at`` on, cases of that site and rule need a second review, or do not; ``rule`` None: of every other rule."""

    number: int
    site_id: str
    rule: Rule | None
    from_at: datetime
    second_review: bool
    set_by: str
    set_at: datetime


def add_policy(
    connection: Connection,
    *,
    site_id: str,
    rule: Rule | None,
    from_at: datetime,
    second_review: bool,
    set_by: str,
    set_at: datetime,
) -> ReviewPolicy:
    """The policy, as kept; earlier ones stay on record."""
    number = connection.execute(
        REVIEW_POLICIES.insert()
        .values(
            site_id=site_id,
            rule=None if rule is None else rule.value,
            from_at=from_at,
            second_review=second_review,
            set_by=set_by,
            set_at=set_at,
        )
        .returning(REVIEW_POLICIES.c.number)
    ).scalar_one()
    return ReviewPolicy(
        number=number,
        site_id=site_id,
        rule=rule,
        from_at=from_at,
        second_review=second_review,
        set_by=set_by,
        set_at=set_at,
    )


def policies_of(connection: Connection, site_id: str) -> Sequence[ReviewPolicy]:
    """Every policy that the site ever had, oldest first."""
    found = connection.execute(
        select(REVIEW_POLICIES).where(REVIEW_POLICIES.c.site_id == site_id).order_by(REVIEW_POLICIES.c.number)
    )
    return [
        ReviewPolicy(
            number=row.number,
            site_id=row.site_id,
            rule=None if row.rule is None else Rule(row.rule),
            from_at=row.from_at,
            second_review=row.second_review,
            set_by=row.set_by,
            set_at=row.set_at,
        )
        for row in found
    ]


def needs_second_review(connection: Connection, record: CaseRecord, at: datetime) -> bool:
    """Whether a second person must review the case: every held one, and those that the site's policy of that moment names."""
    if record.status is Status.HELD:
        return True
    in_force = [found for found in policies_of(connection, record.site_id) if found.from_at <= at]
    own = [found for found in in_force if found.rule is record.rule]
    chosen = own or [found for found in in_force if found.rule is None]
    return bool(chosen) and max(chosen, key=lambda found: (found.from_at, found.number)).second_review
