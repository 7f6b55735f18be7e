"""BagIt packages (RFC 8493): files under ``data/`` with their SHA-256, made and validated by ``bagit``; the only door to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import bagit

from evidence.canonical import sha256_hex
from evidence.durable import Disk, refusal
from evidence.errors import EvidenceError

PAYLOAD = "data"
ALGORITHM = "sha256"

TAGS = ("bagit.txt", "bag-info.txt", f"manifest-{ALGORITHM}.txt")
TAG_MANIFEST = f"tagmanifest-{ALGORITHM}.txt"
"""What an export has besides its payload. A bag may do without some of it; then nobody would see that it was taken away."""

logging.getLogger("bagit").setLevel(logging.CRITICAL)
"""What it would log it also raises."""


class BagError(EvidenceError):
    """The bag in ``path`` is not what it should be; ``why`` says how."""

    code = "bag"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: is no whole BagIt package: {why}")
        self.path = path
        self.why = why


def make_bag(folder: Path, files: Iterable[tuple[str, bytes]], about: Mapping[str, str], disk: Disk) -> None:
    """``folder``, which is new, is a bag of the files (paths with ``/`` below ``data/``), validated.

    ``about`` becomes ``bag-info.txt``. Raises BagError where a file is not there as it was given, DiskFullError and
    DiskError.
    """
    wanted: dict[str, str] = {}
    for name, data in files:
        path = folder / name
        disk.make_folder(path.parent)
        disk.write(path, data)
        wanted[f"{PAYLOAD}/{name}"] = sha256_hex(data)
    try:
        bagit.make_bag(str(folder), bag_info=dict(about), checksums=[ALGORITHM])
    except OSError as exc:
        raise refusal(exc, folder) from exc
    except bagit.BagError as exc:
        raise BagError(folder, str(exc)) from exc
    validate_bag(folder, wanted)


def validate_bag(folder: Path, wanted: Mapping[str, str]) -> None:
    """The bag is whole and holds exactly the ``wanted`` files (path in the bag to SHA-256, hex). Raises BagError."""
    try:
        bag = bagit.Bag(str(folder))
        bag.validate()
        tags = {name: sha256_hex((folder / name).read_bytes()) for name in TAGS}
        tag_lines = (folder / TAG_MANIFEST).read_text("utf-8").splitlines()
    except (bagit.BagError, OSError, ValueError) as exc:
        raise BagError(folder, str(exc)) from exc
    if sorted(tag_lines) != sorted(f"{sha256} {name}" for name, sha256 in tags.items()):
        raise BagError(folder, f"{TAG_MANIFEST} does not list {', '.join(TAGS)} as they are")
    listed = {name: sums.get(ALGORITHM) for name, sums in bag.payload_entries().items()}
    if listed != dict(wanted):
        differs = sorted(
            name for name in listed.keys() | wanted.keys() if listed.get(name) != wanted.get(name)
        )
        raise BagError(folder, f"other files than were put in: {', '.join(differs)}")
