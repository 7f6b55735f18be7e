"""Takes what the camera loop produces over one source: observations for the record, findings and passages for the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from api.work.event_lines import Row, event_fields, passage_fields
from ingest.frame import Frame
from rules.finding import Finding, Output, Passage
from rules.observation import Observation


class ResultSink:
    """A Sink that keeps the rows of findings and passages; ``record`` keeps observations, ``show`` is told after each frame."""

    def __init__(self, record: Callable[[Observation], None], show: Callable[[ResultSink], None]) -> None:
        self._record = record
        self._show = show
        self.frames = 0
        self.last_s = 0.0
        self.has_wall_clock = False
        self.events: list[Row] = []
        self.passages: list[Row] = []

    def observed(self, observation: Observation) -> None:
        """As a Sink."""
        self._record(observation)
        self.frames += 1
        self.last_s = observation.stamp.media_s
        self.has_wall_clock = observation.stamp.captured_at is not None
        self._show(self)

    def said(self, outputs: Sequence[Output], frame: Frame) -> None:
        """As a Sink."""
        self.events += [event_fields(output, None) for output in outputs if isinstance(output, Finding)]
        self.passages += [passage_fields(output) for output in outputs if isinstance(output, Passage)]
