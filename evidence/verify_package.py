"""Verifies a package by its files alone: each listed one whole, nothing besides them, and manifest and derived list signed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from evidence.canonical import sha256_hex
from evidence.derived import FOLDER as DERIVED
from evidence.errors import PackageDamagedError
from evidence.manifest import NAME, SIGNATURE, SealedFile, summary
from evidence.signing import Signature, SignedFormError, read_signature
from evidence.verification import Findings, State, Trust
from evidence.verify_derived import verify_derived

FILE_CHECKS = ("listed", "size", "hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPackage:
    """What stands in the folder. ``manifest_sha256`` is that of the manifest there, None where there is none.

    ``signature`` is None where there is none that can be read.
    """

    name: str
    manifest_sha256: str | None
    signature: Signature | None
    findings: Findings


def verify_package(folder: Path, trust: Trust) -> VerifiedPackage:
    """Every file of the folder is looked at; whether the package stands in a chain is not."""
    found = Findings()
    try:
        with os.scandir(folder) as scanned:
            entries = {entry.name: entry for entry in scanned}
    except OSError as exc:
        entries = {}
        found.fail(folder.name, (), f"its folder cannot be read: {exc.strerror or exc}")
    derived = DERIVED in entries and entries[DERIVED].is_dir(follow_symlinks=False)
    for name, entry in sorted(entries.items()):
        if not entry.is_file(follow_symlinks=False) and not (derived and name == DERIVED):
            what = "a link" if entry.is_symlink() else "a folder"
            found.fail(name, ("listed",), f"it is {what}; a package holds files and {DERIVED}/ only")
    files = {name for name, entry in entries.items() if entry.is_file(follow_symlinks=False)}
    manifest = _read(folder, NAME, files, found)
    signature = _signature(folder, files, manifest, trust, found)
    if manifest is not None:
        _files(folder, manifest, files, found)
    manifest_sha256 = None if manifest is None else sha256_hex(manifest)
    if derived:
        verify_derived(folder / DERIVED, manifest_sha256, trust, found)
    return VerifiedPackage(
        name=folder.name,
        manifest_sha256=manifest_sha256,
        signature=signature,
        findings=found,
    )


def _read(folder: Path, name: str, files: set[str], found: Findings) -> bytes | None:
    if name not in files:
        found.fail(name, (), "it is missing")
        return None
    try:
        return (folder / name).read_bytes()
    except OSError as exc:
        found.fail(name, (), f"it cannot be read: {exc.strerror or exc}")
        return None


def _signature(
    folder: Path, files: set[str], manifest: bytes | None, trust: Trust, found: Findings
) -> Signature | None:
    data = _read(folder, SIGNATURE, files, found)
    if data is None:
        return None
    try:
        signature = read_signature(data)
    except SignedFormError as exc:
        found.fail(SIGNATURE, ("signature",), f"it is no signature: {exc}")
        return None
    if manifest is not None:
        state, says = trust.judge(signature, manifest, None)
        found.add(SIGNATURE, ("signature",), state, f"of {NAME}: {says}")
    return signature


def _files(folder: Path, manifest: bytes, files: set[str], found: Findings) -> None:
    try:
        said = summary(folder.name, manifest)
    except PackageDamagedError as exc:
        found.fail(NAME, ("format",), exc.why)
        return
    if said.case_id == folder.name:
        found.add(NAME, ("format", "case"), State.OK, f"{len(manifest)} bytes")
    else:
        found.fail(
            NAME, ("case",), f"it is of case {said.case_id}, and the folder has the name of {folder.name}"
        )
    listed = [file.name for file in said.files]
    for name in sorted({name for name in listed if listed.count(name) > 1}):
        found.fail(name, ("listed",), "the manifest lists it twice")
    for file in said.files:
        _file(folder, file, files, found)
    for name in sorted(files - {*listed, NAME, SIGNATURE}):
        found.fail(name, ("listed",), "the manifest does not list it: it was added, or it has another name")


def _file(folder: Path, file: SealedFile, files: set[str], found: Findings) -> None:
    if file.name not in files:
        found.fail(file.name, ("listed",), "it is missing")
        return
    try:
        with (folder / file.name).open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            size = content.tell()
    except OSError as exc:
        found.fail(file.name, ("listed",), f"it cannot be read: {exc.strerror or exc}")
        return
    if size != file.size:
        found.fail(file.name, ("listed", "size"), f"it has {size} bytes, and the manifest says {file.size}")
    elif sha256 != file.sha256:
        found.fail(
            file.name, FILE_CHECKS, f"its SHA-256 is {sha256}, and the manifest says {file.sha256:.64}"
        )
    else:
        found.add(file.name, FILE_CHECKS, State.OK, f"{size} bytes")
