"""Replays recordings of one camera: each through the whole pipeline, its results kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.bootstrap import OpenedSource
from api.clock import Clock
from api.errors import (
    AllInputsFailedError,
    InterruptedRunError,
    SomeInputsFailedError,
    SourceFailure,
    UsageError,
)
from api.site_file import SiteFile
from api.versions import stopline_version
from api.work.event_lines import event_line
from api.work.package_store import require_none_in_bucket
from api.work.pipeline import Pipeline
from api.work.progress import Advance, Progress
from api.work.result_sink import Cases, ResultSink
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
from api.work.signal_sources import SignalFeeds, fingerprints, open_signals
from api.work.summary import summary_of
from evidence.budget import Budget
from evidence.canonical import moment as rfc3339
from evidence.errors import DiskFullError
from evidence.passage_album import PassageAlbum
from evidence.passage_file import FOLDER as PICTURES_FOLDER
from evidence.records_sql import RecordsError
from evidence.signing import Signer
from ingest.cadence import PlateCadence
from ingest.camera import LoopStats, run_camera
from ingest.errors import IngestError
from ingest.open_source import is_live
from ingest.redact import redact_url
from rules.site import Camera

if TYPE_CHECKING:  # only who uses a bucket loads what speaks to one
    from evidence.bucket import Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What to replay. ``start_times`` holds none, or one aware time per source, each right within ``start_error_s``.

    ``duration_s`` limits each source.

    ``signer`` signs the evidence; None: a demo key that the folder gets.

    ``signals`` names what else tells the state of signal heads, for sources whose wall clock is known.
    ``with_evidence``: pictures of passages are taken, and a package is built and recorded for each finding that
    wants one, in ``data`` where that is given (a folder that stands, shared with runs of other cameras), else in ``out``;
    the packages go into ``bucket`` where one is given, and ``budget`` is what may wait for it.
    """

    sources: tuple[str, ...]
    site_file: SiteFile
    camera_id: str
    out: Path
    mode: OpenMode
    signer: Signer | None = None
    start_times: tuple[datetime, ...]
    duration_s: float | None
    with_evidence: bool = True
    signals: tuple[str, ...] = ()
    start_error_s: float = 1.0
    mqtt_password: str | None = field(default=None, repr=False)
    data: Path | None = None
    bucket: Bucket | None = None
    budget: Budget = field(default_factory=Budget)

    @property
    def data_dir(self) -> Path:
        """Where evidence and records go."""
        return self.out if self.data is None else self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A run that ended well. ``summary`` is the content of ``summary.json``; ``nothing_to_do``: it was done before."""

    summary: dict[str, Any]
    nothing_to_do: bool


class SizeMismatchError(IngestError):
    """The picture has another size than the site file says."""

    code = "input_size"

    def __init__(self, source: str, camera: Camera, size_px: tuple[int, int]) -> None:
        super().__init__(
            source,
            f"its picture is {size_px[0]}x{size_px[1]} px, and the site file's camera {camera.camera_id} has "
            f"{camera.width_px}x{camera.height_px}; give a recording of that camera, or correct size_px",
        )
        self.size_px = size_px


def replay(
    request: ReplayRequest, pipeline: Pipeline, progress: Progress, clock: Clock, stop: Callable[[], bool]
) -> Replayed:
    """The results of all sources stand in ``request.out``.

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
        require_none_in_bucket(request.out)
    own = (PICTURES_FOLDER, *(EVIDENCE if request.data is None else ()))
    with open_run(request.out, plan, request.mode, own) as folder:
        try:
            with _evidence(request, clock) as held:
                replayed = _Run(request, pipeline, progress, clock, stop, folder, held).all()
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
    ) -> None:
        self._request = request
        self._camera = request.site_file.site.camera(request.camera_id)
        self._pipeline = pipeline
        self._progress = progress
        self._clock = clock
        self._stop = stop
        self._folder = folder
        self._held = held

    def all(self) -> Replayed:
        """Every source that was not done before."""
        records: list[SourceRecord] = []
        failures: list[SourceFailure] = []
        for segment, name in enumerate(self._request.sources):
            record = self._folder.finished(segment)
            if record is None:
                try:
                    record = self._one(segment, name)
                except IngestError as exc:
                    failures.append(SourceFailure(source=exc.source, code=exc.code, message=str(exc)))
                    continue
                self._folder.finish(record)
            records.append(record)
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

    def _shown(self, at: Advance) -> None:
        self._progress.advanced(at)
        self._tell()

    def _tell(self) -> None:
        for text in self._held.courier.news() if self._held is not None else ():
            self._progress.noted(text)

    def _one(self, segment: int, name: str) -> SourceRecord:
        """The source through the pipeline, its observations in the folder."""
        if self._stop():
            raise self._interrupted(segment, redact_url(name))
        starts = self._request.start_times
        started_s = self._clock.elapsed_s()
        opened = self._pipeline.open_source(
            name,
            segment,
            starts[segment] if starts else None,
            self._request.duration_s,
            self._request.start_error_s,
        )
        with closing(opened.source), self._folder.observations(segment, is_live=opened.is_live) as writer:
            if opened.is_live:
                self._folder.reserve()
            if opened.source.size_px != (self._camera.width_px, self._camera.height_px):
                raise SizeMismatchError(opened.name, self._camera, opened.source.size_px)

            def at(sink: ResultSink) -> Advance:
                return Advance(
                    source=opened.name,
                    number=segment + 1,
                    of=len(self._request.sources),
                    length_s=opened.length_s,
                    media_s=sink.last_s,
                    frames=sink.frames,
                    events=sink.findings,
                    wall_s=self._clock.elapsed_s() - started_s,
                )

            album = self._album(opened)
            sink = ResultSink(
                writer.write,
                lambda sink: self._shown(at(sink)),
                self._cases(opened),
                album,
                self._request.site_file.site.passage_days,
            )

            def stop() -> bool:
                """A live source ends where it is; a recording's unfinished work is dropped, nothing of it is judged."""
                if not self._stop():
                    return False
                if not opened.is_live:
                    self._progress.ended(at(sink), "interrupted")
                    raise self._interrupted(segment, opened.name)
                return True

            self._progress.begun(at(sink))
            with self._signals(segment) as signals, sink:
                stats = run_camera(
                    opened.source,
                    self._pipeline.new_analyst(),
                    self._pipeline.new_judge(),
                    sink,
                    cadence=PlateCadence(),
                    max_gap_s=self._camera.max_gap_s,
                    should_stop=stop,
                    signals=signals.join,
                )
            damage = opened.source.damage
        self._progress.ended(at(sink), "interrupted" if stats.interrupted else damage or "done")
        return SourceRecord(
            source=opened.name,
            segment=segment,
            size_bytes=opened.size_bytes,
            frames=stats.frames,
            analysed=stats.analysed,
            video_s=round(_video_s(stats), 3),
            wall_s=round(self._clock.elapsed_s() - started_s, 3),
            damage=damage,
            interrupted=stats.interrupted,
            has_wall_clock=sink.has_wall_clock,
            gaps_s=[(gap.from_s, gap.to_s) for gap in stats.gaps],
            gap_count=stats.gap_count,
            gap_s=stats.gap_s,
            lamp_samples={head.head_id: head.samples for head in stats.heads},
            lamps_unknown={head.head_id: head.unknown for head in stats.heads},
            events=sink.events,
            passages=sink.passages,
            signals=[feed.counts() for feed in signals.feeds],
            heads_reported=sorted(signals.join.reported),
            pictures_missing=0 if album is None else album.missing,
            disarmed=sink.disarmed,
            lost=sink.lost,
            unkept=sink.unkept,
            observations_lost=writer.lost,
        )

    def _signals(self, segment: int) -> AbstractContextManager[SignalFeeds]:
        """The signal feeds from their beginning: each source takes the messages of its own time."""
        request = self._request
        return open_signals(
            request.signals,
            request.site_file,
            request.camera_id,
            started_at=request.start_times[segment] if request.start_times else None,
            mqtt_password=request.mqtt_password,
            clock=self._clock,
        )

    def _album(self, opened: OpenedSource) -> PassageAlbum | None:
        return (
            PassageAlbum(self._request.out, opened.footage, goes_on=opened.is_live)
            if self._request.with_evidence
            else None
        )

    def _cases(self, opened: OpenedSource) -> Cases | None:
        if self._held is None:
            return None
        return self._pipeline.new_cases(
            self._request.data_dir,
            opened.footage,
            self._held.courier,
            self._held.custody.signature,
            event_line,
            self._request.budget if opened.is_live else None,
        )

    def _interrupted(self, segment: int, name: str) -> InterruptedRunError:
        return InterruptedRunError(
            f"interrupted in {name}; what was finished before ({segment} of {len(self._request.sources)} SOURCEs) "
            f"is kept in {self._request.out}, go on with --resume"
        )


def _video_s(stats: LoopStats) -> float:
    """Seconds of video seen: to the last frame, which is given the mean duration of those before it."""
    if stats.frames < 2:
        return 0.0
    return (stats.to_s - stats.from_s) * stats.frames / (stats.frames - 1)
