"""What a signal head means over time: steady or flashing lamps, an arrow that is off by design, a head that has failed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from rules.observation import LampState
from rules.signal import FLASH_S, HeadState, flashes, state_now
from rules.site_movement import HeadKind

FAILED_S = 3.0
"""A round head that shows no lamp for this long has failed (design section 3)."""


class Aspect(StrEnum):
    """What a head says to traffic. ``flashing_green`` counts as green; the other flashing ones suspend enforcement."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    RED_AMBER = "red_amber"
    FLASHING_RED = "flashing_red"
    FLASHING_AMBER = "flashing_amber"
    FLASHING_GREEN = "flashing_green"
    OFF = "off"
    FAILED = "failed"
    UNKNOWN = "unknown"


def aspect_now(head: HeadState, media_s: float, max_gap_s: float) -> Aspect:
    """What the head says at ``media_s``, not before its last sample."""
    state = state_now(head, media_s, max_gap_s)
    if state is LampState.UNKNOWN:
        return Aspect.UNKNOWN
    last = len(head.spans) - 1
    if state is LampState.OFF:
        if head.kind is HeadKind.ROUND and media_s - head.spans[last].first_s >= FAILED_S:
            return Aspect.FAILED
        in_a_flash = (
            last > 0 and media_s - head.spans[last].first_s <= FLASH_S and flashes(head.spans, last - 1)
        )
        return _flashing(head.spans[last - 1].state) if in_a_flash else Aspect.OFF
    return _flashing(state) if flashes(head.spans, last) else Aspect(state.value)


def _flashing(state: LampState) -> Aspect:
    """Red and amber together are no state that flashes: they stay what they are."""
    return Aspect(state.value) if state is LampState.RED_AMBER else Aspect(f"flashing_{state.value}")


def controlling(heads: Sequence[HeadState], earliest_s: float, latest_s: float) -> tuple[HeadState, ...]:
    """The heads without the arrows that were off by design from ``earliest_s`` to ``latest_s``."""
    return tuple(head for head in heads if not _off_by_design(head, earliest_s, latest_s))


def _off_by_design(head: HeadState, earliest_s: float, latest_s: float) -> bool:
    if head.kind is HeadKind.ROUND:
        return False
    return any(
        span.state is LampState.OFF
        and span.first_s <= earliest_s
        and span.last_s >= latest_s
        and span.last_s - span.first_s > FLASH_S
        for span in head.spans
    )


def all_red(heads: Sequence[HeadState], media_s: float, max_gap_s: float) -> bool:
    """Whether every head that is lit is red at ``media_s``, and at least one is; an arrow may be off."""
    states = [
        state
        for head in heads
        if (state := state_now(head, media_s, max_gap_s)) is not LampState.OFF or head.kind is HeadKind.ROUND
    ]
    return bool(states) and all(state is LampState.RED for state in states)
