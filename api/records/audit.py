"""The audit in SQL: appended in the transaction of what it tells, each line chained to the one before; nothing changes a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, select

from evidence.records_tables import METADATA, UtcDateTime
from rules.errors import StoplineError

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", String, nullable=True),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("site_id", String, nullable=True),
    Column("outcome", String, nullable=False),
    Column("line", Text, nullable=False),
    Column("sha256", String, nullable=False),
    Index("ix_audit_target", "target", "number"),
    Index("ix_audit_actor", "actor_id", "number"),
    Index("ix_audit_action", "action", "number"),
)
"""``line`` is what is hashed, canonical JSON; the columns before it are for finding it."""

PIECE = 1_000
"""Lines in memory at once: an audit of years does not fit."""

BEGINNING = "0" * 64
"""What the first line names as the hash before it."""


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to what. Neither plates nor names of people: ``facts`` holds references, codes and keyed hashes only.

    ``action`` is a dotted verb such as ``case.viewed``; ``target`` a kind and id such as ``case:c1``. ``actor_id`` is
    None where nobody is signed in.
    """

    at: datetime
    actor_id: str | None
    action: str
    target: str
    outcome: Outcome = Outcome.DONE
    site_id: str | None = None
    request_id: str | None = None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """A line as it was appended: its number (from 1, without a hole), the hashed text, and its hash."""

    number: int
    line: str
    sha256: str


def append(connection: Connection, entry: AuditEntry) -> AuditLine:
    """The entry is the audit's last line, once the writing transaction commits."""
    last = connection.execute(
        select(AUDIT.c.number, AUDIT.c.sha256).order_by(AUDIT.c.number.desc()).limit(1)
    ).first()
    number, before = (1, BEGINNING) if last is None else (last.number + 1, last.sha256)
    line = json.dumps(
        {
            "number": number,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor_id": entry.actor_id,
            "action": entry.action,
            "target": entry.target,
            "outcome": entry.outcome.value,
            "site_id": entry.site_id,
            "request_id": entry.request_id,
            "facts": dict(entry.facts),
            "previous_sha256": before,
        },
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )
    sha256 = hashlib.sha256(line.encode()).hexdigest()
    connection.execute(
        AUDIT.insert().values(
            number=number,
            at=entry.at,
            actor_id=entry.actor_id,
            action=entry.action,
            target=entry.target,
            site_id=entry.site_id,
            outcome=entry.outcome.value,
            line=line,
            sha256=sha256,
        )
    )
    return AuditLine(number=number, line=line, sha256=sha256)


def lines(connection: Connection, *, after_number: int = 0) -> Iterator[AuditLine]:
    """The lines with a higher number, ascending."""
    wanted = select(AUDIT.c.number, AUDIT.c.line, AUDIT.c.sha256).order_by(AUDIT.c.number).limit(PIECE)
    while rows := connection.execute(wanted.where(AUDIT.c.number > after_number)).all():
        for row in rows:
            yield AuditLine(number=row.number, line=row.line, sha256=row.sha256)
        after_number = rows[-1].number


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which lines are wanted; None means any. Times are those of the lines, ``until`` not included."""

    actor_id: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def found(
    connection: Connection, wanted: AuditQuery, *, before_number: int | None, limit: int
) -> list[AuditLine]:
    """Up to ``limit`` lines that fit and have a lower number, the newest first."""
    query = select(AUDIT.c.number, AUDIT.c.line, AUDIT.c.sha256)
    for column, value in (
        (AUDIT.c.actor_id, wanted.actor_id),
        (AUDIT.c.action, wanted.action),
        (AUDIT.c.target, wanted.target),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(AUDIT.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AUDIT.c.at < wanted.until)
    if before_number is not None:
        query = query.where(AUDIT.c.number < before_number)
    rows = connection.execute(query.order_by(AUDIT.c.number.desc()).limit(limit))
    return [AuditLine(number=row.number, line=row.line, sha256=row.sha256) for row in rows]


def verified(lines_: Iterable[AuditLine], head: AuditLine | None = None) -> int:
    """How many lines there are, from the first, each fitting the one before. Raises AuditBrokenError at the first that does not.

    With ``head``, a line that was seen before, it must still be there: so a tail that was cut off is found, too.
    """
    number, before = 0, BEGINNING
    head_found = head is None
    for line in lines_:
        number += 1
        try:
            told = json.loads(line.line)
            fits = told["number"] == line.number == number and told["previous_sha256"] == before
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise AuditBrokenError(number, "does not follow the line before it")
        if hashlib.sha256(line.line.encode()).hexdigest() != line.sha256:
            raise AuditBrokenError(number, "is not what was hashed")
        before = line.sha256
        head_found = head_found or (head is not None and (number, before) == (head.number, head.sha256))
    if not head_found:
        assert head is not None
        raise AuditBrokenError(
            head.number, "is not the line that was seen there before: a part was cut off or replaced"
        )
    return number


class AuditBrokenError(StoplineError):
    """The audit does not verify from its line ``number`` on."""

    code = "not_verified"

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"audit line {number} {why}")
        self.number = number
