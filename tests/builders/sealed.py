"""A data folder with sealed packages and a chain, small enough to be copied for each test."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from evidence.canonical import sha256_hex
from evidence.custody import Custody
from evidence.keys import PublishedKey, published_file
from evidence.manifest import NAME
from evidence.records_sql import SqlRecords
from tests.builders.case_folder import reseal
from tests.builders.signing import Ticking, a_signer
from tests.evidence.test_delivery import a_record

FILES = ("clip.mp4", "scene-1.jpg", "trace.json")


def a_sealed_folder(data: Path, cases: int = 3, files: Mapping[str, bytes] | None = None) -> Path:
    """``data`` holds packages case-1 … of camera c, their chain, and a checkpoint; returns it. ``files``: what each holds."""
    data.mkdir(parents=True)
    with closing(SqlRecords(data / "records.sqlite")) as records:
        custody = Custody(data, records, a_signer(), Ticking())
        for number in range(1, cases + 1):
            package = data / "evidence" / f"case-{number}"
            package.mkdir(parents=True)
            given = {name: f"{name} of {number}".encode() for name in FILES} if files is None else files
            for name, content in given.items():
                (package / name).write_bytes(content)
            reseal(package)
            sha256 = sha256_hex((package / NAME).read_bytes())
            custody.add_case(a_record(package.name, manifest_sha256=sha256))
        custody.checkpoint("c")
    return data


def chain_of(data: Path) -> Path:
    """The folder of its one chain."""
    (found,) = (path for path in (data / "custody").iterdir() if path.is_dir())
    return found


def trust_file(path: Path, *signers: int) -> Path:
    """A published file of these signers of ``a_signer``."""
    keys = [PublishedKey(key=a_signer(number).public, label=f"office {number}") for number in signers]
    path.write_bytes(published_file(keys))
    return path
