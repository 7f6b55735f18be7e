"""One live camera for as long as it is watched: connects, judges segment after segment, waits and connects again."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from api.bootstrap import Models, OpenedSource
from api.clock import Clock
from api.site_file import SiteFile
from api.work.camera_figures import CameraMeter, CameraState
from api.work.event_lines import event_line
from api.work.live_journal import SEGMENTS, DailyAlbum, LiveJournal
from api.work.live_signals import LiveSignals, LiveWitness
from api.work.live_sink import LiveSink
from api.work.replay_source import SizeMismatchError
from evidence.budget import Budget
from evidence.case_builder import CaseBuilder
from evidence.delivery import Delivery
from evidence.ports import EventLine
from ingest.back_off import BackOff
from ingest.cadence import LookCadence, PlateCadence
from ingest.camera import Looks, LoopStats, run_camera
from ingest.errors import IngestError, StreamUnauthorisedError
from ingest.frame import Frame
from ingest.overload import Overload
from ingest.packet_ring import PacketRing
from ingest.ports import Analyst, Judge, LaggingSource, Lease
from rules.errors import StoplineError
from rules.observation import FrameStamp, Observation, SignalReport

STEADY_S = 5.0
"""A connection that lasted so long was a good one: the next wait is short again."""

DRAIN_S = 8.0
"""How long a stop waits for the footage after open cases: a clip ends 6 s after its event."""

LEASE_AGAIN_S = 2.0


class GlancingAnalyst(Analyst, Protocol):
    """An analyst that can do with less."""

    def glance(self, frame: Frame) -> Observation:
        """What the lamps show, and nothing else."""
        ...


class LivePipeline(Protocol):
    """All parts of one live camera; what keeps state is made anew for each segment."""

    @property
    def models(self) -> Models: ...

    def open_live(self, segment: int, on_thread: Callable[[int], None]) -> OpenedSource:
        """A new connection. Raises IngestError."""
        ...

    def live_analyst(self, opened: OpenedSource) -> GlancingAnalyst:
        """An analyst for that connection."""
        ...

    def new_judge(self) -> Judge: ...

    def new_cases(
        self,
        data_dir: Path,
        footage: PacketRing,
        delivery: Delivery,
        sign: Callable[[bytes], bytes],
        event_line: EventLine,
        going_on: Budget | None = None,
    ) -> CaseBuilder: ...


class LiveCamera:
    """Watches one camera on the thread that calls ``run``, until ``stop`` was called."""

    def __init__(
        self,
        site_file: SiteFile,
        camera_id: str,
        pipeline: LivePipeline,
        *,
        data: Path,
        lease: Callable[[], Lease | None],
        delivery: Delivery,
        sign: Callable[[bytes], bytes],
        budget: Budget,
        clock: Clock,
        chance: Callable[[], float],
        on_reader: Callable[[int], None] = lambda _: None,
        signals: LiveSignals | None = None,
        tell: Callable[[tuple[SignalReport, ...]], None] | None = None,
    ) -> None:
        """``lease`` tries to get the camera's lease; ``on_reader`` is told the thread that reads packets.

        ``signals`` is what others tell of its heads; ``tell`` passes on what this camera sees of them.
        """
        self._site_file = site_file
        self._camera = site_file.site.camera(camera_id)
        self._pipeline, self._data, self._lease = pipeline, data, lease
        self._delivery, self._sign, self._budget = delivery, sign, budget
        self._clock, self._on_reader = clock, on_reader
        self._signals, self._tell = signals, tell
        self._back_off = BackOff(chance)
        self._stopping = threading.Event()
        self._stopped_at_s: float | None = None
        self._last_seen: FrameStamp | None = None
        self._last_seen_s: float | None = None
        self.meter = CameraMeter(camera_id, self._camera.max_gap_s)
        self._journal = LiveJournal(
            data, camera_id, clock.now, lambda lines: self.meter.counted(unwritten=lines)
        )

    def stop(self) -> None:
        """``run`` ends soon: open cases get the footage after them first, where it comes."""
        self._stopped_at_s = self._clock.elapsed_s()
        self._stopping.set()

    def run(self) -> None:
        """Watches until stopped. A mistake of ours ends no camera: it is told, and the camera begins anew."""
        self.meter.is_in(CameraState.CONNECTING, self._clock.now())
        lease = self._leased()
        if lease is None:
            return
        try:
            self.meter.leased(lease.number)
            for segment in lease.segments():
                if self._stopping.is_set():
                    break
                self._once(segment)
        finally:
            lease.release()
            self.meter.is_in(CameraState.STOPPED, self._clock.now())

    def _leased(self) -> Lease | None:
        while not self._stopping.is_set():
            lease = self._lease()
            if lease is not None:
                return lease
            self.meter.is_in(
                CameraState.LEASED_ELSEWHERE,
                self._clock.now(),
                "leased_elsewhere",
                "another process watches it",
            )
            self._stopping.wait(LEASE_AGAIN_S)
        return None

    def _once(self, segment: int) -> None:
        began_s = self._clock.elapsed_s()
        helps = True
        try:
            opened = self._pipeline.open_live(segment, self._on_reader)
            with closing(opened.source):
                if opened.source.size_px != (self._camera.width_px, self._camera.height_px):
                    raise SizeMismatchError(opened.name, self._camera, opened.source.size_px)
                ended = self._segment(opened, segment)
            self.meter.is_in(CameraState.CONNECTING, self._clock.now(), "stream_lost", ended)
            if self._clock.elapsed_s() - began_s >= STEADY_S:
                self._back_off.succeeded()
        except IngestError as exc:
            # Whoever tries a refused account every two seconds locks it; a camera that boots answers anything else.
            helps = not isinstance(exc, StreamUnauthorisedError)
            self.meter.is_in(CameraState.UNUSABLE, self._clock.now(), exc.code, exc.message)
        except StoplineError as exc:
            self.meter.is_in(CameraState.FAILED, self._clock.now(), exc.code, str(exc))
        except Exception as exc:  # noqa: BLE001 - one camera's trouble must not end the others of this process
            at = traceback.extract_tb(exc.__traceback__)[-1]
            what = f"{type(exc).__name__} in {Path(at.filename).name}, line {at.lineno} (a mistake of Stopline's)"
            self.meter.is_in(CameraState.FAILED, self._clock.now(), "internal", what)
        self._stopping.wait(self._back_off.wait_s(helps=helps))

    def _segment(self, opened: OpenedSource, segment: int) -> str | None:
        """Judges one connection to its end; what ended it."""
        source: Any = opened.source
        live: LaggingSource = source
        signals = self._signals
        self.meter.connected()
        self.meter.is_in(CameraState.LIVE, self._clock.now())
        analyst = self._pipeline.live_analyst(opened)
        overload = Overload(live, analyst.glance)
        cases = self._pipeline.new_cases(
            self._data, opened.footage, self._delivery, self._sign, event_line, self._budget
        )

        def lag_s() -> float:
            self.meter.dropped(source.skipped, overload.not_analysed, opened.footage.drops.over_bytes)
            if signals is not None:
                self.meter.feeds_are(signals.away)
            return live.lag_s

        sink = LiveSink(
            self._journal,
            self.meter,
            cases,
            DailyAlbum(self._journal, opened.footage),
            passage_days=self._site_file.site.passage_days,
            now=self._clock.now,
            lag_s=lag_s,
            wait_s=0.0 if signals is None else signals.wait_s,
            witness=None if self._tell is None else LiveWitness(self._camera.max_gap_s, self._tell),
        )
        seam = _Seam(self._last_seen, self._last_seen_s)

        def done() -> bool:
            if sink.last is not None:
                seam.ends(sink.first, self._clock.elapsed_s(), self.meter)
            if self._stopped_at_s is None:
                return False
            waited_s = self._clock.elapsed_s() - self._stopped_at_s
            return not cases.unfinished or waited_s > DRAIN_S

        with sink:
            stats = run_camera(
                live,
                analyst,
                self._pipeline.new_judge(),
                sink,
                cadence=PlateCadence(),
                max_gap_s=self._camera.max_gap_s,
                should_stop=done,
                signals=None if signals is None else signals.join(),
                overload=overload,
                looks=self._looks(analyst),
            )
        self._last_seen, self._last_seen_s = sink.last or self._last_seen, self._clock.elapsed_s()
        damage = source.damage
        row = _segment_fields(segment, sink, stats, damage, seam.seconds, self._clock.now())
        self._journal.add(SEGMENTS, {**row, "signals": [] if signals is None else signals.counts()})
        return str(damage) if damage else None

    def _looks(self, analyst: GlancingAnalyst) -> Looks | None:
        """None, every frame, where rules act that watch nobody: those of gates and crosswalks take everybody as they come.

        So too where frames wait for what others tell of the heads: who is to be watched is known too late then.
        """
        waits = self._signals is not None and self._signals.wait_s > 0.0
        if waits or self._camera.gates or self._camera.crosswalks:
            return None
        return Looks(cadence=LookCadence.within(self._camera.max_gap_s), glance=analyst.glance)


class _Seam:
    """How long nothing was seen between two segments."""

    def __init__(self, before: FrameStamp | None, before_s: float | None) -> None:
        self._before, self._before_s = before, before_s
        self.seconds: float | None = None

    def ends(self, first: FrameStamp | None, now_s: float, meter: CameraMeter) -> None:
        """The first picture of the new segment was judged just now."""
        if self.seconds is None and self._before_s is not None and first is not None:
            self.seconds = max(0.0, now_s - self._before_s)
            meter.offline(self.seconds)


def _segment_fields(
    segment: int, sink: LiveSink, stats: LoopStats, damage: str | None, seam_s: float | None, now: datetime
) -> dict[str, Any]:
    """One line of ``segments.jsonl``. ``unseen_before_s``: how long nothing was seen before it, None for the first."""
    return {
        "segment": segment,
        "from": _moment(sink.first),
        "to": _moment(sink.last),
        "clock": None if sink.last is None else sink.last.clock_source.value,
        "ended_at": now.isoformat(),
        "unseen_before_s": None if seam_s is None else round(seam_s, 3),
        "frames": stats.frames,
        "analysed": stats.analysed,
        "seconds": round(stats.to_s - stats.from_s, 3),
        "gaps": stats.gap_count,
        "gap_s": round(stats.gap_s, 3),
        "damage": damage,
        "lamps": {head.head_id: [head.samples, head.unknown] for head in stats.heads},
    }


def _moment(stamp: FrameStamp | None) -> str | None:
    return None if stamp is None or stamp.captured_at is None else stamp.captured_at.isoformat()
