"""What evidence asks of a store of sealed packages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

from evidence.derived import FOLDER as DERIVED


def is_file_name(name: str) -> bool:
    """Whether a file of a package, or of its ``derived/``, can have that name."""
    inner = name.removeprefix(f"{DERIVED}/")
    return bool(inner) and inner == Path(inner).name


class PackageStore(Protocol):
    """Keeps packages, each written once; one without its manifest does not exist."""

    def check(self) -> None:
        """The store can be used as it is set up. Raises StoreRefusedError, StoreUnavailableError."""
        ...

    def has(self, case_id: str) -> bool: ...

    def put(self, case_id: str, folder: Path) -> None:
        """The package in ``folder`` is in the store, whole. One that is there already stays as it is.

        Raises StoreConflictError where that has another manifest, DiskFullError and DiskError; of a store elsewhere
        also StoreUnavailableError and StoreRefusedError. Nothing half-written is left where ``has`` would find it.
        """
        ...

    def read(self, case_id: str, name: str) -> bytes:
        """The bytes of a file of the package, or of its ``derived/``. Raises PackageMissingError."""
        ...

    def names(self, case_id: str) -> tuple[str, ...]:
        """The names of all files that are there for the package, listed in its manifest or not, and where there is one of its
        ``derived/``, sorted.
        """
        ...

    def path_of(self, case_id: str) -> str:
        """Where the package is, relative to the data folder, with ``/``."""
        ...

    def ids(self) -> tuple[str, ...]:
        """The ids of all packages, sorted."""
        ...

    def remove(self, case_id: str) -> None:
        """The package is gone; one that is not there is no error. A crash meanwhile leaves it whole, or none that ``has`` finds.

        Raises what ``put`` raises, and where a lock of the store protects it StoreRefusedError.
        """
        ...

    def confirmed(self, case_id: str, at: datetime) -> None:
        """A store that locks keeps the package for as long as it keeps confirmed ones from ``at`` on, or longer if it did so
        before; another does nothing. Raises StoreUnavailableError and StoreRefusedError.
        """
        ...

    def hold(self, case_id: str, *, is_held: bool) -> None:
        """In a store that locks, the legal hold of every file of the package is set or lifted; another does nothing.

        Raises StoreUnavailableError and StoreRefusedError.
        """
        ...

    def unfinished(self) -> tuple[str, ...]:
        """The names of what a crash left half-written, sorted."""
        ...

    def clear_scratch(self) -> tuple[str, ...]:
        """What a crash left half-written is gone, unless a lock protects it; returns the names of what went, sorted."""
        ...
