"""How many cases wait, and since when: read along an index, however many were decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from evidence.records import Decision
from evidence.records_tables import CASES


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """Open cases by status, and when the oldest of them happened; None where none waits or nobody knows."""

    open_by_status: tuple[tuple[str, int], ...]
    oldest_at: datetime | None


def queue_figures(connection: Connection) -> QueueFigures:
    """The figures of the cases that are open."""
    is_open = (CASES.c.decision == Decision.OPEN.value, CASES.c.removing_at.is_(None))
    counted = connection.execute(
        select(CASES.c.status, func.count()).where(*is_open).group_by(CASES.c.status).order_by(CASES.c.status)
    )
    oldest = connection.execute(
        select(CASES.c.captured_at).where(*is_open).order_by(CASES.c.number).limit(1)
    ).scalar()
    return QueueFigures(
        open_by_status=tuple((str(status), int(number)) for status, number in counted), oldest_at=oldest
    )
