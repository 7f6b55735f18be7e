"""Leases on cameras within one machine: a lock that ends with its process, and a number that only ever rises."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ingest.errors import LeaseError

NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class LocalLeases:
    """Leases by camera, as files below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def acquire(self, camera_id: str) -> LocalLease | None:
        """The lease, its number on the disk; None while somebody else holds it. Raises LeaseError where the disk refuses."""
        if not NAME.fullmatch(camera_id):
            raise LeaseError(camera_id, "its id cannot name a file")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder / camera_id, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as exc:
            raise LeaseError(camera_id, exc.strerror or "unknown") from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return None
        try:
            text = os.pread(handle, 64, 0).decode("ascii", "replace").strip()
            number = (int(text) if text.isdigit() else 0) + 1
            _write(handle, number)
        except OSError as exc:
            os.close(handle)
            raise LeaseError(camera_id, exc.strerror or "unknown") from exc
        return LocalLease(handle, number)


class LocalLease:
    """One camera is ours until ``release``, or until this process ends."""

    def __init__(self, handle: int, number: int) -> None:
        self._handle: int | None = handle
        self._number = number

    @property
    def number(self) -> int:
        """The fencing number: higher than that of every holder before."""
        return self._number

    def holds(self) -> bool:
        return self._handle is not None

    def segments(self) -> Iterator[int]:
        """Numbers of segments that no holder has used or will use, each on the disk before it is given. Raises LeaseError."""
        while self._handle is not None:
            yield self._number
            self._number += 1
            try:
                _write(self._handle, self._number)
            except OSError as exc:
                raise LeaseError("camera", exc.strerror or "unknown") from exc

    def release(self) -> None:
        """The camera is anybody's; a lease that was released stays so."""
        handle, self._handle = self._handle, None
        if handle is not None:
            with suppress(OSError):
                os.close(handle)


def _write(handle: int, number: int) -> None:
    os.pwrite(handle, f"{number:020d}\n".encode(), 0)
    os.fsync(handle)
