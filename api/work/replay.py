"""Replays recordings of one camera: each through the whole pipeline, its results kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from api.clock import Clock
from api.errors import (
    AllInputsFailedError,
    InterruptedRunError,
    SomeInputsFailedError,
    SourceFailure,
    UsageError,
)
from api.versions import stopline_version
from api.work.package_store import require_none_elsewhere
from api.work.pipeline import Pipeline
from api.work.progress import Progress
from api.work.replay_jobs import JobsSetup, Outcome, replay_in_jobs
from api.work.replay_source import Making, ReplayRequest, SourceReplay
from api.work.run_evidence import EVIDENCE, RunEvidence, has_cases, opened_evidence
from api.work.run_folder import (
    OpenMode,
    RunFolder,
    RunPlan,
    SourceRecord,
    check_folder,
    is_complete,
    open_run,
    read_summary,
)
from api.work.signal_sources import fingerprints
from api.work.summary import summary_of
from evidence.canonical import moment as rfc3339
from evidence.database import RecordsError
from evidence.errors import DiskFullError
from evidence.passage_file import FOLDER as PICTURES_FOLDER
from ingest.errors import IngestError
from ingest.open_source import is_live
from ingest.redact import redact_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A run that ended well. ``summary`` is the content of ``summary.json``; ``nothing_to_do``: it was done before."""

    summary: dict[str, Any]
    nothing_to_do: bool


def replay(
    request: ReplayRequest,
    pipeline: Pipeline,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
    jobs: JobsSetup | None = None,
) -> Replayed:
    """The results of all sources stand in ``request.out``. With ``jobs`` several are replayed at a time.

    ``stop`` is asked before each frame; once it says True, a recording's unfinished work is dropped (a live
    source's is kept, it cannot be had again) and InterruptedRunError raised. Also raises UsageError (folder,
    arguments), AllInputsFailedError, SomeInputsFailedError (the results of the other sources stand), and
    whatever the pipeline fails with.
    """
    plan = _plan(request, pipeline)
    check_folder(request.out, plan, request.mode)
    if request.mode is OpenMode.RESUME and is_complete(request.out):
        return Replayed(summary=read_summary(request.out), nothing_to_do=True)
    if request.mode is OpenMode.OVERWRITE:
        require_none_elsewhere(request.out)
    own = (PICTURES_FOLDER, *(EVIDENCE if request.data is None else ()))
    with open_run(request.out, plan, request.mode, own) as folder:
        try:
            with _evidence(request, clock) as held:
                replayed = _Run(request, pipeline, progress, clock, stop, folder, held, jobs).all()
        except AllInputsFailedError:
            if not has_cases(request.data_dir):  # else what a camera gave before it failed is kept
                folder.abandon(own)
            raise
    return replayed


def _evidence(request: ReplayRequest, clock: Clock) -> AbstractContextManager[RunEvidence | None]:
    if not request.with_evidence:
        return nullcontext()
    return opened_evidence(
        request.data_dir,
        request.bucket,
        request.signer,
        request.budget,
        clock,
        goes_on=request.mode is OpenMode.RESUME,
    )


def _plan(request: ReplayRequest, pipeline: Pipeline) -> RunPlan:
    if len(request.start_times) not in (0, len(request.sources)):
        raise UsageError(
            f"{len(request.sources)} SOURCEs and {len(request.start_times)} --start-time; give --start-time once "
            "per SOURCE, in their order, or not at all"
        )
    if request.start_times and any(is_live(source) for source in request.sources):
        raise UsageError("a live camera has its own clock; --start-time is for recordings, leave it out")
    return RunPlan(
        camera=request.camera_id,
        sources=tuple(redact_url(source) for source in request.sources),
        start_times=tuple(rfc3339(start) for start in request.start_times),
        start_error_s=request.start_error_s,
        duration_s=request.duration_s,
        site_sha256=request.site_file.sha256,
        weights_sha256=pipeline.models.weights_sha256,
        plates=tuple(sha256 for _, sha256 in pipeline.models.plates),
        stopline=stopline_version(),
        with_evidence=request.with_evidence,
        signals=fingerprints(
            request.signals,
            request.site_file,
            request.camera_id,
            live=any(is_live(source) for source in request.sources),
            dated=bool(request.start_times),
        ),
    )


class _Run:
    """One run over all its sources."""

    def __init__(
        self,
        request: ReplayRequest,
        pipeline: Pipeline,
        progress: Progress,
        clock: Clock,
        stop: Callable[[], bool],
        folder: RunFolder,
        held: RunEvidence | None,
        jobs: JobsSetup | None,
    ) -> None:
        self._request = request
        self._camera = request.site_file.site.camera(request.camera_id)
        self._pipeline = pipeline
        self._progress = progress
        self._clock = clock
        self._stop = stop
        self._folder = folder
        self._held = held
        self._jobs = jobs

    def all(self) -> Replayed:
        """Every source that was not done before."""
        outcomes: dict[int, Outcome] = {}
        for segment in range(len(self._request.sources)):
            finished = self._folder.finished(segment)
            if finished is not None:
                outcomes[segment] = finished
        left = [segment for segment in range(len(self._request.sources)) if segment not in outcomes]
        for segment, outcome in self._replayed(left):
            outcomes[segment] = outcome
            if isinstance(outcome, SourceRecord):
                self._folder.finish(outcome)
        in_order = [outcomes[segment] for segment in sorted(outcomes)]
        records = [outcome for outcome in in_order if isinstance(outcome, SourceRecord)]
        failures = [outcome for outcome in in_order if isinstance(outcome, SourceFailure)]
        summary = summary_of(self._request.site_file, self._camera, self._pipeline.models, records, failures)
        if not records:
            raise AllInputsFailedError(failures)
        interrupted = any(record.interrupted for record in records)
        if self._held is not None:
            summary["custody"] = self._ended(self._held)
            summary["undelivered"] = list(self._held.courier.waiting)
            self._tell()
        self._folder.publish(records, summary, complete=not failures)
        if interrupted:
            raise InterruptedRunError(f"interrupted; what was seen until then stands in {self._request.out}")
        if failures:
            raise SomeInputsFailedError(failures)
        if self._held is not None:
            self._held.require_delivered(self._request.out)
        return Replayed(summary=summary, nothing_to_do=False)

    def _ended(self, held: RunEvidence) -> dict[str, Any] | None:
        """What the summary says of the chain; a full disk gets the room that was kept for the end of a live source."""
        try:
            return held.ended(self._camera.camera_id)
        except (DiskFullError, RecordsError):
            if not self._folder.spend_reserve():
                raise
        with suppress(DiskFullError, RecordsError):
            return held.ended(self._camera.camera_id)
        return None

    def _replayed(self, segments: Sequence[int]) -> Iterator[tuple[int, Outcome]]:
        """What each of these sources gives, as they are done."""
        request, held = self._request, self._held
        if self._jobs is not None and self._jobs.jobs > 1 and len(segments) > 1:
            courier = None if held is None else held.courier
            if courier is not None:
                courier.advance(request.camera_id)
            yield from replay_in_jobs(
                self._jobs, request, segments, self._progress, self._stop, courier, self._tell
            )
            return
        making = None if held is None else Making(delivery=held.courier, sign=held.custody.signature)
        replaying = SourceReplay(
            request, self._pipeline, self._progress, self._clock, self._stop, self._folder, making, self._tell
        )
        for segment in segments:
            name = request.sources[segment]
            try:
                yield segment, replaying.one(segment, name)
            except IngestError as exc:
                yield segment, SourceFailure(source=exc.source, code=exc.code, message=str(exc))

    def _tell(self) -> None:
        for text in self._held.courier.news() if self._held is not None else ():
            self._progress.noted(text)
