"""The store that is a folder: ``evidence/<id>/`` in the data folder."""

from __future__ import annotations

from pathlib import Path

from evidence import manifest
from evidence.durable import Disk
from evidence.errors import PackageMissingError
from evidence.spool import INCOMING, REMOVING, checked

FOLDER = "evidence"
SCRATCH = (INCOMING, REMOVING)


class LocalStore:
    """A PackageStore in ``data_dir``. Its file system is best the spool's: then a package is linked, not copied."""

    def __init__(self, data_dir: Path, disk: Disk) -> None:
        self._root = data_dir / FOLDER
        self._disk = disk

    def has(self, case_id: str) -> bool:
        return (self._root / checked(case_id) / manifest.NAME).is_file()

    def put(self, case_id: str, folder: Path) -> None:
        """As PackageStore promises; the manifest is written last, and the folder gets its name by one rename."""
        if self.has(case_id):
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
        if name != Path(name).name or not path.is_file():
            raise PackageMissingError(case_id, name)
        return self._disk.read(path)

    def path_of(self, case_id: str) -> str:
        return f"{FOLDER}/{checked(case_id)}"

    def ids(self) -> tuple[str, ...]:
        if not self._root.is_dir():
            return ()
        names = (path.parent.name for path in self._root.glob(f"*/{manifest.NAME}"))
        return tuple(sorted(name for name in names if not name.endswith(SCRATCH)))

    def remove(self, case_id: str) -> None:
        self._disk.remove(self._root / checked(case_id))

    def clear_scratch(self) -> tuple[str, ...]:
        if not self._root.is_dir():
            return ()
        names = sorted(path.name for path in self._root.iterdir() if path.name.endswith(SCRATCH))
        for name in names:
            self._disk.remove(self._root / name)
        return tuple(names)
