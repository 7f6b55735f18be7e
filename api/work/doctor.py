"""Looks at all that an installation rests on, and says of each what is well and what to do about what is not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from api.model_manifest import MANIFEST, load_manifest
from api.settings import Settings
from api.work.custody import signer_of
from api.work.health import LEAST_FREE_BYTES
from api.work.models import ModelState, list_models
from api.work.package_store import open_store
from api.work.records_place import has_records, is_in_database, open_database
from evidence.durable import Disk
from evidence.keys import KeyFolder
from rules.errors import StoplineError

SOON = timedelta(days=30)
"""How long before its end a key is to be changed: time for those who verify to learn of the new one."""

GOOD_FREE_BYTES = 20_000_000_000
"""Some days of cases of a busy junction, at 5 MB each."""


class Verdict(StrEnum):
    """How something was found."""

    WELL = "well"
    LOOK = "look"
    """It works, and somebody should look at it."""
    ILL = "ill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that was looked at; ``advice`` says what to do where it is not well."""

    what: str
    verdict: Verdict
    detail: str
    advice: str = ""


def examine(settings: Settings, data: Path | None, now: Callable[[], datetime]) -> Iterator[Found]:
    """Everything that can be looked at without changing anything; of the data folder where one is given."""
    yield _python()
    yield from _models(settings)
    yield _key(settings, now())
    if data is not None:
        yield from _folder(data)
        if data.is_dir():
            yield _records(data)
            yield _store(data, settings, now)


def _python() -> Found:
    running = ".".join(str(part) for part in sys.version_info[:3])
    cores = os.cpu_count() or 1
    return Found(what="python", verdict=Verdict.WELL, detail=f"{running}, {cores} cores")


def _models(settings: Settings) -> Iterator[Found]:
    try:
        states = list_models(load_manifest(settings.models / MANIFEST), settings.cache)
    except StoplineError as exc:
        yield Found(
            what="models",
            verdict=Verdict.ILL,
            detail=str(exc),
            advice="set STOPLINE_MODELS to the folder of manifest.toml",
        )
        return
    for status in states:
        what = f"model {status.model.name}"
        if status.state is ModelState.WRONG:
            yield Found(
                what=what,
                verdict=Verdict.ILL,
                detail=f"{status.path}: is not the file that the manifest names",
                advice="remove it; 'stopline models pull' fetches the right one",
            )
        elif status.state is ModelState.MISSING:
            yield Found(
                what=what,
                verdict=Verdict.LOOK,
                detail="is not here",
                advice="'stopline models pull' fetches it; without it no plates are read",
            )
        elif status.state is ModelState.READY:
            yield Found(what=what, verdict=Verdict.WELL, detail="is the file that the manifest names")


def _key(settings: Settings, now: datetime) -> Found:
    what = "signing key"
    if settings.keys is None:
        return Found(
            what=what,
            verdict=Verdict.LOOK,
            detail="none: each data folder makes a demo key of its own, whose signer nobody knows",
            advice="'stopline keys generate --keys DIR --label WHOSE', and set STOPLINE_KEYS=DIR",
        )
    try:
        signer_of(settings, now)
        newest = KeyFolder(settings.keys, Disk()).published()[-1]
    except StoplineError as exc:
        return Found(
            what=what, verdict=Verdict.ILL, detail=str(exc), advice="'stopline keys' makes and changes keys"
        )
    if newest.valid_until is not None and newest.valid_until - now < SOON:
        return Found(
            what=what,
            verdict=Verdict.LOOK,
            detail=f"{newest.key.id}: what it signs is accepted until {newest.valid_until:%Y-%m-%d}",
            advice="'stopline keys rotate', then publish the new one to those who verify",
        )
    return Found(what=what, verdict=Verdict.WELL, detail=f"{newest.key.id}")


def _folder(data: Path) -> Iterator[Found]:
    what = "data folder"
    if not data.is_dir():
        yield Found(
            what=what,
            verdict=Verdict.ILL,
            detail=f"{data} is not a folder",
            advice="give the one that 'stopline watch' or 'stopline replay' fills",
        )
        return
    if not os.access(data, os.W_OK):
        yield Found(
            what=what,
            verdict=Verdict.ILL,
            detail=f"{data} cannot be written by this account",
            advice="run Stopline as its owner, or give it to that account",
        )
    free = shutil.disk_usage(data).free
    detail = f"{free / 1e9:.1f} GB free"
    if free < LEAST_FREE_BYTES:
        yield Found(what="disk", verdict=Verdict.ILL, detail=detail, advice="make room: no case can be kept")
    elif free < GOOD_FREE_BYTES:
        yield Found(
            what="disk", verdict=Verdict.LOOK, detail=detail, advice="make room: a busy week needs more"
        )
    else:
        yield Found(what="disk", verdict=Verdict.WELL, detail=detail)


def _records(data: Path) -> Found:
    what = "records"
    if not has_records(data):
        return Found(
            what=what,
            verdict=Verdict.LOOK,
            detail="none yet",
            advice="'stopline watch' or 'stopline replay' makes them with the first case",
        )
    kind = "PostgreSQL" if is_in_database(data) else "SQLite"
    try:
        with closing(open_database(data, create=False)) as database, database.read():
            pass
    except StoplineError as exc:
        advice = (
            "look at the database server, and at ~/.pgpass"
            if is_in_database(data)
            else "restore them from a backup into a new folder: 'stopline records restore'"
        )
        return Found(what=what, verdict=Verdict.ILL, detail=str(exc), advice=advice)
    return Found(what=what, verdict=Verdict.WELL, detail=f"in {kind}, with this version's tables")


def _store(data: Path, settings: Settings, now: Callable[[], datetime]) -> Found:
    what = "evidence store"
    try:
        open_store(data, settings.bucket(), now).check()
    except StoplineError as exc:
        return Found(
            what=what, verdict=Verdict.ILL, detail=str(exc), advice="docs/stores.md says how it is set up"
        )
    return Found(what=what, verdict=Verdict.WELL, detail="can be used as it is set up")
