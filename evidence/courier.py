"""Takes sealed packages to the store and the records beside the pipeline, and goes on trying while either is away."""

from __future__ import annotations

import shutil
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from evidence import manifest
from evidence.budget import Budget
from evidence.custody import ChainForkedError, Custody
from evidence.delivery import SPOOL_FOLDER, deliver, verified_ref
from evidence.durable import Disk
from evidence.errors import (
    EvidenceError,
    PackageDamagedError,
    PackageMissingError,
    StoreConflictError,
    StoreUnavailableError,
)
from evidence.ports import EvidenceRef
from evidence.records import CaseRecord
from evidence.spool import Spool
from evidence.store import PackageStore
from rules.errors import StoplineError

PARKED = (StoreConflictError, PackageDamagedError, PackageMissingError)
"""What no second attempt can heal: the entry stays in the spool for a person, and the others go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """After how many seconds an attempt is repeated, at first and at most; how long the end of a run waits in trouble."""

    first_s: float = 1.0
    most_s: float = 30.0
    end_s: float = 10.0


class Courier:
    """A Delivery with a thread of its own, so that a slow store or busy records cost the pipeline nothing.

    A context: entering it takes over the sealed entries that ``data_dir`` has, leaving it waits until all is
    delivered, or in trouble ``pace.end_s``. What is not delivered stays in the spool. While the context is open,
    ``custody`` is the thread's alone, except for signing.
    """

    def __init__(
        self,
        data_dir: Path,
        store: PackageStore,
        custody: Custody,
        *,
        budget: Budget | None = None,
        pace: Pace | None = None,
        disk: Disk | None = None,
    ) -> None:
        disk = Disk() if disk is None else disk
        self._root = data_dir / SPOOL_FOLDER
        self._spool, self._store, self._custody = Spool(self._root, disk), store, custody
        self._budget = Budget() if budget is None else budget
        self._pace = Pace() if pace is None else pace
        self._changed = threading.Condition()
        self._queue: deque[str] = deque()
        self._sizes: dict[str, int] = {}
        self._parked: dict[str, str] = {}
        self._cameras: set[str] = set()
        self._news: list[str] = []
        self._trouble: str | None = None
        self._fault: BaseException | None = None
        self._alarmed = False
        self._is_due = False
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self.most_bytes = 0

    def __enter__(self) -> Self:
        """Raises PackageDamagedError for a sealed entry that is not whole, DiskFullError and DiskError."""
        self._spool.clear_scratch()
        for case_id in self._spool.sealed_ids():
            manifest.verified(case_id, partial(self._spool.read, case_id))
            self.take(case_id)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except Exception as exc:
            if error is None:
                raise
            error.add_note(f"Then the courier ended with: {exc}")

    def close(self) -> None:
        """The thread has ended, as leaving the context promises; ``custody`` is the caller's again."""
        if not self._thread.is_alive():
            self._raise_fault()
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._queue or self._trouble or self._fault)
            self._changed.wait_for(lambda: not self._queue or self._fault, self._patience())
            self._ending = True
            self._changed.notify_all()
        self._thread.join()
        self._raise_fault()

    def again(self, case_id: str, record_of: Callable[[EvidenceRef], CaseRecord]) -> EvidenceRef | None:
        """As a Delivery; while store or records are away, what the spool or the records say is believed."""
        if self._spool.is_sealed(case_id):
            with suppress(PackageMissingError):
                return _ref_of(self._spool.record(case_id))
        try:
            case = self._custody.records.case(case_id)
        except StoplineError:
            return None  # built once more, it has the same bytes, and the store takes it once
        if case is None:
            return None
        with suppress(StoreUnavailableError):
            return verified_ref(case_id, self._store)
        return _ref_of(case.record)

    def path_of(self, case_id: str) -> str:
        return self._store.path_of(case_id)

    def take(self, case_id: str) -> bool:
        """As a Delivery: it is queued, and delivered as soon as store and records take it. Always True."""
        size = _size_of(self._spool.package(case_id))
        with self._changed:
            self._queue.append(case_id)
            self._sizes[case_id] = size
            self.most_bytes = max(self.most_bytes, sum(self._sizes.values()))
            self._alarm()
            self._changed.notify_all()
        return True

    def advance(self, camera_id: str) -> None:
        """As a Delivery. Raises what ended the thread, which only a mistake of ours does."""
        self._raise_fault()
        if camera_id not in self._cameras:
            with self._changed:
                self._cameras.add(camera_id)
                self._is_due = True
                self._changed.notify_all()

    def wait_for_room(self) -> str | None:
        """As a Delivery: waits until there is room, in trouble no longer than the end of a run does; else why there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._full() is None or self._trouble is not None)
            self._changed.wait_for(lambda: self._full() is None, self._patience())
            return self._full()

    def full(self) -> str | None:
        """As a Delivery."""
        with self._changed:
            return self._full()

    def news(self) -> tuple[str, ...]:
        """Sentences about troubles and alarms since the last call."""
        if not self._news:
            return ()
        with self._changed:
            told, self._news = tuple(self._news), []
            return told

    @property
    def waiting(self) -> tuple[str, ...]:
        """The ids of what is sealed and not delivered."""
        with self._changed:
            return tuple(sorted(self._sizes))

    @property
    def trouble(self) -> str | None:
        """Why the last attempt failed; None after one that did not."""
        with self._changed:
            return self._trouble or next(iter(self._parked.values()), None)

    def _run(self) -> None:
        wait_s = self._pace.first_s
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(
                        lambda: self._queue or self._ending or self._is_due, self._pace.most_s
                    )
                    if self._ending:
                        return
                    self._is_due = False
                    case_id = self._queue[0] if self._queue else None
                    cameras = tuple(self._cameras)
                try:
                    if case_id is None:
                        for camera_id in cameras:
                            self._custody.advance(camera_id)
                        self._settled(None)
                        wait_s = self._pace.first_s
                        continue
                    deliver(case_id, self._spool, self._store, self._custody)
                except ChainForkedError:
                    raise
                except PARKED as exc:
                    self._park(case_id, exc)
                except StoplineError as exc:
                    self._troubled(exc, wait_s)
                    wait_s = min(2 * wait_s, self._pace.most_s)
                else:
                    self._settled(case_id)
                    wait_s = self._pace.first_s
        except BaseException as exc:  # noqa: BLE001 - it is raised in the pipeline's thread
            with self._changed:
                self._fault = exc
                self._changed.notify_all()

    def _settled(self, case_id: str | None) -> None:
        with self._changed:
            if case_id is not None:
                self._queue.remove(case_id)
                self._sizes.pop(case_id)
            if self._trouble is not None:
                self._trouble = None
                self._news.append("store and records answer again; what waits in the spool is delivered")
            self._alarm()
            self._changed.notify_all()

    def _troubled(self, exc: StoplineError, wait_s: float) -> None:
        with self._changed:
            if self._trouble is None:
                self._news.append(f"{exc}")
            self._trouble = str(exc)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ending, wait_s)

    def _park(self, case_id: str | None, exc: EvidenceError) -> None:
        assert case_id is not None
        with self._changed:
            self._queue.remove(case_id)
            self._parked[case_id] = str(exc)
            self._news.append(f"{exc} (it stays in the spool)")
            self._changed.notify_all()

    def _full(self) -> str | None:
        used = sum(self._sizes.values())
        if used < self._budget.spool_bytes:
            return None
        return (
            f"the spool is full: {len(self._sizes)} packages with {used / 1e6:.1f} MB wait, and "
            f"{self._budget.spool_bytes / 1e6:.1f} MB is its budget ({self._trouble or 'the store is slow'})"
        )

    def _alarm(self) -> None:
        used, budget = sum(self._sizes.values()), self._budget.spool_bytes
        free = _free_bytes(self._root)
        is_short = free is not None and free < budget - used
        if not is_short and used < budget * self._budget.alarm_share / 2:
            self._alarmed = False
        elif not self._alarmed and (is_short or used >= budget * self._budget.alarm_share):
            self._alarmed = True
            left = f", and its disk has {free / 1e6:.0f} MB left" if is_short and free is not None else ""
            self._news.append(
                f"alarm: {used / 1e6:.1f} of {budget / 1e6:.1f} MB of the spool are used{left}; when it is full, "
                "findings can no longer be kept"
            )

    def _patience(self) -> float | None:
        return None if self._trouble is None else self._pace.end_s

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault


def _ref_of(record: CaseRecord) -> EvidenceRef:
    return EvidenceRef(
        evidence_path=record.evidence_path,
        manifest_path=record.manifest_path,
        manifest_sha256=record.manifest_sha256,
        package=record.package,
        reasons=record.package_reasons,
    )


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
