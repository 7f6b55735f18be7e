"""Copies that a browser plays of clips that it does not (H.265), below ``derived/``; the clip itself stays the evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.work.package_store import derived_files
from api.work.packages import Packages
from evidence.clip import BROWSER_CODECS
from evidence.derived import DerivedCopies, DerivedKind
from evidence.errors import ClipError
from evidence.records import CaseFilter, CaseRecord, Records
from evidence.review_copy import NAME, review_copy
from evidence.signing import Signer
from evidence.store import PackageStore
from evidence.trace import CLIP_FILE

PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A case that has its copy from now on; ``why`` is None, or says why none could be made."""

    case_id: str
    why: str | None


def copy_clips(
    data: Path,
    store: PackageStore,
    records: Records,
    signer: Signer,
    now: Callable[[], datetime],
    after_number: int | None = None,
) -> Iterator[Copied]:
    """Every case of the folder, or with ``after_number`` those that were recorded after that one, whose clip no browser plays
    has an H.264 copy; yields those that are new.

    The copy shows each picture when the clip does. Raises PackageMissingError, PackageDamagedError, DerivedDamagedError,
    and what the store raises.
    """
    packages = Packages(store)
    for record in _records(records, after_number):
        if _plays(packages, record):
            continue
        files = derived_files(data, store, record.id)
        copies = DerivedCopies(record.id, record.manifest_sha256, files, signer, now)
        if any(file.kind is DerivedKind.REVIEW_COPY for file in copies.listed()):
            continue
        try:
            film = review_copy(packages.read(record, CLIP_FILE).content)
        except ClipError as exc:
            yield Copied(case_id=record.id, why=exc.reason)
            continue
        copies.add(DerivedKind.REVIEW_COPY, {NAME: film})
        yield Copied(case_id=record.id, why=None)


def _plays(packages: Packages, record: CaseRecord) -> bool:
    """Whether a browser plays the case's clip; True where it has none."""
    clip = json.loads(packages.manifest(record).content).get("clip")
    return clip is None or clip.get("codec") in BROWSER_CODECS or bool(clip.get("plays_in_browser"))


def newest_number(records: Records) -> int | None:
    """The number of the case that was recorded last; None where there is none."""
    newest: int | None = None
    while page := records.page(CaseFilter(), after_number=newest, limit=PAGE):
        newest = page[-1].number
    return newest


def _records(records: Records, after: int | None) -> Iterator[CaseRecord]:
    while page := records.page(CaseFilter(), after_number=after, limit=PAGE):
        yield from (case.record for case in page)
        after = page[-1].number
