"""Exports in SQL: what was ordered by whom, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    select,
    update,
)

from evidence.records_tables import METADATA, UtcDateTime

EXPORTS = Table(
    "exports",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("account_id", String, nullable=False),
    Column("case_ids", Text, nullable=False),
    Column("contents", String, nullable=False),
    Column("state", String, nullable=False),
    Column("why", Text, nullable=True),
    Column("ordered_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("size", BigInteger, nullable=True),
    Column("sha256", String, nullable=True),
    Index("ix_exports_state", "state", "number"),
    Index("ix_exports_account", "account_id", "number"),
    sqlite_autoincrement=True,
)


class ExportContents(StrEnum):
    """What of a case goes into an export."""

    ORIGINAL = "original"
    """The sealed package, for a court or another authority."""

    WITH_REDACTED = "with_redacted"
    """The sealed package, and what was derived from it: the redacted copy, which must be there."""

    REDACTED = "redacted"
    """The redacted copy alone, for who appeals and for the public: nobody else can be recognised in it."""


class ExportState(StrEnum):
    """How far an export is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"
    """Its time was over, or it was removed: the file is deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An ordered export; ``why`` says why it failed; size and hash are those of the file once it is done."""

    id: str
    account_id: str
    case_ids: tuple[str, ...]
    contents: ExportContents
    state: ExportState
    why: str | None
    ordered_at: datetime
    expires_at: datetime
    size: int | None
    sha256: str | None


def add_export(connection: Connection, export: Export) -> None:
    """The export is kept."""
    connection.execute(
        EXPORTS.insert().values(
            id=export.id,
            account_id=export.account_id,
            case_ids=json.dumps(export.case_ids),
            contents=export.contents.value,
            state=export.state.value,
            why=export.why,
            ordered_at=export.ordered_at,
            expires_at=export.expires_at,
            size=export.size,
            sha256=export.sha256,
        )
    )


def export_of(connection: Connection, export_id: str) -> Export | None:
    """The export of that id."""
    row = connection.execute(select(EXPORTS).where(EXPORTS.c.id == export_id)).one_or_none()
    return None if row is None else _export(row)


def exports_in(connection: Connection, state: ExportState, limit: int) -> Sequence[Export]:
    """The oldest exports in that state."""
    wanted = select(EXPORTS).where(EXPORTS.c.state == state.value).order_by(EXPORTS.c.number).limit(limit)
    return [_export(row) for row in connection.execute(wanted)]


def move_export(
    connection: Connection, export_id: str, before: ExportState, after: ExportState, **values: Any
) -> bool:
    """Whether the export was in that state, and is in the other one now, with those values."""
    moved = connection.execute(
        update(EXPORTS)
        .where(EXPORTS.c.id == export_id, EXPORTS.c.state == before.value)
        .values(state=after.value, **values)
    )
    return moved.rowcount == 1


def _export(row: Row[Any]) -> Export:
    return Export(
        id=row.id,
        account_id=row.account_id,
        case_ids=tuple(json.loads(row.case_ids)),
        contents=ExportContents(row.contents),
        state=ExportState(row.state),
        why=row.why,
        ordered_at=row.ordered_at,
        expires_at=row.expires_at,
        size=row.size,
        sha256=row.sha256,
    )
