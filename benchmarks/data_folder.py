"""Looks at a data folder of the drawn street as a reader would, and holds it against one that was never disturbed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.street_run import EVENTS
from evidence import manifest
from evidence.chain_file import FOLDER
from evidence.durable import Disk
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from evidence.store_local import LocalStore
from evidence.verification import State, Trust
from evidence.verify_chain import find_chains
from evidence.verify_folder import verify_data_folder

RECORDS = "records.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What stands in a data folder: files of the store, records in order, events, names left in the spool.

    ``linked`` are the manifests that its chains say were made, and ``wrong`` what does not verify.
    """

    files: dict[str, bytes]
    records: tuple[str, ...]
    events: bytes
    left: tuple[str, ...]
    linked: tuple[str, ...]
    wrong: tuple[str, ...]

    def first_difference(self, other: Content) -> str:
        """The first thing in which the other differs; empty where it is the same."""
        for name in sorted({*self.files, *other.files}):
            if self.files.get(name) != other.files.get(name):
                return name
        if self.records != other.records:
            return RECORDS
        if self.events != other.events:
            return EVENTS
        if (self.linked, self.wrong) != (other.linked, other.wrong):
            return ", ".join((FOLDER, *other.wrong))
        return "" if self.left == other.left else ", ".join(("spool", *other.left))


def listed_whole(folder: Path) -> int:
    """How many cases are listed. Raises PackageMissingError or PackageDamagedError where one of them is not whole."""
    if not (folder / RECORDS).is_file():
        return 0
    store = LocalStore(folder, Disk())
    with closing(SqlRecords(folder / RECORDS)) as records:
        cases = records.page(CaseFilter(), after_number=None, limit=1_000)
    for case in cases:
        found = manifest.verified(case.record.id, partial(store.read, case.record.id))
        if found.sha256 != case.record.manifest_sha256:
            raise AssertionError(f"{case.record.id} is recorded with another manifest")
    return len(cases)


def content(folder: Path) -> Content:
    """All of it, for comparison."""
    with closing(SqlRecords(folder / RECORDS)) as records:
        cases = records.page(CaseFilter(), after_number=None, limit=1_000)
    spool = folder / "spool"
    trust = Trust()
    return Content(
        linked=tuple(
            sorted(
                link.manifest_sha256
                for chain in find_chains(folder / FOLDER, trust)
                for link in chain.cases()
            )
        ),
        wrong=tuple(
            f"{part.name} {check.subject}: {check.says}"
            for part in verify_data_folder(folder, trust).parts
            for check in part.checks
            if check.state is State.FAILED
        ),
        files={
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted((folder / "evidence").rglob("*"))
            if path.is_file()
        },
        records=tuple(sorted(case.record.event_json for case in cases)),
        events=(folder / EVENTS).read_bytes(),
        left=tuple(sorted(path.name for path in spool.iterdir())) if spool.is_dir() else (),
    )
