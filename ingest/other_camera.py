"""Makes reports of what another camera of the site saw of its signal heads, for a camera that does not see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain, pairwise

from rules.observation import FrameStamp, LampState, Observation, SignalReport

TICK = timedelta(microseconds=1)
"""The least time after a frame; what a head showed is unknown from there to the end of a gap."""


class NoWallClockError(ValueError):
    """Observations without a wall clock: nobody can say what another camera saw at the same time."""


Untrusted = tuple[int, float, float]
"""(segment, from, to in media seconds): a time in which a camera did not trust itself."""


def reports_of(
    observations: Iterable[Observation], max_gap_s: float, untrusted: Sequence[Untrusted] = ()
) -> Iterator[SignalReport]:
    """A report for each lamp sample, in the order of the frames, from a source called ``camera ID``.

    A state that neither the sample before nor the one after confirms is unknown, and so is every one in
    times that are ``untrusted``. The error is the
    frame's own and the time since the sample before, in which a change may have been; after a gap longer than
    ``max_gap_s``, or another segment, the head was unknown meanwhile. Raises NoWallClockError.
    """
    before: Observation | None = None
    states: dict[str, LampState] = {}
    for now, after in pairwise(chain(observations, [None])):
        assert now is not None
        stamp = now.stamp
        if stamp.captured_at is None:
            raise NoWallClockError
        if before is not None and _parted(before.stamp, stamp, max_gap_s):
            yield from _lost(before)
            before, states = None, {}
        follows = after is not None and not _parted(stamp, after.stamp, max_gap_s)
        next_states = {} if after is None or not follows else _states(after)
        trusted = not any(
            segment == stamp.segment and from_s <= stamp.media_s <= to_s
            for segment, from_s, to_s in untrusted
        )
        since_s = 0.0 if before is None else stamp.media_s - before.stamp.media_s
        for sample in now.lamps:
            neighbours = (states.get(sample.head_id), next_states.get(sample.head_id))
            yield SignalReport(
                head_id=sample.head_id,
                state=sample.state if trusted and sample.state in neighbours else LampState.UNKNOWN,
                at=stamp.captured_at,
                error_s=stamp.error_s + since_s,
                source=f"camera {stamp.camera_id}",
            )
        before, states = now, _states(now)
    if before is not None:
        yield from _lost(before)


def _parted(before: FrameStamp, after: FrameStamp, max_gap_s: float) -> bool:
    return before.segment != after.segment or after.media_s - before.media_s > max_gap_s


def _states(observation: Observation) -> dict[str, LampState]:
    return {sample.head_id: sample.state for sample in observation.lamps}


def _lost(last: Observation) -> Iterator[SignalReport]:
    """From right after its last frame on, nobody knows."""
    assert last.stamp.captured_at is not None
    for sample in last.lamps:
        yield SignalReport(
            head_id=sample.head_id,
            state=LampState.UNKNOWN,
            at=last.stamp.captured_at + TICK,
            error_s=last.stamp.error_s,
            source=f"camera {last.stamp.camera_id}",
        )
