"""What has happened, in order, for whoever listens: told in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Integer, String, Table, delete, func, select

from evidence.records_tables import METADATA, UtcDateTime

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("site_id", String, nullable=True),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event: its number (ascending, in the order of commits), a dotted kind such as ``case.changed``, and what it is about.

    It says that something changed, not how: who may see the subject asks for it. ``site_id`` None concerns no site.
    """

    number: int
    at: datetime
    kind: str
    subject: str
    site_id: str | None


def tell(connection: Connection, *, kind: str, subject: str, site_id: str | None, at: datetime) -> None:
    """The event is the outbox's last, once the writing transaction commits."""
    connection.execute(OUTBOX.insert().values(at=at, kind=kind, subject=subject, site_id=site_id))


def told_after(connection: Connection, number: int, limit: int) -> Sequence[Told]:
    """Up to ``limit`` events with a higher number, ascending."""
    wanted = select(OUTBOX).where(OUTBOX.c.number > number).order_by(OUTBOX.c.number).limit(limit)
    return [
        Told(number=row.number, at=row.at, kind=row.kind, subject=row.subject, site_id=row.site_id)
        for row in connection.execute(wanted)
    ]


def ends(connection: Connection) -> tuple[int, int]:
    """The numbers of the oldest and the newest event that are kept; both 0 where there is none."""
    oldest, newest = connection.execute(select(func.min(OUTBOX.c.number), func.max(OUTBOX.c.number))).one()
    return (oldest or 0, newest or 0)


def forget_before(connection: Connection, at: datetime) -> int:
    """How many events were older and are gone."""
    return connection.execute(delete(OUTBOX).where(OUTBOX.c.at < at)).rowcount
