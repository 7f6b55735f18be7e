"""Makes an address for one file of a package in a bucket, which works for a while and needs no account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UsageError
from api.work.package_store import is_in_bucket, open_store
from evidence.spool import CaseIdError

if TYPE_CHECKING:  # only who uses a bucket loads what speaks to one
    from evidence.bucket import Bucket


def link_to(
    case_id: str,
    name: str,
    data: Path,
    bucket: Bucket | None,
    now: Callable[[], datetime],
    valid: timedelta,
) -> str:
    """The address, which gives the file as it is stored: whoever gets it compares it with the manifest.

    Raises UsageError where the folder's packages are no bucket's or hold no such file, StorePlaceError,
    StoreUnavailableError and StoreRefusedError.
    """
    if not is_in_bucket(data):
        raise UsageError(
            f"{data}: its packages are files in the folder itself; links are for those in a bucket"
        )
    from evidence.store_s3 import S3Store

    store = open_store(data, bucket, now)
    assert isinstance(store, S3Store)
    try:
        names = store.names(case_id)
    except CaseIdError as exc:
        raise UsageError(str(exc)) from exc
    if name not in names:
        there = f"it has {', '.join(names)}" if names else "there is no package of that id"
        raise UsageError(f"{case_id}: {name}: {there}")
    return store.link(case_id, name, valid)
