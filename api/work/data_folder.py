"""Opens a data folder that ``stopline replay`` filled, for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from api.clock import Now
from api.work.package_store import derived_files
from api.work.packages import Packages
from api.work.records_place import RECORDS_FILE, has_records, open_database
from api.work.review import ReviewDesk
from api.work.trial import Trial, trials
from evidence.database import RecordsError
from evidence.derived import DerivedFiles
from evidence.durable import Disk
from evidence.records import CaseRecord
from evidence.records_sql import SqlRecords
from evidence.store import PackageStore
from evidence.store_local import LocalStore
from rules.errors import StoplineError


class DataFolderError(StoplineError):
    """A folder whose cases cannot be shown; the text says why."""

    code = "input_unreadable"


def open_records(folder: Path) -> SqlRecords:
    """The records of the folder, to be closed by the caller. Raises DataFolderError."""
    wanted = "give the one that 'stopline replay --out' filled"
    if not folder.is_dir():
        raise DataFolderError(f"{folder} is not a folder; {wanted}")
    if not has_records(folder):
        raise DataFolderError(f"{folder} holds no {RECORDS_FILE}; {wanted}")
    try:
        return SqlRecords(open_database(folder, create=False))
    except RecordsError as exc:
        raise DataFolderError(str(exc)) from exc


def review_desk(folder: Path, records: SqlRecords, now: Now, store: PackageStore | None = None) -> ReviewDesk:
    """A desk over the folder's records, and the packages in ``store`` (None: in the folder itself)."""
    held = LocalStore(folder, Disk()) if store is None else store

    def derived(case_id: str) -> DerivedFiles:
        return derived_files(folder, held, case_id)

    def on_trial(found: Sequence[CaseRecord]) -> Mapping[str, Trial | None]:
        with records.database.read() as tx:
            return trials(tx, found, now())

    return ReviewDesk(records, Packages(held, derived), now, on_trial)
