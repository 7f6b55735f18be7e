"""Whether the service can do its work now, and how its queue stands: for whoever restarts, alerts and draws curves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.records.queue_figures import QueueFigures, queue_figures
from evidence.database import Database
from evidence.errors import StoreRefusedError, StoreUnavailableError
from evidence.store import PackageStore
from rules.errors import StoplineError

LEAST_FREE_BYTES = 200_000_000
"""Room for some twenty cases: below it, decisions could soon not be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that keeps the service from working: a stable code, and a sentence without paths or addresses."""

    code: str
    detail: str


class Health:
    """Looks at what the service rests on: ``database``, ``store`` and the disk under ``folder``."""

    def __init__(
        self, folder: Path, database: Database, store: PackageStore, now: Callable[[], datetime]
    ) -> None:
        self._folder = folder
        self._database = database
        self._store = store
        self._now = now

    def troubles(self) -> Sequence[Trouble]:
        """What is wrong now; nothing where requests can be answered."""
        found = []
        try:
            with self._database.read():
                pass
        except StoplineError:
            found.append(Trouble(code="records_unavailable", detail="the records cannot be read"))
        try:
            self._store.check()
        except StoreUnavailableError:
            found.append(Trouble(code="store_unavailable", detail="the evidence store does not answer"))
        except (StoreRefusedError, StoplineError):
            found.append(
                Trouble(code="store_refused", detail="the evidence store refuses; its operator must act")
            )
        try:
            if shutil.disk_usage(self._folder).free < LEAST_FREE_BYTES:
                found.append(
                    Trouble(code="disk_full", detail="the disk under the data folder is nearly full")
                )
        except OSError:
            found.append(Trouble(code="folder_gone", detail="the data folder cannot be reached"))
        return found

    def queue(self) -> QueueFigures:
        """How the queue stands."""
        with self._database.read() as tx:
            return queue_figures(tx)
