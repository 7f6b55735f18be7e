"""The figures of scored clips, by rule: precision, recall, time errors, held rate, plates, and who was mistaken for what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rules.finding import Rule
from rules.scoring import Match, PredictedEvent, Score, TruthEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """One rule's figures, over one clip or several.

    ``found`` and ``missed`` are required truths, ``allowed`` asserted events that meet an optional truth
    (neither right nor wrong), ``false`` asserted events that meet none. ``held`` events accuse nobody;
    ``held_instead`` is how many of the missed were held. ``errors_s`` are event minus truth, of the found.
    ``plates_right`` of ``plates_stated`` plates in the truth were exact; ``plates_invented`` are texts where
    the truth says that none can be read. ``red_errors_s`` are stated minus true time into red of all matches
    whose truth gives it, ``red_inside`` how many of the ``red_bounded`` truths lie within the stated bounds,
    ``red_widths_s`` how wide those bounds are where they are closed.
    """

    rule: Rule
    found: int = 0
    missed: int = 0
    allowed: int = 0
    false: int = 0
    held: int = 0
    exempt: int = 0
    held_instead: int = 0
    errors_s: tuple[float, ...] = ()
    plates_right: int = 0
    plates_stated: int = 0
    plates_invented: int = 0
    red_errors_s: tuple[float, ...] = ()
    red_inside: int = 0
    red_bounded: int = 0
    red_widths_s: tuple[float, ...] = ()

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
        return _median(self.errors_s)

    @property
    def median_red_error_s(self) -> float | None:
        """The median of the absolute errors of the time into red; None where no truth gives it."""
        return _median(self.red_errors_s)

    @property
    def red_inside_share(self) -> float | None:
        """True times into red within the stated bounds, among all that are given; None where none is."""
        return _share(self.red_inside, self.red_bounded)

    @property
    def red_width_90_s(self) -> float | None:
        """The smallest width that at least 90 % of the closed bounds do not exceed; None where there is none."""
        ordered = sorted(self.red_widths_s)
        return ordered[-(-9 * len(ordered) // 10) - 1] if ordered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How often ``truth`` was taken for ``said``: None as truth is a false alarm, None as said a miss."""

    truth: Rule | None
    said: Rule | None
    count: int


def figures(scores: Iterable[Score]) -> tuple[RuleScore, ...]:
    """The figures of the clips together, for each rule that occurs in them, in the order of ``Rule``."""
    seen = tuple(scores)
    parts = (_of_rule(rule, seen) for rule in Rule)
    return tuple(part for part in parts if part is not None)


def part_of(
    scored: Score, truth_counts: Callable[[TruthEvent], bool], event_counts: Callable[[PredictedEvent], bool]
) -> Score:
    """That part of the score: matches and misses by their truth, whatever met no truth by its event."""

    def matches(among: Iterable[Match]) -> tuple[Match, ...]:
        return tuple(match for match in among if truth_counts(match.truth))

    def events(among: Iterable[PredictedEvent]) -> tuple[PredictedEvent, ...]:
        return tuple(event for event in among if event_counts(event))

    return Score(
        matches=matches(scored.matches),
        missed=tuple(truth for truth in scored.missed if truth_counts(truth)),
        false=events(scored.false),
        held=events(scored.held),
        exempt=events(scored.exempt),
        held_instead=matches(scored.held_instead),
        mistaken=tuple(
            match for match in scored.mistaken if truth_counts(match.truth) and event_counts(match.predicted)
        ),
    )


def false_per_hour(rules: Iterable[RuleScore], camera_s: float) -> float | None:
    """False accusations per camera-hour of ``camera_s`` seconds of video; None where there is no video."""
    return sum(part.false for part in rules) * 3600.0 / camera_s if camera_s > 0.0 else None


def confusion(scores: Iterable[Score]) -> tuple[Confusion, ...]:
    """Required truths by what was said of them, and what was said without one; cells that are not 0, in the order of ``Rule``.

    A missed truth and a false event of another rule that fit each other by time, class and place are one
    mistake. What met an optional truth is in no cell.
    """
    counts: dict[tuple[Rule | None, Rule | None], int] = {}
    for one in scores:
        cells = [(match.truth.rule, match.predicted.rule) for match in one.matches if match.truth.required]
        mistaken = [(match.truth.rule, match.predicted.rule) for match in one.mistaken]
        missed = [event.rule for event in one.missed]
        false = [event.rule for event in one.false]
        for truth, said in mistaken:
            missed.remove(truth)
            false.remove(said)
        for cell in (
            *cells,
            *mistaken,
            *((rule, None) for rule in missed),
            *((None, rule) for rule in false),
        ):
            counts[cell] = counts.get(cell, 0) + 1
    order = (*Rule, None)
    return tuple(
        Confusion(truth=truth, said=said, count=counts[truth, said])
        for truth in order
        for said in order
        if (truth, said) in counts
    )


def _of_rule(rule: Rule, scores: Sequence[Score]) -> RuleScore | None:
    def count(among: Iterable[TruthEvent | PredictedEvent]) -> int:
        return sum(one.rule is rule for one in among)

    matches = [match for one in scores for match in one.matches if match.truth.rule is rule]
    missed = count(truth for one in scores for truth in one.missed)
    false = count(event for one in scores for event in one.false)
    held = count(event for one in scores for event in one.held)
    exempt = count(event for one in scores for event in one.exempt)
    if not (matches or missed or false or held or exempt):
        return None
    found = [match for match in matches if match.truth.required]
    stated = [match for match in found if match.truth.plate_stated]
    readable = [match for match in stated if match.truth.plate is not None]
    hidden = [match for match in stated if match.truth.plate is None]
    timed = [
        (match.truth.time_into_red_s, match.predicted)
        for match in matches
        if match.truth.time_into_red_s is not None
    ]
    bounded = [(true_s, event.red_bounds_s) for true_s, event in timed if event.red_bounds_s is not None]
    return RuleScore(
        rule=rule,
        found=len(found),
        missed=missed,
        allowed=len(matches) - len(found),
        false=false,
        held=held,
        exempt=exempt,
        held_instead=count(match.truth for one in scores for match in one.held_instead),
        errors_s=tuple(match.error_s for match in found),
        plates_right=sum(match.predicted.plate == match.truth.plate for match in readable),
        plates_stated=len(readable),
        plates_invented=sum(match.predicted.plate is not None for match in hidden),
        red_errors_s=tuple(
            event.time_into_red_s - true_s for true_s, event in timed if event.time_into_red_s is not None
        ),
        red_inside=sum(
            low_s - 1e-9 <= true_s and (high_s is None or true_s <= high_s + 1e-9)
            for true_s, (low_s, high_s) in bounded
        ),
        red_bounded=len(bounded),
        red_widths_s=tuple(high_s - low_s for _, (low_s, high_s) in bounded if high_s is not None),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _median(values: Iterable[float]) -> float | None:
    ordered = sorted(abs(value) for value in values)
    half = len(ordered) // 2
    return (ordered[half] + ordered[-half - 1]) / 2.0 if ordered else None
