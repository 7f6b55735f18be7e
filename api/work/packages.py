"""Reads sealed evidence packages from their store; every byte handed out equals what was sealed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from evidence.canonical import sha256_hex
from evidence.derived import (
    LIST,
    DerivedDamagedError,
    DerivedFiles,
    DerivedKind,
    intact,
    read_list,
)
from evidence.errors import DiskError, PackageDamagedError, PackageMissingError
from evidence.manifest import NAME, SIGNATURE, SealedFile, summary
from evidence.records import CaseRecord
from evidence.signing import SignedFormError, read_signature
from evidence.store import PackageStore
from rules.errors import StoplineError

MEDIA_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".json": "application/json"}

MOST_KNOWN = 5_000
"""Lists of files that are remembered, some 2 KB each: a day's queue of a city."""


class FileUnknownError(StoplineError):
    """A name that the package's manifest does not list."""

    code = "file_unknown"

    def __init__(self, case_id: str, name: str) -> None:
        super().__init__(f"the manifest of case {case_id} lists no such file")
        self.case_id = case_id
        self.name = name


class FileState(StrEnum):
    """Whether a sealed file is there, byte for byte."""

    SEALED = "sealed"
    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file whose bytes were found equal to what was sealed."""

    name: str
    sha256: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSignature:
    """The signature beside a manifest; ``key_id`` is None where it is not there as made, else that of the key it fits."""

    state: FileState
    key_id: str | None


class Packages:
    """The packages in ``store``, as their cases' records know them.

    A file is read whole and hashed before a byte of it is handed out: packages are a few megabytes, and
    what was hashed is then what is shown. Only names that the manifest lists are read. Each method raises
    PackageMissingError where the store lost a file that it needs or cannot read it, and PackageDamagedError
    where that file is not what was sealed.
    """

    def __init__(
        self, store: PackageStore, derived: Callable[[str], DerivedFiles | None] = lambda case_id: None
    ) -> None:
        """``derived`` gives what was made from the package of an id later; None where that cannot be had."""
        self._store = store
        self._derived = derived
        self._known: OrderedDict[tuple[str, str], tuple[SealedFile, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def manifest(self, record: CaseRecord) -> EvidenceFile:
        """The manifest, as the record knows it."""
        return self._sealed(record, NAME, record.manifest_sha256)

    def listed(self, record: CaseRecord) -> tuple[SealedFile, ...]:
        """What the manifest lists, in its order. It is read once: the record's hash says which manifest it is."""
        key = (record.id, record.manifest_sha256)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        files = summary(record.id, self.manifest(record).content).files
        with self._lock:
            self._known[key] = files
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return files

    def read(self, record: CaseRecord, name: str) -> EvidenceFile:
        """The file of that name. Raises FileUnknownError where the manifest does not list it."""
        for file in self.listed(record):
            if file.name == name:
                return self._sealed(record, name, file.sha256)
        raise FileUnknownError(record.id, name)

    def state(self, record: CaseRecord, file: SealedFile) -> FileState:
        """Whether the listed file is there, byte for byte."""
        try:
            self._sealed(record, file.name, file.sha256)
        except PackageMissingError:
            return FileState.MISSING
        except PackageDamagedError:
            return FileState.ALTERED
        return FileState.SEALED

    def signature(self, record: CaseRecord) -> ManifestSignature:
        """Whether the manifest is signed, and with which key; whether that key is trusted is 'evidence verify's to say."""
        manifest = self.manifest(record).content
        try:
            signature = read_signature(self._store.read(record.id, SIGNATURE))
        except (PackageMissingError, DiskError):
            return ManifestSignature(state=FileState.MISSING, key_id=None)
        except SignedFormError:
            return ManifestSignature(state=FileState.ALTERED, key_id=None)
        if not signature.fits(manifest):
            return ManifestSignature(state=FileState.ALTERED, key_id=None)
        return ManifestSignature(state=FileState.SEALED, key_id=signature.key.id)

    def review_copy(self, record: CaseRecord) -> EvidenceFile | None:
        """The copy of the clip for browsers, as its signed list has it; None where there is none, or it is not as listed."""
        files = self._derived(record.id)
        data = None if files is None else files.read(LIST)
        if files is None or data is None:
            return None
        try:
            listed = read_list(data)
            if listed.manifest_sha256 != record.manifest_sha256 or not listed.signature.fits(listed.message):
                return None
            for file in listed.of_kind(DerivedKind.REVIEW_COPY):
                return EvidenceFile(
                    name=file.name,
                    sha256=file.sha256,
                    media_type=MEDIA_TYPES[".mp4"],
                    content=intact(record.id, file, files),
                )
        except (SignedFormError, DerivedDamagedError, DiskError):
            return None
        return None

    def confirmed(self, record: CaseRecord, at: datetime) -> None:
        """A store that locks keeps the package from then on as long as it keeps confirmed ones. Raises what the store raises."""
        self._store.confirmed(record.id, at)

    def _sealed(self, record: CaseRecord, name: str, sha256: str) -> EvidenceFile:
        try:
            content = self._store.read(record.id, name)
        except DiskError as exc:
            raise PackageMissingError(record.id, name) from exc
        if sha256_hex(content) != sha256:
            raise PackageDamagedError(record.id, name, "its SHA-256 is another")
        return EvidenceFile(
            name=name,
            sha256=sha256,
            media_type=MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream"),
            content=content,
        )
