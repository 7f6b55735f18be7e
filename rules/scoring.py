"""How well events agree with what a person saw: an optimal matching of one with the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot

from rules.assignment import best_assignment
from rules.finding import Rule, Status
from rules.observation import ObjectClass, Point

AT_RADIUS_PX = 60.0
"""How near to the place in the truth an event must be where the truth does not say (as those of the real clips declare)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthEvent:
    """What a person saw: ``count`` events of ``rule`` at ``t_s`` ± ``tolerance_s``.

    ``required`` ones must be asserted, others may be. ``object_class`` and ``at_px`` are None where any will
    do; an event lies within ``at_radius_px`` of the place. ``plate`` is the text, or None where it cannot be read,
    and counts only where ``plate_stated``.
    ``time_into_red_s`` is when after the onset of red the vehicle really crossed, None where nobody measured
    it. ``lane`` names the lane, stop line or zone, ``conditions`` what is special about it (night, rain,
    hidden …), for figures of a part only; ``who`` describes the road user for the reader.
    """

    rule: Rule
    t_s: float
    tolerance_s: float
    required: bool = True
    object_class: ObjectClass | None = None
    at_px: Point | None = None
    at_radius_px: float = AT_RADIUS_PX
    count: int = 1
    plate: str | None = None
    plate_stated: bool = False
    time_into_red_s: float | None = None
    lane: str | None = None
    conditions: tuple[str, ...] = ()
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedEvent:
    """What the rules said: one line of ``events.jsonl``, as far as scoring needs it.

    ``place`` is the stop line or zone, None in runs that did not write it. ``time_into_red_s`` is the middle
    of the interval, ``red_bounds_s`` what it is asserted to lie within, its upper end None where it is open.
    """

    id: str
    rule: Rule
    t_s: float
    status: Status
    object_class: ObjectClass
    at_px: Point
    plate: str | None = None
    place: str | None = None
    track: int | None = None
    time_into_red_s: float | None = None
    red_bounds_s: tuple[float, float | None] | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An event and the truth that it meets; ``error_s`` is event minus truth."""

    predicted: PredictedEvent
    truth: TruthEvent
    error_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One clip scored: what met what, and what was left over on either side.

    ``matches`` pair truths with asserted events of their rule. ``held_instead`` pair required truths among
    ``missed`` with held events, ``mistaken`` pair them with events among ``false`` of another rule; both are
    for explanation and count nothing. ``held`` and ``exempt`` are all events of that status.
    """

    matches: tuple[Match, ...] = ()
    missed: tuple[TruthEvent, ...] = ()
    false: tuple[PredictedEvent, ...] = ()
    held: tuple[PredictedEvent, ...] = ()
    exempt: tuple[PredictedEvent, ...] = ()
    held_instead: tuple[Match, ...] = ()
    mistaken: tuple[Match, ...] = ()


def score(truth: Sequence[TruthEvent], predicted: Sequence[PredictedEvent]) -> Score:
    """One clip's events against its truth, rule by rule in the order of ``Rule``.

    Asserted events are matched one to one with truths of their rule, class, place and time, so that first as
    many required truths as can be are found, then as few events as can be are false, then as many plates as
    can be agree, then the time errors are small. Held and exempt events match nothing: whatever is asserted
    and matches nothing is false, which covers all that a truth file says must never be.
    """
    matches: list[Match] = []
    missed: list[TruthEvent] = []
    false: list[PredictedEvent] = []
    held_instead: list[Match] = []
    for rule in Rule:
        truths = [event for event in truth if event.rule is rule for _ in range(event.count)]
        events = [event for event in predicted if event.rule is rule]
        asserted = [event for event in events if event.status is Status.ASSERTED]
        met = _matched(truths, asserted)
        met_truths, met_events = {i for i, _ in met}, {j for _, j in met}
        lost = [one for i, one in enumerate(truths) if one.required and i not in met_truths]
        matches += _pairs(truths, asserted, met)
        missed += lost
        false += [one for j, one in enumerate(asserted) if j not in met_events]
        held = [event for event in events if event.status is Status.HELD]
        held_instead += _pairs(lost, held, _matched(lost, held))
    return Score(
        matches=tuple(matches),
        missed=tuple(missed),
        false=tuple(false),
        held=tuple(event for event in predicted if event.status is Status.HELD),
        exempt=tuple(event for event in predicted if event.status is Status.EXEMPT),
        held_instead=tuple(held_instead),
        mistaken=_pairs(missed, false, _matched(missed, false)),
    )


def plates_found(expected: Iterable[str], passed: Iterable[str | None]) -> tuple[str, ...]:
    """Those of the expected plates that were recorded exactly, in their order."""
    seen = {text for text in passed if text is not None}
    return tuple(text for text in expected if text in seen)


def _matched(truths: Sequence[TruthEvent], events: Sequence[PredictedEvent]) -> tuple[tuple[int, int], ...]:
    """Index pairs (truth, event) of the best matching."""
    most = min(len(truths), len(events)) + 1
    gains = [[_gain(one, event, most) for event in events] for one in truths]
    return best_assignment(gains)


def _pairs(
    truths: Sequence[TruthEvent], events: Sequence[PredictedEvent], met: Iterable[tuple[int, int]]
) -> tuple[Match, ...]:
    return tuple(
        Match(predicted=events[j], truth=truths[i], error_s=events[j].t_s - truths[i].t_s) for i, j in met
    )


def _gain(truth: TruthEvent, event: PredictedEvent, most: int) -> float | None:
    """What the pair is worth, None where it cannot be; one of a higher kind outweighs ``most`` of a lower."""
    late_s = abs(event.t_s - truth.t_s)
    if late_s > truth.tolerance_s + 1e-9 or (
        truth.object_class is not None and truth.object_class is not event.object_class
    ):
        return None
    if truth.at_px is not None:
        away_px = hypot(event.at_px[0] - truth.at_px[0], event.at_px[1] - truth.at_px[1])
        if away_px > truth.at_radius_px:
            return None
    in_time = max(0.0, 1.0 - late_s / truth.tolerance_s) if truth.tolerance_s > 0.0 else 1.0
    plate = float(truth.plate_stated and truth.plate == event.plate)
    return in_time + most * (plate + most * (1.0 + most * float(truth.required)))
