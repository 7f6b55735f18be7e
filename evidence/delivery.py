"""Takes sealed packages from the spool to the store and the records, each step repeatable, and finishes what a crash left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from evidence import manifest
from evidence.custody import Custody
from evidence.durable import Disk
from evidence.manifest import Summary
from evidence.ports import EvidenceRef
from evidence.records import CaseRecord
from evidence.spool import Spool
from evidence.store import PackageStore

SPOOL_FOLDER = "spool"


class HasPaths(Protocol):
    """Knows where packages are, or will be."""

    def path_of(self, case_id: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What a sweep did and found: ids it ``finished``, scratch it ``removed``, and packages that no record lists."""

    finished: tuple[str, ...]
    removed: tuple[str, ...]
    unrecorded: tuple[str, ...]


class Delivery(Protocol):
    """Takes sealed entries of the spool further, for whoever builds them; used from the builder's thread."""

    def again(self, case_id: str, record_of: Callable[[EvidenceRef], CaseRecord]) -> EvidenceRef | None:
        """The package that an earlier run made for that id, which is then delivered as far as can be; None: there is none."""
        ...

    def path_of(self, case_id: str) -> str:
        """Where the package will be, as ``PackageStore.path_of``."""
        ...

    def take(self, case_id: str) -> bool:
        """The sealed entry will be stored and recorded. False where the record is known to have been there."""
        ...

    def advance(self, camera_id: str) -> None:
        """To be told now and then of every camera that is watched: its checkpoints are made."""
        ...

    def full(self) -> str | None:
        """Why there is no room for another entry; None where there is."""
        ...

    def wait_for_room(self) -> str | None:
        """As ``full``, after waiting for room as long as that makes sense."""
        ...


class InlineDelivery:
    """A Delivery that does everything at once, in the builder's thread, and raises what goes wrong."""

    def __init__(
        self, data_dir: Path, store: PackageStore, custody: Custody, disk: Disk | None = None
    ) -> None:
        self._spool = Spool(data_dir / SPOOL_FOLDER, Disk() if disk is None else disk)
        self._store, self._custody = store, custody

    def again(self, case_id: str, record_of: Callable[[EvidenceRef], CaseRecord]) -> EvidenceRef | None:
        """As a Delivery; every file of the package is verified, and where the record was lost it is recorded."""
        if self._spool.is_sealed(case_id):
            deliver(case_id, self._spool, self._store, self._custody)
        ref = verified_ref(case_id, self._store)
        if ref is not None:
            self._custody.add_case(record_of(ref))
        return ref

    def path_of(self, case_id: str) -> str:
        return self._store.path_of(case_id)

    def take(self, case_id: str) -> bool:
        return deliver(case_id, self._spool, self._store, self._custody)

    def advance(self, camera_id: str) -> None:
        self._custody.advance(camera_id)

    def full(self) -> str | None:
        return None

    def wait_for_room(self) -> str | None:
        return None


def sealed_ref(case_id: str, found: Summary, store: HasPaths) -> EvidenceRef:
    """Where the case's package stands in the store, and what its manifest says of it."""
    path = store.path_of(case_id)
    return EvidenceRef(
        evidence_path=path,
        manifest_path=f"{path}/{manifest.NAME}",
        manifest_sha256=found.sha256,
        package=found.package,
        reasons=found.reasons,
    )


def verified_ref(case_id: str, store: PackageStore) -> EvidenceRef | None:
    """The reference to a package in the store, every file of it verified; None where there is none.

    Raises PackageDamagedError for one that is not whole.
    """
    if not store.has(case_id):
        return None
    return sealed_ref(case_id, manifest.verified(case_id, partial(store.read, case_id)), store)


def deliver(case_id: str, spool: Spool, store: PackageStore, custody: Custody) -> bool:
    """The sealed entry is in the store, recorded and linked, and gone from the spool. True where the record is new.

    After a crash between any two of these steps the same call finishes them. Raises what the store, the
    spool and the custody raise; the entry then stays for a later call. A case whose time was over
    before is not stored again.
    """
    record = spool.record(case_id)
    before = custody.records.case(case_id)
    if before is not None and before.removal is not None:
        spool.done(case_id)
        return False
    store.put(case_id, spool.package(case_id))
    is_new = custody.add_case(record)
    spool.done(case_id)
    return is_new


def sweep(data_dir: Path, store: PackageStore, custody: Custody, disk: Disk | None = None) -> SweepReport:
    """Everything that a crash left in the data folder and in its store is finished or removed; run it while nobody
    writes there.

    As ``finish`` does for the spool; in the store, what is half-written and belongs to nothing is removed. Raises
    what ``finish`` raises.
    """
    finished, removed = finish(data_dir, store, custody, disk)
    removed = (*removed, *store.clear_scratch())
    unrecorded = tuple(case_id for case_id in store.ids() if custody.records.case(case_id) is None)
    return SweepReport(finished=finished, removed=removed, unrecorded=unrecorded)


def finish(
    data_dir: Path, store: PackageStore, custody: Custody, disk: Disk | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The spool is empty: the ids that were finished, and the names of the scratch that was removed.

    A sealed entry is verified, stored and recorded; what was not sealed is removed (the rules will find it again).
    Raises PackageDamagedError for a sealed entry that is not whole, and what store and records raise: it stays.
    """
    spool = Spool(data_dir / SPOOL_FOLDER, Disk() if disk is None else disk)
    removed = spool.clear_scratch()
    finished = spool.sealed_ids()
    for case_id in finished:
        manifest.verified(case_id, partial(spool.read, case_id))
        deliver(case_id, spool, store, custody)
    return finished, removed
