"""The worker process of live cameras: a thread for each of its cameras, commands in, reports out."""

from __future__ import annotations

import faulthandler
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection

from api.clock import Clock, SystemClock
from api.site_file import parse_site_file
from api.work.custody import signer_of, signer_or_demo
from api.work.fleet_messages import (
    CameraEnded,
    CaseSealed,
    Command,
    Finish,
    LampsSeen,
    LampsTold,
    Pipelines,
    Report,
    SpoolRoom,
    ThreadBegan,
    UnwatchCamera,
    WatchCamera,
    WorkerFigures,
    WorkerSetup,
)
from api.work.live_camera import LiveCamera
from api.work.live_signals import LiveSignals, listeners
from api.work.package_store import open_store
from evidence.delivery import SPOOL_FOLDER
from evidence.durable import Disk
from evidence.ports import EvidenceRef
from evidence.records import CaseRecord
from evidence.signing import signature_file
from evidence.spool import Spool
from evidence.store import PackageStore
from ingest.local_lease import LocalLeases
from rules.errors import StoplineError
from rules.observation import SignalReport

REPORT_S = 1.0
LEASES = "leases"


def work(setup: WorkerSetup, pipe: Connection) -> None:
    """Watches the cameras that it is told to, until it is told to finish or nobody is there to tell it."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # a terminal and systemd send them to all; the supervisor decides
        signal.signal(number, signal.SIG_IGN)
    with setup.crash_file.open("w", encoding="utf-8") as crash:
        faulthandler.enable(crash, all_threads=True)
        clock = SystemClock()
        _Worker(setup, pipe, setup.pipelines(setup.settings, clock), clock).run()
        faulthandler.disable()


@dataclass(slots=True)
class _Watched:
    camera: LiveCamera
    signals: LiveSignals
    thread: threading.Thread


class _Worker:
    """Commands are obeyed on the thread of ``run``; cameras report on their own."""

    def __init__(self, setup: WorkerSetup, pipe: Connection, pipelines: Pipelines, clock: Clock) -> None:
        self._setup, self._pipe, self._pipelines, self._clock = setup, pipe, pipelines, clock
        self._sending = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._leases = LocalLeases(setup.data / LEASES)
        self._why_full: str | None = None
        self._store = open_store(setup.data, setup.settings.bucket(), clock.now)
        self._signer = signer_or_demo(setup.data, signer_of(setup.settings, clock.now()))

    def run(self) -> None:
        finishing = False
        reported_s = self._clock.elapsed_s()
        while not (finishing and not self._watched):
            try:
                if self._pipe.poll(REPORT_S / 4):
                    finishing = self._obey(self._pipe.recv()) or finishing
            except (
                EOFError,
                OSError,
            ):  # the supervisor is gone: nobody delivers, what is sealed stays in the spool
                finishing = self._obey(Finish())
                while self._watched:
                    self._collect()
                    threading.Event().wait(REPORT_S / 4)
                return
            self._collect()
            if self._clock.elapsed_s() - reported_s >= REPORT_S:
                reported_s = self._clock.elapsed_s()
                self._report()
        self._report()

    def _obey(self, command: Command) -> bool:
        """Whether this was the last command."""
        match command:
            case WatchCamera():
                self._watch(command)
            case UnwatchCamera():
                if command.camera_id in self._watched:
                    self._watched[command.camera_id].camera.stop()
                else:
                    self._send(CameraEnded(camera_id=command.camera_id))
            case LampsTold():
                if command.camera_id in self._watched:
                    self._watched[command.camera_id].signals.told(command.reports)
            case SpoolRoom():
                self._why_full = command.why
            case Finish():
                for watched in self._watched.values():
                    watched.camera.stop()
                return True
        return False

    def _watch(self, command: WatchCamera) -> None:
        camera_id = command.camera_id
        try:
            site_file = parse_site_file(command.site, command.site_name)
            pipeline = self._pipelines.pipeline(site_file, camera_id)
            signals = LiveSignals(
                site_file, camera_id, mqtt_password=self._setup.settings.mqtt_password, clock=self._clock
            )
        except StoplineError as exc:
            self._send(CameraEnded(camera_id=camera_id, why=str(exc)))
            return

        others = listeners(site_file.site, camera_id)

        def began(ident: int) -> None:
            self._send(ThreadBegan(ident=ident, camera_id=camera_id))

        camera = LiveCamera(
            site_file,
            camera_id,
            pipeline,
            data=self._setup.data,
            lease=lambda: self._leases.acquire(camera_id),
            delivery=_PipedDelivery(
                Spool(self._setup.data / SPOOL_FOLDER, Disk()),
                self._store,
                self._send,
                camera_id,
                lambda: self._why_full,
            ),
            sign=lambda manifest: signature_file(self._signer, manifest),
            budget=self._setup.settings.budget(),
            clock=self._clock,
            chance=random.random,
            on_reader=began,
            signals=signals,
            tell=partial(self._tell, others) if others else None,
        )

        def run() -> None:
            began(threading.get_ident())
            try:
                camera.run()
            finally:
                signals.close()

        thread = threading.Thread(target=run, name=f"camera {camera_id}", daemon=True)
        self._watched[camera_id] = _Watched(camera, signals, thread)
        thread.start()

    def _tell(self, to: tuple[str, ...], reports: tuple[SignalReport, ...]) -> None:
        self._send(LampsSeen(to=to, reports=reports))

    def _collect(self) -> None:
        """Cameras whose thread has ended are watched no more."""
        for camera_id, watched in tuple(self._watched.items()):
            if not watched.thread.is_alive():
                del self._watched[camera_id]
                self._send(WorkerFigures(cameras=(watched.camera.meter.figures(),)))
                self._send(CameraEnded(camera_id=camera_id))

    def _report(self) -> None:
        self._send(WorkerFigures(cameras=tuple(one.camera.meter.figures() for one in self._watched.values())))

    def _send(self, report: Report) -> None:
        with suppress(OSError, ValueError), self._sending:  # the supervisor is gone; ``run`` notices
            self._pipe.send(report)


class _PipedDelivery:
    """A Delivery that leaves sealed packages in the spool and tells the supervisor, who has the store and the records."""

    def __init__(
        self,
        spool: Spool,
        store: PackageStore,
        send: Callable[[Report], None],
        camera_id: str,
        full: Callable[[], str | None],
    ) -> None:
        self._spool, self._store, self._send = spool, store, send
        self._camera_id, self._full = camera_id, full

    def again(self, case_id: str, record_of: Callable[[EvidenceRef], CaseRecord]) -> EvidenceRef | None:
        """None: no two segments of a camera have the same number, so no case can have been made before."""
        return None

    def path_of(self, case_id: str) -> str:
        return self._store.path_of(case_id)

    def take(self, case_id: str) -> bool:
        self._send(CaseSealed(case_id=case_id, camera_id=self._camera_id))
        return True

    def advance(self, camera_id: str) -> None:
        """The supervisor knows which cameras are watched."""

    def full(self) -> str | None:
        return self._full()

    def wait_for_room(self) -> str | None:
        return self._full()
