"""The outbox: what happened in the order of commits, nothing of what did not commit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api.records.outbox import ends, forget_before, tell, told_after
from evidence.database import Database

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_events_are_told_in_order_and_forgotten_by_age(database: Database) -> None:
    for number in range(5):
        with database.write() as connection:
            tell(
                connection,
                kind="case.changed",
                subject=f"case:c{number}",
                site_id="s1" if number else None,
                at=NOON + timedelta(days=number),
            )
    with database.read() as connection:
        first, last = ends(connection)
        page = told_after(connection, first, 2)
        assert [event.subject for event in page] == ["case:c1", "case:c2"]
        assert page[0].at == NOON + timedelta(days=1)
        assert [event.subject for event in told_after(connection, page[-1].number, 9)] == [
            "case:c3",
            "case:c4",
        ]
        assert told_after(connection, last, 9) == []
        assert told_after(connection, 0, 1)[0].site_id is None
    with database.write() as connection:
        assert forget_before(connection, NOON + timedelta(days=2)) == 2
    with database.read() as connection:
        assert ends(connection) == (first + 2, last)


def test_nothing_was_told(database: Database) -> None:
    with database.read() as connection:
        assert ends(connection) == (0, 0)
