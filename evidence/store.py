"""What evidence asks of a store of sealed packages."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class PackageStore(Protocol):
    """Keeps packages, each written once; one without its manifest does not exist."""

    def has(self, case_id: str) -> bool: ...

    def put(self, case_id: str, folder: Path) -> None:
        """The package in ``folder`` is in the store, whole. One that is there already stays as it is.

        Raises DiskFullError and DiskError; nothing half-written is left where ``has`` would find it.
        """
        ...

    def read(self, case_id: str, name: str) -> bytes:
        """The bytes of a file of the package. Raises PackageMissingError."""
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

    def clear_scratch(self) -> tuple[str, ...]:
        """What a crash left half-written is gone; returns the names, sorted."""
        ...
