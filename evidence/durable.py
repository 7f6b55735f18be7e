"""Writes to disk so that what was done before a crash or a full disk stands whole, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evidence.errors import DiskError, DiskFullError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No room on the disk, in the quota, or beneath the limit of a file's size."""

NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
"""Why a hard link may be refused where a copy would succeed."""


def open_new(path: Path) -> BinaryIO:
    """The file opened for writing; it must not exist yet."""
    return path.open("xb")


def open_after(path: Path, size: int) -> BinaryIO:
    """The file, made where there is none, opened for writing after its first ``size`` bytes; what followed them is gone."""
    file = path.open("r+b" if path.exists() else "xb")
    file.truncate(size)
    file.seek(size)
    return file


class Disk:
    """One local file system. Every method raises DiskFullError where there is no room, DiskError for any other refusal.

    ``opener`` and ``appender`` open the files that are written; a test hands in ones that run out of room.
    """

    def __init__(
        self,
        opener: Callable[[Path], BinaryIO] = open_new,
        appender: Callable[[Path, int], BinaryIO] = open_after,
    ) -> None:
        self._open = opener
        self._open_after = appender

    def make_folder(self, folder: Path) -> None:
        """The folder stands, and its parents."""
        with _translated(folder, 0):
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        """The new file holds the data and is on the disk; its name is only after ``settle`` of its folder."""
        with _translated(path, len(data)), self._open(path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def append(self, path: Path, size: int, data: bytes) -> None:
        """The file, made where there is none, holds its first ``size`` bytes and then the data, on the disk.

        After an error or a crash those first bytes stand, and perhaps a part of the data.
        """
        with _translated(path, len(data)), self._open_after(path, size) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def replace(self, path: Path, data: bytes) -> None:
        """The file holds the data, and its name is on the disk, whatever stood there; there is no moment with half of it."""
        part = path.with_name(f".{path.name}.part")
        with _translated(part, 0):
            part.unlink(missing_ok=True)
        self.write(part, data)
        with _translated(path, 0):
            part.replace(path)
        self.settle(path.parent)

    def unlink(self, path: Path) -> None:
        """The file is gone, or was not there."""
        with _translated(path, 0):
            path.unlink(missing_ok=True)

    def read(self, path: Path) -> bytes:
        """The bytes of the file."""
        with _translated(path, 0):
            return path.read_bytes()

    def copy(self, source: Path, target: Path) -> None:
        """The new file ``target`` has the bytes of ``source``: a hard link on the same file system, else a copy, on the disk."""
        try:
            os.link(source, target)
        except OSError as exc:
            if exc.errno not in NO_LINK:
                raise refusal(exc, target, 0) from exc
            self.write(target, self.read(source))

    def settle(self, folder: Path) -> None:
        """The names in the folder are on the disk."""
        with _translated(folder, 0):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def seal(self, building: Path, sealed: Path) -> None:
        """The folder has its final name, with all its files, on the disk; there is no moment with half of it."""
        self.settle(building)
        with _translated(sealed, 0):
            building.rename(sealed)
        self.settle(sealed.parent)

    def remove(self, folder: Path) -> None:
        """The folder is gone, or was not there; a crash meanwhile leaves it under a name ending in ``.removing``."""
        doomed = folder if folder.name.endswith(".removing") else folder.with_name(f"{folder.name}.removing")
        with _translated(folder, 0):
            if doomed != folder and folder.exists():
                shutil.rmtree(doomed, ignore_errors=True)
                folder.rename(doomed)
            if doomed.exists():
                shutil.rmtree(doomed)

    def remove_empty(self, folder: Path) -> None:
        """The folder is gone, unless it is in use or was not there."""
        try:
            folder.rmdir()
        except OSError as exc:
            if exc.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                raise refusal(exc, folder, 0) from exc


@contextmanager
def _translated(path: Path, needed_bytes: int) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise refusal(exc, path, needed_bytes) from exc


def refusal(exc: OSError, path: Path, needed_bytes: int = 0) -> DiskFullError | DiskError:
    """The system's error as ours."""
    if exc.errno not in FULL:
        return DiskError(path, exc.strerror or "refused")
    existing = next((folder for folder in (path, *path.parents) if folder.is_dir()), None)
    free = None if existing is None else shutil.disk_usage(existing).free
    return DiskFullError(path, needed_bytes, free)
