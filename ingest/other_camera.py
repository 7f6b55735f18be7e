"""Makes reports of what another camera of the site saw of its signal heads, for a camera that does not see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from rules.observation import FrameStamp, LampState, Observation, SignalReport

TICK = timedelta(microseconds=1)
"""The least time after a frame; what a head showed is unknown from there to the end of a gap."""


class NoWallClockError(ValueError):
    """Observations without a wall clock: nobody can say what another camera saw at the same time."""


Untrusted = tuple[int, float, float]
"""(segment, from, to in media seconds): a time in which a camera did not trust itself."""


class Witness:
    """Observations in, one by one; out the reports of the one before, which the new one confirms or not.

    A report for each lamp sample, from a source called ``camera ID``. A state that neither the sample before nor
    the one after confirms is unknown. The error is the frame's own and the time since the sample before, in which
    a change may have been; after a gap longer than ``max_gap_s``, or another segment, the head was unknown
    meanwhile.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._before: Observation | None = None
        self._last: Observation | None = None

    def add(self, observation: Observation) -> tuple[SignalReport, ...]:
        """The reports of the observation before. Raises NoWallClockError."""
        if observation.stamp.captured_at is None:
            raise NoWallClockError
        last = self._last
        if last is None:
            self._last = observation
            return ()
        if _parted(last.stamp, observation.stamp, self._max_gap_s):
            reports = self.end()
        else:
            reports = self._reports(last, _states(observation))
            self._before = last
        self._last = observation
        return reports

    def end(self) -> tuple[SignalReport, ...]:
        """The reports of the last observation; from right after it on, nobody knows."""
        last = self._last
        if last is None:
            return ()
        reports = (*self._reports(last, {}), *_lost(last))
        self._before = self._last = None
        return reports

    def _reports(self, now: Observation, next_states: Mapping[str, LampState]) -> tuple[SignalReport, ...]:
        stamp, before = now.stamp, self._before
        assert stamp.captured_at is not None
        states = {} if before is None else _states(before)
        since_s = 0.0 if before is None else stamp.media_s - before.stamp.media_s
        return tuple(
            SignalReport(
                head_id=sample.head_id,
                state=sample.state
                if sample.state in (states.get(sample.head_id), next_states.get(sample.head_id))
                else LampState.UNKNOWN,
                at=stamp.captured_at,
                error_s=stamp.error_s + since_s,
                source=f"camera {stamp.camera_id}",
            )
            for sample in now.lamps
        )


def reports_of(
    observations: Iterable[Observation], max_gap_s: float, untrusted: Sequence[Untrusted] = ()
) -> Iterator[SignalReport]:
    """What a Witness of the observations reports; in times that are ``untrusted`` every state is unknown.

    Raises NoWallClockError.
    """
    witness = Witness(max_gap_s)
    stamp: FrameStamp | None = None
    for observation in observations:
        yield from _as_trusted(witness.add(observation), stamp, untrusted)
        stamp = observation.stamp
    yield from _as_trusted(witness.end(), stamp, untrusted)


def _as_trusted(
    reports: Iterable[SignalReport], stamp: FrameStamp | None, untrusted: Sequence[Untrusted]
) -> Iterator[SignalReport]:
    trusted = stamp is None or not any(
        segment == stamp.segment and from_s <= stamp.media_s <= to_s for segment, from_s, to_s in untrusted
    )
    for report in reports:
        yield report if trusted else replace(report, state=LampState.UNKNOWN)


def _parted(before: FrameStamp, after: FrameStamp, max_gap_s: float) -> bool:
    return before.segment != after.segment or after.media_s - before.media_s > max_gap_s


def _states(observation: Observation) -> dict[str, LampState]:
    return {sample.head_id: sample.state for sample in observation.lamps}


def _lost(last: Observation) -> tuple[SignalReport, ...]:
    """From right after its last frame on, nobody knows."""
    assert last.stamp.captured_at is not None
    at = last.stamp.captured_at + TICK
    return tuple(
        SignalReport(
            head_id=sample.head_id,
            state=LampState.UNKNOWN,
            at=at,
            error_s=last.stamp.error_s,
            source=f"camera {last.stamp.camera_id}",
        )
        for sample in last.lamps
    )
