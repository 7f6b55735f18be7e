"""One database, a file or a server: transactions that follow each other, tables up and down with data, errors in our words."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from sqlalchemy import inspect, text

from evidence.database import Database, RecordsBusyError, RecordsError, migrate
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from tests.evidence.test_records_sql import CONFIRMED, RECORD


def test_cases_and_decisions_are_kept_on_both(database: Database) -> None:
    records = SqlRecords(database)
    assert records.add_case(RECORD)
    assert not records.add_case(RECORD)
    assert records.decide("c1", CONFIRMED).reviews == (CONFIRMED,)
    assert [case.record for case in records.page(CaseFilter(), after_number=None, limit=9)] == [RECORD]


def test_a_broken_transaction_leaves_nothing(database: Database) -> None:
    def break_off() -> None:
        with database.write() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_writers_follow_each_other(database: Database) -> None:
    """Each adds one to what it read: none is lost."""
    with database.write() as connection:
        connection.execute(text("CREATE TABLE tally (n INTEGER)"))
        connection.execute(text("INSERT INTO tally VALUES (0)"))

    def add_often() -> None:
        for _ in range(10):
            with database.write() as connection:
                before = connection.execute(text("SELECT n FROM tally")).scalar_one()
                connection.execute(text("UPDATE tally SET n = :n"), {"n": before + 1})

    threads = [threading.Thread(target=add_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(text("SELECT n FROM tally")).scalar() == 40


def test_a_reader_sees_one_state(database: Database) -> None:
    with database.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM cases")).scalar() == 0
        SqlRecords(database).add_case(RECORD)
        assert reader.execute(text("SELECT count(*) FROM cases")).scalar() == 0


def test_a_writer_that_keeps_the_lock_is_told_as_busy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidence.database.BUSY_TIMEOUT_MS", 100)
    with (
        closing(Database(database.place)) as impatient,
        database.write(),
        pytest.raises(RecordsBusyError, match="try again"),
        impatient.write(),
    ):
        pass


def test_tables_go_down_and_up_again_with_their_cases(database: Database) -> None:
    SqlRecords(database).add_case(RECORD)
    migrate(database.place, "0001")
    migrate(database.place)
    assert SqlRecords(database).case("c1") is not None
    migrate(database.place, "base")
    with database.read() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}


def test_a_database_of_something_else_is_left_alone(postgresql_address: str) -> None:
    with closing(Database(postgresql_address)) as database:
        with database.write() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
        with pytest.raises(RecordsError, match="something else"):
            Database(postgresql_address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql://u@h/n", "write it like postgresql://"),
        ("nonsense", "write it like"),
        ("postgresql://u@h", "write it"),
    ],
)
def test_an_address_that_is_none_is_said(address: str, words: str) -> None:
    with pytest.raises(RecordsError, match=words):
        Database(address)


def test_a_server_that_is_away_is_told_without_the_password() -> None:
    with pytest.raises(RecordsBusyError, match="does not answer") as told:
        Database("postgresql://u:secret@127.0.0.1:1/n")
    assert "secret" not in str(told.value)
