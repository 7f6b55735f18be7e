"""Has an authority outside stamp the time on cases' manifests, and keeps its word beside each package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.errors import UsageError
from api.work.custody import DEMO_KEY
from api.work.data_folder import open_records
from api.work.package_store import derived_files
from api.work.packages import Packages
from evidence.chain_file import FOLDER
from evidence.derived import DerivedCopies, DerivedKind
from evidence.keys import demo_signer
from evidence.records import Case, CaseFilter, Records
from evidence.signing import Signer
from evidence.store import PackageStore
from evidence.time_stamp import TOKEN

PAGE = 200

AskTime = Callable[[bytes], bytes]
"""The token that an authority gives for these bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRequest:
    """The data folder, and the case in it; None: all that have no time stamp yet."""

    data: Path
    case_id: str | None


def stamp(
    request: StampRequest,
    store: PackageStore,
    signer: Signer | None,
    ask: AskTime,
    now: Callable[[], datetime],
) -> Iterator[str]:
    """Yields the id of each case whose manifest has a time stamp from now on; one that has one already is left alone.

    ``signer`` signs the list of what stands beside the package; None: the folder's demo key. Raises UsageError for an unknown
    case or where no key is there, what ``ask`` and ``store`` raise, and PackageMissingError and PackageDamagedError.
    """
    if signer is None:
        if not (request.data / FOLDER / DEMO_KEY).is_file():
            raise UsageError(f"{request.data}: set STOPLINE_KEYS to the folder of the key that signs here")
        signer = demo_signer(request.data / FOLDER / DEMO_KEY)
    packages = Packages(store)
    with closing(open_records(request.data)) as records:
        for case in _wanted(request, records):
            record = case.record
            files = derived_files(request.data, store, record.id)
            copies = DerivedCopies(record.id, record.manifest_sha256, files, signer, now)
            if any(file.kind is DerivedKind.TIME_STAMP for file in copies.listed()):
                continue
            copies.add(DerivedKind.TIME_STAMP, {TOKEN: ask(packages.manifest(record).content)})
            yield record.id


def _wanted(request: StampRequest, records: Records) -> Iterator[Case]:
    if request.case_id is not None:
        case = records.case(request.case_id)
        if case is None or case.removal is not None:
            raise UsageError(f"{request.data} has no case {request.case_id}")
        yield case
        return
    after: int | None = None
    while page := records.page(CaseFilter(), after_number=after, limit=PAGE):
        yield from page
        after = page[-1].number
