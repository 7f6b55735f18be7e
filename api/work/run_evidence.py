"""Where the cases of a run go: the store of their packages, the records and the custody of a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.clock import Clock
from api.errors import UndeliveredError
from api.work.custody import custody_fields, open_custody
from api.work.package_store import STORE_FILE, is_in_bucket, open_store
from api.work.records_place import RECORDS_FILE, has_records, open_database
from api.work.review_copy import copy_clips, newest_number
from evidence.budget import Budget
from evidence.chain_file import FOLDER as CUSTODY_FOLDER
from evidence.courier import Courier, Pace
from evidence.custody import Custody
from evidence.database import Database, RecordsError
from evidence.delivery import SPOOL_FOLDER
from evidence.durable import Disk
from evidence.errors import DiskError, DiskFullError, StoreRefusedError, StoreUnavailableError
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from evidence.signing import Signer
from evidence.spool import Spool
from evidence.store_local import FOLDER as EVIDENCE_FOLDER

if TYPE_CHECKING:  # only who uses a bucket loads what speaks to one
    from evidence.bucket import Bucket

EVIDENCE = (
    EVIDENCE_FOLDER,
    CUSTODY_FOLDER,
    SPOOL_FOLDER,
    STORE_FILE,
    *(RECORDS_FILE + end for end in ("", "-shm", "-wal")),
)
"""What a run leaves in its folder besides the results."""

PACE = Pace()
"""How patiently a run asks for a store or records that are away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """The custody that the cases of a run are in, who brings them there and to their store, and the records' database."""

    custody: Custody
    courier: Courier
    database: Database
    data: Path
    is_demo_key: bool

    def ended(self, camera_id: str) -> dict[str, Any] | None:
        """What the summary says of the chain, as of a checkpoint that stands now; None while records or disk are away.

        Everything was delivered before, as far as can be.
        """
        self.courier.close()
        try:
            return custody_fields(self.custody.checkpoint(camera_id), is_demo=self.is_demo_key)
        except (RecordsError, DiskFullError, DiskError):
            if self.courier.trouble is None:
                raise
            return None

    def require_delivered(self, out: Path) -> None:
        """Everything was delivered. Raises UndeliveredError, which says how to go on; the results stand in ``out``."""
        waiting = self.courier.waiting
        if waiting:
            raise UndeliveredError(
                f"{len(waiting)} sealed packages wait in {self.data / SPOOL_FOLDER}, and the results stand in {out}: "
                f"{self.courier.trouble}. When that is mended, 'stopline evidence sweep --data {self.data}' delivers them"
            )


@contextmanager
def opened_evidence(
    data: Path,
    bucket: Bucket | None,
    signer: Signer | None,
    budget: Budget,
    clock: Clock,
    *,
    goes_on: bool = False,
) -> Iterator[RunEvidence]:
    """What takes the cases of a run in that data folder; what a crash left there is finished meanwhile, and clips that no
    browser plays have a copy afterwards, where the store has room and answers. ``goes_on``: an earlier part of the run was
    interrupted.

    A store that does not answer is waited for; one that refuses ends the run before it begins. Raises StorePlaceError,
    KeysError, StoreRefusedError, PackageDamagedError for a sealed package that is not whole, and what records and disk
    raise.
    """
    store = open_store(data, bucket, clock.now, create=True)
    with suppress(StoreUnavailableError):
        store.check()
    with closing(SqlRecords(open_database(data))) as records:
        custody = open_custody(data, records, signer, clock.now)
        # A bucket is asked about this run's cases only: each costs a request. One that goes on may have left half a copy.
        before = newest_number(records) if is_in_bucket(data) and not goes_on else None
        with Courier(data, store, custody, budget=budget, pace=PACE) as courier:
            yield RunEvidence(
                custody=custody,
                courier=courier,
                database=records.database,
                data=data,
                is_demo_key=signer is None,
            )
        # 'stopline evidence copy' makes what is missing
        with suppress(DiskFullError, DiskError, RecordsError, StoreUnavailableError, StoreRefusedError):
            for _ in copy_clips(data, store, records, custody.signer, clock.now, before):
                pass


def has_cases(data: Path) -> bool:
    """Whether anything is sealed or recorded in the data folder."""
    if Spool(data / SPOOL_FOLDER, Disk()).sealed_ids():
        return True
    if not has_records(data):
        return False
    with closing(SqlRecords(open_database(data))) as records:
        return bool(records.page(CaseFilter(), after_number=None, limit=1))
