"""Puts the reports of signal feeds into the order of time and gives each observation those that fell due since the one before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from rules.observation import LampState, Observation, SignalReport

WATERMARK_S = 1.0
"""Reports that come this much after a newer one are still put in their place."""


class SignalMerge:
    """The reports of one feed: in, in the order in which they came; out by time, each once.

    A report is late, counted and without effect when it is older than the newest one less the watermark, or
    than a frame that had its reports already. One that repeats another's head and time is a duplicate, and
    the first counts. Only as much of the feed is read as the watermark asks for.
    """

    def __init__(self, take: Callable[[], SignalReport | None], watermark_s: float = WATERMARK_S) -> None:
        """``take`` gives the feed's next report, None while there is none."""
        self._take = take
        self._watermark = timedelta(seconds=watermark_s)
        self._pending: list[tuple[datetime, int, SignalReport]] = []
        self._seen: dict[str, datetime] = {}
        self._newest: datetime | None = None
        self._handed_out: datetime | None = None
        self.reports = 0
        self.late = 0
        self.duplicates = 0

    def due(self, captured_at: datetime | None) -> tuple[SignalReport, ...]:
        """The reports up to that moment that were not handed out before; none for a frame without a wall clock.

        Raises what the feed raises.
        """
        if captured_at is None:
            return ()
        self._read_on(captured_at)
        found: list[SignalReport] = []
        while self._pending and self._pending[0][0] <= captured_at:
            report = heappop(self._pending)[2]
            if self._seen.get(report.head_id) == report.at:
                self.duplicates += 1
            else:
                self._seen[report.head_id] = report.at
                found.append(report)
        self._handed_out = captured_at if self._handed_out is None else max(self._handed_out, captured_at)
        return tuple(found)

    def _read_on(self, captured_at: datetime) -> None:
        while self._newest is None or self._newest - self._watermark <= captured_at:
            report = self._take()
            if report is None:
                return
            self.reports += 1
            horizon = None if self._newest is None else self._newest - self._watermark
            if any(limit is not None and report.at < limit for limit in (horizon, self._handed_out)):
                self.late += 1
                continue
            self._newest = report.at if self._newest is None else max(self._newest, report.at)
            heappush(self._pending, (report.at, self.reports, report))


class SignalJoin:
    """Observations in; out in the same order, each with the reports that fell due since the one before.

    Behind a live feed each observation waits ``wait_s`` of media time, so that the reports of its moment have
    come: one that comes later still is late. ``reported`` are the heads of which some state was told.
    """

    def __init__(self, feeds: Sequence[SignalMerge], wait_s: float = 0.0) -> None:
        self._feeds = tuple(feeds)
        self._wait_s = wait_s
        self._waiting: deque[Observation] = deque()
        self.reported: set[str] = set()

    def add(self, observation: Observation) -> tuple[Observation, ...]:
        """Those that waited long enough, this one among them where none has to wait."""
        self._waiting.append(observation)
        now_s = observation.stamp.media_s
        ready = []
        while self._waiting and now_s - self._waiting[0].stamp.media_s >= self._wait_s:
            ready.append(self._joined(self._waiting.popleft()))
        return tuple(ready)

    def rest(self) -> tuple[Observation, ...]:
        """Those that still wait, at the end of the segment."""
        rest = tuple(self._joined(observation) for observation in self._waiting)
        self._waiting.clear()
        return rest

    def _joined(self, observation: Observation) -> Observation:
        reports = [report for feed in self._feeds for report in feed.due(observation.stamp.captured_at)]
        reports.sort(key=lambda report: report.at)
        self.reported.update(report.head_id for report in reports if report.state is not LampState.UNKNOWN)
        return replace(observation, signals=tuple(reports)) if reports else observation
