"""The tables can be made, taken back and made again with data in them, and equal what the code expects."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, create_engine

import api.records
from evidence.database import RecordsError, migrate
from evidence.records import CaseFilter, Decision
from evidence.records_sql import SqlRecords
from evidence.records_tables import METADATA
from tests.builders.signing import a_custody
from tests.evidence.test_records_sql import CONFIRMED, RECORD

for module in pkgutil.iter_modules(api.records.__path__):
    importlib.import_module(f"api.records.{module.name}")  # they add their tables to METADATA


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    names = {
        row[0]
        for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not row[0].startswith("sqlite_")
    }
    connection.close()
    return names


def test_up_down_and_up_again_with_data(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    records = SqlRecords(path)
    records.add_case(RECORD)
    records.decide(RECORD.id, CONFIRMED)
    records.close()

    migrate(path, "0002")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT id, decision FROM cases").fetchall() == [("c1", "confirmed")]
    assert "time_zone" not in [row[1] for row in connection.execute("PRAGMA table_info(cases)")]
    connection.close()

    migrate(path, "0001")
    assert tables(path) == {"cases", "alembic_version"}
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT id, plate_text FROM cases").fetchall() == [("c1", RECORD.plate_text)]
    connection.close()

    records = SqlRecords(path)
    (case,) = records.page(CaseFilter(), after_number=None, limit=2)
    assert case.record == replace(RECORD, time_zone="UTC"), "the zone that was taken back is not known again"
    assert (case.decision, case.reviews) == (Decision.OPEN, ())
    assert records.decide(RECORD.id, CONFIRMED).decision is Decision.CONFIRMED
    records.close()

    migrate(path, "base")
    assert tables(path) == {"alembic_version"}
    records = SqlRecords(path)
    assert records.page(CaseFilter(), after_number=None, limit=2) == []
    records.close()


def test_the_migrated_tables_are_those_of_the_code(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    SqlRecords(path).close()
    engine = create_engine(URL.create("sqlite", database=str(path)))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_opening_an_up_to_date_file_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    SqlRecords(path).close()
    before = path.read_bytes()
    SqlRecords(path, create=False).close()
    assert path.read_bytes() == before


def test_a_file_of_a_newer_version_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    SqlRecords(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(RecordsError, match="revision 9999"):
        SqlRecords(path)
    assert tables(path) == {*METADATA.tables, "alembic_version"}


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    migrate(path, "0001")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE reviews (something TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(RecordsError, match="already exists"):
        SqlRecords(path)
    connection = sqlite3.connect(path)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(cases)")]
    version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    connection.close()
    assert "decision" not in columns
    assert version == [("0001",)]


def test_an_unknown_revision_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        RecordsError,
        match="no revision nonsense; known are 0014, 0013, 0012, 0011, 0010, 0009, 0007, "
        "0006, 0005, 0004, 0003, 0002, 0001 and base",
    ):
        migrate(tmp_path / "records.sqlite", "nonsense")


def test_two_that_open_a_new_file_at_once_both_succeed(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def open_it() -> None:
        start.wait(timeout=30)
        try:
            SqlRecords(path).close()
        except BaseException as exc:  # noqa: BLE001 - the test reports it
            failures.append(exc)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert tables(path) == {*METADATA.tables, "alembic_version"}


def test_what_is_left_of_removed_cases_is_not_listed_by_an_older_version(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    records = SqlRecords(path)
    for number in (1, 2):
        record = replace(RECORD, id=f"c{number}", manifest_sha256=f"{number:064x}")
        a_custody(tmp_path, records).add_case(record)
        records.decide(record.id, CONFIRMED)
    case = records.case("c1")
    assert case is not None
    assert a_custody(tmp_path, records).bury(case) is not None
    records.close()
    migrate(path, "0004")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT id FROM cases").fetchall() == [("c2",)]
    assert connection.execute("SELECT count(*) FROM links").fetchone() == (3,)
    connection.close()
    migrate(path)
