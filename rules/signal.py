"""The state of one signal head over time: a fold of lamp samples into spans whose changes carry bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rules.finding import SignalSpan
from rules.observation import LampSample, LampState

AGREEING_FRAMES = 2
"""A change needs this many agreeing samples in a row and is dated back to the first of them (design section 3)."""

HISTORY_S = 180.0
"""Spans that ended longer ago than this are forgotten: no finding looks back further than a long signal cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One derived state, shown by every usable sample from ``first_s`` to ``last_s`` (media seconds).

    ``onset_s`` is (last sample of the state before, first of this one), None where the change was not seen.
    ``end_s`` bounds the end likewise; None while the span goes on, and where it ended in a gap.
    """

    state: LampState
    onset_s: tuple[float, float] | None
    first_s: float
    last_s: float
    end_s: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadState:
    """One head: its spans in order, and a change that still waits for its second sample.

    ``broken`` says that the last span ended in a gap and does not go on.
    """

    head_id: str
    spans: tuple[Span, ...] = ()
    broken: bool = False
    last_usable_s: float | None = None
    pending: tuple[LampState, float, int] | None = None


def step(head: HeadState, sample: LampSample, media_s: float, max_gap_s: float) -> HeadState:
    """The head after one more sample; samples come in order of time.

    ``unknown`` samples are not usable and change nothing. No change is dated across more than ``max_gap_s``
    without a usable sample: what comes after such a gap is a new span whose onset was not seen.
    """
    if sample.state is LampState.UNKNOWN:
        return head
    if head.last_usable_s is not None and media_s - head.last_usable_s > max_gap_s:
        head = replace(head, broken=True, pending=None)
    head = replace(head, last_usable_s=media_s)
    current = None if head.broken or not head.spans else head.spans[-1]
    if current is not None and sample.state is current.state:
        spans = (*head.spans[:-1], replace(current, last_s=media_s))
        return replace(head, spans=spans, pending=None)
    if head.pending is None or head.pending[0] is not sample.state:
        return replace(head, pending=(sample.state, media_s, 1))
    state, first_s, count = head.pending
    if count + 1 < AGREEING_FRAMES:
        return replace(head, pending=(state, first_s, count + 1))
    return _change(head, current, state, first_s, media_s, max_gap_s)


def _change(
    head: HeadState, current: Span | None, state: LampState, first_s: float, media_s: float, max_gap_s: float
) -> HeadState:
    earlier = head.spans
    onset_s = None
    if current is not None and first_s - current.last_s <= max_gap_s:
        onset_s = (current.last_s, first_s)
        earlier = (*earlier[:-1], replace(current, end_s=onset_s))
    kept = tuple(span for span in earlier if media_s - span.last_s <= HISTORY_S)
    started = Span(state=state, onset_s=onset_s, first_s=first_s, last_s=media_s)
    return replace(head, spans=(*kept, started), broken=False, pending=None)


def state_now(head: HeadState, media_s: float, max_gap_s: float) -> LampState:
    """What the head shows at ``media_s``, not before its last sample: unknown once the samples are too old."""
    if head.broken or not head.spans or media_s - head.spans[-1].last_s > max_gap_s:
        return LampState.UNKNOWN
    return head.spans[-1].state


@dataclass(frozen=True, slots=True, kw_only=True)
class RedTime:
    """How long a head had been red when something happened within an interval of time.

    ``min_s`` may be negative: the red may have begun after it. ``max_s`` is None where the onset was not
    seen. ``certain`` is False where the head may no longer have been red.
    """

    min_s: float
    max_s: float | None
    onset_seen: bool
    certain: bool


def time_into_red(head: HeadState, earliest_s: float, latest_s: float) -> RedTime | None:
    """How long the head had been red at an event between ``earliest_s`` and ``latest_s``; None where it surely was not red.

    At least: the event's earliest minus the onset's latest. At most: the event's latest minus the onset's
    earliest. Where the onset was not seen, the first red sample gives the lower end (design section 2).
    """
    red = None
    for span in reversed(head.spans):
        if span.state is LampState.RED and span.first_s <= latest_s:
            red = span
            break
    if red is None or (red.end_s is not None and earliest_s >= red.end_s[1]):
        return None
    if red.end_s is None and earliest_s > red.last_s:
        return None
    return RedTime(
        min_s=earliest_s - red.first_s,
        max_s=None if red.onset_s is None else latest_s - red.onset_s[0],
        onset_seen=red.onset_s is not None,
        certain=latest_s <= red.last_s,
    )


def spans_between(head: HeadState, from_s: float, to_s: float) -> tuple[SignalSpan, ...]:
    """The head's spans that reach into the interval, cut to it, for the trace."""
    return tuple(
        SignalSpan(
            head_id=head.head_id,
            state=span.state,
            from_s=max(span.first_s, from_s),
            to_s=min(span.last_s, to_s),
            onset_s=span.onset_s,
        )
        for span in head.spans
        if span.last_s >= from_s and span.first_s <= to_s
    )
