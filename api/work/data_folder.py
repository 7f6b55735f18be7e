"""Opens a data folder that ``stopline replay`` filled, for review."""

from __future__ import annotations

from pathlib import Path

from api.work.packages import FolderPackages
from api.work.review import Clock, ReviewDesk
from evidence.records_sql import SqlRecords
from rules.errors import StoplineError

RECORDS_FILE = "records.sqlite"


class DataFolderError(StoplineError):
    """A folder without cases to show."""

    code = "input_unreadable"


def open_records(folder: Path) -> SqlRecords:
    """The records of the folder, to be closed by the caller. Raises DataFolderError, and RecordsError for a damaged file."""
    if not folder.is_dir():
        raise DataFolderError(f"{folder} is not a folder; give the one that 'stopline replay --out' filled")
    if not (folder / RECORDS_FILE).is_file():
        raise DataFolderError(
            f"{folder} holds no {RECORDS_FILE}; give a folder that 'stopline replay --out' filled"
        )
    return SqlRecords(folder / RECORDS_FILE, create=False)


def review_desk(folder: Path, records: SqlRecords, clock: Clock) -> ReviewDesk:
    """A desk over the folder's records and packages."""
    return ReviewDesk(records, FolderPackages(folder), clock)
