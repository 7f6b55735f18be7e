"""Takes what the camera loop produces over one source: observations for the record, findings and passages for the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, Self

from api.work.event_lines import Row, event_fields, passage_fields
from evidence.budget import Unkept
from evidence.canonical import moment
from evidence.case_builder import BuiltCase
from evidence.passage_file import PassagePicture
from evidence.profile import WANTED
from rules.finding import Disarmed, Finding, Output, Passage
from rules.lost import Lost
from rules.observation import FrameStamp, Observation


class Cases(Protocol):
    """Builds a case for each finding that wants one, as soon as the footage after it is there."""

    @property
    def unkept(self) -> Sequence[Unkept]:
        """The findings that became no case for want of room."""
        ...

    @property
    def disarmed(self) -> Sequence[Disarmed]:
        """When there was no room."""
        ...

    def said(self, outputs: Sequence[Output], now: FrameStamp) -> tuple[BuiltCase, ...]: ...

    def finish(self) -> tuple[BuiltCase, ...]: ...

    def abandon(self) -> None: ...


class Album(Protocol):
    """Takes the pictures of passages."""

    def take(self, passage: Passage) -> PassagePicture | None: ...

    def abandon(self) -> None: ...


class ResultSink:
    """A Sink that keeps the rows of findings and passages; ``record`` keeps observations, ``show`` is told after each frame.

    With ``cases``, the row of a finding that wants evidence is kept once its package is sealed; the end of
    the context says that the source has ended and no footage will follow. ``album`` takes the pictures of
    passages, which are to be kept for ``passage_days``.
    """

    def __init__(
        self,
        record: Callable[[Observation], None],
        show: Callable[[ResultSink], None],
        cases: Cases | None = None,
        album: Album | None = None,
        passage_days: int = 30,
    ) -> None:
        self._record = record
        self._show = show
        self._cases = cases
        self._album = album
        self._passage_days = passage_days
        self.frames = 0
        self.findings = 0
        self.last_s = 0.0
        self.has_wall_clock = False
        self.events: list[Row] = []
        self.passages: list[Row] = []
        self.disarmed: list[Row] = []
        self.lost: list[Row] = []
        self.unkept: list[Row] = []

    def observed(self, observation: Observation) -> None:
        """As a Sink."""
        self._record(observation)
        self.frames += 1
        self.last_s = observation.stamp.media_s
        self.has_wall_clock = observation.stamp.captured_at is not None
        if self._cases is not None:
            self._take(self._cases.said((), observation.stamp))
        self._show(self)

    def said(self, outputs: Sequence[Output], now: FrameStamp) -> None:
        """As a Sink."""
        findings = [output for output in outputs if isinstance(output, Finding)]
        self.findings += len(findings)
        self.passages += [
            passage_fields(
                output, self._passage_days, None if self._album is None else self._album.take(output)
            )
            for output in outputs
            if isinstance(output, Passage)
        ]
        self._note_disarmed(output for output in outputs if isinstance(output, Disarmed))
        self.lost += [
            {
                "place": output.place_id,
                "movements": list(output.movements),
                "from_s": round(output.from_s, 3),
                "to_s": round(output.to_s, 3),
                "tracks": list(output.tracks),
            }
            for output in outputs
            if isinstance(output, Lost)
        ]
        self.events += [
            event_fields(finding, None)
            for finding in findings
            if self._cases is None or finding.rule not in WANTED
        ]
        if self._cases is not None:
            self._take(self._cases.said(outputs, now))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """The cases that still wait for footage get what there is; after an error nothing unfinished is left of them."""
        if kind is None:
            if self._cases is not None:
                self._take(self._cases.finish())
                self._note_disarmed(self._cases.disarmed)
                self._note_unkept(self._cases.unkept)
            return
        for unfinished in (self._cases, self._album):
            if unfinished is not None:
                unfinished.abandon()

    def _note_disarmed(self, disarmed: Iterable[Disarmed]) -> None:
        self.disarmed += [
            {
                "place": output.place_id,
                "cause": output.cause.value,
                "reason": output.reason,
                "from_s": round(output.from_s, 3),
                "to_s": round(output.to_s, 3),
            }
            for output in disarmed
            if output.to_s is not None
        ]

    def _note_unkept(self, unkept: Iterable[Unkept]) -> None:
        self.unkept += [
            {
                "id": one.finding_id,
                "rule": one.rule.value,
                "place": one.place_id,
                "track": one.track_id,
                "t_s": round(one.t_s, 3),
                "captured_at": None if one.captured_at is None else moment(one.captured_at),
                "why": one.why,
            }
            for one in unkept
        ]

    def _take(self, built: Iterable[BuiltCase]) -> None:
        self.events += [event_fields(case.finding, case.evidence) for case in built]
