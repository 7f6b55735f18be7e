"""Writes one source's observations as compressed lines; a live source's wait in memory while the disk is full."""

from __future__ import annotations

import gzip
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.work.observation_lines import observation_line
from evidence.durable import FULL
from rules.errors import StoplineError
from rules.observation import Observation

MEMBER_LINES = 250
"""So many observations of a live source are compressed together: ten seconds of most cameras."""

MOST_WAITING_BYTES = 64_000_000
"""Compressed; hours of a busy camera."""


class OutputError(StoplineError):
    """The folder cannot be written; ``reason`` is the system's word for why, ``is_full`` where there is no room."""

    code = "output_unwritable"
    retryable = True

    def __init__(self, path: Path, reason: str, *, is_full: bool = False) -> None:
        super().__init__(
            f"{path}: cannot be written: {reason}; what was finished before is kept for --resume"
        )
        self.path = path
        self.reason = reason
        self.is_full = is_full


class ObservationWriter:
    """The same observations give the same bytes. Methods raise OutputError."""

    lost = 0
    """How many observations there was no room for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with translated(path):
            self._file = path.open("wb")
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._file, mtime=0)

    def write(self, observation: Observation) -> None:
        """Appends one observation."""
        line = observation_line(observation).encode() + b"\n"
        with translated(self._path):
            self._gzip.write(line)

    def close(self) -> None:
        """All that was written is on the disk."""
        with translated(self._path), self._file:
            self._gzip.close()
            self._file.flush()
            os.fsync(self._file.fileno())


class PatientObservationWriter(ObservationWriter):
    """For a source that cannot be had again: lines are compressed in members, which wait in memory while the disk is full.

    What waits beyond ``most_waiting_bytes`` is dropped, the newest, and counted in ``lost``; so is what there is no room for
    when it is closed.
    """

    def __init__(self, path: Path, most_waiting_bytes: int = MOST_WAITING_BYTES) -> None:
        self._path = path
        self._most_waiting_bytes = most_waiting_bytes
        with translated(path):
            self._raw = path.open("wb", buffering=0)
        self._lines: list[bytes] = []
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._size = 0
        self.lost = 0

    def write(self, observation: Observation) -> None:
        self._lines.append(observation_line(observation).encode() + b"\n")
        if len(self._lines) >= MEMBER_LINES:
            self._pack()
            self._put()

    def close(self) -> None:
        with translated(self._path), self._raw:
            self._pack()
            self._put()
            self.lost += sum(lines for _, lines in self._waiting)
            self._waiting.clear()
            os.fsync(self._raw.fileno())

    def _pack(self) -> None:
        if not self._lines:
            return
        member = gzip.compress(b"".join(self._lines), compresslevel=6, mtime=0)
        if sum(len(waiting) for waiting, _ in self._waiting) + len(member) > self._most_waiting_bytes:
            self.lost += len(self._lines)
        else:
            self._waiting.append((member, len(self._lines)))
        self._lines = []

    def _put(self) -> None:
        """As much of what waits as there is room for is in the file, whole members only."""
        while self._waiting:
            try:
                self._append(self._waiting[0][0])
            except OSError as exc:
                if exc.errno not in FULL:
                    raise OutputError(self._path, exc.strerror or type(exc).__name__) from exc
                return
            self._waiting.popleft()

    def _append(self, member: bytes) -> None:
        rest = memoryview(member)
        try:
            while rest:
                rest = rest[self._raw.write(rest) or 0 :]
        except OSError:
            self._raw.seek(self._size)
            self._raw.truncate(self._size)
            raise
        self._size += len(member)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what the system refuses into an OutputError."""
    try:
        yield
    except OSError as exc:
        raise OutputError(path, exc.strerror or type(exc).__name__, is_full=exc.errno in FULL) from exc
