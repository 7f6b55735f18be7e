"""A disk and a clock whose process is killed at a chosen step, for what must survive that."""

from __future__ import annotations

from pathlib import Path

from evidence.durable import Disk


class KilledError(BaseException):
    """Stands for ``kill -9``: nothing after it happens."""


class Deadline:
    """Kills after so many steps of whatever asks it; None: never."""

    def __init__(self, steps: int | None) -> None:
        self._left = steps

    def step(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise KilledError


class DyingDisk(Disk):
    """A disk whose process is killed at a step: before it, or in the middle of it."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def append(self, path: Path, size: int, data: bytes) -> None:
        self._deadline.step()
        try:
            self._deadline.step()
        except KilledError:
            super().append(path, size, data[: len(data) // 2])
            raise
        super().append(path, size, data)

    def settle(self, folder: Path) -> None:
        self._deadline.step()
        super().settle(folder)

    def unlink(self, path: Path) -> None:
        self._deadline.step()
        super().unlink(path)

    def remove(self, folder: Path) -> None:
        self._deadline.step()
        try:
            self._deadline.step()
        except KilledError:
            doomed = folder.with_name(f"{folder.name}.removing")
            if folder.exists() and not doomed.exists():
                folder.rename(doomed)
                next(doomed.iterdir()).unlink()
            raise
        super().remove(folder)
