"""Jobs beside the service: runs over footage and dry runs, one after the other at low priority, each with its end on record."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from api.records import audit, jobs, outbox
from api.records.jobs import Job, JobKind, JobState
from api.site_file import parse_site_file
from api.work.case_sight import Actor
from api.work.configuration import Configuration
from api.work.footage import Footage
from api.work.job_kinds import SITE, RunOrder, dry_run, run
from api.work.job_process import STOPLINE, Ended, StoppedError, run_command
from api.work.site_errors import CameraUnknownError, NothingToPublishError
from evidence.database import Database, RecordsError, Transaction
from evidence.durable import Disk
from evidence.errors import DiskError, DiskFullError
from rules.errors import StoplineError

LOG = logging.getLogger(__name__)

FOLDER = "jobs"
RECORDS_AGAIN_S = 5.0
MOST_WAITING = 10
"""More would wait for a night."""


class JobUnknownError(StoplineError):
    """There is no such job, or the account is not for its site."""

    code = "job_unknown"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id}")


class JobsBusyError(StoplineError):
    """Too many jobs wait."""

    code = "jobs_busy"

    def __init__(self) -> None:
        super().__init__(f"{MOST_WAITING} jobs wait already; try again when one has ended")


class RunNotDoneError(StoplineError):
    """A dry run of a run that is not done: there are no observations."""

    code = "run_not_done"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} is no run that is done")


class JobDesk:
    """Takes orders and does them in a thread of its own, which starts with the first; ``close`` ends it.

    ``program`` is what the commands are given to. Methods raise JobUnknownError (also for jobs of other sites, which is
    audited) and what Configuration raises.
    """

    def __init__(
        self,
        database: Database,
        configuration: Configuration,
        footage: Footage,
        folder: Path,
        now: Callable[[], datetime],
        program: Sequence[str] = STOPLINE,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self.footage = footage
        self._folder = folder
        self._now = now
        self._program = tuple(program)
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._cancelled: set[str] = set()

    def recover(self) -> None:
        """Jobs that ran when the service ended have failed; those that waited go on waiting."""
        with self._database.write() as tx:
            for left in jobs.jobs_in(tx, JobState.RUNNING, 1000):
                self._end(tx, left, JobState.FAILED, why="the service was ended while it ran; order it anew")
            waiting = jobs.jobs_in(tx, JobState.WAITING, 1)
        if waiting:
            self._start()

    def order_run(
        self,
        actor: Actor,
        site_id: str,
        camera_id: str,
        *,
        source: str,
        truth: str | None,
        version: int | None,
        started_at: datetime | None,
    ) -> Job:
        """A run over the recording ``source`` of the folder of footage, by that version of the site file (None: the newest).

        Raises FootageUnknownError, NoFootageError, CameraUnknownError, SiteVersionUnknownError, JobsBusyError.
        """
        text = self._text(actor, site_id, version, "version")
        self._must_have(text, site_id, camera_id)
        self.footage.path(source)
        if truth is not None:
            self.footage.path(truth)
        request = {
            "camera_id": camera_id,
            "source": source,
            "truth": truth,
            "version": version,
            "started_at": None if started_at is None else started_at.isoformat(),
        }
        return self._order(actor, JobKind.RUN, site_id, request, text)

    def order_dry_run(self, actor: Actor, run_id: str, *, version: int | None) -> Job:
        """What another version of the site file (None: its draft) would change of that run.

        Raises RunNotDoneError, SiteVersionUnknownError, ConfigInvalidError, JobsBusyError.
        """
        found = self.look(actor, run_id)
        if found.kind is not JobKind.RUN or found.state is not JobState.DONE:
            raise RunNotDoneError(run_id)
        text = self._text(actor, found.site_id, version, "draft")
        self._must_have(text, found.site_id, json.loads(found.request)["camera_id"])
        request = {"run_id": run_id, "version": version}
        return self._order(actor, JobKind.DRY_RUN, found.site_id, request, text)

    def look(self, actor: Actor, job_id: str) -> Job:
        """The job."""
        with self._database.read() as tx:
            found = jobs.job_of(tx, job_id)
        if found is None:
            raise JobUnknownError(job_id)
        if not actor.principal.sees(found.site_id):
            with self._database.write() as tx:
                entry = self._entry(actor, "job.viewed", found)
                audit.append(tx, replace(entry, outcome=audit.Outcome.REFUSED))
            raise JobUnknownError(job_id)
        return found

    def runs(self, actor: Actor, *, before_number: int | None, limit: int) -> list[Job]:
        """Up to ``limit`` runs of the account's sites with a lower number, the newest first."""
        with self._database.read() as tx:
            return jobs.jobs_page(
                tx,
                JobKind.RUN,
                site_ids=actor.principal.site_ids,
                before_number=before_number,
                limit=limit,
            )

    def remove(self, actor: Actor, job_id: str) -> None:
        """A job that waits or runs is cancelled; one that has ended is gone, with what it left."""
        found = self.look(actor, job_id)
        with self._database.write() as tx:
            if self._end(tx, found, JobState.CANCELLED):
                self._cancelled.add(job_id)
                audit.append(tx, self._entry(actor, "job.cancelled", found))
                return
            jobs.remove(tx, job_id)
            audit.append(tx, self._entry(actor, "job.removed", found))
        Disk().remove(self._folder / job_id)

    def close(self) -> None:
        """No job is begun any more; one that runs is stopped, and has failed."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def do_waiting(self) -> None:
        """All jobs that wait are done, in the order in which they were ordered, until ``close``."""
        while not self._ended.is_set():
            with self._database.write() as tx:
                waiting = jobs.jobs_in(tx, JobState.WAITING, 1)
                if not waiting:
                    return
                jobs.begin(tx, waiting[0].id, self._now())
                self._told(tx, waiting[0])
            self._do(waiting[0])

    def _do(self, job: Job) -> None:
        why = result = None
        try:
            result = json.dumps(self._done(job), ensure_ascii=False)
        except StoppedError:
            why = "the service was ended while it ran; order it anew"
        except (StoplineError, OSError, KeyError, TypeError, ValueError) as exc:
            words = str(exc) if isinstance(exc, StoplineError) else f"{type(exc).__name__}: {exc}"
            why = self._without_places(words)
        with self._database.write() as tx:
            self._end(tx, job, JobState.DONE if why is None else JobState.FAILED, why=why, result=result)
        self._cancelled.discard(job.id)

    def _done(self, job: Job) -> dict[str, Any]:
        folder = self._folder / job.id
        asked = json.loads(job.request)

        def command(arguments: list[str], output: Path) -> Ended:
            return run_command(
                arguments,
                output,
                lambda: self._ended.is_set() or job.id in self._cancelled,
                lambda share: self._advance(job.id, share),
                self._program,
            )

        if job.kind is JobKind.DRY_RUN:
            return dry_run(folder, self._folder / asked["run_id"], command)
        order = RunOrder(
            camera_id=asked["camera_id"],
            source=self.footage.path(asked["source"]),
            truth=None if asked["truth"] is None else self.footage.path(asked["truth"]),
            started_at=asked["started_at"],
        )
        return run(folder, order, command)

    def _advance(self, job_id: str, share: float) -> None:
        try:
            with self._database.write() as tx:
                jobs.advance(tx, job_id, share)
        except RecordsError:
            return  # the next line tells it again

    def _order(self, actor: Actor, kind: JobKind, site_id: str, request: dict[str, Any], text: str) -> Job:
        job_id = uuid.uuid4().hex
        folder = self._folder / job_id
        disk = Disk()
        try:
            disk.make_folder(folder)
            disk.write(folder / SITE, text.encode())
            with self._database.write() as tx:
                if len(jobs.jobs_in(tx, JobState.WAITING, MOST_WAITING)) == MOST_WAITING:
                    raise JobsBusyError
                made = jobs.add_job(
                    tx,
                    job_id=job_id,
                    kind=kind,
                    site_id=site_id,
                    account_id=actor.principal.account_id,
                    request=json.dumps(request),
                    at=self._now(),
                )
                audit.append(tx, self._entry(actor, "job.ordered", made))
        except (StoplineError, DiskError, DiskFullError):
            disk.remove(folder)
            raise
        self._start()
        return made

    def _text(self, actor: Actor, site_id: str, version: int | None, otherwise: str) -> str:
        """The site file of that version; without one the newest version's, or the draft's."""
        if version is not None:
            return self._configuration.version(actor, site_id, version).text
        if otherwise == "draft":
            return self._configuration.draft(actor, site_id)[1]
        row, _ = self._configuration.site(actor, site_id)
        if row.published is None:
            raise NothingToPublishError(site_id, "nothing is published to run by")
        return self._configuration.version(actor, site_id, row.published).text

    @staticmethod
    def _must_have(text: str, site_id: str, camera_id: str) -> None:
        cameras = [camera.id for camera in parse_site_file(text.encode(), site_id).document.cameras]
        if camera_id not in cameras:
            raise CameraUnknownError(camera_id)

    def _without_places(self, words: str) -> str:
        """The words without the folders of this server."""
        shown = words.replace(str(self._folder), "JOBS").replace("error: ", "")
        root = self.footage.root
        return (shown if root is None else shown.replace(str(root), "FOOTAGE")).replace("\x00", "")

    def _end(
        self,
        tx: Transaction,
        job: Job,
        state: JobState,
        *,
        why: str | None = None,
        result: str | None = None,
    ) -> bool:
        ended = jobs.end(tx, job.id, state, at=self._now(), why=why, result=result)
        if ended:
            self._told(tx, job)
        return ended

    def _told(self, tx: Transaction, job: Job) -> None:
        outbox.tell(tx, kind="job.changed", subject=f"job:{job.id}", site_id=job.site_id, at=self._now())

    def _entry(self, actor: Actor, action: str, job: Job) -> audit.AuditEntry:
        return audit.AuditEntry(
            at=self._now(),
            actor_id=actor.principal.account_id,
            action=action,
            target=f"job:{job.id}",
            site_id=job.site_id,
            request_id=actor.request_id,
            facts=(("kind", job.kind.value),),
        )

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
                self._thread.start()
        self._wake.set()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self.do_waiting()
            except RecordsError as exc:
                LOG.error("jobs_wait", exc_info=exc)
                self._ended.wait(RECORDS_AGAIN_S)
                with suppress(RecordsError):
                    self.recover()
                self._wake.set()
