"""Takes what the loop of a live camera produces: rows go to the journal at once, cases to their builder, figures to the meter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

from api.work.camera_figures import CameraMeter
from api.work.event_lines import event_fields, passage_fields
from api.work.live_journal import EVENTS, LOST, PASSAGES, LiveJournal
from api.work.live_signals import LiveWitness
from api.work.result_sink import Cases
from evidence.case_builder import BuiltCase
from evidence.passage_file import PassagePicture
from evidence.profile import WANTED
from rules.finding import Disarmed, Finding, Output, Passage
from rules.lost import Lost
from rules.observation import FrameStamp, Observation


class Pictures(Protocol):
    """Takes the pictures of passages."""

    def take(self, passage: Passage) -> PassagePicture | None: ...


class LiveSink:
    """A Sink of one segment. It remembers nothing of the past: a segment may last for months."""

    def __init__(
        self,
        journal: LiveJournal,
        meter: CameraMeter,
        cases: Cases,
        album: Pictures,
        *,
        passage_days: int,
        now: Callable[[], datetime],
        lag_s: Callable[[], float],
        wait_s: float = 0.0,
        witness: LiveWitness | None = None,
    ) -> None:
        """``wait_s``: how long frames wait for what others tell of the heads. ``witness`` tells others of this camera's."""
        self._journal, self._meter, self._cases, self._album = journal, meter, cases, album
        self._passage_days, self._now, self._lag_s = passage_days, now, lag_s
        self._wait_s, self._witness = wait_s, witness
        self.first: FrameStamp | None = None
        self.last: FrameStamp | None = None

    def observed(self, observation: Observation) -> None:
        """As a Sink."""
        self.first = self.first or observation.stamp
        self.last = observation.stamp
        self._meter.saw(observation, self._now(), self._lag_s())
        if self._witness is not None:
            self._witness.observed(observation)
        self._take(self._cases.said((), observation.stamp))

    def said(self, outputs: Sequence[Output], now: FrameStamp) -> None:
        """As a Sink."""
        for output in outputs:
            match output:
                case Finding():
                    self._meter.found(output, self._delay_s(output, now))
                    if output.rule not in WANTED:
                        self._journal.add(EVENTS, event_fields(output, None))
                case Passage():
                    row = passage_fields(output, self._passage_days, self._album.take(output))
                    self._journal.add(PASSAGES, row)
                    self._meter.counted(passages=1)
                case Disarmed():
                    self._meter.disarmed(output)
                    if self._witness is not None:
                        self._witness.disarmed(output)
                    if output.to_s is not None:
                        self._journal.add(LOST, _disarmed_fields(output, now))
                case Lost():
                    self._journal.add(LOST, _lost_fields(output, now))
                    self._meter.counted(lost=1)
        self._take(self._cases.said(outputs, now))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The cases that still wait for footage get what there is; after an error nothing unfinished is left of them."""
        if self._witness is not None:
            self._witness.ended()
        if kind is not None:
            self._cases.abandon()
            return
        self._take(self._cases.finish())
        for output in self._cases.disarmed:
            if self.last is not None and output.to_s is not None:
                self._journal.add(LOST, _disarmed_fields(output, self.last))
        for one in self._cases.unkept:
            self._meter.counted(unkept=1)
            at = None if one.captured_at is None else one.captured_at.isoformat()
            self._journal.add(
                LOST, {"kind": "unkept", "id": one.finding_id, "captured_at": at, "why": one.why}
            )

    def _take(self, built: Iterable[BuiltCase]) -> None:
        for case in built:
            self._journal.add(EVENTS, event_fields(case.finding, case.evidence))
            self._meter.counted(cases=1)

    def _delay_s(self, finding: Finding, now: FrameStamp) -> float | None:
        """How long after its last photo was taken the finding is said, waiting and the lag of this machine included."""
        if not finding.photos:
            return None
        return max(0.0, now.media_s - finding.photos[-1].stamp.media_s) + self._wait_s + self._lag_s()


def _disarmed_fields(output: Disarmed, now: FrameStamp) -> dict[str, Any]:
    return {
        "kind": "disarmed",
        "segment": now.segment,
        "place": output.place_id,
        "cause": output.cause.value,
        "reason": output.reason,
        "from_s": round(output.from_s, 3),
        "to_s": None if output.to_s is None else round(output.to_s, 3),
    }


def _lost_fields(output: Lost, now: FrameStamp) -> dict[str, Any]:
    return {
        "kind": "lost_in_gap",
        "segment": now.segment,
        "place": output.place_id,
        "movements": list(output.movements),
        "from_s": round(output.from_s, 3),
        "to_s": round(output.to_s, 3),
        "tracks": list(output.tracks),
    }
