"""Pages of the queue in SQL: each a walk along an index, so that a late page costs what an early one does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, TextClause, bindparam, func, select, text

from evidence.records import Case, Decision, PackageState, Stage
from evidence.records_rows import cases_of
from evidence.records_tables import CASES, UtcDateTime
from evidence.workflow_rows import LONGEST_GRAM
from evidence.workflow_tables import PLATE_GRAMS
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


MOST_WALKS = 100
"""SQLite takes 500 parts of a statement; of more walks than this, one that leaves rows out is as quick."""

RARE = 5_000
"""A part of a plate that fewer cases have leads to them; a more frequent one is soon met on another walk."""


def queue_page(
    connection: Connection, wanted: QueueFilter, after: Place | None, limit: int
) -> Sequence[Case]:
    """Up to ``limit`` cases that come after that place, in order."""
    by_plate = wanted.plate_part is not None and _is_rare(connection, wanted.plate_part)
    query = queue_query(wanted, after, limit, dialect=connection.dialect.name, by_plate=by_plate)
    numbers = [row.number for row in connection.execute(query)]
    rows = {row.number: row for row in connection.execute(select(CASES).where(CASES.c.number.in_(numbers)))}
    return cases_of(connection, [rows[number] for number in numbers])


def queue_query(
    wanted: QueueFilter, after: Place | None, limit: int, *, dialect: str, by_plate: bool = False
) -> TextClause:
    """The statement that finds the page's numbers: one walk along an index, or several that are merged.

    ``by_plate``: the part of the plate leads to its cases. It is written as text: to build sixty walks of objects took ten
    times as long as to run them.
    """
    sites = _sites(wanted)
    walks: list[dict[str, str]] = [{}] if by_plate else _walks(wanted, sites)
    rest = _Conditions(beside="+" if dialect == "sqlite" else "")
    source, order = _lead(wanted, rest, by_plate=by_plate)
    _compare(wanted, sites, rest, keys=walks[0])
    _go_on(wanted, after, order, rest)
    parts = []
    for walk in walks:
        led = [f"cases.{name} = {rest.bound(value)}" for name, value in walk.items()]
        parts.append(
            f"SELECT cases.number AS number FROM {source} WHERE {' AND '.join([*led, *rest.texts])}"
            f" ORDER BY {', '.join(order)} LIMIT {rest.bound(limit)}"
        )
    statement = parts[0]
    if len(parts) > 1:
        merged = " UNION ALL ".join(f"SELECT number FROM ({part}) AS walk" for part in parts)
        statement = f"SELECT number FROM ({merged}) AS merged ORDER BY number LIMIT {rest.bound(limit)}"
    return text(statement).bindparams(*rest.values.values())


class _Conditions:
    """What a statement compares, as text with its values bound."""

    def __init__(self, beside: str) -> None:
        self._beside = beside
        self.texts = ["cases.removing_at IS NULL"]
        self.values: dict[Any, BindParameter[Any]] = {}

    def bound(self, value: object) -> str:
        """The name of a value in the statement."""
        found = self.values.get(value)
        if found is None:
            kind = UtcDateTime() if isinstance(value, datetime) else None
            found = self.values[value] = bindparam(f"v{len(self.values)}", value, type_=kind)
        return f":{found.key}"

    def add(self, comparison: str, *values: object) -> None:
        """A comparison; each ``?`` is a value."""
        for value in values:
            comparison = comparison.replace("?", self.bound(value), 1)
        self.texts.append(comparison)

    def beside(self, column: str, comparison: str, *values: object) -> None:
        """Compared on the way: SQLite, which keeps no histogram, is not to walk an index that begins with the column."""
        self.add(f"{self._beside}cases.{column} {comparison}", *values)


def _sites(wanted: QueueFilter) -> tuple[str, ...] | None:
    """Those of which cases are listed; None for all."""
    if wanted.site_id is None:
        return wanted.site_ids
    is_hidden = wanted.site_ids is not None and wanted.site_id not in wanted.site_ids
    return () if is_hidden else (wanted.site_id,)


def _walks(wanted: QueueFilter, sites: tuple[str, ...] | None) -> list[dict[str, str]]:
    """What each walk keeps equal: all columns of an index that stand before the number.

    Where the filter leaves such a column open, there is a walk for each of its few values.
    """
    if wanted.due_before is not None or wanted.held_by is not None or wanted.camera_id is not None:
        return [{}]  # deadlines, claims and cameras lead to few cases
    statuses = [status.value for status in (Status if wanted.status is None else (wanted.status,))]
    if sites is not None and len(sites) * len(statuses) <= MOST_WALKS:
        return [{"site_id": site, "status": status} for site in sites for status in statuses] or [{}]
    if wanted.stage not in (None, Stage.CLOSED):
        return [{"status": status, "stage": wanted.stage.value} for status in statuses]
    if wanted.rule or wanted.decision or wanted.stage:
        decisions = Decision if wanted.decision is None else (wanted.decision,)
        rules = Rule if wanted.rule is None else (wanted.rule,)
        return [
            {"status": status, "decision": decision.value, "rule": rule.value}
            for status in statuses
            for decision in decisions
            for rule in rules
        ]
    if wanted.package is not None:
        return [{"status": status, "package": wanted.package.value} for status in statuses]
    return [{}] if wanted.status is None else [{"status": statuses[0]}]


def _lead(wanted: QueueFilter, found: _Conditions, *, by_plate: bool) -> tuple[str, list[str]]:
    """The tables of a walk, and its order; what leads to few cases is added to the conditions."""
    source, order = "cases", ["cases.number"]
    if by_plate:
        source += " JOIN plate_grams ON plate_grams.case_number = cases.number"
        order = ["plate_grams.case_number"]
        found.add("plate_grams.gram = ?", _gram(wanted.plate_part or ""))
    elif wanted.due_before is not None:
        order = ["cases.due_from", "cases.number"]
    elif wanted.camera_id is not None:
        found.add("cases.camera_id = ?", wanted.camera_id)
    if wanted.held_by is not None:
        source += " JOIN claims ON claims.case_number = cases.number"
        found.add("claims.account_id = ? AND claims.expires_at > ?", wanted.held_by, wanted.now)
    return source, order


def _compare(
    wanted: QueueFilter, sites: tuple[str, ...] | None, found: _Conditions, *, keys: Collection[str]
) -> None:
    """What is left to compare on the way; ``keys`` are the columns that every walk keeps equal."""
    if sites is not None and "site_id" not in keys:
        if sites:
            found.beside("site_id", f"IN ({', '.join('?' * len(sites))})", *sites)
        else:
            found.add("1 = 0")
    if wanted.stage is None:
        found.beside("stage", "<> ?", Stage.WITHDRAWN.value)
    asked = {
        "status": wanted.status,
        "stage": wanted.stage,
        "decision": wanted.decision,
        "rule": wanted.rule,
        "camera_id": wanted.camera_id,
        "package": wanted.package,
    }
    for column, value in asked.items():
        if value is not None and column not in keys:
            found.beside(column, "= ?", str(value))
    if wanted.plate_part:
        part = wanted.plate_part
        for special in "/%_":
            part = part.replace(special, "/" + special)
        found.add("cases.plate_text LIKE ? ESCAPE '/'", f"%{part}%")


def _go_on(wanted: QueueFilter, after: Place | None, order: Sequence[str], found: _Conditions) -> None:
    if wanted.due_before is None:
        if after is not None:
            found.add(f"{order[0]} > ?", after.number)
        return
    found.add("cases.due_from < ?", wanted.due_before)
    if after is not None and after.due_from is not None:
        found.add("cases.due_from >= ?", after.due_from)
        found.add(
            "(cases.due_from > ? OR cases.due_from = ? AND cases.number > ?)",
            after.due_from,
            after.due_from,
            after.number,
        )


def _gram(part: str) -> str:
    """The last characters of a part tell more than the first, which many plates of a city share."""
    return part[-LONGEST_GRAM:]


def _is_rare(connection: Connection, part: str) -> bool:
    some = select(PLATE_GRAMS.c.case_number).where(PLATE_GRAMS.c.gram == _gram(part)).limit(RARE).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one()) < RARE
