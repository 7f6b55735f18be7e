"""All that a database keeps as one file, and a database from such a file: the same one, or one of the other kind."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, select, text

from evidence.database import Database, RecordsError, migrate

FORMAT = "stopline-records/1"
ROWS_AT_ONCE = 500
VERSIONS = "alembic_version"


class BackupError(RecordsError):
    """A backup that cannot be written, or is not whole; nothing was changed."""

    code = "backup"


def write_backup(database: Database, path: Path) -> int:
    """The file holds every row as one state of the database, and can be read by its owner only; returns how many rows.

    Lines of JSON, gzip-compressed: a head with the tables' revision, a line for each row, and a foot with their number and
    SHA-256. Raises BackupError where the file exists or cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        if path.exists():
            raise BackupError(path, "exists already; a backup replaces nothing, so give another name")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with (
                gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as lines,
                database.read() as connection,
            ):
                rows = _write(lines, connection)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise BackupError(path, exc.strerror or str(exc)) from exc
    return rows


def restore_backup(path: Path, address: Path | str) -> int:
    """The database, which must be new, holds what the backup does, in the newest tables; returns how many rows.

    All of it happened, or nothing. Raises BackupError for a file that is not whole, and RecordsError where the database
    holds something or is of an older version than the backup.
    """
    revision, rows = _checked(path)
    with closing(Database(address)) as database, database.read() as connection:
        for table in _tables(connection).values():
            if connection.execute(select(func.count()).select_from(table)).scalar_one():
                raise RecordsError(database.place, f"is not new: its table {table.name} holds rows")
    migrate(address, revision)
    with closing(Database(address, upgrade=False)) as database, database.write() as connection:
        tables = _tables(connection)
        for name, values in _together(_rows(path)):
            if name not in tables:
                raise BackupError(path, f"has rows of {name!r}, which revision {revision} does not know")
            table = tables[name]
            connection.execute(table.insert(), [_values(table, row) for row in values])
        if connection.dialect.name == "postgresql":
            _go_on_counting(connection, tables)
    migrate(address)
    return rows


def _write(lines: gzip.GzipFile, connection: Connection) -> int:
    tables = _tables(connection)
    revision = connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalar_one()
    digest = hashlib.sha256()
    rows = 0
    for line in _lines(connection, tables, revision):
        digest.update(line)
        lines.write(line)
        rows += 1
    foot = {"rows": rows - 1, "sha256": digest.hexdigest()}
    lines.write(json.dumps(foot).encode() + b"\n")
    return rows - 1


def _lines(connection: Connection, tables: Mapping[str, Table], revision: str) -> Iterator[bytes]:
    yield json.dumps({"format": FORMAT, "revision": revision}).encode() + b"\n"
    for name, table in tables.items():
        wanted = select(table).order_by(*table.primary_key.columns)
        for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(wanted):
            plain = {key: _plain(value) for key, value in row._mapping.items()}
            yield json.dumps([name, plain], ensure_ascii=False).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def _values(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in row.items():
        kind = table.c[key].type.python_type
        if value is not None and kind is datetime:
            values[key] = datetime.fromisoformat(value)
        elif value is not None and kind is bytes:
            values[key] = bytes.fromhex(value)
        elif value is not None and kind is bool:
            values[key] = bool(value)
        else:
            values[key] = value
    return values


def _tables(connection: Connection) -> dict[str, Table]:
    """The tables as they are, each after those that it refers to."""
    found = MetaData()
    found.reflect(connection)
    return {table.name: table for table in found.sorted_tables if table.name != VERSIONS}


def _together(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Rows of one table that follow each other, not too many at once."""
    together: list[Mapping[str, Any]] = []
    before = ""
    for name, row in rows:
        if together and (name != before or len(together) == ROWS_AT_ONCE):
            yield before, together
            together = []
        before = name
        together.append(row)
    if together:
        yield before, together


def _go_on_counting(connection: Connection, tables: Mapping[str, Table]) -> None:
    for table in tables.values():
        for column in table.primary_key.columns:
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:name, :column)"),
                {"name": table.name, "column": column.name},
            ).scalar()
            if sequence is not None:
                newest = connection.execute(select(func.max(column))).scalar()
                if newest is not None:
                    connection.execute(
                        text("SELECT setval(:sequence, :newest)"), {"sequence": sequence, "newest": newest}
                    )


def _checked(path: Path) -> tuple[str, int]:
    """The revision of the backup's tables and its number of rows. Raises BackupError where it is not whole."""
    digest = hashlib.sha256()
    rows = -1
    revision = ""
    last = b""
    for line in _read(path):
        if last:
            digest.update(last)
            if rows < 0:
                revision = _head(path, last)
            rows += 1
        last = line
    try:
        foot = json.loads(last)
        is_whole = rows >= 0 and foot == {"rows": rows, "sha256": digest.hexdigest()}
    except ValueError:
        is_whole = False
    if not is_whole:
        raise BackupError(path, "is not whole: its foot does not fit; take another backup")
    return revision, rows


def _head(path: Path, line: bytes) -> str:
    try:
        head = json.loads(line)
        if head["format"] != FORMAT:
            raise ValueError
        return str(head["revision"])
    except (ValueError, KeyError, TypeError) as exc:
        raise BackupError(path, "is no backup of records") from exc


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    last = b""
    for number, line in enumerate(_read(path)):
        if number > 1:
            name, values = json.loads(last)
            yield name, values
        last = line


def _read(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as exc:
        raise BackupError(path, getattr(exc, "strerror", None) or f"is not whole: {exc}") from exc
