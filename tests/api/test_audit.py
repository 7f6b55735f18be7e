"""The audit: lines that name the one before, on both databases, and nothing without its transaction."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from api.records.audit import AUDIT, BEGINNING, AuditBrokenError, AuditEntry, Outcome, append, lines, verified
from evidence.database import Database

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VIEWED = AuditEntry(at=NOON, actor_id="a1", action="case.viewed", target="case:c1", site_id="s1")
REFUSED = AuditEntry(
    at=NOON,
    actor_id=None,
    action="case.viewed",
    target="case:c1",
    outcome=Outcome.REFUSED,
    facts=(("why", "路"),),
)


def test_each_line_names_the_hash_of_the_one_before(database: Database) -> None:
    for entry in (VIEWED, REFUSED):
        with database.write() as connection:
            append(connection, entry)
    with database.read() as connection:
        first, second = lines(connection)
        assert list(lines(connection, after_number=1)) == [second]
    assert [first.number, second.number] == [1, 2]
    assert json.loads(first.line)["previous_sha256"] == BEGINNING
    assert json.loads(second.line)["previous_sha256"] == first.sha256
    assert json.loads(second.line)["facts"] == {"why": "路"}
    assert second.sha256 == hashlib.sha256(second.line.encode()).hexdigest()


def test_what_did_not_commit_is_not_told(database: Database) -> None:
    def break_off() -> None:
        with database.write() as connection:
            append(connection, VIEWED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    with database.read() as connection:
        assert list(lines(connection)) == []


def test_what_somebody_changes_behind_it_is_found(database: Database) -> None:
    for _ in range(3):
        with database.write() as connection:
            append(connection, VIEWED)
    with database.read() as connection:
        head = list(lines(connection))[-1]
        assert verified(lines(connection), head) == 3
    with database.write() as connection:
        connection.execute(delete(AUDIT).where(AUDIT.c.number == 3))
    with database.read() as connection:
        assert verified(lines(connection)) == 2
        with pytest.raises(AuditBrokenError, match=r"audit line 3 .* cut off"):
            verified(lines(connection), head)
    with database.write() as connection:
        connection.execute(update(AUDIT).where(AUDIT.c.number == 1).values(line=head.line))
    with database.read() as connection, pytest.raises(AuditBrokenError, match="audit line 1 "):
        verified(lines(connection))
