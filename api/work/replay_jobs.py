"""Replays the sources of a run in several processes at once; each source gives what it gives alone, byte for byte."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from api.clock import Clock, SystemClock
from api.errors import InterruptedRunError, SourceFailure
from api.settings import Settings
from api.site_file import SiteFile
from api.work.custody import signer_of, signer_or_demo
from api.work.package_store import open_store
from api.work.pipeline import Pipeline
from api.work.progress import Advance, Progress
from api.work.replay_source import Making, ReplayRequest, SourceReplay
from api.work.run_folder import RunFolder, SourceRecord
from evidence.courier import Courier
from evidence.delivery import SPOOL_FOLDER, verified_ref
from evidence.durable import Disk
from evidence.ports import EvidenceRef
from evidence.records import CaseRecord
from evidence.signing import signature_file
from evidence.spool import Spool
from evidence.store import PackageStore
from ingest.errors import IngestError
from rules.errors import StoplineError

TELL_EVERY_S = 0.5
LOOK_S = 0.2
ROOM_TRIES = 300
"""A minute in all."""

Outcome = SourceRecord | SourceFailure


class JobError(StoplineError):
    """A process of a run ended with an error, whose text and code these are."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code  # that of the error in the process


class JobDiedError(StoplineError):
    """A process of a run died while it replayed ``source``."""

    code = "job_died"

    def __init__(self, source: str, exit_code: int | None) -> None:
        super().__init__(
            f"the process that replayed {source} died (exit code {exit_code}); what was finished is kept, go on with --resume, "
            "without this source if it dies again"
        )
        self.source = source


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSetup:
    """How many processes, and what they need. ``pipelines`` is called in each, so it must be importable there."""

    jobs: int
    settings: Settings
    pipelines: Callable[[SiteFile, str, Clock], Pipeline]


@dataclass(frozen=True, slots=True)
class _Told:
    what: str
    at: Advance
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class _Sealed:
    case_id: str


@dataclass(frozen=True, slots=True)
class _Done:
    segment: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Broken:
    code: str
    message: str


@dataclass(slots=True, kw_only=True)
class _Job:
    process: BaseProcess
    pipe: Connection
    segment: int | None = None


def replay_in_jobs(
    setup: JobsSetup,
    request: ReplayRequest,
    segments: Sequence[int],
    progress: Progress,
    stop: Callable[[], bool],
    courier: Courier | None,
    tell: Callable[[], None],
) -> Iterator[tuple[int, Outcome]]:
    """What each of these sources gives, as they are done. ``courier`` delivers the packages that the processes seal.

    Raises InterruptedRunError once ``stop()`` is true and all processes have ended, JobError and JobDiedError; sources that
    are done are done.
    """
    context = get_context("spawn")
    halt, full = context.Event(), context.Event()
    left, jobs = deque(segments), list[_Job]()
    plain = replace(request, signer=None)  # a private key does not travel; each process reads it
    try:
        for _ in range(min(setup.jobs, len(segments))):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(setup, plain, theirs, halt, full), name="stopline-replay"
            )
            process.start()
            theirs.close()
            jobs.append(_Job(process=process, pipe=ours))
        interrupted = False
        while jobs:
            interrupted = interrupted or stop()
            if interrupted:
                halt.set()
            for job in jobs:
                if job.segment is None and left and not interrupted:
                    job.segment = left.popleft()
                    job.pipe.send(job.segment)
            if all(job.segment is None for job in jobs):
                break
            ready = wait([job.pipe for job in jobs], LOOK_S)
            for job in [one for one in jobs if one.pipe in ready]:
                yield from _hear(job, request, progress, courier)
            tell()
            if courier is not None:
                (full.set if courier.full() is not None else full.clear)()
        if interrupted:
            raise InterruptedRunError(
                f"interrupted; what was finished before is kept in {request.out}, go on with --resume"
            )
    finally:
        halt.set()
        for job in jobs:
            with suppress(OSError, ValueError):
                job.pipe.send(None)
            job.pipe.close()
        for job in jobs:
            job.process.join(30)
            job.process.kill()
            job.process.join()


def _hear(
    job: _Job, request: ReplayRequest, progress: Progress, courier: Courier | None
) -> Iterator[tuple[int, Outcome]]:
    """What a process says now."""
    try:
        said = job.pipe.recv()
    except (EOFError, OSError):
        job.process.join(5)
        source = "nothing" if job.segment is None else request.sources[job.segment]
        raise JobDiedError(source, job.process.exitcode) from None
    match said:
        case _Told():
            arguments = (said.at, said.outcome) if said.what == "ended" else (said.at,)
            getattr(progress, said.what)(*arguments)
        case _Sealed():
            assert courier is not None
            courier.take(said.case_id)
        case _Done():
            job.segment = None
            yield said.segment, said.outcome
        case _Broken():
            if said.code == InterruptedRunError.code:
                job.segment = None
            else:
                raise JobError(said.code, said.message)


def _work(setup: JobsSetup, request: ReplayRequest, pipe: Connection, halt: Any, full: Any) -> None:
    """The process: replays the sources whose numbers come, until None comes or nobody is there."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a terminal sends them to all; the first process decides
        signal.signal(number, signal.SIG_IGN)
    clock = SystemClock()
    with suppress(EOFError, OSError):
        try:
            pipeline = setup.pipelines(request.site_file, request.camera_id, clock)
            making = _making(setup.settings, request, clock, pipe, full) if request.with_evidence else None
            replaying = SourceReplay(
                request, pipeline, _PipedProgress(pipe), clock, halt.is_set, RunFolder(request.out), making
            )
            while (segment := pipe.recv()) is not None:
                outcome: Outcome
                try:
                    outcome = replaying.one(segment, request.sources[segment])
                except IngestError as exc:
                    outcome = SourceFailure(source=exc.source, code=exc.code, message=str(exc))
                pipe.send(_Done(segment, outcome))
        except StoplineError as exc:
            pipe.send(_Broken(exc.code, str(exc)))
            with suppress(EOFError, OSError):
                pipe.recv()


def _making(settings: Settings, request: ReplayRequest, clock: Clock, pipe: Connection, full: Any) -> Making:
    signer = signer_or_demo(request.data_dir, signer_of(settings, clock.now()))
    store = open_store(request.data_dir, request.bucket, clock.now)
    spool = Spool(request.data_dir / SPOOL_FOLDER, Disk())
    return Making(delivery=_JobDelivery(spool, store, pipe, full), sign=partial(signature_file, signer))


class _PipedProgress:
    """A Progress that tells the first process, now and then."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._next_s = 0.0

    def begun(self, at: Advance) -> None:
        self._next_s = at.wall_s + TELL_EVERY_S
        self._pipe.send(_Told("begun", at))

    def advanced(self, at: Advance) -> None:
        if at.wall_s >= self._next_s:
            self._next_s = at.wall_s + TELL_EVERY_S
            self._pipe.send(_Told("advanced", at))

    def ended(self, at: Advance, outcome: str) -> None:
        self._pipe.send(_Told("ended", at, outcome))

    def noted(self, text: str) -> None:
        """Nothing is noted here: the first process has the courier."""


class _JobDelivery:
    """A Delivery that leaves sealed packages in the spool and tells the first process, which has the records."""

    def __init__(self, spool: Spool, store: PackageStore, pipe: Connection, full: Any) -> None:
        self._spool, self._store, self._pipe, self._full = spool, store, pipe, full

    def again(self, case_id: str, record_of: Callable[[EvidenceRef], CaseRecord]) -> EvidenceRef | None:
        """The package that an earlier part of the run sealed or stored."""
        if self._spool.is_sealed(case_id):
            record = self._spool.record(case_id)
            return EvidenceRef(
                evidence_path=record.evidence_path,
                manifest_path=record.manifest_path,
                manifest_sha256=record.manifest_sha256,
                package=record.package,
                reasons=record.package_reasons,
            )
        return verified_ref(case_id, self._store)

    def path_of(self, case_id: str) -> str:
        return self._store.path_of(case_id)

    def take(self, case_id: str) -> bool:
        self._pipe.send(_Sealed(case_id))
        return True

    def advance(self, camera_id: str) -> None:
        """The first process knows the camera."""

    def full(self) -> str | None:
        return "the spool is full" if self._full.is_set() else None

    def wait_for_room(self) -> str | None:
        """Waits a while for room: a recording can wait."""
        for _ in range(ROOM_TRIES):
            if not self._full.is_set():
                return None
            time.sleep(LOOK_S)
        return self.full()
