"""Replays one source of a run: through the whole pipeline, its observations into the folder, its record to whoever asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.bootstrap import OpenedSource
from api.clock import Clock
from api.errors import InterruptedRunError
from api.site_file import SiteFile
from api.work.event_lines import event_line
from api.work.pipeline import Pipeline
from api.work.progress import Advance, Progress
from api.work.result_sink import Cases, ResultSink
from api.work.run_folder import OpenMode, RunFolder, SourceRecord
from api.work.signal_sources import SignalFeeds, open_signals
from evidence.budget import Budget
from evidence.delivery import Delivery
from evidence.passage_album import PassageAlbum
from evidence.signing import Signer
from ingest.cadence import PlateCadence
from ingest.camera import LoopStats, run_camera
from ingest.errors import IngestError
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Who makes the cases of a run: takes sealed packages, and signs manifests."""

    delivery: Delivery
    sign: Callable[[bytes], bytes]


class SourceReplay:
    """Replays sources of one run, one after another."""

    def __init__(
        self,
        request: ReplayRequest,
        pipeline: Pipeline,
        progress: Progress,
        clock: Clock,
        stop: Callable[[], bool],
        folder: RunFolder,
        making: Making | None,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        """``making`` None: no cases. ``tell`` is called after each frame."""
        self._request = request
        self._camera = request.site_file.site.camera(request.camera_id)
        self._pipeline = pipeline
        self._progress = progress
        self._clock = clock
        self._stop = stop
        self._folder = folder
        self._making = making
        self._tell = tell

    def _shown(self, at: Advance) -> None:
        self._progress.advanced(at)
        self._tell()

    def one(self, segment: int, name: str) -> SourceRecord:
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
        if self._making is None:
            return None
        return self._pipeline.new_cases(
            self._request.data_dir,
            opened.footage,
            self._making.delivery,
            self._making.sign,
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
