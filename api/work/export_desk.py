"""Exports as people order them: built one after the other beside the service, kept for a week, given to who ordered them."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from api.records import exports
from api.records.audit import AuditEntry, append
from api.records.exports import Export, ExportContents, ExportState
from api.work.access import Principal
from api.work.case_access import CaseAccess
from api.work.case_errors import CaseUnknownError
from api.work.job_process import StoppedError
from evidence.database import Database
from evidence.durable import Disk
from evidence.keys import PublishedKey
from evidence.records import Decision
from evidence.records_sql import SqlRecords
from evidence.store import PackageStore
from rules.errors import StoplineError

FOLDER = "exports"
LASTS = timedelta(days=7)
"""Long enough to fetch it, short enough that personal data does not lie about."""

MOST_WAITING = 20
"""More would keep everybody waiting: each takes seconds."""


class ExportUnknownError(StoplineError):
    """The account ordered no export of that id."""

    code = "export_unknown"

    def __init__(self, export_id: str) -> None:
        super().__init__(f"you ordered no export {export_id}")


class ExportGoneError(StoplineError):
    """The export's time is over, or it was removed."""

    code = "export_gone"

    def __init__(self) -> None:
        super().__init__("the export is gone: order it anew")


class ExportNotReadyError(StoplineError):
    """The export is not done, or failed."""

    code = "export_not_ready"

    def __init__(self, state: ExportState) -> None:
        super().__init__(f"the export is {state}: there is no file")


class CaseOpenError(StoplineError):
    """A case that nobody has decided leaves the service for nowhere."""

    code = "case_open"

    def __init__(self, case_id: str) -> None:
        super().__init__(f"case {case_id} is not decided: only decided cases are exported")


class ExportsBusyError(StoplineError):
    """Too many exports wait."""

    code = "exports_busy"

    def __init__(self) -> None:
        super().__init__(f"{MOST_WAITING} exports wait already; try again later")


class ExportDesk:
    """Takes orders and builds them in a thread of its own, which starts with the first; ``close`` ends it."""

    def __init__(
        self,
        folder: Path,
        records: SqlRecords,
        cases: CaseAccess,
        store: PackageStore,
        keys: Callable[[], Sequence[PublishedKey]],
        now: Callable[[], datetime],
    ) -> None:
        self._folder = folder
        self._records = records
        self._cases = cases
        self._database: Database = records.database
        self._store = store
        self._keys = keys
        self._now = now
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def order(
        self, by: Principal, case_ids: Sequence[str], contents: ExportContents, *, request_id: str
    ) -> Export:
        """The export is ordered, and built soon.

        Raises CaseUnknownError, CaseOpenError, ExportsBusyError.
        """
        now = self._now()
        wanted = tuple(dict.fromkeys(case_ids))
        for case_id in wanted:
            self._cases.enter(by, case_id, "case.viewed", request_id=request_id, what="export")
            case = self._records.case(case_id)
            if case is None or case.removal is not None:
                raise CaseUnknownError(case_id)
            if case.decision is Decision.OPEN:
                raise CaseOpenError(case_id)
        ordered = Export(
            id=uuid.uuid4().hex,
            account_id=by.account_id,
            case_ids=wanted,
            contents=contents,
            state=ExportState.WAITING,
            why=None,
            ordered_at=now,
            expires_at=now + LASTS,
            size=None,
            sha256=None,
        )
        with self._database.write() as tx:
            if len(exports.exports_in(tx, ExportState.WAITING, MOST_WAITING)) == MOST_WAITING:
                raise ExportsBusyError
            exports.add_export(tx, ordered)
            for case_id in wanted:
                append(tx, self._entry(by, "case.exported", f"case:{case_id}", request_id, ordered.id))
        self._start()
        return ordered

    def look(self, by: Principal, export_id: str) -> Export:
        """The export. Raises ExportUnknownError."""
        with self._database.read() as tx:
            found = exports.export_of(tx, export_id)
        if found is None or found.account_id != by.account_id:
            raise ExportUnknownError(export_id)
        return found

    def file(self, by: Principal, export_id: str, *, request_id: str) -> Path:
        """The file; that it was fetched stands in the audit. Raises ExportUnknownError, ExportGoneError, ExportNotReadyError."""
        found = self.look(by, export_id)
        if found.state is ExportState.GONE or found.expires_at <= self._now():
            raise ExportGoneError
        if found.state is not ExportState.DONE:
            raise ExportNotReadyError(found.state)
        with self._database.write() as tx:
            append(tx, self._entry(by, "export.downloaded", f"export:{export_id}", request_id, export_id))
        return self._path(found)

    def remove(self, by: Principal, export_id: str, *, request_id: str) -> None:
        """The file is deleted, whether it was built or not. Raises ExportUnknownError."""
        found = self.look(by, export_id)
        with self._database.write() as tx:
            for state in (ExportState.WAITING, ExportState.DONE, ExportState.FAILED):
                exports.move_export(tx, export_id, state, ExportState.GONE)
            append(tx, self._entry(by, "export.removed", f"export:{export_id}", request_id, export_id))
        Disk().remove(self._path(found).parent)

    def close(self) -> None:
        """No export is begun any more; one that is being built is finished."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def build_waiting(self) -> None:
        """All exports that wait are built, what a crash left half-built is built anew, and those whose time is over are gone."""
        with self._database.write() as tx:
            for left in exports.exports_in(tx, ExportState.RUNNING, MOST_WAITING):
                exports.move_export(tx, left.id, ExportState.RUNNING, ExportState.WAITING)
        self._forget()
        while not self._ended.is_set():
            with self._database.write() as tx:
                waiting = exports.exports_in(tx, ExportState.WAITING, 1)
                if not waiting:
                    return
                exports.move_export(tx, waiting[0].id, ExportState.WAITING, ExportState.RUNNING)
            self._build(waiting[0])

    def _build(self, ordered: Export) -> None:
        # These load what draws and decodes; the service starts without it.
        from api.work.export import ExportRequest, export
        from api.work.redacted_copies import make_missing

        target = self._path(ordered)
        size = sha256 = why = None
        try:
            Disk().remove(target.parent)
            if ordered.contents is not ExportContents.ORIGINAL:
                Disk().make_folder(target.parent)
                told = target.with_name("redact.log")
                make_missing(self._folder, ordered.case_ids, self._store, told, self._ended.is_set)
            request = ExportRequest(
                cases=ordered.case_ids,
                data=self._folder,
                out=target.parent,
                contents=ordered.contents,
                zipped=True,
            )
            made = export(request, self._store, self._keys(), self._records, self._now)
            made.rename(target)
            with target.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = target.stat().st_size
        except StoppedError:
            return  # it is begun anew at the next start
        except StoplineError as exc:
            why = str(exc).replace(str(self._folder), "DATA")
        except OSError as exc:
            why = exc.strerror or type(exc).__name__
        after = ExportState.DONE if why is None else ExportState.FAILED
        with self._database.write() as tx:
            stays = exports.move_export(
                tx, ordered.id, ExportState.RUNNING, after, size=size, sha256=sha256, why=why
            )
        if not stays or why is not None:
            Disk().remove(target.parent)

    def _forget(self) -> None:
        now = self._now()
        with self._database.write() as tx:
            done = exports.exports_in(tx, ExportState.DONE, 10 * MOST_WAITING)
            over = [found for found in done if found.expires_at <= now]
            for found in over:
                exports.move_export(tx, found.id, ExportState.DONE, ExportState.GONE)
        for found in over:
            Disk().remove(self._path(found).parent)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="exports", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            self.build_waiting()

    def _path(self, ordered: Export) -> Path:
        return self._folder / FOLDER / ordered.id / "export.zip"

    def _entry(self, by: Principal, action: str, target: str, request_id: str, export_id: str) -> AuditEntry:
        return AuditEntry(
            at=self._now(),
            actor_id=by.account_id,
            action=action,
            target=target,
            request_id=request_id,
            facts=(("export", export_id),),
        )
