"""Opens the store of a data folder's packages: the folder itself, or the place in a bucket that the folder remembers."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UsageError
from api.work.records_place import is_in_database
from evidence.canonical import json_bytes
from evidence.derived import DerivedFiles
from evidence.derived_local import LocalDerivedFiles, alone_with
from evidence.durable import Disk
from evidence.store import PackageStore
from evidence.store_local import FOLDER, LocalStore
from rules.errors import StoplineError

if TYPE_CHECKING:  # only who uses a bucket loads what speaks to one
    from evidence.bucket import Bucket

STORE_FILE = "store.json"
FORMAT = "stopline-store/1"
MARK_BYTES = 8
MARK = re.compile(f"data-[0-9a-f]{{{2 * MARK_BYTES}}}")


class StorePlaceError(StoplineError):
    """The settings name another store than the one that holds the folder's packages; the text says what to set."""

    code = "config_invalid"


def open_store(
    folder: Path, bucket: Bucket | None, now: Callable[[], datetime], *, create: bool = False
) -> PackageStore:
    """The store that holds the folder's packages.

    A bucket may serve many data folders, whose cases can have the same ids: each folder gets a place of its own below
    the prefix, and remembers it in ``store.json``. Where it has none yet, ``create`` chooses one; a folder that holds
    packages itself keeps them. Raises StorePlaceError where the settings do not fit, and what the disk raises.
    """
    found = _remembered(folder)
    if bucket is None:
        if found is not None:
            raise StorePlaceError(
                f"{folder}: its packages are in the bucket s3://{found[0]}/{found[1]}; set STOPLINE_STORE to that, and "
                "the other STOPLINE_STORE_ settings"
            )
        return LocalStore(folder, Disk())
    if found is None:
        if not create:
            return LocalStore(folder, Disk())
        if (folder / FOLDER).exists():
            raise StorePlaceError(
                f"{folder}: its packages are in the folder itself, and STOPLINE_STORE names a bucket; unset it for "
                "this folder, or give a new one"
            )
        found = _chosen(folder, bucket)
    name, prefix, mark = found
    if (name, prefix) != (bucket.name, bucket.prefix):
        raise StorePlaceError(
            f"{folder}: its packages are in s3://{name}/{prefix}, and STOPLINE_STORE names "
            f"s3://{bucket.name}/{bucket.prefix}; set it to the former, or give a new folder"
        )
    from evidence.store_s3 import S3Store

    return S3Store(replace(bucket, prefix=f"{prefix}{mark}/"), now, Disk())


def derived_files(folder: Path, store: PackageStore, case_id: str) -> DerivedFiles:
    """The ``derived/`` of a package of the folder, wherever ``store`` has it; one program at a time changes it."""
    if isinstance(store, LocalStore):
        return LocalDerivedFiles(folder / store.path_of(case_id), Disk())
    from evidence.store_s3 import S3Store

    assert isinstance(store, S3Store)
    return store.derived(case_id, lambda: alone_with(folder / STORE_FILE))


def is_in_bucket(folder: Path) -> bool:
    """Whether the folder's packages are in a bucket."""
    return (folder / STORE_FILE).is_file()


def require_none_elsewhere(folder: Path) -> None:
    """The folder's cases, if any, may be thrown away with it. Raises UsageError where they are in a bucket or a database."""
    if is_in_database(folder):
        raise UsageError(
            f"--overwrite: the records of {folder} are in a database, where nothing is thrown away; give a new --out"
        )
    if is_in_bucket(folder):
        raise UsageError(
            f"--overwrite: the packages of {folder} are in a bucket, where nothing is thrown away; give a new --out"
        )


def _chosen(folder: Path, bucket: Bucket) -> tuple[str, str, str]:
    mark = f"data-{secrets.token_hex(MARK_BYTES)}"
    text = json_bytes({"format": FORMAT, "bucket": bucket.name, "prefix": bucket.prefix, "place": mark})
    Disk().replace(folder / STORE_FILE, text)
    return bucket.name, bucket.prefix, mark


def _remembered(folder: Path) -> tuple[str, str, str] | None:
    """Bucket, prefix and the folder's place below it; None where nothing is remembered."""
    path = folder / STORE_FILE
    if not path.is_file():
        return None
    try:
        said = json.loads(Disk().read(path))
        if said["format"] != FORMAT or not MARK.fullmatch(said["place"]):
            raise ValueError("not the format of this version")
        return str(said["bucket"]), str(said["prefix"]), str(said["place"])
    except (ValueError, KeyError, TypeError) as exc:
        raise StorePlaceError(
            f"{path} does not say where the folder's packages are ({exc}); put it back from a backup: with it the "
            "packages are found again"
        ) from exc
