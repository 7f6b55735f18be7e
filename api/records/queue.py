"""Pages of the queue in SQL: each a walk along an index, so that a late page costs what an early one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, union_all

from evidence.records import Case, Decision, PackageState, Stage
from evidence.records_rows import cases_of
from evidence.records_tables import CASES
from evidence.workflow_rows import LONGEST_GRAM
from evidence.workflow_tables import CLAIMS, PLATE_GRAMS
from rules.finding import Rule, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """Which cases to list; None means any, of ``stage`` any but withdrawn ones.

    ``site_ids`` are the sites of whoever asks. ``plate_part`` is found anywhere in the plate. ``held_by`` holds a claim at
    ``now``. ``due_before`` lists cases whose clock began before then, those longest due first; without it the order
    is that of recording.
    """

    site_ids: tuple[str, ...] | None = None
    site_id: str | None = None
    rule: Rule | None = None
    status: Status | None = None
    stage: Stage | None = None
    decision: Decision | None = None
    camera_id: str | None = None
    plate_part: str | None = None
    package: PackageState | None = None
    held_by: str | None = None
    now: datetime | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """After which case a page goes on; ``due_from`` where the order is that of deadlines."""

    number: int
    due_from: datetime | None = None


def queue_page(
    connection: Connection, wanted: QueueFilter, after: Place | None, limit: int
) -> Sequence[Case]:
    """Up to ``limit`` cases that come after that place, in order."""
    query = queue_query(wanted, after, limit)
    numbers = [row.number for row in connection.execute(query)]
    rows = {row.number: row for row in connection.execute(select(CASES).where(CASES.c.number.in_(numbers)))}
    return cases_of(connection, [rows[number] for number in numbers])


def queue_query(wanted: QueueFilter, after: Place | None, limit: int) -> Select[Any]:
    """The statement that finds the page's numbers. Of several sites each is walked by itself, then they are merged."""
    if wanted.site_id is not None:
        hidden = wanted.site_ids is not None and wanted.site_id not in wanted.site_ids
        sites: tuple[str, ...] | None = () if hidden else (wanted.site_id,)
    else:
        sites = wanted.site_ids
    if sites is None or len(sites) < 2:
        conditions = _conditions(wanted, after)
        if sites is not None:
            conditions.append(CASES.c.site_id == sites[0] if sites else CASES.c.number < 0)
        return _ordered(_from(wanted).where(*conditions), wanted, limit)
    each = [
        _ordered(_from(wanted).where(*_conditions(wanted, after), CASES.c.site_id == site_id), wanted, limit)
        .subquery()
        .select()
        for site_id in sites
    ]
    merged = union_all(*each).subquery()
    order = [merged.c.number] if wanted.due_before is None else [merged.c.due_from, merged.c.number]
    return select(merged.c.number, merged.c.due_from).order_by(*order).limit(limit)


def _ordered(query: Select[Any], wanted: QueueFilter, limit: int) -> Select[Any]:
    if wanted.due_before is not None:
        return query.order_by(CASES.c.due_from, CASES.c.number).limit(limit)
    if wanted.plate_part:
        return query.order_by(PLATE_GRAMS.c.case_number).limit(limit)
    return query.order_by(CASES.c.number).limit(limit)


def _from(wanted: QueueFilter) -> Select[Any]:
    query = select(CASES.c.number, CASES.c.due_from)
    if wanted.plate_part:
        query = query.join(PLATE_GRAMS, PLATE_GRAMS.c.case_number == CASES.c.number)
    if wanted.held_by is not None:
        query = query.join(CLAIMS, CLAIMS.c.case_number == CASES.c.number)
    return query


def _conditions(wanted: QueueFilter, after: Place | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [CASES.c.removing_at.is_(None)]
    if wanted.stage is not None:
        found.append(CASES.c.stage == wanted.stage.value)
    else:
        found.append(CASES.c.stage != Stage.WITHDRAWN.value)
    if wanted.status is not None:
        found.append(CASES.c.status == wanted.status.value)
    if wanted.decision is not None:
        found.append(CASES.c.decision == wanted.decision.value)
    if wanted.rule is not None:
        found.append(CASES.c.rule == wanted.rule.value)
    if wanted.camera_id is not None:
        found.append(CASES.c.camera_id == wanted.camera_id)
    if wanted.package is not None:
        found.append(CASES.c.package == wanted.package.value)
    if wanted.held_by is not None:
        found += [CLAIMS.c.account_id == wanted.held_by, CLAIMS.c.expires_at > wanted.now]
    if wanted.plate_part:
        # The last characters of a part tell more than the first, which many plates of a city share.
        found.append(PLATE_GRAMS.c.gram == wanted.plate_part[-LONGEST_GRAM:])
        if len(wanted.plate_part) > LONGEST_GRAM:
            found.append(CASES.c.plate_text.contains(wanted.plate_part, autoescape=True))
    return [*found, *_after(wanted, after)]


def _after(wanted: QueueFilter, after: Place | None) -> list[ColumnElement[bool]]:
    if wanted.due_before is None:
        if after is None:
            return []
        column = PLATE_GRAMS.c.case_number if wanted.plate_part else CASES.c.number
        return [column > after.number]
    found: list[ColumnElement[bool]] = [CASES.c.due_from < wanted.due_before]
    if after is not None and after.due_from is not None:
        found += [
            CASES.c.due_from >= after.due_from,
            or_(
                CASES.c.due_from > after.due_from,
                and_(CASES.c.due_from == after.due_from, CASES.c.number > after.number),
            ),
        ]
    return found
