"""How many cases wait, and since when: read along an index, however many were decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from api.records.queue import QueueFilter, queue_page
from evidence.records import Decision
from evidence.records_tables import CASES
from rules.finding import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """Open cases by status, and when the oldest of them happened; None where none waits or nobody knows."""

    open_by_status: tuple[tuple[str, int], ...]
    oldest_at: datetime | None


def queue_figures(connection: Connection) -> QueueFigures:
    """The figures of the cases that are open."""
    counted = connection.execute(
        select(CASES.c.status, func.count())
        .where(
            CASES.c.status.in_(list(Status)),  # the index begins with it
            CASES.c.decision == Decision.OPEN.value,
            CASES.c.removing_at.is_(None),
        )
        .group_by(CASES.c.status)
        .order_by(CASES.c.status)
    )
    oldest = queue_page(connection, QueueFilter(decision=Decision.OPEN), None, 1)
    return QueueFigures(
        open_by_status=tuple((str(status), int(number)) for status, number in counted),
        oldest_at=oldest[0].record.captured_at if oldest else None,
    )
