"""``manifest.json``: what a package holds and what made it; a package is whole when every file is as its manifest says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.canonical import Json, json_bytes, sha256_hex
from evidence.errors import PackageDamagedError
from evidence.records import PackageState
from evidence.signing import SignedFormError, read_signature

NAME = "manifest.json"
SIGNATURE = "manifest.sig"
"""Beside the manifest: an Ed25519 signature of its exact bytes."""

FORMAT = "stopline-package/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A model file that took part, with the SHA-256 (hex) of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What made the packages of a run: the site file's SHA-256 (hex), the code's version, the weights."""

    site_sha256: str
    code_version: str
    weights: tuple[Weights, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """One file of a package, as it was written."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a manifest says of its package; ``case_id`` is None where it names no case."""

    sha256: str
    case_id: str | None
    package: PackageState
    reasons: tuple[str, ...]
    files: tuple[SealedFile, ...]


def manifest_bytes(
    content: Mapping[str, Json], files: tuple[SealedFile, ...], reasons: tuple[str, ...]
) -> bytes:
    """The file: ``content``, whether the package is complete, and its files in order of name. Equal input gives equal bytes."""
    state = PackageState.INCOMPLETE if reasons else PackageState.COMPLETE
    entries: list[Json] = [
        {"name": file.name, "sha256": file.sha256, "size": file.size}
        for file in sorted(files, key=lambda file: file.name)
    ]
    return json_bytes(
        {**content, "format": FORMAT, "package": state.value, "reasons": list(reasons), "files": entries}
    )


def summary(case_id: str, manifest: bytes) -> Summary:
    """What the manifest says. Raises PackageDamagedError where it is none."""
    try:
        document: Any = json.loads(manifest)
        if document["format"] != FORMAT:
            raise ValueError(
                f"its format is {document['format']!r:.60}, and this version reads {FORMAT!r}; if a newer Stopline "
                "wrote it, use that one"
            )
        case = document.get("case")
        return Summary(
            sha256=sha256_hex(manifest),
            case_id=str(case["id"]) if isinstance(case, dict) else None,
            package=PackageState(document["package"]),
            reasons=tuple(str(reason) for reason in document["reasons"]),
            files=tuple(
                SealedFile(name=str(file["name"]), sha256=str(file["sha256"]), size=int(file["size"]))
                for file in document["files"]
            ),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise PackageDamagedError(case_id, NAME, f"it is no manifest ({exc})") from exc


def verified(case_id: str, read: Callable[[str], bytes]) -> Summary:
    """What the manifest says, each file of which was read and found as sealed, and whose signature fits.

    ``read`` gives the bytes of a file of the package and raises PackageMissingError. Raises
    PackageDamagedError for a file that differs. Whether the signer is trusted is not asked here.
    """
    data = read(NAME)
    said = summary(case_id, data)
    try:
        is_genuine = read_signature(read(SIGNATURE)).fits(data)
    except SignedFormError as exc:
        raise PackageDamagedError(case_id, SIGNATURE, str(exc)) from exc
    if not is_genuine:
        raise PackageDamagedError(case_id, SIGNATURE, f"it is not the signature of {NAME}")
    for file in said.files:
        data = read(file.name)
        if len(data) != file.size:
            raise PackageDamagedError(case_id, file.name, f"it has {len(data)} bytes instead of {file.size}")
        if sha256_hex(data) != file.sha256:
            raise PackageDamagedError(case_id, file.name, "its SHA-256 is another")
    return said
