"""Where a data folder's records are: a SQLite file in it, or the PostgreSQL database that the folder remembers."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UsageError
from evidence.canonical import json_bytes
from evidence.durable import Disk
from rules.errors import StoplineError

if TYPE_CHECKING:  # only who opens records loads what speaks SQL
    from evidence.database import Database

RECORDS_FILE = "records.sqlite"
DATABASE_FILE = "database.json"
FORMAT = "stopline-database/1"


class RecordsPlaceError(StoplineError):
    """The folder does not say where its records are; the text says what to do."""

    code = "config_invalid"


def records_address(folder: Path) -> Path | str:
    """The file, or the address of the database without its password. Raises RecordsPlaceError.

    The password is libpq's matter: its password file (~/.pgpass, or what PGPASSFILE names) has it.
    """
    path = folder / DATABASE_FILE
    if not path.is_file():
        return folder / RECORDS_FILE
    try:
        said = json.loads(Disk().read(path))
        if said["format"] != FORMAT or not isinstance(said["address"], str):
            raise ValueError("not the format of this version")
        return str(said["address"])
    except (ValueError, KeyError, TypeError) as exc:
        raise RecordsPlaceError(
            f"{path} does not say where the folder's records are ({exc}); put it back from a backup"
        ) from exc


def has_records(folder: Path) -> bool:
    """Whether the folder has records, in it or in the database that it remembers."""
    return is_in_database(folder) or (folder / RECORDS_FILE).is_file()


def is_in_database(folder: Path) -> bool:
    """Whether the folder's records are in a database of PostgreSQL."""
    return (folder / DATABASE_FILE).is_file()


def open_database(folder: Path, *, create: bool = True) -> Database:
    """The folder's records, to be closed by the caller. Raises RecordsPlaceError, and what Database raises."""
    from evidence.database import Database

    return Database(records_address(folder), create=create)


def move_records(folder: Path, address: str) -> int:
    """The folder's records are in that new database from now on; returns how many rows were moved.

    What was in the file is in the database, and the file keeps it under another name. Nothing may use the folder
    meanwhile. Raises UsageError where they are in a database already, or the address holds a password.
    """
    from evidence.database import Database
    from evidence.records_backup import restore_backup, write_backup

    if is_in_database(folder):
        raise UsageError(f"{folder}: its records are in {records_address(folder)} already")
    if "@" in address and ":" in address.partition("://")[2].rpartition("@")[0]:
        raise UsageError(
            "the address holds a password, which would be written down: put it into ~/.pgpass (libpq's)"
        )
    file = folder / RECORDS_FILE
    rows = 0
    if file.is_file():
        copy = folder / f"{RECORDS_FILE}.moving.gz"
        copy.unlink(missing_ok=True)
        try:
            with closing(Database(file, create=False)) as database:
                write_backup(database, copy)
            rows = restore_backup(copy, address)
        finally:
            copy.unlink(missing_ok=True)
    else:
        Database(address).close()
    Disk().replace(folder / DATABASE_FILE, json_bytes({"format": FORMAT, "address": address}))
    if file.is_file():
        file.rename(folder / f"moved-{RECORDS_FILE}")  # closed: its log is in it, and gone
    return rows


def back_up(folder: Path, path: Path) -> int:
    """The backup of the folder's records stands; returns its number of rows. Raises UsageError, BackupError."""
    from evidence.records_backup import write_backup

    if not has_records(folder):
        raise UsageError(
            f"{folder} holds no records; give a folder that 'stopline replay --out' or 'watch' filled"
        )
    with closing(open_database(folder, create=False)) as database:
        return write_backup(database, path)


def restore(folder: Path, path: Path) -> int:
    """The folder's records, which must be new, are those of the backup; returns how many rows. Raises RecordsError."""
    from evidence.records_backup import restore_backup

    Disk().make_folder(folder)
    return restore_backup(path, records_address(folder))
