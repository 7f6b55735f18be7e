"""Recordings and truth files in the one folder of the server that runs may read."""

from __future__ import annotations

from pathlib import Path

from rules.errors import StoplineError

MOST_LISTED = 1000


class FootageUnknownError(StoplineError):
    """There is no such file in the folder of footage."""

    code = "footage_unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"the folder of footage has no file {name!r}; GET /runs/footage lists what it has")


class NoFootageError(StoplineError):
    """No folder of footage is set."""

    code = "no_footage"

    def __init__(self) -> None:
        super().__init__("the installation names no folder of footage (STOPLINE_FOOTAGE)")


class Footage:
    """The folder ``root``; None: there is none."""

    def __init__(self, root: Path | None) -> None:
        self.root = None if root is None else root.resolve()

    def path(self, name: str) -> Path:
        """The regular file of that name, relative to the folder, with every link followed: it lies in the folder.

        Raises FootageUnknownError for anything else, NoFootageError.
        """
        if self.root is None:
            raise NoFootageError
        try:
            found = (self.root / name).resolve()
            is_there = found.is_relative_to(self.root) and found.is_file()
        except (OSError, ValueError, RuntimeError):  # too long a name, a NUL, links in a circle
            is_there = False
        if not is_there:
            raise FootageUnknownError(name)
        return found

    def names(self) -> tuple[str, ...]:
        """Up to ``MOST_LISTED`` files of the folder, by name; hidden ones and links that lead out of it are not listed."""
        if self.root is None:
            return ()
        found: list[str] = []
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            hidden = any(part.startswith(".") for part in Path(name).parts)
            if not hidden and path.is_file() and path.resolve().is_relative_to(self.root):
                found.append(name)
            if len(found) == MOST_LISTED:
                break
        return tuple(found)
