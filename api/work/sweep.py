"""Finishes or removes what a crash left in a data folder and in the store of its packages."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from api.clock import Clock
from api.work.custody import open_custody
from api.work.data_folder import open_records
from api.work.package_store import open_store
from api.work.run_folder import locked
from evidence.delivery import SweepReport
from evidence.delivery import sweep as sweep_folder
from evidence.signing import Signer

if TYPE_CHECKING:  # only who uses a bucket loads what speaks to one
    from evidence.bucket import Bucket


def sweep(data: Path, bucket: Bucket | None, signer: Signer | None, clock: Clock) -> SweepReport:
    """Every sealed package of the spool is stored and recorded, and scratch is gone.

    Raises DataFolderError, UsageError where a run is writing there, and what the store and the records raise: what
    was not stored then stays for another sweep.
    """
    with closing(open_records(data)) as records, locked(data):
        store = open_store(data, bucket, clock.now)
        store.check()
        return sweep_folder(data, store, open_custody(data, records, signer, clock.now))


def as_lines(report: SweepReport) -> Sequence[str]:
    """The report for people."""
    lines = [f"finished: {case_id}" for case_id in report.finished]
    lines += [f"removed: {name}" for name in report.removed]
    lines += [
        f"not recorded: {case_id}: a whole package that no record lists; nobody sees it on the review page. 'stopline "
        "replay --resume' of its recording records it again, or put back the records from a backup"
        for case_id in report.unrecorded
    ]
    return [
        *lines,
        f"{len(report.finished)} finished, {len(report.removed)} removed, {len(report.unrecorded)} not recorded",
    ]
