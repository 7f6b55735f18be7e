"""Verifies the ``derived/`` of a package by its files alone: its signed list, each listed file, and nothing besides them."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from evidence.canonical import moment, sha256_hex
from evidence.credentials import CredentialsError, verify_credentials
from evidence.derived import FOLDER, LIST, DerivedFile, DerivedKind, read_list
from evidence.signing import SignedFormError
from evidence.time_stamp import TimeStampError, verify_time_stamp
from evidence.verification import Findings, State, Trust

FILE_CHECKS = ("listed", "size", "hash")


def verify_derived(folder: Path, manifest_sha256: str | None, trust: Trust, found: Findings) -> None:
    """What stands in ``folder``, the ``derived/`` of the package with that manifest, is judged in ``found``."""
    try:
        with os.scandir(folder) as scanned:
            entries = {entry.name: entry.is_file(follow_symlinks=False) for entry in scanned}
    except OSError as exc:
        found.fail(FOLDER, (), f"it cannot be read: {exc.strerror or exc}")
        return
    for name in sorted(name for name, is_file in entries.items() if not is_file):
        found.fail(f"{FOLDER}/{name}", ("listed",), "it is no file")
    files = {name for name, is_file in entries.items() if is_file}
    if LIST not in files:
        found.fail(f"{FOLDER}/{LIST}", (), "it is missing, so nobody says what else may stand there")
        return
    listed = _list(folder, manifest_sha256, trust, found)
    if listed is None:
        return
    names = [file.name for file in listed]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.fail(f"{FOLDER}/{name}", ("listed",), "the list names it twice")
    for file in listed:
        data = _file(folder, file, files, found)
        if data is not None and file.kind is DerivedKind.TIME_STAMP:
            _time_stamp(f"{FOLDER}/{file.name}", data, manifest_sha256, trust, found)
        if data is not None and file.kind is DerivedKind.CREDENTIALS:
            _credentials(file.name, data, trust, found)
    for name in sorted(files - {LIST, *names}):
        found.fail(
            f"{FOLDER}/{name}",
            ("listed",),
            "the list does not name it: it was added, has another name, or its making was interrupted (make it again)",
        )


def _list(
    folder: Path, manifest_sha256: str | None, trust: Trust, found: Findings
) -> tuple[DerivedFile, ...] | None:
    subject = f"{FOLDER}/{LIST}"
    try:
        said = read_list((folder / LIST).read_bytes())
    except OSError as exc:
        found.fail(subject, (), f"it cannot be read: {exc.strerror or exc}")
        return None
    except SignedFormError as exc:
        found.fail(subject, ("format",), f"it is no list of derived files: {exc}")
        return None
    if said.manifest_sha256 != manifest_sha256:
        found.fail(subject, ("manifest hash",), f"it belongs to the manifest {said.manifest_sha256}")
    state, says = trust.judge(said.signature, said.message, said.at)
    found.add(subject, ("format", "signature"), state, says)
    return None if state is State.FAILED else said.files


def _time_stamp(
    subject: str, token: bytes, manifest_sha256: str | None, trust: Trust, found: Findings
) -> None:
    if not trust.authorities:
        says = "who stamped it, and when, was not checked: give the authority's certificates (--authority)"
        found.add(subject, ("time stamp",), State.NOTE, says)
        return
    try:
        said = verify_time_stamp(token, manifest_sha256 or "", trust.authorities)
    except TimeStampError as exc:
        state = State.UNKNOWN_SIGNER if exc.is_unknown else State.FAILED
        found.add(subject, ("time stamp",), state, exc.why)
    else:
        found.add(subject, ("time stamp",), State.OK, f"the manifest was there on {moment(said.at)}")


def _credentials(name: str, data: bytes, trust: Trust, found: Findings) -> None:
    subject = f"{FOLDER}/{name}"
    if not trust.authorities:
        says = "whose content credentials it holds was not checked: give the root certificate (--authority)"
        found.add(subject, ("credentials",), State.NOTE, says)
        return
    roots = b"".join(each.public_bytes(Encoding.PEM) for each in trust.authorities)
    try:
        said = verify_credentials(name, data, roots)
    except CredentialsError as exc:
        state = State.UNKNOWN_SIGNER if exc.is_unknown else State.FAILED
        found.add(subject, ("credentials",), state, exc.why)
    else:
        says = f"signed by {said.signer}, as a copy of the original {said.original_sha256}"
        found.add(subject, ("credentials",), State.OK, says)


def _file(folder: Path, file: DerivedFile, files: set[str], found: Findings) -> bytes | None:
    """The bytes of the file where it is as listed."""
    subject = f"{FOLDER}/{file.name}"
    if file.name not in files:
        found.fail(subject, ("listed",), "it is missing")
        return None
    try:
        data = (folder / file.name).read_bytes()
    except OSError as exc:
        found.fail(subject, ("listed",), f"it cannot be read: {exc.strerror or exc}")
        return None
    if len(data) != file.size:
        found.fail(subject, ("listed", "size"), f"it has {len(data)} bytes, and the list says {file.size}")
    elif sha256_hex(data) != file.sha256:
        found.fail(
            subject, FILE_CHECKS, f"its SHA-256 is {sha256_hex(data)}, and the list says {file.sha256:.64}"
        )
    else:
        found.add(subject, FILE_CHECKS, State.OK, f"{file.kind.value}, {len(data)} bytes")
        return data
    return None
