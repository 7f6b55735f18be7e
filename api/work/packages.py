"""Reads sealed evidence packages of a data folder; every byte handed out equals what the manifest says of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from evidence.records import CaseRecord
from rules.errors import StoplineError

MEDIA_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".json": "application/json"}


class EvidenceMissingError(StoplineError):
    """The store lost a file of a sealed package, or cannot read it; ``name`` is the file, inside the package of ``case_id``."""

    code = "evidence_missing"

    def __init__(self, case_id: str, name: str, why: str) -> None:
        super().__init__(f"{name} of case {case_id} is missing in the evidence store ({why})")
        self.case_id = case_id
        self.name = name


class EvidenceAlteredError(StoplineError):
    """A file of a sealed package is not what was sealed, so it is not shown."""

    code = "evidence_altered"

    def __init__(self, case_id: str, name: str, why: str) -> None:
        super().__init__(f"{name} of case {case_id} is not what was sealed: {why}")
        self.case_id = case_id
        self.name = name


class FileUnknownError(StoplineError):
    """A name that the package's manifest does not list."""

    code = "file_unknown"

    def __init__(self, case_id: str, name: str) -> None:
        super().__init__(f"the manifest of case {case_id} lists no file of that name")
        self.case_id = case_id
        self.name = name


class FileState(StrEnum):
    """Whether a sealed file is there, byte for byte."""

    SEALED = "sealed"
    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file as the manifest lists it."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A file whose bytes were found equal to what was sealed."""

    name: str
    sha256: str
    media_type: str
    content: bytes


class Packages(Protocol):
    """Hands out the files of sealed packages.

    Each method raises EvidenceMissingError where the store lost a file that it needs, and
    EvidenceAlteredError where that file is not what was sealed.
    """

    def manifest(self, record: CaseRecord) -> SealedFile: ...

    def listed(self, record: CaseRecord) -> tuple[ListedFile, ...]:
        """What the manifest lists, in its order."""
        ...

    def read(self, record: CaseRecord, name: str) -> SealedFile:
        """The file of that name. Raises FileUnknownError where the manifest does not list it."""
        ...


class FolderPackages:
    """The packages in ``folder``, as ``stopline replay`` fills it.

    A file is read whole and hashed before a byte of it is handed out: packages are a few megabytes, and
    what was hashed is then what is shown. Only names that the manifest lists are read, and a listed name
    is a plain file name, so no path leads out of the package.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def manifest(self, record: CaseRecord) -> SealedFile:
        return self._sealed(record, PurePosixPath(record.manifest_path), record.manifest_sha256)

    def listed(self, record: CaseRecord) -> tuple[ListedFile, ...]:
        sealed = self.manifest(record)
        try:
            document: Any = json.loads(sealed.content)
            return tuple(
                ListedFile(name=str(entry["name"]), sha256=str(entry["sha256"]))
                for entry in document["files"]
            )
        except (ValueError, KeyError, TypeError) as exc:
            raise EvidenceAlteredError(record.id, sealed.name, f"it is no manifest ({exc})") from exc

    def read(self, record: CaseRecord, name: str) -> SealedFile:
        for file in self.listed(record):
            if file.name == name and name == PurePosixPath(name).name and name not in ("", "..", "."):
                return self._sealed(record, PurePosixPath(record.evidence_path) / name, file.sha256)
        raise FileUnknownError(record.id, name)

    def _sealed(self, record: CaseRecord, path: PurePosixPath, sha256: str) -> SealedFile:
        whole = self._folder / path
        if not whole.resolve().is_relative_to(self._folder.resolve()):
            raise EvidenceAlteredError(record.id, path.name, "it leads out of the data folder")
        try:
            content = whole.read_bytes()
        except OSError as exc:
            raise EvidenceMissingError(record.id, path.name, exc.strerror or "unreadable") from exc
        if hashlib.sha256(content).hexdigest() != sha256:
            raise EvidenceAlteredError(record.id, path.name, "its SHA-256 is another")
        return SealedFile(
            name=path.name,
            sha256=sha256,
            media_type=MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
            content=content,
        )


def state_of(packages: Packages, record: CaseRecord, name: str) -> FileState:
    """Whether the listed file of that name is there, byte for byte."""
    try:
        packages.read(record, name)
    except EvidenceMissingError:
        return FileState.MISSING
    except EvidenceAlteredError:
        return FileState.ALTERED
    return FileState.SEALED
