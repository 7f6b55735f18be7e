"""Append-only files of lines: a chain's links and its checkpoints, of which a crash can spoil only a last, unfinished line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evidence.durable import Disk

FOLDER = "custody"
"""In the data folder: a folder for each chain, named by its id, with the two files below."""

LINKS = "links.jsonl"
CHECKPOINTS = "checkpoints.jsonl"


def whole_lines(data: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The lines that are ended, without their line ends, and what stands after the last line end."""
    *lines, rest = data.split(b"\n")
    return tuple(lines), rest


class LineFile:
    """One such file; the folder and the file are made when the first line is added. One writer.

    Methods raise DiskFullError and DiskError.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        lines = self.lines()
        self._size = sum(len(line) + 1 for line in lines)
        self._count = len(lines)

    @property
    def count(self) -> int:
        """How many whole lines it holds."""
        return self._count

    def lines(self) -> tuple[bytes, ...]:
        """The whole lines, without their line ends."""
        return whole_lines(self._read())[0]

    def add(self, lines: Sequence[str]) -> None:
        """The lines follow the whole ones that stand, on the disk; what a crash left after those is gone."""
        if not lines:
            return
        data = "".join(f"{line}\n" for line in lines).encode()
        is_new = not self._path.exists()
        if is_new:
            self._disk.make_folder(self._path.parent)
        self._disk.append(self._path, self._size, data)
        if is_new:
            self._disk.settle(self._path.parent)
        self._size += len(data)
        self._count += len(lines)

    def _read(self) -> bytes:
        return self._disk.read(self._path) if self._path.exists() else b""
