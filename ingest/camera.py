"""The loop of one camera: frame by frame from the source through the analyst to the judge, and what came of it to the sink."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingest.cadence import LookCadence, PlateCadence
from ingest.frame import Frame
from ingest.overload import Overload
from ingest.ports import Analyst, FrameSource, Judge, Sink
from ingest.signal_merge import SignalJoin
from rules.finding import Output, Watch
from rules.observation import FrameStamp, Gap, LampState, Observation

MAX_GAPS_LISTED = 1000
"""Gaps that a segment lists one by one; the others are counted. A stream with more is not worth judging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStats:
    """How often a signal head was sampled, and how often its state was unknown."""

    head_id: str
    samples: int
    unknown: int

    @property
    def unknown_share(self) -> float:
        """0..1; 0.0 where there was no sample."""
        return self.unknown / self.samples if self.samples else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStats:
    """What one segment came to.

    ``frames``: decoded and observed; ``analysed``: those on which detection ran. ``from_s`` and ``to_s``:
    media seconds of the first and the last frame (0.0 without frames). ``gaps``: between analysed frames,
    the first thousand; ``gap_count`` and ``gap_s`` cover all. ``interrupted``: the segment was stopped
    from outside before its end.
    """

    frames: int
    analysed: int
    from_s: float
    to_s: float
    gaps: tuple[Gap, ...]
    gap_count: int
    gap_s: float
    heads: tuple[HeadStats, ...]
    interrupted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Which frames are analysed; of the others a ``glance`` sees what costs next to nothing: the lamps."""

    cadence: LookCadence
    glance: Callable[[Frame], Observation]

    def spared(self, frame: Frame, *, watching: bool) -> Observation | None:
        """What a glance at the frame shows, where it need not be analysed; None where it must."""
        return None if self.cadence.is_due(frame.stamp.media_s, watching=watching) else self.glance(frame)


def run_camera(
    source: FrameSource,
    analyst: Analyst,
    judge: Judge,
    sink: Sink,
    *,
    cadence: PlateCadence,
    max_gap_s: float = 0.5,
    should_stop: Callable[[], bool] = lambda: False,
    signals: SignalJoin | None = None,
    overload: Overload | None = None,
    looks: Looks | None = None,
) -> LoopStats:
    """Runs a segment to its end, or until ``should_stop()`` says yes between two frames; both finish the judge.

    Per frame: the analyst observes it, told whose plates to read (tracks under a ``Watch``, by the
    cadence); the reports of ``signals`` that are due join it, behind a live feed a little later; the sink
    records the observation; the judge steps; the sink takes what it said, if anything.
    ``looks`` says which frames need not be analysed (None: all are), ``overload`` which of a live source there is no time for.
    What the judge says at the finish goes to the sink with the last frame. The source stays open: whoever
    opened it closes it. An error of any part ends the loop and is passed on; nothing is finished then.
    """
    join = SignalJoin(()) if signals is None else signals
    watches: dict[int, float] = {}
    tally = _Tally(max_gap_s)
    last: FrameStamp | None = None
    interrupted = False

    def judged(observation: Observation, now_s: float) -> FrameStamp:
        tally.take(observation)
        sink.observed(observation)
        outputs = judge.step(observation)
        _note_watches(watches, outputs, now_s - observation.stamp.media_s)
        if outputs:
            sink.said(outputs, observation.stamp)
        return observation.stamp

    for frame in source.frames():
        if should_stop():
            interrupted = True
            break
        media_s = frame.stamp.media_s
        watches = {track: until_s for track, until_s in watches.items() if until_s >= media_s}
        spared = None if overload is None else overload.spared(frame)
        if spared is None and looks is not None:
            spared = looks.spared(frame, watching=bool(watches))
        chosen = cadence.choose(watches, media_s) if spared is None else ()
        observation = analyst.observe(frame, chosen) if spared is None else spared
        if looks is not None:
            looks.cadence.note(observation)
        cadence.note(chosen, observation)
        for ready in join.add(observation):
            last = judged(ready, media_s)
    for ready in join.rest():
        last = judged(ready, ready.stamp.media_s)
    final = judge.finish()
    if final and last is not None:
        sink.said(final, last)
    return tally.stats(interrupted=interrupted)


def _note_watches(watches: dict[int, float], outputs: Iterable[Output], waited_s: float) -> None:
    """Several rules may watch a track: the longest watch counts, from now on where the observation had to wait."""
    for output in outputs:
        if isinstance(output, Watch):
            until_s = output.until_s + waited_s
            watches[output.track_id] = max(until_s, watches.get(output.track_id, until_s))


class _Tally:
    """Counts while the segment runs."""

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._frames = 0
        self._analysed = 0
        self._first: FrameStamp | None = None
        self._last: FrameStamp | None = None
        self._last_analysed: FrameStamp | None = None
        self._gaps: list[Gap] = []
        self._gap_count = 0
        self._gap_s = 0.0
        self._samples: dict[str, int] = {}
        self._unknown: dict[str, int] = {}

    def take(self, observation: Observation) -> None:
        stamp = observation.stamp
        self._frames += 1
        self._first = self._first or stamp
        self._last = stamp
        for lamp in observation.lamps:
            self._samples[lamp.head_id] = self._samples.get(lamp.head_id, 0) + 1
            if lamp.state is LampState.UNKNOWN:
                self._unknown[lamp.head_id] = self._unknown.get(lamp.head_id, 0) + 1
        if observation.tracks is not None:
            self._analysed += 1
            self._note_gap(self._last_analysed, stamp)
            self._last_analysed = stamp

    def _note_gap(self, before: FrameStamp | None, after: FrameStamp) -> None:
        if before is None or after.media_s - before.media_s <= self._max_gap_s:
            return
        self._gap_count += 1
        self._gap_s += after.media_s - before.media_s
        if len(self._gaps) < MAX_GAPS_LISTED:
            self._gaps.append(
                Gap(
                    camera_id=after.camera_id,
                    segment=after.segment,
                    from_s=before.media_s,
                    to_s=after.media_s,
                )
            )

    def stats(self, *, interrupted: bool) -> LoopStats:
        """The tally at the end; a tail without analysed frames is a gap like any other."""
        if self._last is not None:
            self._note_gap(self._last_analysed or self._first, self._last)
        return LoopStats(
            frames=self._frames,
            analysed=self._analysed,
            from_s=self._first.media_s if self._first else 0.0,
            to_s=self._last.media_s if self._last else 0.0,
            gaps=tuple(self._gaps),
            gap_count=self._gap_count,
            gap_s=self._gap_s,
            heads=tuple(
                HeadStats(head_id=head, samples=count, unknown=self._unknown.get(head, 0))
                for head, count in sorted(self._samples.items())
            ),
            interrupted=interrupted,
        )
