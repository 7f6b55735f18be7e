"""A disk that holds new files in memory while the one beneath is full, and writes them before their folder is sealed."""

from __future__ import annotations

from pathlib import Path

from evidence.durable import Disk
from evidence.errors import DiskFullError


class HoldingDisk(Disk):
    """A Disk over ``inner``; used from one thread, for files that nobody else reads before their folder is sealed.

    ``write`` and ``make_folder`` succeed on a full disk until ``most_bytes`` are held; then they raise DiskFullError.
    What is held is lost with the process, as what is not sealed always is.
    """

    def __init__(self, inner: Disk, most_bytes: int) -> None:
        super().__init__()
        self._inner = inner
        self._most_bytes = most_bytes
        self._files: dict[Path, bytes] = {}
        self._folders: list[Path] = []
        self.held_bytes = 0

    def make_folder(self, folder: Path) -> None:
        try:
            self._inner.make_folder(folder)
        except DiskFullError:
            self._folders.append(folder)

    def write(self, path: Path, data: bytes) -> None:
        self._forget(path)
        try:
            if path.parent not in self._folders:
                self._inner.write(path, data)
                return
        except DiskFullError as full:
            self._inner.unlink(path)
            if self.held_bytes + len(data) > self._most_bytes:
                raise DiskFullError(path, full.needed_bytes, full.free_bytes) from full
        else:
            if self.held_bytes + len(data) > self._most_bytes:
                raise DiskFullError(path, len(data), None)
        self._files[path] = data
        self.held_bytes += len(data)

    def read(self, path: Path) -> bytes:
        held = self._files.get(path)
        return self._inner.read(path) if held is None else held

    def unlink(self, path: Path) -> None:
        self._forget(path)
        self._inner.unlink(path)

    def append(self, path: Path, size: int, data: bytes) -> None:
        self._inner.append(path, size, data)

    def replace(self, path: Path, data: bytes) -> None:
        self._inner.replace(path, data)

    def copy(self, source: Path, target: Path) -> None:
        self._inner.copy(source, target)

    def settle(self, folder: Path) -> None:
        """As a Disk; a folder of which something is held is settled when it is sealed."""
        if folder not in self._folders and not any(path.parent == folder for path in self._files):
            self._inner.settle(folder)

    def seal(self, building: Path, sealed: Path) -> None:
        """As a Disk, all that was held of the folder written before. Raises DiskFullError; it may be tried again."""
        for folder in [folder for folder in self._folders if folder.is_relative_to(building)]:
            self._inner.make_folder(folder)
            self._folders.remove(folder)
        settled = set()
        for path in [path for path in self._files if path.is_relative_to(building)]:
            try:
                self._inner.write(path, self._files[path])
            except DiskFullError:
                self._inner.unlink(path)
                raise
            self._forget(path)
            settled.add(path.parent)
        for folder in settled:
            self._inner.settle(folder)
        self._inner.seal(building, sealed)

    def remove(self, folder: Path) -> None:
        for path in [path for path in self._files if path.is_relative_to(folder)]:
            self._forget(path)
        self._folders = [each for each in self._folders if not each.is_relative_to(folder)]
        self._inner.remove(folder)

    def remove_empty(self, folder: Path) -> None:
        self._inner.remove_empty(folder)

    def _forget(self, path: Path) -> None:
        self.held_bytes -= len(self._files.pop(path, b""))
