"""Watches all live cameras of a server for as long as it is wanted: configuration, workers, delivery, metrics, retention."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from api.clock import Clock
from api.errors import ConfigInvalidError, UsageError
from api.records import passages
from api.settings import Settings
from api.work.armed_minutes import ArmedMinutes
from api.work.custody import signer_of
from api.work.fleet import Fleet, Log
from api.work.fleet_messages import Pipelines, WorkerSetup
from api.work.live_journal import expire
from api.work.live_metrics import FleetFigures
from api.work.observation_writer import translated
from api.work.passage_journals import PassageJournals
from api.work.run_evidence import RunEvidence, opened_evidence
from api.work.run_folder import locked
from api.work.site_folder import Published, SiteFolder
from evidence.database import RecordsError

CONFIG_EVERY_S = 2.0
STEP_S = 0.25
ARMED_EVERY_S = 60.0
"""How often armed minutes are kept: a crash loses so much of them."""

PASSAGES_EVERY_S = 5.0
"""How soon a passage can be searched."""

WORKERS = "workers"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest:
    """What to watch: the cameras with a stream in the site files at ``sites`` (files, and folders of them), into ``data``.

    ``pipelines`` makes the parts of cameras in each worker process; ``workers``: how many of those.
    """

    sites: Sequence[Path]
    data: Path
    settings: Settings
    pipelines: Callable[[Settings, Clock], Pipelines]
    workers: int


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def watch(
    request: WatchRequest,
    clock: Clock,
    log: Log,
    stop: Callable[[], bool],
    show: Callable[[FleetFigures], None],
) -> None:
    """Watches until ``stop()``; then what is open is finished. ``show`` is given the figures of the moment once a second.

    Raises ConfigInvalidError where no camera can be watched to begin with, UsageError (the folder is in use), and what
    store, records and keys raise before the first camera begins.
    """
    folder = SiteFolder(request.sites)
    published = folder.read()
    assert published is not None, "the first reading is always new"
    if published.problems:
        raise ConfigInvalidError(published.problems)
    if not published.cameras:
        raise UsageError(
            "none of the site files has a camera with a stream: address; there is nothing to watch"
        )
    crashes = request.data / WORKERS
    with translated(request.data):
        crashes.mkdir(parents=True, exist_ok=True)
    signer = signer_of(request.settings, clock.now())
    bucket, budget = request.settings.bucket(), request.settings.budget()
    with (
        locked(request.data),
        opened_evidence(request.data, bucket, signer, budget, clock) as evidence,
    ):
        _Watch(request, clock, log, folder, published, evidence, crashes).run(stop, show)
        evidence.require_delivered(request.data)


class _Watch:
    """One running watch."""

    def __init__(
        self,
        request: WatchRequest,
        clock: Clock,
        log: Log,
        folder: SiteFolder,
        published: Published,
        evidence: RunEvidence,
        crashes: Path,
    ) -> None:
        self._request, self._clock, self._log = request, clock, log
        self._folder, self._published, self._evidence = folder, published, evidence
        self._expired_on: date | None = None
        self._minutes = ArmedMinutes(evidence.database, clock.now)
        self._passages = PassageJournals(
            request.data, evidence.database, lambda camera: self._published.site_ids.get(camera)
        )

        def setup(crash_file: Path) -> WorkerSetup:
            return WorkerSetup(
                data=request.data,
                settings=request.settings,
                pipelines=request.pipelines,
                crash_file=crash_file,
            )

        self._fleet = Fleet(setup, crashes, request.workers, clock, log, self._sealed)

    def run(self, stop: Callable[[], bool], show: Callable[[FleetFigures], None]) -> None:
        self._log("watch_began", cameras=sorted(self._published.cameras))
        looked_s = shown_s = kept_s = taken_s = self._clock.elapsed_s()
        try:
            self._fleet.want(self._published.cameras)
            while not stop():
                self._fleet.step(STEP_S)
                now_s = self._clock.elapsed_s()
                if now_s - looked_s >= CONFIG_EVERY_S:
                    looked_s = now_s
                    self._reread()
                self._deliver()
                if now_s - shown_s >= 1.0:
                    shown_s = now_s
                    figures = self._figures()
                    self._minutes.take(figures.cameras)
                    show(figures)
                if now_s - kept_s >= ARMED_EVERY_S:
                    kept_s = now_s
                    self._minutes.keep()
                if now_s - taken_s >= PASSAGES_EVERY_S:
                    taken_s = now_s
                    self._passages.keep()
                self._expire()
        finally:
            self._log("watch_ending")
            self._fleet.finish()
            figures = self._figures()
            self._minutes.take(figures.cameras)
            show(figures)
        for camera_id in sorted(self._published.cameras):
            self._evidence.courier.advance(camera_id)
        self._evidence.courier.close()
        if not self._minutes.keep():
            self._log("armed_minutes_lost", why="the records are away")
        if not self._passages.keep():
            self._log(
                "passages_wait", why="the records are away: the next watch takes them from the journals"
            )
        self._tell()
        self._log("watch_ended", undelivered=list(self._evidence.courier.waiting))

    def _sealed(self, case_id: str) -> None:
        self._evidence.courier.take(case_id)
        self._log("case_sealed", case=case_id)

    def _reread(self) -> None:
        published = self._folder.read()
        if published is None:
            return
        for problem in published.problems:
            self._log("configuration_refused", problem=str(problem))
        before = self._published.cameras
        changed = [
            camera_id
            for camera_id in sorted({*before, *published.cameras})
            if camera_id not in before
            or camera_id not in published.cameras
            or before[camera_id].key != published.cameras[camera_id].key
        ]
        self._log("configuration_published", changed=changed)
        self._published = published
        self._fleet.want(published.cameras)

    def _deliver(self) -> None:
        courier = self._evidence.courier
        for camera_id in self._published.cameras:
            courier.advance(camera_id)
        self._fleet.room(courier.full())
        self._tell()

    def _tell(self) -> None:
        for text in self._evidence.courier.news():
            self._log("delivery", text=text)

    def _expire(self) -> None:
        """Once a day, what passages may not outlive is deleted; also of cameras that are watched no more, after 30 days."""
        today = self._clock.now().date()
        if self._expired_on == today:
            return
        self._expired_on = today
        try:
            with self._evidence.database.write() as tx:
                passages.forget(tx, self._clock.now())
        except RecordsError:
            self._expired_on = None  # tried again
        gone = expire(self._request.data, lambda camera: self._published.passage_days.get(camera, 30), today)
        if gone:
            self._log("days_deleted", days=gone)

    def _figures(self) -> FleetFigures:
        courier = self._evidence.courier
        return FleetFigures(
            cameras=self._fleet.figures(),
            workers=self._fleet.worker_count,
            worker_restarts=self._fleet.restarts,
            undelivered=len(courier.waiting),
            is_spool_full=courier.full() is not None,
            delivery_trouble=courier.trouble is not None,
            configuration_problems=len(self._published.problems),
            at=self._clock.now(),
        )
