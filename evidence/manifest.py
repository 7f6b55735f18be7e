"""``manifest.json``: what a package holds and what made it; a package is whole when every file is as its manifest says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.canonical import Json, json_bytes, sha256_hex
from evidence.errors import PackageDamagedError
from evidence.records import PackageState

NAME = "manifest.json"
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
    """What a manifest says of its package."""

    sha256: str
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
            raise ValueError(f"its format is {document['format']!r}, not {FORMAT!r}")
        return Summary(
            sha256=sha256_hex(manifest),
            package=PackageState(document["package"]),
            reasons=tuple(str(reason) for reason in document["reasons"]),
            files=tuple(
                SealedFile(name=str(file["name"]), sha256=str(file["sha256"]), size=int(file["size"]))
                for file in document["files"]
            ),
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise PackageDamagedError(case_id, NAME, f"it is no manifest ({exc})") from exc


def verified(case_id: str, read: Callable[[str], bytes]) -> Summary:
    """What the manifest says, each file of which was read and found as sealed.

    ``read`` gives the bytes of a file of the package and raises PackageMissingError. Raises
    PackageDamagedError for a file that differs.
    """
    said = summary(case_id, read(NAME))
    for file in said.files:
        data = read(file.name)
        if len(data) != file.size:
            raise PackageDamagedError(case_id, file.name, f"it has {len(data)} bytes instead of {file.size}")
        if sha256_hex(data) != file.sha256:
            raise PackageDamagedError(case_id, file.name, "its SHA-256 is another")
    return said
