"""Counts of cases in SQL, over a period in which they happened: what was decided, and nothing of what is not decided yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, cast, extract, func, select

from evidence.records import Decision, Stage
from evidence.records_tables import CASES, REVIEWS
from rules.finding import Rule, Status

QUARTER_S = 900
"""Hours are local: every time zone's offset is a multiple of a quarter of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Cases that happened from ``since`` until before ``until`` at those sites (None: at all); withdrawn ones are left out."""

    since: datetime
    until: datetime
    site_ids: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCount:
    """So many cases of a place and rule have that status and decision."""

    site_id: str
    camera_id: str
    place_id: str
    rule: Rule
    status: Status
    decision: Decision
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterCount:
    """So many cases happened in the quarter of an hour that begins at ``at_s`` (seconds since 1970)."""

    time_zone: str
    at_s: int
    decision: Decision
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionCount:
    """So many rejected cases of a place and rule were rejected for that reason."""

    site_id: str
    camera_id: str
    place_id: str
    rule: Rule
    code: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerCount:
    """So many decisions of a person, over cases that are closed."""

    reviewer: str
    decision: Decision
    count: int


def places(connection: Connection, period: Period) -> list[PlaceCount]:
    """The counts by place, rule, status and decision."""
    by = (
        CASES.c.site_id,
        CASES.c.camera_id,
        CASES.c.place_id,
        CASES.c.rule,
        CASES.c.status,
        CASES.c.decision,
    )
    wanted = select(*by, func.count().label("number")).where(*_within(period)).group_by(*by).order_by(*by)
    return [
        PlaceCount(
            site_id=row.site_id,
            camera_id=row.camera_id,
            place_id=row.place_id,
            rule=Rule(row.rule),
            status=Status(row.status),
            decision=Decision(row.decision),
            count=row.number,
        )
        for row in connection.execute(wanted)
    ]


def quarters(connection: Connection, period: Period) -> list[QuarterCount]:
    """The counts by the quarter of an hour in which cases happened, and by decision."""
    epoch_s: Any
    if connection.dialect.name == "postgresql":
        epoch_s = cast(func.floor(extract("epoch", CASES.c.captured_at)), Integer)
    else:
        epoch_s = cast(func.strftime("%s", CASES.c.captured_at), Integer)
    quarter = (epoch_s - epoch_s % QUARTER_S).label("at_s")
    inner = select(CASES.c.time_zone, quarter, CASES.c.decision).where(*_within(period)).subquery()
    wanted = select(inner, func.count().label("number")).group_by(*inner.c).order_by(*inner.c)
    return [
        QuarterCount(
            time_zone=row.time_zone, at_s=row.at_s, decision=Decision(row.decision), count=row.number
        )
        for row in connection.execute(wanted)
    ]


def rejections(connection: Connection, period: Period) -> list[RejectionCount]:
    """The counts of rejected cases by the reason that stood at the end."""
    last = (
        select(func.max(REVIEWS.c.id))
        .where(REVIEWS.c.case_number == CASES.c.number)
        .correlate(CASES)
        .scalar_subquery()
    )
    by = (
        CASES.c.site_id,
        CASES.c.camera_id,
        CASES.c.place_id,
        CASES.c.rule,
        REVIEWS.c.code,
        CASES.c.decision,  # not a condition: SQLite would walk its index instead of that of moments
    )
    wanted = (
        select(*by, func.count().label("number"))
        .join(REVIEWS, REVIEWS.c.case_number == CASES.c.number)
        .where(
            *_within(period),
            REVIEWS.c.id == last,
            REVIEWS.c.code.is_not(None),
        )
        .group_by(*by)
        .order_by(*by)
    )
    return [
        RejectionCount(
            site_id=row.site_id,
            camera_id=row.camera_id,
            place_id=row.place_id,
            rule=Rule(row.rule),
            code=row.code,
            count=row.number,
        )
        for row in connection.execute(wanted)
        if row.decision == Decision.REJECTED.value
    ]


def reviewers(connection: Connection, period: Period) -> list[ReviewerCount]:
    """The counts of decisions by who made them."""
    by = (REVIEWS.c.reviewer, REVIEWS.c.decision)
    wanted = (
        select(*by, func.count().label("number"))
        .join(CASES, REVIEWS.c.case_number == CASES.c.number)
        .where(*_within(period))
        .group_by(*by)
        .order_by(*by)
    )
    return [
        ReviewerCount(reviewer=row.reviewer, decision=Decision(row.decision), count=row.number)
        for row in connection.execute(wanted)
    ]


def _within(period: Period) -> list[ColumnElement[bool]]:
    found = [
        CASES.c.captured_at >= period.since,
        CASES.c.captured_at < period.until,
        CASES.c.stage != Stage.WITHDRAWN.value,
    ]
    if period.site_ids is not None:
        found.append(CASES.c.site_id.in_(period.site_ids))
    return found
