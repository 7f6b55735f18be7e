"""Where the picture of a passage stands, and which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evidence.canonical import sha256_hex
from evidence.durable import Disk
from rules.finding import Passage

FOLDER = "passages"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagePicture:
    """A picture relative to the data folder, and the SHA-256 (hex) of its bytes."""

    path: str
    sha256: str


def picture_path(passage: Passage) -> str:
    """Where the picture of that passage stands, relative to the data folder."""
    stamp = passage.stamp
    name = f"{stamp.camera_id}-s{stamp.segment}-f{stamp.index:06d}-t{passage.track_id}"
    return f"{FOLDER}/{name}-{passage.gate_id}-{passage.direction}.jpg"


def find_picture(data_dir: Path, passage: Passage) -> PassagePicture | None:
    """The picture of that passage where one was taken. Raises DiskError."""
    path = data_dir / picture_path(passage)
    if passage.snapshot is None or not path.is_file():
        return None
    return PassagePicture(path=picture_path(passage), sha256=sha256_hex(Disk().read(path)))
