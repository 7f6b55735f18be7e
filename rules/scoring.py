"""How well events agree with what a person saw: an optimal matching, and the figures that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot

from rules.assignment import best_assignment
from rules.finding import Rule, Status
from rules.observation import ObjectClass, Point

AT_RADIUS_PX = 60.0
"""How near to the place in the truth an event must be (as the truth files of the real clips declare)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthEvent:
    """What a person saw: ``count`` events of ``rule`` at ``t_s`` ± ``tolerance_s``.

    ``required`` ones must be asserted, others may be. ``object_class`` and ``at_px`` are None where any will
    do. ``plate`` is the text, or None where it cannot be read, and counts only where ``plate_stated``.
    """

    rule: Rule
    t_s: float
    tolerance_s: float
    required: bool = True
    object_class: ObjectClass | None = None
    at_px: Point | None = None
    count: int = 1
    plate: str | None = None
    plate_stated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedEvent:
    """What the rules said: one line of ``events.jsonl``, as far as scoring needs it."""

    id: str
    rule: Rule
    t_s: float
    status: Status
    object_class: ObjectClass
    at_px: Point
    plate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An asserted event and the truth that it meets; ``error_s`` is event minus truth."""

    predicted: PredictedEvent
    truth: TruthEvent
    error_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """One rule's figures, over one clip or several.

    ``found`` and ``missed`` are required truths, ``allowed`` asserted events that meet an optional truth
    (neither right nor wrong), ``false`` asserted events that meet none. ``held`` events accuse nobody.
    ``plates_right`` of ``plates_read`` plates in the truth were exact; ``plates_invented`` are texts where
    the truth says that none can be read.
    """

    rule: Rule
    found: int = 0
    missed: int = 0
    allowed: int = 0
    false: int = 0
    held: int = 0
    exempt: int = 0
    errors_s: tuple[float, ...] = ()
    plates_right: int = 0
    plates_stated: int = 0
    plates_invented: int = 0

    @property
    def precision(self) -> float | None:
        """Found among found and false; None where nothing was asserted that counts."""
        return _share(self.found, self.found + self.false)

    @property
    def recall(self) -> float | None:
        """Found among all that was required; None where nothing was."""
        return _share(self.found, self.found + self.missed)

    @property
    def f1(self) -> float | None:
        """2 TP / (2 TP + FP + FN); None where there is neither truth nor accusation."""
        return _share(2 * self.found, 2 * self.found + self.false + self.missed)

    @property
    def held_rate(self) -> float | None:
        """Held among held and asserted; None where there is neither."""
        return _share(self.held, self.held + self.found + self.allowed + self.false)

    @property
    def plate_accuracy(self) -> float | None:
        """Whole plates exact, among the found events whose plate the truth gives; None where it gives none."""
        return _share(self.plates_right, self.plates_stated)

    @property
    def median_error_s(self) -> float | None:
        """The median of the absolute time errors; None where nothing was found."""
        ordered = sorted(abs(error_s) for error_s in self.errors_s)
        half = len(ordered) // 2
        return (ordered[half] + ordered[-half - 1]) / 2.0 if ordered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One clip scored: figures by rule in the order of ``Rule``, and what lies behind them."""

    rules: tuple[RuleScore, ...]
    matches: tuple[Match, ...]
    missed: tuple[TruthEvent, ...]
    false: tuple[PredictedEvent, ...]


def score(truth: Sequence[TruthEvent], predicted: Sequence[PredictedEvent]) -> Score:
    """The figures of one clip, for each rule that occurs in it.

    Asserted events are matched one to one with truths of their rule, class, place and time, so that first as
    many required truths as can be are found, then as few events as can be are false, then as many plates as
    can be agree, then the time errors are small. Held and exempt events match nothing: whatever is asserted
    and matches nothing is false, which covers all that a truth file says must never be.
    """
    rules, matches, missed, false = [], [], [], []
    for rule in Rule:
        truths = [event for event in truth if event.rule is rule for _ in range(event.count)]
        events = [event for event in predicted if event.rule is rule]
        if not truths and not events:
            continue
        asserted = [event for event in events if event.status is Status.ASSERTED]
        met = _matched(truths, asserted)
        matches += [
            Match(predicted=asserted[j], truth=truths[i], error_s=asserted[j].t_s - truths[i].t_s)
            for i, j in met
        ]
        met_truths, met_events = {i for i, _ in met}, {j for _, j in met}
        lost = [one for i, one in enumerate(truths) if one.required and i not in met_truths]
        wrong = [one for j, one in enumerate(asserted) if j not in met_events]
        missed += lost
        false += wrong
        found = [(truths[i], asserted[j]) for i, j in met if truths[i].required]
        readable = [(one, event) for one, event in found if one.plate_stated and one.plate is not None]
        hidden = [event for one, event in found if one.plate_stated and one.plate is None]
        rules.append(
            RuleScore(
                rule=rule,
                found=len(found),
                missed=len(lost),
                allowed=len(met) - len(found),
                false=len(wrong),
                held=sum(event.status is Status.HELD for event in events),
                exempt=sum(event.status is Status.EXEMPT for event in events),
                errors_s=tuple(event.t_s - one.t_s for one, event in found),
                plates_right=sum(event.plate == one.plate for one, event in readable),
                plates_stated=len(readable),
                plates_invented=sum(event.plate is not None for event in hidden),
            )
        )
    return Score(rules=tuple(rules), matches=tuple(matches), missed=tuple(missed), false=tuple(false))


def total(scores: Iterable[Score]) -> tuple[RuleScore, ...]:
    """The figures of several clips together, by rule in the order of ``Rule``."""
    parts = [part for one in scores for part in one.rules]
    together = []
    for rule in Rule:
        of_rule = [part for part in parts if part.rule is rule]
        if of_rule:
            together.append(
                RuleScore(
                    rule=rule,
                    found=sum(part.found for part in of_rule),
                    missed=sum(part.missed for part in of_rule),
                    allowed=sum(part.allowed for part in of_rule),
                    false=sum(part.false for part in of_rule),
                    held=sum(part.held for part in of_rule),
                    exempt=sum(part.exempt for part in of_rule),
                    errors_s=tuple(error_s for part in of_rule for error_s in part.errors_s),
                    plates_right=sum(part.plates_right for part in of_rule),
                    plates_stated=sum(part.plates_stated for part in of_rule),
                    plates_invented=sum(part.plates_invented for part in of_rule),
                )
            )
    return tuple(together)


def false_per_hour(rules: Iterable[RuleScore], camera_s: float) -> float | None:
    """False accusations per camera-hour of ``camera_s`` seconds of video; None where there is no video."""
    return sum(part.false for part in rules) * 3600.0 / camera_s if camera_s > 0.0 else None


def plates_found(expected: Iterable[str], passed: Iterable[str | None]) -> tuple[str, ...]:
    """Those of the expected plates that were recorded exactly, in their order."""
    seen = {text for text in passed if text is not None}
    return tuple(text for text in expected if text in seen)


def _matched(truths: Sequence[TruthEvent], events: Sequence[PredictedEvent]) -> tuple[tuple[int, int], ...]:
    """Index pairs (truth, event) of the best matching."""
    most = min(len(truths), len(events)) + 1
    gains = [[_gain(one, event, most) for event in events] for one in truths]
    return best_assignment(gains)


def _gain(truth: TruthEvent, event: PredictedEvent, most: int) -> float | None:
    """What the pair is worth, None where it cannot be; one of a higher kind outweighs ``most`` of a lower."""
    late_s = abs(event.t_s - truth.t_s)
    if late_s > truth.tolerance_s + 1e-9 or (
        truth.object_class is not None and truth.object_class is not event.object_class
    ):
        return None
    if truth.at_px is not None:
        away_px = hypot(event.at_px[0] - truth.at_px[0], event.at_px[1] - truth.at_px[1])
        if away_px > AT_RADIUS_PX:
            return None
    in_time = max(0.0, 1.0 - late_s / truth.tolerance_s) if truth.tolerance_s > 0.0 else 1.0
    plate = float(truth.plate_stated and truth.plate == event.plate)
    return in_time + most * (plate + most * (1.0 + most * float(truth.required)))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
