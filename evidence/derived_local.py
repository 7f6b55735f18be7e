"""The ``derived/`` of a package in the local store: a folder beside the package's files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from evidence.derived import FOLDER
from evidence.durable import Disk
from evidence.errors import DiskError


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Nobody else who asks so has the file or folder meanwhile; waits while another process has it. Raises DiskError."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as exc:
        raise DiskError(path, exc.strerror or "cannot be opened") from exc
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class LocalDerivedFiles:
    """DerivedFiles in the folder ``package``, which exists. Methods raise DiskFullError and DiskError."""

    def __init__(self, package: Path, disk: Disk) -> None:
        self._package = package
        self._folder = package / FOLDER
        self._disk = disk

    def alone(self) -> AbstractContextManager[None]:
        """Waits while another process has it."""
        return alone_with(self._package)

    def read(self, name: str) -> bytes | None:
        path = self._folder / name
        return self._disk.read(path) if path.is_file() else None

    def write(self, name: str, data: bytes) -> None:
        if not self._folder.is_dir():
            self._disk.make_folder(self._folder)
            self._disk.settle(self._package)
        self._disk.replace(self._folder / name, data)

    def remove(self, name: str) -> None:
        self._disk.unlink(self._folder / name)
