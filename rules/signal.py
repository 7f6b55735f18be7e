"""The state of one signal head over time: a fold of lamp samples into spans whose changes carry bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rules.finding import SignalSpan
from rules.observation import LampSample, LampState
from rules.site_movement import HeadKind

HISTORY_S = 180.0
"""Spans that ended longer ago than this are forgotten: no finding looks back further than a long signal cycle."""

BLINK_S = 0.25
"""A lamp that is dark for less, and then shows what it showed before, never went out: flashes are darker for longer."""

BRIDGED_S = 2.0
"""A round head that is red on both sides of a gap no longer than this stayed red: green and amber take longer."""

FLASH_S = 1.0
"""A flashing lamp is lit, and dark, for no longer than this: the slowest flash is 30 a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One state, shown by the usable samples from ``first_s`` to ``last_s`` (media seconds).

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
    """One head: its spans in order, and a change that still waits for its second sample: its state, and since when.

    ``broken`` says that the last span ended in a gap and does not go on. Other clocks than the camera's may
    put its times off by ``error_s``; ``doubt`` is a sentence while its sources contradict each other.
    """

    head_id: str
    kind: HeadKind = HeadKind.ROUND
    spans: tuple[Span, ...] = ()
    broken: bool = False
    last_usable_s: float | None = None
    pending: tuple[LampState, float] | None = None
    error_s: float = 0.0
    doubt: str | None = None


def step(head: HeadState, sample: LampSample, media_s: float, max_gap_s: float) -> HeadState:
    """The head after one more sample; samples come in order of time.

    A change needs two agreeing samples in a row and is dated back to the first of them (design section 3).
    ``unknown`` samples are not usable and change nothing. No change is dated across more than ``max_gap_s``
    without a usable sample: what comes after such a gap is a new span whose onset was not seen. Only a red
    that cannot have ended in so short a gap goes on.
    """
    if sample.state is LampState.UNKNOWN:
        return head
    was_s = head.last_usable_s
    if was_s is not None and media_s - was_s > max_gap_s and not _stayed_red(head, sample, media_s - was_s):
        head = replace(head, broken=True, pending=None)
    head = replace(head, last_usable_s=media_s)
    current = None if head.broken or not head.spans else head.spans[-1]
    if current is not None and sample.state is current.state:
        spans = (*head.spans[:-1], replace(current, last_s=media_s))
        return replace(head, spans=spans, pending=None)
    if head.pending is None or head.pending[0] is not sample.state:
        return replace(head, pending=(sample.state, media_s))
    return _change(head, current, *head.pending, media_s, max_gap_s)


def _stayed_red(head: HeadState, sample: LampSample, gap_s: float) -> bool:
    """Whether the head was steadily red before a gap that is too short for another state, and is red after it."""
    if head.pending is not None or not head.spans or head.kind is not HeadKind.ROUND:
        return False
    last = head.spans[-1]
    steady = last.state is LampState.RED and last.last_s - last.first_s > FLASH_S
    return steady and sample.state is LampState.RED and gap_s <= BRIDGED_S


def _change(
    head: HeadState, current: Span | None, state: LampState, first_s: float, media_s: float, max_gap_s: float
) -> HeadState:
    earlier = head.spans
    onset_s = None
    if current is not None and first_s - current.last_s <= max_gap_s:
        if _blinked(earlier, state, first_s):
            went_on = replace(earlier[-2], last_s=media_s, end_s=None)
            return replace(head, spans=(*earlier[:-2], went_on), pending=None)
        onset_s = (current.last_s, first_s)
        earlier = (*earlier[:-1], replace(current, end_s=onset_s))
    kept = tuple(span for span in earlier if media_s - span.last_s <= HISTORY_S)
    started = Span(state=state, onset_s=onset_s, first_s=first_s, last_s=media_s)
    return replace(head, spans=(*kept, started), broken=False, pending=None)


def _blinked(spans: tuple[Span, ...], state: LampState, first_s: float) -> bool:
    """Whether the last span is a short darkness within ``state``, which begins anew at ``first_s``."""
    if len(spans) < 2 or spans[-1].state is not LampState.OFF or spans[-2].state is not state:
        return False
    went_dark_s = spans[-1].onset_s
    return went_dark_s is not None and first_s - went_dark_s[0] < BLINK_S


def state_now(head: HeadState, media_s: float, max_gap_s: float) -> LampState:
    """What the head shows at ``media_s``, not before its last sample: unknown once the samples are too old."""
    if head.broken or not head.spans or media_s - head.spans[-1].last_s > max_gap_s:
        return LampState.UNKNOWN
    return head.spans[-1].state


@dataclass(frozen=True, slots=True, kw_only=True)
class RedTime:
    """How long a head had been red when something happened within an interval of time.

    ``min_s`` may be negative: the red may have begun after it. ``max_s`` is None where the onset was not
    seen. ``certain`` is False where the head may no longer have been red. ``amber_s`` is how long the amber
    before it lasted at most, None where nobody can say. ``steady`` is False where the red may be a flash,
    ``ended_s`` the middle of the change out of red, None where it was not seen.
    """

    min_s: float
    max_s: float | None
    onset_seen: bool
    certain: bool
    amber_s: float | None = None
    steady: bool = True
    ended_s: float | None = None


def time_into_red(head: HeadState, earliest_s: float, latest_s: float) -> RedTime | None:
    """How long the head had been red at an event between ``earliest_s`` and ``latest_s``; None where it surely was not red.

    At least: the event's earliest minus the onset's latest. At most: the event's latest minus the onset's
    earliest. Where the onset was not seen, the first red sample gives the lower end (design section 2).
    """
    spans = head.spans
    at = next(
        (
            i
            for i in reversed(range(len(spans)))
            if spans[i].state is LampState.RED and spans[i].first_s <= latest_s
        ),
        None,
    )
    if at is None or flashes(spans, at):
        return None
    red = spans[at]
    if red.end_s is not None and earliest_s >= red.end_s[1]:
        return None
    if red.end_s is None and earliest_s > red.last_s:
        return None
    return RedTime(
        min_s=earliest_s - red.first_s - head.error_s,
        max_s=None if red.onset_s is None else latest_s - red.onset_s[0] + head.error_s,
        onset_seen=red.onset_s is not None,
        certain=latest_s + head.error_s <= red.last_s,
        amber_s=_longest_amber_s(head, at),
        steady=red.onset_s is not None or red.last_s - red.first_s > FLASH_S,
        ended_s=None if red.end_s is None else sum(red.end_s) / 2.0,
    )


def _longest_amber_s(head: HeadState, red: int) -> float | None:
    """How long the amber before the red of that index lasted at most; None where that was not seen.

    An arrow that lights up red had been off: it ends no amber.
    """
    onset_s = head.spans[red].onset_s
    if onset_s is None or red == 0:
        return None
    before = head.spans[red - 1]
    if before.state is LampState.AMBER:
        return None if before.onset_s is None else onset_s[1] - before.onset_s[0]
    if before.state is LampState.OFF and head.kind is not HeadKind.ROUND:
        return None
    return onset_s[1] - onset_s[0]


def flashes(spans: Sequence[Span], index: int) -> bool:
    """Whether the lamp of that span flashes: short as it is, it is parted by a short darkness from the same lamp."""
    return _is_short(spans, index) and any(
        0 <= index + 2 * way < len(spans)
        and spans[index + 2 * way].state is spans[index].state is not LampState.OFF
        and spans[index + way].state is LampState.OFF
        and _is_short(spans, index + way)
        and _joined(spans, index, index + way)
        and _joined(spans, index + way, index + 2 * way)
        for way in (-1, 1)
    )


def _is_short(spans: Sequence[Span], index: int) -> bool:
    return spans[index].last_s - spans[index].first_s <= FLASH_S


def _joined(spans: Sequence[Span], index: int, neighbour: int) -> bool:
    """Whether the change between two neighbours was seen."""
    return spans[max(index, neighbour)].onset_s is not None


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
