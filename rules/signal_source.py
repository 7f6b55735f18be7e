"""One state per head and frame: what the camera sees, what a controller or another camera reports, or unknown where both differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.observation import FrameStamp, LampSample, LampState, SignalMode, SignalReport

SUSPENDING = frozenset({LampState.RED, LampState.AMBER})
"""Lamps that suspend enforcement when they flash; a flashing green counts as green."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What a head shows as far as its sources agree.

    ``error_s`` is by how much its times may be off beyond the frames' own, ``doubt`` a sentence where the
    sources contradict each other or the controller suspends enforcement.
    """

    sample: LampSample
    error_s: float = 0.0
    doubt: str | None = None


def latest(reports: Mapping[str, SignalReport], news: Iterable[SignalReport]) -> dict[str, SignalReport]:
    """The newest report of each head; of equally old ones, the one that came last."""
    newest = dict(reports)
    for report in news:
        known = newest.get(report.head_id)
        if known is None or report.at >= known.at:
            newest[report.head_id] = report
    return newest


def agree(
    head_id: str, seen: LampSample | None, report: SignalReport | None, stamp: FrameStamp, silence_s: float
) -> Agreed | None:
    """The head's state in this frame; None where no source speaks of it.

    A report holds until the next one, for ``silence_s`` at most, and only where the frame has a wall clock.
    """
    if report is None:
        return None if seen is None else Agreed(sample=seen)
    told = _told(report, stamp, silence_s)
    if told is None:
        return Agreed(sample=seen or _unknown(head_id))
    error_s = report.error_s + stamp.error_s
    if report.mode is not SignalMode.AUTOMATIC:
        return Agreed(
            sample=_unknown(head_id), doubt=f"the controller says {report.mode.value} for head {head_id}"
        )
    if report.flashing and told in SUSPENDING:
        return Agreed(sample=_unknown(head_id), doubt=f"head {head_id} flashes {told.value}")
    if seen is None or seen.state is LampState.UNKNOWN:
        return Agreed(sample=LampSample(head_id=head_id, state=told, confidence=1.0), error_s=error_s)
    if seen.state is told or (report.flashing and seen.state is LampState.OFF):
        return Agreed(sample=LampSample(head_id=head_id, state=told, confidence=seen.confidence))
    doubt = f"{report.source} says {told.value} for head {head_id}, the camera sees {seen.state.value}"
    return Agreed(sample=_unknown(head_id), doubt=doubt)


def _told(report: SignalReport, stamp: FrameStamp, silence_s: float) -> LampState | None:
    """None where the report is too old, of the future, or says nothing."""
    if stamp.captured_at is None or (
        report.state is LampState.UNKNOWN and report.mode is SignalMode.AUTOMATIC
    ):
        return None
    age_s = (stamp.captured_at - report.at).total_seconds()
    return report.state if 0.0 <= age_s <= silence_s else None


def _unknown(head_id: str) -> LampSample:
    return LampSample(head_id=head_id, state=LampState.UNKNOWN, confidence=0.0)
