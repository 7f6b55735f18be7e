"""The supervisor of live cameras: keeps worker processes going, gives them cameras, and sets apart a camera that kills them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from api.clock import Clock
from api.work.camera_figures import CameraFigures, CameraState
from api.work.fleet_messages import (
    CameraEnded,
    CaseSealed,
    Command,
    Finish,
    LampsSeen,
    LampsTold,
    Report,
    SpoolRoom,
    ThreadBegan,
    UnwatchCamera,
    WatchCamera,
    WorkerFigures,
    WorkerSetup,
)
from api.work.fleet_worker import work

KILLS_TO_QUARANTINE = 2
QUARANTINE_S = 3600.0
"""Then it is tried once more, alone; a changed configuration ends a quarantine at once."""

HUNG_S = 60.0
"""A worker that has not reported for so long is killed: it reports every second, and loading models takes some seconds."""

QUICK_DEATH_S = 60.0
"""Two deaths without a trace, so soon after each other, and every camera of the worker goes on alone."""

FINISH_S = 30.0
"""How long a worker may take to finish its open evidence; 8 s of footage are waited for."""

CRASHED = re.compile(r"^Current thread 0x([0-9a-f]+)", re.MULTILINE)


class Log(Protocol):
    """Takes what operators should know: an event's name and its facts, none of them a secret."""

    def __call__(self, event: str, **facts: object) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSpec:
    """A camera to be watched; ``key`` changes when something changes that it depends on."""

    camera_id: str
    site_name: str
    site: bytes
    key: str

    @property
    def command(self) -> WatchCamera:
        return WatchCamera(camera_id=self.camera_id, site_name=self.site_name, site=self.site)


@dataclass(slots=True, kw_only=True)
class _Worker:
    number: int
    process: BaseProcess
    pipe: Connection
    crash_file: Path
    alone: bool
    began_s: float
    heard_s: float
    cameras: dict[str, CameraSpec] = field(default_factory=dict)
    stopping: set[str] = field(default_factory=set)
    threads: dict[int, str] = field(default_factory=dict)
    quick_deaths: int = 0


class Fleet:
    """Watches the cameras that ``want`` was told last. All methods on one thread; ``step`` must be called again and again."""

    def __init__(
        self,
        setup: Callable[[Path], WorkerSetup],
        folder: Path,
        workers: int,
        clock: Clock,
        log: Log,
        sealed: Callable[[str], None],
    ) -> None:
        """``setup`` for a worker with that crash file, which lies in ``folder``; ``sealed`` is told ids of packages."""
        self._setup, self._folder, self._size = setup, folder, workers
        self._clock, self._log, self._sealed = clock, log, sealed
        self._context = get_context("spawn")
        self._workers: list[_Worker] = []
        self._next_number = 0
        self._wanted: dict[str, CameraSpec] = {}
        self._kills: Counter[str] = Counter()
        self._quarantined: dict[str, float] = {}
        self._suspects: set[str] = set()
        self._figures: dict[str, CameraFigures] = {}
        self._broken: dict[str, str] = {}
        self._quick_deaths = 0
        self._why_full: str | None = None
        self.restarts = 0

    def want(self, cameras: Mapping[str, CameraSpec]) -> None:
        """From now on exactly these are watched; who has not changed is not touched."""
        for camera_id in {*cameras, *self._wanted}:
            before, after = self._wanted.get(camera_id), cameras.get(camera_id)
            if before is not None and after is not None and before.key == after.key:
                continue
            self._kills.pop(camera_id, None)
            self._quarantined.pop(camera_id, None)
            self._broken.pop(camera_id, None)
            self._suspects.discard(camera_id)
            if after is None:
                self._figures.pop(camera_id, None)
            worker = self._worker_of(camera_id)
            if worker is not None and camera_id not in worker.stopping:
                worker.stopping.add(camera_id)
                self._send(worker, UnwatchCamera(camera_id=camera_id))
        self._wanted = dict(cameras)

    def room(self, why_full: str | None) -> None:
        """Whether the spool has room."""
        if why_full != self._why_full:
            self._why_full = why_full
            for worker in self._workers:
                self._send(worker, SpoolRoom(why=why_full))

    def step(self, timeout_s: float) -> None:
        """Takes what workers report within that time, mends what died, and starts what is wanted."""
        self._place()
        self._listen_all(timeout_s)
        now_s = self._clock.elapsed_s()
        for worker in tuple(self._workers):
            if not worker.process.is_alive():
                self._bury(worker)
            elif now_s - worker.heard_s > HUNG_S:
                self._log("worker_hung", worker=worker.number)
                worker.process.kill()
        for camera_id, until_s in tuple(self._quarantined.items()):
            if now_s >= until_s:
                del self._quarantined[camera_id]
                self._kills[camera_id] = KILLS_TO_QUARANTINE - 1
                self._log("camera_tried_again", camera=camera_id)

    def figures(self) -> tuple[CameraFigures, ...]:
        """Those of every wanted camera, by id."""
        return tuple(self._figures_of(camera_id) for camera_id in sorted(self._wanted))

    @property
    def worker_count(self) -> int:
        return len(self._workers)

    def pids(self) -> Mapping[str, int]:
        """The process of each watched camera."""
        return {
            camera_id: worker.process.pid or 0 for worker in self._workers for camera_id in worker.cameras
        }

    def finish(self) -> None:
        """All cameras are stopped, their open evidence sealed, as far as that takes no longer than ``FINISH_S``."""
        self._wanted = {}
        for worker in self._workers:
            self._send(worker, Finish())
        until_s = self._clock.elapsed_s() + FINISH_S
        while self._workers and self._clock.elapsed_s() < until_s:
            self._listen_all(0.2)
            for worker in tuple(self._workers):
                if not worker.process.is_alive():
                    self._drain(worker)
                    self._workers.remove(worker)
        for worker in self._workers:
            self._log("worker_killed", worker=worker.number, why="it did not finish in time")
            worker.process.kill()
            worker.process.join()
        self._workers = []

    def _place(self) -> None:
        """Every wanted camera has a worker, unless it is quarantined or still stopping."""
        placed = {camera_id for worker in self._workers for camera_id in worker.cameras}
        for camera_id, spec in self._wanted.items():
            if camera_id in placed or camera_id in self._quarantined or camera_id in self._broken:
                continue
            worker = self._begin(alone=True) if camera_id in self._suspects else self._free_worker()
            worker.cameras[camera_id] = spec
            self._send(worker, spec.command)
        for worker in self._workers:
            if worker.alone and not worker.cameras:
                self._send(worker, Finish())

    def _free_worker(self) -> _Worker:
        shared = [worker for worker in self._workers if not worker.alone]
        if len(shared) < self._size:
            return self._begin(alone=False)
        return min(shared, key=lambda worker: (len(worker.cameras), worker.number))

    def _begin(self, *, alone: bool) -> _Worker:
        number, self._next_number = self._next_number, self._next_number + 1
        crash_file = self._folder / f"worker-{number}.crash"
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=work,
            args=(self._setup(crash_file), theirs),
            name=f"stopline-worker-{number}",
            daemon=False,
        )
        process.start()
        theirs.close()
        now_s = self._clock.elapsed_s()
        worker = _Worker(
            number=number,
            process=process,
            pipe=ours,
            crash_file=crash_file,
            alone=alone,
            began_s=now_s,
            heard_s=now_s,
        )
        self._workers.append(worker)
        if self._why_full is not None:
            self._send(worker, SpoolRoom(why=self._why_full))
        return worker

    def _listen_all(self, timeout_s: float) -> None:
        """Hears every worker that reports within that time."""
        ready = wait([worker.pipe for worker in self._workers], timeout_s)
        for worker in self._workers:
            if worker.pipe in ready:
                self._listen(worker)

    def _listen(self, worker: _Worker) -> None:
        try:
            while worker.pipe.poll():
                self._hear(worker, worker.pipe.recv())
        except (EOFError, OSError):
            worker.process.join(5.0)

    def _drain(self, worker: _Worker) -> None:
        self._listen(worker)
        worker.pipe.close()
        worker.process.join()
        worker.crash_file.unlink(missing_ok=True)

    def _hear(self, worker: _Worker, report: Report) -> None:
        worker.heard_s = self._clock.elapsed_s()
        match report:
            case WorkerFigures():
                for figures in report.cameras:
                    self._heard_of(figures)
            case ThreadBegan():
                worker.threads[report.ident] = report.camera_id
            case CaseSealed():
                self._sealed(report.case_id)
            case LampsSeen():
                for camera_id in report.to:
                    other = self._worker_of(camera_id)
                    if other is not None:
                        self._send(other, LampsTold(camera_id=camera_id, reports=report.reports))
            case CameraEnded():
                worker.cameras.pop(report.camera_id, None)
                worker.stopping.discard(report.camera_id)
                if report.why is not None:
                    self._broken[report.camera_id] = report.why
                    self._log("camera_broken", camera=report.camera_id, why=report.why)

    def _heard_of(self, figures: CameraFigures) -> None:
        before = self._figures.get(figures.camera_id)
        if figures.camera_id not in self._wanted:
            return
        self._figures[figures.camera_id] = figures
        if before is None or (before.state, before.code) != (figures.state, figures.code):
            self._log(
                "camera_state",
                camera=figures.camera_id,
                state=figures.state.value,
                code=figures.code,
                why=figures.message,
            )

    def _bury(self, worker: _Worker) -> None:
        """A worker died: its cameras go on in another one, and who killed it goes on alone, or not at all."""
        self._listen(worker)
        self._workers.remove(worker)
        if worker.alone and not worker.cameras:  # it was told to finish
            self._drain(worker)
            return
        self.restarts += 1
        now_s = self._clock.elapsed_s()
        culprit = self._culprit(worker)
        self._log(
            "worker_died",
            worker=worker.number,
            exit_code=worker.process.exitcode,
            camera=culprit,
            cameras=[*worker.cameras],
        )
        self._drain(worker)
        if culprit is not None:
            self._kills[culprit] += 1
            self._suspects.add(culprit)
            if self._kills[culprit] >= KILLS_TO_QUARANTINE:
                self._quarantined[culprit] = now_s + QUARANTINE_S
                self._log("camera_quarantined", camera=culprit, kills=self._kills[culprit])
            return
        self._quick_deaths = self._quick_deaths + 1 if now_s - worker.began_s < QUICK_DEATH_S else 0
        if self._quick_deaths >= 2:
            self._quick_deaths = 0
            self._suspects.update(worker.cameras)

    def _culprit(self, worker: _Worker) -> str | None:
        """The camera on whose thread the worker crashed; of a worker for one camera that one."""
        if worker.alone and len(worker.cameras) == 1:
            return next(iter(worker.cameras))
        try:
            found = CRASHED.search(worker.crash_file.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return None
        camera_id = None if found is None else worker.threads.get(int(found.group(1), 16))
        return camera_id if camera_id in worker.cameras else None

    def _figures_of(self, camera_id: str) -> CameraFigures:
        figures = self._figures.get(camera_id, CameraFigures(camera_id=camera_id))
        if camera_id in self._quarantined:
            why = f"it killed its worker process {self._kills[camera_id]} times"
            return replace(figures, state=CameraState.QUARANTINED, code="quarantined", message=why)
        if camera_id in self._broken:
            return replace(
                figures, state=CameraState.FAILED, code="camera_broken", message=self._broken[camera_id]
            )
        return figures

    def _worker_of(self, camera_id: str) -> _Worker | None:
        return next((worker for worker in self._workers if camera_id in worker.cameras), None)

    def _send(self, worker: _Worker, command: Command) -> None:
        with suppress(OSError, ValueError):  # it died; ``step`` notices
            worker.pipe.send(command)
