"""Appeals and suspended rules in SQL, within the transaction of whoever changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select, update

from evidence.records import Case, Stage
from evidence.records_tables import CASES, HOLDS
from evidence.workflow_tables import APPEALS, CLAIMS, SUSPENSIONS
from rules.finding import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """Somebody objects to a confirmed case. ``outcome`` is None while it is open, then ``upheld`` or ``void``."""

    number: int
    case_id: str
    site_id: str
    reason: str
    taken_by: str
    taken_at: datetime
    outcome: str | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A rule that does not hold at a site from ``from_at`` until before ``to_at`` (None: until it is lifted).

    ``withdrawn`` is how many cases it keeps out of the queues.
    """

    number: int
    site_id: str
    rule: Rule
    from_at: datetime
    to_at: datetime | None
    reason: str
    ordered_by: str
    ordered_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    withdrawn: int


def add_appeal(
    connection: Connection, case: Case, *, reason: str, taken_by: str, name: str, at: datetime
) -> Appeal:
    """The appeal is open, and the case under legal hold; one that it was under already stays when the appeal ends."""
    if case.hold is None:
        connection.execute(
            HOLDS.insert().values(case_number=case.number, reason="appeal", placed_by=name, placed_at=at)
        )
    number = connection.execute(
        APPEALS.insert()
        .values(
            case_number=case.number,
            site_id=case.record.site_id,
            reason=reason,
            taken_by=taken_by,
            taken_at=at,
            placed_hold=case.hold is None,
        )
        .returning(APPEALS.c.number)
    ).scalar_one()
    made = appeal_of(connection, number)
    assert made is not None
    return made


def end_appeal(
    connection: Connection, number: int, *, outcome: str, by: str, name: str, at: datetime
) -> None:
    """The appeal has that outcome, and the hold that it placed is lifted."""
    row = connection.execute(
        update(APPEALS)
        .where(APPEALS.c.number == number)
        .values(outcome=outcome, decided_by=by, decided_at=at)
        .returning(APPEALS.c.case_number, APPEALS.c.placed_hold)
    ).one()
    if row.placed_hold:
        connection.execute(
            update(HOLDS)
            .where(HOLDS.c.case_number == row.case_number, HOLDS.c.lifted_at.is_(None))
            .values(lifted_by=name, lifted_at=at)
        )


def appeal_of(connection: Connection, number: int) -> Appeal | None:
    """The appeal of that number; None when there is none."""
    row = connection.execute(_appeals().where(APPEALS.c.number == number)).first()
    return None if row is None else _appeal(row)


def appeals_page(
    connection: Connection,
    *,
    site_ids: tuple[str, ...] | None,
    open_only: bool,
    after_number: int | None,
    limit: int,
) -> Sequence[Appeal]:
    """Up to ``limit`` appeals of those sites with a higher number, ascending."""
    wanted = _appeals()
    if site_ids is not None:
        wanted = wanted.where(APPEALS.c.site_id.in_(site_ids))
    if open_only:
        wanted = wanted.where(APPEALS.c.outcome.is_(None))
    if after_number is not None:
        wanted = wanted.where(APPEALS.c.number > after_number)
    return [_appeal(row) for row in connection.execute(wanted.order_by(APPEALS.c.number).limit(limit))]


def add_suspension(
    connection: Connection,
    *,
    site_id: str,
    rule: Rule,
    from_at: datetime,
    to_at: datetime | None,
    reason: str,
    by: str,
    at: datetime,
) -> Suspension:
    """The rule is suspended, and every case of that time that was not withdrawn is; nobody holds one of them."""
    number = connection.execute(
        SUSPENSIONS.insert()
        .values(
            site_id=site_id,
            rule=rule.value,
            from_at=from_at,
            to_at=to_at,
            reason=reason,
            ordered_by=by,
            ordered_at=at,
        )
        .returning(SUSPENSIONS.c.number)
    ).scalar_one()
    happened = func.coalesce(CASES.c.captured_at, CASES.c.recorded_at)
    of_then = [CASES.c.site_id == site_id, CASES.c.rule == rule.value, happened >= from_at]
    if to_at is not None:
        of_then.append(happened < to_at)
    connection.execute(
        update(CASES)
        .where(*of_then, CASES.c.stage != Stage.WITHDRAWN.value, CASES.c.removing_at.is_(None))
        .values(
            stage=Stage.WITHDRAWN.value,
            stage_before=CASES.c.stage,
            suspension_number=number,
            version=CASES.c.version + 1,
        )
    )
    withdrawn = select(CASES.c.number).where(CASES.c.suspension_number == number)
    connection.execute(
        update(CLAIMS).where(CLAIMS.c.case_number.in_(withdrawn)).values(account_id=None, name=None)
    )
    made = suspension_of(connection, number)
    assert made is not None
    return made


def lift_suspension(connection: Connection, number: int, *, by: str, at: datetime) -> bool:
    """Whether it was in force until now. Its cases that no other suspension keeps are back; their clocks begin anew."""
    lifted = connection.execute(
        update(SUSPENSIONS)
        .where(SUSPENSIONS.c.number == number, SUSPENSIONS.c.lifted_at.is_(None))
        .values(lifted_by=by, lifted_at=at)
        .returning(SUSPENSIONS.c.site_id, SUSPENSIONS.c.rule)
    ).first()
    if lifted is None:
        return False
    happened = func.coalesce(CASES.c.captured_at, CASES.c.recorded_at)
    other = (
        select(func.min(SUSPENSIONS.c.number))
        .where(
            SUSPENSIONS.c.site_id == lifted.site_id,
            SUSPENSIONS.c.rule == lifted.rule,
            SUSPENSIONS.c.lifted_at.is_(None),
            SUSPENSIONS.c.from_at <= happened,
            or_(SUSPENSIONS.c.to_at.is_(None), SUSPENSIONS.c.to_at > happened),
        )
        .correlate(CASES)
        .scalar_subquery()
    )
    connection.execute(
        update(CASES).where(CASES.c.suspension_number == number).values(suspension_number=other)
    )
    back = [CASES.c.stage == Stage.WITHDRAWN.value, CASES.c.suspension_number.is_(None)]
    of_site = [CASES.c.site_id == lifted.site_id, CASES.c.rule == lifted.rule]
    connection.execute(
        update(CASES).where(*of_site, *back, CASES.c.due_from.is_not(None)).values(due_from=at)
    )
    connection.execute(
        update(CASES)
        .where(*of_site, *back)
        .values(stage=CASES.c.stage_before, stage_before=None, version=CASES.c.version + 1)
    )
    return True


def suspension_of(connection: Connection, number: int) -> Suspension | None:
    """The suspension of that number; None when there is none."""
    row = connection.execute(_suspensions().where(SUSPENSIONS.c.number == number)).first()
    return None if row is None else _suspension(row)


def suspensions_page(
    connection: Connection, *, site_ids: tuple[str, ...] | None, after_number: int | None, limit: int
) -> Sequence[Suspension]:
    """Up to ``limit`` suspensions of those sites with a higher number, ascending."""
    wanted = _suspensions()
    if site_ids is not None:
        wanted = wanted.where(SUSPENSIONS.c.site_id.in_(site_ids))
    if after_number is not None:
        wanted = wanted.where(SUSPENSIONS.c.number > after_number)
    return [
        _suspension(row) for row in connection.execute(wanted.order_by(SUSPENSIONS.c.number).limit(limit))
    ]


def _appeals() -> Select[Any]:
    return select(APPEALS, CASES.c.id.label("case_id")).join(CASES, CASES.c.number == APPEALS.c.case_number)


def _appeal(row: Row[Any]) -> Appeal:
    return Appeal(
        number=row.number,
        case_id=row.case_id,
        site_id=row.site_id,
        reason=row.reason,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        outcome=row.outcome,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def _suspensions() -> Select[Any]:
    withdrawn = (
        select(func.count())
        .where(CASES.c.suspension_number == SUSPENSIONS.c.number)
        .correlate(SUSPENSIONS)
        .scalar_subquery()
    )
    return select(SUSPENSIONS, withdrawn.label("withdrawn"))


def _suspension(row: Row[Any]) -> Suspension:
    return Suspension(
        number=row.number,
        site_id=row.site_id,
        rule=Rule(row.rule),
        from_at=row.from_at,
        to_at=row.to_at,
        reason=row.reason,
        ordered_by=row.ordered_by,
        ordered_at=row.ordered_at,
        lifted_by=row.lifted_by,
        lifted_at=row.lifted_at,
        withdrawn=row.withdrawn,
    )
