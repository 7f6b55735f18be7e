"""The spool: where packages are built, and stand sealed until the store and the records have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from evidence.canonical import json_bytes, plain
from evidence.durable import Disk
from evidence.errors import EvidenceError, PackageDamagedError, PackageMissingError
from evidence.records import CaseRecord, PackageState
from rules.finding import Rule, Status

BUILDING = ".building"
REMOVING = ".removing"
INCOMING = ".incoming"
"""Endings of what is not whole yet, or no more: here, and in the store."""

PACKAGE = "package"
RECORD = "record.json"
KEPT = "kept"

CASE_ID = re.compile(r"[\w-][\w.@+-]{0,199}")
"""An id that is safe as the name of a folder, and tells itself from what else stands beside it."""


class CaseIdError(EvidenceError):
    """An id that cannot name a folder."""

    code = "case_id"

    def __init__(self, case_id: str) -> None:
        super().__init__(
            f"{case_id!r} cannot name a package; letters, digits and . _ - @ + can, and no point at its start"
        )
        self.case_id = case_id


class Spool:
    """Entries under ``root``: ``<id>.building`` while built, then ``<id>``, sealed by rename, then nothing.

    A sealed entry holds ``package/`` and ``record.json``: all that is needed to store and record it later.
    """

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root = root
        self._disk = disk

    @property
    def kept(self) -> Path:
        """The scratch folder of what is kept for tracks."""
        return self._root / KEPT

    def begin(self, case_id: str) -> Path:
        """An empty folder to build the package in; what an earlier attempt left is gone. Raises CaseIdError."""
        building = self._building(case_id)
        self._disk.remove(building)
        self._disk.make_folder(building / PACKAGE)
        return building / PACKAGE

    def give_up(self, case_id: str) -> None:
        """Nothing of the attempt is left."""
        self._disk.remove(self._building(case_id))

    def seal(self, case_id: str, record: CaseRecord) -> None:
        """The package with its record stands sealed; from now on nothing in it changes."""
        building = self._building(case_id)
        self._disk.unlink(building / RECORD)  # of an attempt that found the disk full
        self._disk.write(building / RECORD, json_bytes(plain(record)))
        self._disk.seal(building, self._sealed(case_id))

    def is_sealed(self, case_id: str) -> bool:
        return self._sealed(case_id).is_dir()

    def package(self, case_id: str) -> Path:
        """The folder of a sealed package."""
        return self._sealed(case_id) / PACKAGE

    def read(self, case_id: str, name: str) -> bytes:
        """The bytes of a file of a sealed package. Raises PackageMissingError."""
        path = self.package(case_id) / name
        if not path.is_file():
            raise PackageMissingError(case_id, name)
        return self._disk.read(path)

    def record(self, case_id: str) -> CaseRecord:
        """The record that was sealed with the package. Raises PackageMissingError and PackageDamagedError."""
        path = self._sealed(case_id) / RECORD
        if not path.is_file():
            raise PackageMissingError(case_id, RECORD)
        try:
            return _record(json.loads(self._disk.read(path)))
        except (ValueError, KeyError, TypeError) as exc:
            raise PackageDamagedError(case_id, RECORD, f"it is no record ({exc})") from exc

    def done(self, case_id: str) -> None:
        """The entry is gone: store and records have it."""
        self._disk.remove(self._sealed(case_id))

    def sealed_ids(self) -> tuple[str, ...]:
        """The ids of the sealed entries, sorted."""
        return tuple(
            sorted(path.name for path in self._entries() if path.is_dir() and not _is_scratch(path.name))
        )

    def clear_scratch(self) -> tuple[str, ...]:
        """What was being built, removed or kept when a crash came is gone; returns the names, sorted."""
        names = sorted(path.name for path in self._entries() if _is_scratch(path.name))
        for name in names:
            self._disk.remove(self._root / name)
        return tuple(names)

    def _entries(self) -> Iterator[Path]:
        if self._root.is_dir():
            yield from self._root.iterdir()

    def _building(self, case_id: str) -> Path:
        return self._root / f"{checked(case_id)}{BUILDING}"

    def _sealed(self, case_id: str) -> Path:
        return self._root / checked(case_id)


def checked(case_id: str) -> str:
    """The id, where it can name a folder. Raises CaseIdError."""
    if not CASE_ID.fullmatch(case_id) or _is_scratch(case_id):
        raise CaseIdError(case_id)
    return case_id


def _is_scratch(name: str) -> bool:
    return name == KEPT or name.endswith((BUILDING, REMOVING, INCOMING))


def _record(document: Any) -> CaseRecord:
    if set(document) != {field.name for field in fields(CaseRecord)}:
        raise ValueError("its fields are not those of a record")
    when = document["captured_at"]
    return CaseRecord(
        **{
            **document,
            "rule": Rule(document["rule"]),
            "status": Status(document["status"]),
            "captured_at": None if when is None else datetime.fromisoformat(when),
            "package": PackageState(document["package"]),
            "package_reasons": tuple(document["package_reasons"]),
        }
    )
