"""The store that is a bucket of an S3 server: ``<prefix>evidence/<id>/<file>``, each object written once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import urllib3

from evidence import manifest
from evidence.bucket import Bucket, BucketObjects
from evidence.derived import FOLDER as DERIVED
from evidence.durable import Disk
from evidence.errors import (
    ObjectMissingError,
    PackageMissingError,
    StoreConflictError,
    StoreRefusedError,
)
from evidence.spool import CaseIdError, checked
from evidence.store import is_file_name

FOLDER = "evidence"


class S3Store:
    """A PackageStore in a bucket. ``now`` is the clock that requests are signed by."""

    def __init__(
        self, bucket: Bucket, now: Callable[[], datetime], disk: Disk, http: urllib3.PoolManager | None = None
    ) -> None:
        self._objects = BucketObjects(bucket, now, http)
        self._bucket, self._disk = bucket, disk

    def check(self) -> None:
        """The bucket is there, may be used, and locks where that is asked for.

        Raises StoreRefusedError and StoreUnavailableError.
        """
        self._objects.check()

    def has(self, case_id: str) -> bool:
        return self._objects.said_sha256(self._key(case_id, manifest.NAME)) is not None

    def put(self, case_id: str, folder: Path) -> None:
        """As PackageStore promises; the manifest is sent last.

        Raises StoreConflictError where an object of the same name has other content, StoreUnavailableError and
        StoreRefusedError.
        """
        ours = hashlib.sha256(self._disk.read(folder / manifest.NAME)).hexdigest()
        if self._objects.said_sha256(self._key(case_id, manifest.NAME)) == ours:
            return
        present = self.names(case_id)
        names = sorted(path.name for path in folder.iterdir() if path.name != manifest.NAME)
        for name in (*names, manifest.NAME):
            path, key = folder / name, self._key(case_id, name)
            if name in present:  # a server that ignores the condition would write over it
                is_new = False
            elif path.stat().st_size > self._bucket.parts_from_bytes:
                is_new = self._objects.put_once_in_parts(key, path)
            else:
                is_new = self._objects.put_once(key, self._disk.read(path))
            if not is_new:
                self._require_same(case_id, path)

    def read(self, case_id: str, name: str) -> bytes:
        if not is_file_name(name):
            raise PackageMissingError(case_id, name)
        try:
            return self._objects.read(self._key(case_id, name))
        except ObjectMissingError as exc:
            raise PackageMissingError(case_id, name) from exc

    def names(self, case_id: str) -> tuple[str, ...]:
        start = self._key(case_id, "")
        return tuple(sorted(key.removeprefix(start) for key in self._objects.keys(start)))

    def path_of(self, case_id: str) -> str:
        return f"{FOLDER}/{checked(case_id)}"

    def ids(self) -> tuple[str, ...]:
        return tuple(sorted(case_id for case_id, names in self._listed().items() if manifest.NAME in names))

    def unfinished(self) -> tuple[str, ...]:
        """The packages whose manifest never arrived; a sealed spool entry sends them again."""
        return tuple(
            sorted(case_id for case_id, names in self._listed().items() if manifest.NAME not in names)
        )

    def clear_scratch(self) -> tuple[str, ...]:
        removed = []
        for case_id in self.unfinished():
            try:
                self.remove(case_id)
            except CaseIdError:
                continue  # somebody else's
            except StoreRefusedError:
                continue  # its lock runs out one day, and nobody lists it until then
            removed.append(case_id)
        return tuple(removed)

    def remove(self, case_id: str) -> None:
        """The package is gone with all versions of its objects, the manifest first: without it the rest does not exist.

        Raises StoreRefusedError where a lock or a hold protects it.
        """
        self._objects.remove_wholly(self._key(case_id, ""), self._key(case_id, manifest.NAME))

    def confirmed(self, case_id: str, at: datetime) -> None:
        if self._bucket.lock is not None:
            self.keep_until(case_id, at + self._bucket.keep_confirmed)

    def keep_until(self, case_id: str, until: datetime) -> None:
        """Nobody may delete the package before that time; a later time that it already has stays. Needs ``lock``."""
        for name in self.names(case_id):
            self._objects.lock_until(self._key(case_id, name), until)

    def hold(self, case_id: str, *, is_held: bool) -> None:
        if self._bucket.lock is None:
            return
        for name in self.names(case_id):
            self._objects.hold(self._key(case_id, name), is_held=is_held)

    def link(self, case_id: str, name: str, valid: timedelta) -> str:
        """A link to the file at the public endpoint that expires; nothing is asked of the server for it."""
        return self._objects.link(self._key(case_id, name), valid)

    def derived(self, case_id: str, alone: Callable[[], AbstractContextManager[None]]) -> BucketDerivedFiles:
        """What was made from the package later; ``alone`` keeps other writers away."""
        return BucketDerivedFiles(self._objects, self._key(case_id, ""), alone)

    def _require_same(self, case_id: str, path: Path) -> None:
        """What stands there was read and has the file's content. Raises StoreConflictError."""
        with path.open("rb") as file:
            ours = hashlib.file_digest(file, "sha256").hexdigest()
        theirs = hashlib.sha256(self.read(case_id, path.name)).hexdigest()
        if theirs != ours:
            raise StoreConflictError(case_id, path.name, ours, theirs)

    def _listed(self) -> dict[str, set[str]]:
        """The names of the objects by case."""
        start = f"{self._bucket.prefix}{FOLDER}/"
        found: dict[str, set[str]] = {}
        for key in self._objects.keys(start):
            case, _, name = key.removeprefix(start).partition("/")
            found.setdefault(case, set()).add(name)
        return found

    def _key(self, case_id: str, name: str) -> str:
        return f"{self._bucket.prefix}{FOLDER}/{checked(case_id)}/{name}"


class BucketDerivedFiles:
    """DerivedFiles beside a package in a bucket, locked as long as its manifest is, so that they go with it."""

    def __init__(
        self, objects: BucketObjects, package: str, alone: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """``package`` is the key that its files' keys begin with."""
        self._objects, self._package, self._alone = objects, package, alone

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._alone():
            yield

    def read(self, name: str) -> bytes | None:
        try:
            return self._objects.read(self._key(name))
        except ObjectMissingError:
            return None

    def write(self, name: str, data: bytes) -> None:
        until = None
        if self._objects.bucket.lock is not None:
            until = self._objects.locked_until(f"{self._package}{manifest.NAME}")
        self._objects.put(self._key(name), data, until)

    def remove(self, name: str) -> None:
        self._objects.remove(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._package}{DERIVED}/{name}"
