"""Where the cases of a run go: the store of their packages, the records and the custody of a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.clock import Clock
from api.work.custody import open_custody
from api.work.data_folder import RECORDS_FILE
from api.work.package_store import STORE_FILE, open_store
from evidence.chain_file import FOLDER as CUSTODY_FOLDER
from evidence.custody import Custody
from evidence.delivery import SPOOL_FOLDER, finish
from evidence.records_sql import SqlRecords
from evidence.signing import Signer
from evidence.store import PackageStore
from evidence.store_local import FOLDER as EVIDENCE_FOLDER

if TYPE_CHECKING:  # only who uses a bucket loads what speaks to one
    from evidence.store_s3 import Bucket

EVIDENCE = (
    EVIDENCE_FOLDER,
    CUSTODY_FOLDER,
    SPOOL_FOLDER,
    STORE_FILE,
    *(RECORDS_FILE + end for end in ("", "-shm", "-wal")),
)
"""What a run leaves in its folder besides the results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """The store and the custody that the cases of a run go to."""

    store: PackageStore
    custody: Custody


@contextmanager
def opened_evidence(
    data: Path, bucket: Bucket | None, signer: Signer | None, clock: Clock
) -> Iterator[RunEvidence]:
    """What takes the cases of a run in that data folder; what a crash left there is finished.

    Raises StorePlaceError, KeysError, and what store, records and disk raise.
    """
    store = open_store(data, bucket, clock.now, create=True)
    store.check()
    with closing(SqlRecords(data / RECORDS_FILE)) as records:
        custody = open_custody(data, records, signer, clock.now)
        finish(data, store, custody)
        yield RunEvidence(store=store, custody=custody)
