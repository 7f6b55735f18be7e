"""Backups: a database of either kind from either kind, whole or not at all."""

from __future__ import annotations

import gzip
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from evidence.database import Database, RecordsError, migrate
from evidence.records import CaseFilter
from evidence.records_backup import BackupError, restore_backup, write_backup
from evidence.records_sql import SqlRecords
from tests.evidence.test_records_sql import CONFIRMED, RECORD
from tests.postgresql_server import PostgresqlServer


def filled(database: Database) -> SqlRecords:
    records = SqlRecords(database)
    for number in range(3):
        records.add_case(replace(RECORD, id=f"c{number}"))
    records.decide("c1", CONFIRMED)
    return records


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a new database may be made, of either kind."""
    if request.param == "sqlite":
        return tmp_path / "restored.sqlite"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = f"restored_{uuid.uuid4().hex}"
    server.run("createdb", name)
    return server.address(name)


def test_what_was_kept_is_there_again_and_goes_on(
    database: Database, elsewhere: Path | str, tmp_path: Path
) -> None:
    before = filled(database).page(CaseFilter(), after_number=None, limit=9)
    path = tmp_path / "backup.gz"
    rows = write_backup(database, path)
    assert rows >= 4, "three cases and a review"
    assert path.stat().st_mode & 0o077 == 0
    assert restore_backup(path, elsewhere) == rows
    with closing(SqlRecords(Database(elsewhere))) as again:
        assert again.page(CaseFilter(), after_number=None, limit=9) == before
        again.add_case(replace(RECORD, id="c9"))
        assert again.page(CaseFilter(), after_number=None, limit=9)[-1].number > before[-1].number


def test_a_backup_of_an_older_version_is_brought_up_to_date(database: Database, tmp_path: Path) -> None:
    filled(database)
    migrate(database.place, "0005")
    path = tmp_path / "backup.gz"
    with closing(Database(database.place, upgrade=False)) as older:
        write_backup(older, path)
    restore_backup(path, tmp_path / "new.sqlite")
    with closing(SqlRecords(tmp_path / "new.sqlite")) as again:
        assert len(again.page(CaseFilter(), after_number=None, limit=9)) == 3


def test_a_backup_replaces_neither_a_file_nor_rows(database: Database, tmp_path: Path) -> None:
    filled(database)
    path = tmp_path / "backup.gz"
    write_backup(database, path)
    whole = path.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        write_backup(database, path)
    assert path.read_bytes() == whole
    with pytest.raises(RecordsError, match="is not new"):
        restore_backup(path, database.place)
    assert len(SqlRecords(database).page(CaseFilter(), after_number=None, limit=9)) == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [line.replace(b"c1", b"cX") for line in lines],
        lambda lines: [b'{"format":"other"}\n', *lines[1:]],
        lambda lines: [],
    ],
)
def test_what_is_not_whole_is_refused_and_nothing_is_made(spoil: object, tmp_path: Path) -> None:
    assert callable(spoil)
    with closing(Database(tmp_path / "records.sqlite")) as database:
        filled(database)
        path = tmp_path / "backup.gz"
        write_backup(database, path)
    path.write_bytes(
        gzip.compress(b"".join(spoil(gzip.decompress(path.read_bytes()).splitlines(keepends=True))))
    )
    with pytest.raises(BackupError):
        restore_backup(path, tmp_path / "new.sqlite")
    assert not (tmp_path / "new.sqlite").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"text\n" * 9)[:-9]],
    ids=["empty", "no gzip", "cut off"],
)
def test_a_file_that_is_none_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    path.write_bytes(content)
    with pytest.raises(BackupError, match=r"backup.gz"):
        restore_backup(path, tmp_path / "new.sqlite")


def test_rows_that_no_table_takes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    with closing(Database(tmp_path / "records.sqlite")) as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE extra (id INTEGER PRIMARY KEY)"))
            connection.execute(text("INSERT INTO extra VALUES (1)"))
        write_backup(database, path)
    with pytest.raises(BackupError, match="'extra'"):
        restore_backup(path, tmp_path / "new.sqlite")
