"""One state per head and frame: what the camera sees and what controllers or other cameras report, or unknown where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def latest(
    reports: Mapping[str, tuple[SignalReport, ...]], news: Iterable[SignalReport]
) -> Mapping[str, tuple[SignalReport, ...]]:
    """By head, the newest report of each source; of equally old ones, the one that came last."""
    newest = dict(reports)
    for report in news:
        known = newest.get(report.head_id, ())
        if any(old.source == report.source and old.at > report.at for old in known):
            continue
        others = (old for old in known if old.source != report.source)
        newest[report.head_id] = (*others, report)
    return newest


def agree(
    head_id: str,
    seen: LampSample | None,
    reports: Sequence[SignalReport],
    stamp: FrameStamp,
    silence_s: float,
) -> Agreed | None:
    """The head's state in this frame; None where no source speaks of it.

    A report holds until the same source's next one, for ``silence_s`` at most, and only where the frame has
    a wall clock. Where several sources agree, the one that knows its times best dates them.
    """
    if not reports:
        return None if seen is None else Agreed(sample=seen)
    told = [report for report in reports if _counts(report, stamp, silence_s)]
    if not told:
        return Agreed(sample=seen or _unknown(head_id))
    for report in told:
        if report.mode is not SignalMode.AUTOMATIC:
            return _doubted(head_id, f"the {report.source} says {report.mode.value} for head {head_id}")
        if report.flashing and report.state in SUSPENDING:
            return _doubted(head_id, f"head {head_id} flashes {report.state.value}")
    first, state = told[0], told[0].state
    for other in told[1:]:
        if other.state is not state:
            says = f"{other.source} says {other.state.value}"
            return _doubted(head_id, f"{first.source} says {state.value} for head {head_id}, {says}")
    if seen is None or seen.state is LampState.UNKNOWN:
        error_s = min(report.error_s for report in told) + stamp.error_s
        return Agreed(sample=LampSample(head_id=head_id, state=state, confidence=1.0), error_s=error_s)
    flashing = any(report.flashing for report in told)
    if seen.state is state or (flashing and seen.state is LampState.OFF):
        return Agreed(sample=LampSample(head_id=head_id, state=state, confidence=seen.confidence))
    says = f"the camera sees {seen.state.value}"
    return _doubted(head_id, f"{first.source} says {state.value} for head {head_id}, {says}")


def _counts(report: SignalReport, stamp: FrameStamp, silence_s: float) -> bool:
    """Whether it says something, and is neither too old nor of the future."""
    says_nothing = report.state is LampState.UNKNOWN and report.mode is SignalMode.AUTOMATIC
    if stamp.captured_at is None or says_nothing:
        return False
    return 0.0 <= (stamp.captured_at - report.at).total_seconds() <= silence_s


def _doubted(head_id: str, doubt: str) -> Agreed:
    return Agreed(sample=_unknown(head_id), doubt=doubt)


def _unknown(head_id: str) -> LampSample:
    return LampSample(head_id=head_id, state=LampState.UNKNOWN, confidence=0.0)
