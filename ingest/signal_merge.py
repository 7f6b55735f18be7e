"""Puts the reports of a signal feed into the order of time and hands each out with the frame at which it is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path

from ingest.signal_feed import FeedCounts, read_feed
from rules.observation import SignalReport

WATERMARK_S = 1.0
"""Reports that come this much after a newer one are still put in their place."""


class SignalMerge:
    """Reports in, in the order in which they came; out by time, each once.

    A report is late, counted and without effect when it is older than the newest one less the watermark, or
    than a frame that had its reports already. One that repeats another's head and time is a duplicate, and
    the first counts. Only as much of the feed is read as the watermark asks for.
    """

    def __init__(self, feed: Iterable[SignalReport], watermark_s: float = WATERMARK_S) -> None:
        self._feed = iter(feed)
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
            report = next(self._feed, None)
            if report is None:
                return
            self.reports += 1
            horizon = None if self._newest is None else self._newest - self._watermark
            if any(limit is not None and report.at < limit for limit in (horizon, self._handed_out)):
                self.late += 1
                continue
            self._newest = report.at if self._newest is None else max(self._newest, report.at)
            heappush(self._pending, (report.at, self.reports, report))


class ControllerLog:
    """A signal controller's log file, merged, and the counts of what came of it."""

    def __init__(self, path: Path) -> None:
        self._counts = FeedCounts()
        self.merge = SignalMerge(read_feed(path, self._counts))

    def counts(self) -> dict[str, int]:
        """How many messages were read so far, and how many of them were late, repeated or of an unknown state."""
        return {
            "messages": self._counts.messages,
            "late": self.merge.late,
            "duplicates": self.merge.duplicates,
            "unknown_states": sum(self._counts.unknown_states.values()),
        }
