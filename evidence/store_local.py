"""The store that is a folder: ``evidence/<id>/`` in the data folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from evidence import manifest
from evidence.canonical import sha256_hex
from evidence.durable import Disk
from evidence.errors import PackageMissingError, StoreConflictError
from evidence.spool import INCOMING, REMOVING, checked
from evidence.store import is_file_name

FOLDER = "evidence"
SCRATCH = (INCOMING, REMOVING)


class LocalStore:
    """A PackageStore in ``data_dir``. Its file system is best the spool's: then a package is linked, not copied."""

    def __init__(self, data_dir: Path, disk: Disk) -> None:
        self._root = data_dir / FOLDER
        self._disk = disk

    def check(self) -> None:
        """A folder needs nothing."""

    def has(self, case_id: str) -> bool:
        return (self._root / checked(case_id) / manifest.NAME).is_file()

    def put(self, case_id: str, folder: Path) -> None:
        """As PackageStore promises; the manifest is written last, and the folder gets its name by one rename."""
        if self.has(case_id):
            ours = sha256_hex(self._disk.read(folder / manifest.NAME))
            theirs = sha256_hex(self.read(case_id, manifest.NAME))
            if ours != theirs:
                raise StoreConflictError(case_id, manifest.NAME, ours, theirs)
            return
        incoming = self._root / f"{checked(case_id)}{INCOMING}"
        self._disk.remove(incoming)
        self._disk.make_folder(incoming)
        names = sorted(path.name for path in folder.iterdir() if path.name != manifest.NAME)
        for name in (*names, manifest.NAME):
            self._disk.copy(folder / name, incoming / name)
        self._disk.seal(incoming, self._root / case_id)

    def read(self, case_id: str, name: str) -> bytes:
        path = self._root / checked(case_id) / name
        if not is_file_name(name) or not path.is_file():
            raise PackageMissingError(case_id, name)
        return self._disk.read(path)

    def names(self, case_id: str) -> tuple[str, ...]:
        folder = self._root / checked(case_id)
        return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()

    def path_of(self, case_id: str) -> str:
        return f"{FOLDER}/{checked(case_id)}"

    def ids(self) -> tuple[str, ...]:
        if not self._root.is_dir():
            return ()
        names = (path.parent.name for path in self._root.glob(f"*/{manifest.NAME}"))
        return tuple(sorted(name for name in names if not name.endswith(SCRATCH)))

    def remove(self, case_id: str) -> None:
        self._disk.remove(self._root / checked(case_id))
        if self._root.is_dir():
            self._disk.settle(self._root)

    def confirmed(self, case_id: str, at: datetime) -> None:
        """A folder has no locks; retention keeps what is confirmed."""

    def hold(self, case_id: str, *, is_held: bool) -> None:
        """A folder has no locks; the records hold what is under legal hold."""

    def unfinished(self) -> tuple[str, ...]:
        if not self._root.is_dir():
            return ()
        return tuple(sorted(path.name for path in self._root.iterdir() if path.name.endswith(SCRATCH)))

    def clear_scratch(self) -> tuple[str, ...]:
        names = self.unfinished()
        for name in names:
            self._disk.remove(self._root / name)
        return names
