"""``derived/``: what was made from a sealed package later, and the signed list of it; the package itself stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Protocol

from evidence.canonical import Json, moment, sha256_hex
from evidence.errors import EvidenceError
from evidence.signing import Signature, SignedFormError, Signer, read_signed_line, signed_line

FOLDER = "derived"
LIST = "list.json"
FORMAT = "stopline-derived/1"
FIELDS = frozenset({"at", "files", "manifest_sha256"})


class DerivedKind(StrEnum):
    """Why a file was made."""

    REDACTED = "redacted"
    REVIEW_COPY = "review_copy"
    TIME_STAMP = "time_stamp"
    CREDENTIALS = "credentials"


class DerivedExistsError(EvidenceError):
    """The case has files of that kind already."""

    code = "derived_exists"

    def __init__(self, case_id: str, kind: DerivedKind, names: Sequence[str]) -> None:
        super().__init__(
            f"case {case_id} has its {kind.value.replace('_', ' ')} already ({', '.join(names)}); use that, or ask "
            "for it to be made again"
        )
        self.case_id = case_id
        self.kind = kind
        self.names = tuple(names)


class DerivedDamagedError(EvidenceError):
    """The list of derived files, or a file on it, is not what was signed; ``why`` says how it differs."""

    code = "derived_damaged"

    def __init__(self, case_id: str, name: str, why: str) -> None:
        super().__init__(
            f"{FOLDER}/{name} of case {case_id} is not what was signed: {why}; 'stopline evidence verify' says what "
            f"else is wrong. The original is not affected: remove its folder {FOLDER} and make the copies again"
        )
        self.case_id = case_id
        self.name = name
        self.why = why


class DerivedFiles(Protocol):
    """The ``derived/`` of one package, wherever that is stored. Methods raise what its store raises."""

    def alone(self) -> AbstractContextManager[None]:
        """While it is held, nobody else changes the files or the list."""
        ...

    def read(self, name: str) -> bytes | None:
        """The bytes of the file; None where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """The file holds the data, whatever stood there; there is no moment with half of it."""
        ...

    def remove(self, name: str) -> None:
        """The file is gone, or was not there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedFile:
    """One file of ``derived/`` as it was made at ``made_at`` (UTC)."""

    name: str
    kind: DerivedKind
    sha256: str
    size: int
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedList:
    """The list as it stands: of the package with that manifest, in order of name; ``message`` is what was signed."""

    manifest_sha256: str
    at: datetime
    files: tuple[DerivedFile, ...]
    signature: Signature
    message: bytes

    def of_kind(self, kind: DerivedKind) -> tuple[DerivedFile, ...]:
        """The files of that kind, in order of name."""
        return tuple(file for file in self.files if file.kind is kind)


class DerivedCopies:
    """The derived files of the package of ``case_id``, whose manifest has that SHA-256; ``now`` gives aware moments."""

    def __init__(
        self,
        case_id: str,
        manifest_sha256: str,
        files: DerivedFiles,
        signer: Signer,
        now: Callable[[], datetime],
    ) -> None:
        self._case_id = case_id
        self._manifest_sha256 = manifest_sha256
        self._files = files
        self._signer = signer
        self._now = now

    def listed(self) -> tuple[DerivedFile, ...]:
        """What the list names. Raises DerivedDamagedError where it is not as signed, or is another package's."""
        data = self._files.read(LIST)
        return () if data is None else self._read(data).files

    def of_kind(self, kind: DerivedKind) -> dict[str, bytes]:
        """The files of that kind by name, each compared with the list. Raises DerivedDamagedError."""
        found = {}
        for file in self.listed():
            if file.kind is kind:
                found[file.name] = intact(self._case_id, file, self._files)
        return found

    def add(
        self, kind: DerivedKind, files: Mapping[str, bytes], *, again: bool = False
    ) -> tuple[DerivedFile, ...]:
        """The files stand in ``derived/`` and in the list, which is signed anew; returns them in order of name.

        With ``again`` they take the place of those of their kind. A crash meanwhile leaves files that no list names;
        the same call puts that right. Raises DerivedExistsError where there are some of that kind, or a file of one of
        these names of another kind, DerivedDamagedError, and what the store raises.
        """
        with self._files.alone():
            listed = self.listed()
            mine = [file for file in listed if file.kind is kind]
            others = [file for file in listed if file.kind is not kind]
            if mine and not again:
                raise DerivedExistsError(self._case_id, kind, [file.name for file in mine])
            for file in others:
                if file.name in files:
                    raise DerivedExistsError(self._case_id, file.kind, [file.name])
            made_at = self._now()
            made = [
                DerivedFile(
                    name=_plain(name), kind=kind, sha256=sha256_hex(data), size=len(data), made_at=made_at
                )
                for name, data in sorted(files.items())
            ]
            if mine:
                self._sign(others)
                for file in mine:
                    self._files.remove(file.name)
            for file in made:
                self._files.write(file.name, files[file.name])
            self._sign([*others, *made])
            return tuple(made)

    def _sign(self, files: Sequence[DerivedFile]) -> None:
        entries: list[Json] = [
            {
                "kind": file.kind.value,
                "made_at": moment(file.made_at),
                "name": file.name,
                "sha256": file.sha256,
                "size": file.size,
            }
            for file in sorted(files, key=lambda file: file.name)
        ]
        fields: dict[str, Json] = {
            "at": moment(self._now()),
            "files": entries,
            "manifest_sha256": self._manifest_sha256,
        }
        self._files.write(LIST, signed_line(self._signer, FORMAT, fields).encode() + b"\n")

    def _read(self, data: bytes) -> DerivedList:
        try:
            found = read_list(data)
        except SignedFormError as exc:
            raise DerivedDamagedError(self._case_id, LIST, exc.why) from exc
        if not found.signature.fits(found.message):
            raise DerivedDamagedError(self._case_id, LIST, "its signature does not fit")
        if found.manifest_sha256 != self._manifest_sha256:
            raise DerivedDamagedError(self._case_id, LIST, "it is the list of another package")
        return found


def read_list(data: bytes) -> DerivedList:
    """What a list says; whether its signature fits is not asked here. Raises SignedFormError where it is none."""
    if not data.endswith(b"\n"):
        raise SignedFormError("its end is missing")
    line = read_signed_line(data[:-1], FORMAT, FIELDS)
    try:
        return DerivedList(
            manifest_sha256=str(line.fields["manifest_sha256"]),
            at=_moment(line.fields["at"]),
            files=tuple(_file(entry) for entry in line.fields["files"]),
            signature=line.signature,
            message=line.message,
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise SignedFormError(f"a field of it cannot be read ({exc})") from exc


def intact(case_id: str, file: DerivedFile, files: DerivedFiles) -> bytes:
    """The bytes of the file, as listed. Raises DerivedDamagedError, and what the store raises."""
    data = files.read(file.name)
    if data is None:
        raise DerivedDamagedError(case_id, file.name, "it is missing")
    if len(data) != file.size or sha256_hex(data) != file.sha256:
        raise DerivedDamagedError(case_id, file.name, "its SHA-256 is another")
    return data


def _file(entry: Any) -> DerivedFile:
    return DerivedFile(
        name=_plain(str(entry["name"])),
        kind=DerivedKind(entry["kind"]),
        sha256=str(entry["sha256"]),
        size=int(entry["size"]),
        made_at=_moment(entry["made_at"]),
    )


def _plain(name: str) -> str:
    if not name or name != PurePath(name).name or name.startswith(".") or name == LIST:
        raise ValueError(f"{name!r} cannot be the name of a derived file")
    return name


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"the moment {text} has no offset from UTC")
    return at
