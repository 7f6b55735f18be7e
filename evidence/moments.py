"""What the finding says about one moment: what the heads showed, and how long they had been red for sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.finding import SignalSpan
from rules.observation import FrameStamp, LampState


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMoment:
    """What one head showed; ``lasting_s`` is how long at least it had shown it, None for ``unknown``."""

    head_id: str
    state: LampState
    lasting_s: float | None


def heads_at(signal: Sequence[SignalSpan], media_s: float) -> tuple[HeadMoment, ...]:
    """Each head of the finding at that moment, in order of first mention; between two spans it is ``unknown``.

    At least: since the latest moment at which the state can have begun, or since it was first seen.
    """
    heads: dict[str, HeadMoment] = {}
    for span in signal:
        heads.setdefault(
            span.head_id, HeadMoment(head_id=span.head_id, state=LampState.UNKNOWN, lasting_s=None)
        )
        if span.from_s <= media_s <= span.to_s:
            began_s = span.from_s if span.onset_s is None else span.onset_s[1]
            heads[span.head_id] = HeadMoment(
                head_id=span.head_id, state=span.state, lasting_s=max(0.0, media_s - began_s)
            )
    return tuple(heads.values())


def captured_at(stamp: FrameStamp, media_s: float) -> datetime | None:
    """The wall clock (UTC) at a moment near the stamp's frame; None where nobody knows it."""
    if stamp.captured_at is None:
        return None
    return stamp.captured_at + timedelta(seconds=media_s - stamp.media_s)
