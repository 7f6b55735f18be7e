"""Compares two runs against the same truth: differences by rule, what was newly found or lost, and gates on them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from api.errors import UsageError
from api.suggest import did_you_mean
from api.work.evaluate import ClipEvaluation, RunEvaluation
from rules.figures import RuleScore, false_per_hour, figures
from rules.finding import Rule
from rules.scoring import PredictedEvent, TruthEvent, score

COUNTS = ("found", "missed", "false", "allowed", "held", "held_instead", "plates_invented")
SHARES = (
    "precision",
    "recall",
    "f1",
    "held_rate",
    "plate_accuracy",
    "median_error_s",
    "median_red_error_s",
    "red_inside_share",
    "red_width_90_s",
)
HOURLY = "false_per_camera_hour"
"""The one figure that is of all rules together."""

GATE = re.compile(r"(?:(?P<rule>\w+)\.)?(?P<figure>\w+)(?P<sign><=|>=|<|>)(?P<limit>[^<>=]+)")
SAME_WITHIN_S = 1.0
"""Two false alarms of two runs are the same where they are of one rule, class and place, and this near in time."""

DIGITS = 9
"""Differences are rounded to these, so that 0.99 - 1.0 is not less than -0.01."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """``--fail-if``: fails where the difference B - A of the figure lies on that side of the limit.

    Without a rule, for each rule.
    """

    text: str
    rule: Rule | None
    figure: str
    sign: str
    limit: float

    def is_met_by(self, difference: float) -> bool:
        """Whether the gate fails at that difference."""
        beyond = {
            "<": difference < self.limit,
            "<=": difference <= self.limit,
            ">": difference > self.limit,
            ">=": difference >= self.limit,
        }
        return beyond[self.sign]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure in both runs; ``rule`` is None for what is of all rules. ``change`` is B - A, None where either has no value."""

    rule: Rule | None
    figure: str
    a: float | None
    b: float | None

    @property
    def change(self) -> float | None:
        return None if self.a is None or self.b is None else round(self.b - self.a, DIGITS) + 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Run B against run A. Each listed event stands with its clip."""

    differences: tuple[Difference, ...]
    newly_missed: tuple[tuple[str, TruthEvent], ...]
    newly_found: tuple[tuple[str, TruthEvent], ...]
    newly_false: tuple[tuple[str, PredictedEvent], ...]
    no_longer_false: tuple[tuple[str, PredictedEvent], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a gate came to, as a sentence."""

    gate: Gate
    failed: bool
    says: str


def parse_gate(text: str) -> Gate:
    """The gate that ``[RULE.]FIGURE<NUMBER`` (or ``<= > >=``) asks for. Raises UsageError that says what does not fit."""
    match = GATE.fullmatch(re.sub(r"\s", "", text))
    if match is None:
        raise UsageError(
            f"--fail-if: {text!r} is no gate; write [RULE.]FIGURE, then < <= > or >=, then how much B may differ from "
            "A, such as recall<-0.01 or no_parking.false>0"
        )
    figure, known = match["figure"], (*COUNTS, *SHARES, HOURLY)
    if figure not in known:
        hint = did_you_mean(figure, known) or f"; figures are {', '.join(known)}"
        raise UsageError(f"--fail-if: {text!r}: there is no figure {figure!r}{hint}")
    rule, rules = match["rule"], [each.value for each in Rule]
    if rule is not None and rule not in rules:
        hint = did_you_mean(rule, rules) or f"; rules are {', '.join(rules)}"
        raise UsageError(f"--fail-if: {text!r}: there is no rule {rule!r}{hint}")
    if rule is not None and figure == HOURLY:
        raise UsageError(f"--fail-if: {text!r}: {HOURLY} is of all rules together; leave {rule}. out")
    try:
        limit = float(match["limit"])
    except ValueError as exc:
        raise UsageError(f"--fail-if: {text!r}: {match['limit']!r} is no number") from exc
    if not isfinite(limit):
        raise UsageError(f"--fail-if: {text!r}: {match['limit']!r} is no limit; give a finite number")
    return Gate(
        text=text, rule=None if rule is None else Rule(rule), figure=figure, sign=match["sign"], limit=limit
    )


def compare(a: RunEvaluation, b: RunEvaluation) -> Comparison:
    """What differs from run A to run B. Raises UsageError where they are not of the same clips."""
    names_a, names_b = (Counter(clip.clip for clip in run.clips) for run in (a, b))
    if names_a != names_b:
        only_a, only_b = ", ".join(names_a - names_b), ", ".join(names_b - names_a)
        raise UsageError(
            "the two runs are of different clips, so their figures cannot be compared: "
            + "; ".join(f"only {run.run} has {names}" for run, names in ((a, only_a), (b, only_b)) if names)
        )
    return Comparison(
        differences=tuple(_differences(a.clips, b.clips)),
        newly_missed=_fewer(_missed(b), _missed(a)),
        newly_found=_fewer(_missed(a), _missed(b)),
        newly_false=_new(b.clips, a.clips),
        no_longer_false=_new(a.clips, b.clips),
        notes=tuple(_notes(a, b)),
    )


def verdicts(gates: Iterable[Gate], comparison: Comparison) -> tuple[Verdict, ...]:
    """What each gate comes to; one that nothing can be judged by has failed, since it guards nothing."""
    return tuple(_verdict(gate, comparison) for gate in gates)


def _verdict(gate: Gate, comparison: Comparison) -> Verdict:
    asked = [
        one
        for one in comparison.differences
        if one.figure == gate.figure and (gate.rule is None or one.rule is gate.rule)
    ]
    judged = [(one, one.change) for one in asked if one.change is not None]
    if not judged:
        return Verdict(
            gate=gate,
            failed=True,
            says=f"{gate.text}: cannot be judged, no rule has {gate.figure} in both runs",
        )
    beyond = [f"{one.rule or 'all rules'} {change:+g}" for one, change in judged if gate.is_met_by(change)]
    if beyond:
        return Verdict(gate=gate, failed=True, says=f"{gate.text}: failed by {', '.join(beyond)}")
    unknown = [f"{one.rule}" for one in asked if one.change is None and not (one.a is one.b is None)]
    beside = f" (in only one of the runs for {', '.join(unknown)})" if unknown else ""
    return Verdict(gate=gate, failed=False, says=f"{gate.text}: passed{beside}")


def _differences(a: Sequence[ClipEvaluation], b: Sequence[ClipEvaluation]) -> Iterable[Difference]:
    parts_a, parts_b = (
        {part.rule: part for part in figures(clip.score for clip in clips)} for clips in (a, b)
    )
    for rule in Rule:
        if rule in parts_a or rule in parts_b:
            one, other = (parts.get(rule, RuleScore(rule=rule)) for parts in (parts_a, parts_b))
            for figure in (*COUNTS, *SHARES):
                yield Difference(rule=rule, figure=figure, a=getattr(one, figure), b=getattr(other, figure))
    hourly_a, hourly_b = (
        false_per_hour(parts.values(), sum(clip.video_s for clip in clips))
        for parts, clips in ((parts_a, a), (parts_b, b))
    )
    yield Difference(rule=None, figure=HOURLY, a=hourly_a, b=hourly_b)


def _missed(run: RunEvaluation) -> Counter[tuple[str, TruthEvent]]:
    return Counter((clip.clip, truth) for clip in run.clips for truth in clip.score.missed)


def _fewer(
    more: Counter[tuple[str, TruthEvent]], less: Counter[tuple[str, TruthEvent]]
) -> tuple[tuple[str, TruthEvent], ...]:
    return tuple(sorted((more - less).elements(), key=lambda one: (one[0], one[1].t_s)))


def _new(
    clips: Sequence[ClipEvaluation], before: Sequence[ClipEvaluation]
) -> tuple[tuple[str, PredictedEvent], ...]:
    """The false alarms of the clips that those before do not have."""
    found = []
    for clip in {clip.clip: None for clip in clips}:
        now, then = (
            [event for one in side if one.clip == clip for event in one.score.false]
            for side in (clips, before)
        )
        expected = [
            TruthEvent(
                rule=event.rule,
                t_s=event.t_s,
                tolerance_s=SAME_WITHIN_S,
                object_class=event.object_class,
                at_px=event.at_px,
            )
            for event in then
        ]
        found += [(clip, event) for event in score(expected, now).false]
    return tuple(found)


def _notes(a: RunEvaluation, b: RunEvaluation) -> Iterable[str]:
    seconds = {clip.clip: clip.video_s for clip in b.clips}
    for clip in a.clips:
        if abs(clip.video_s - seconds[clip.clip]) > SAME_WITHIN_S:
            yield (
                f"{clip.clip}: {a.run} saw {clip.video_s:.1f} s of it and {b.run} {seconds[clip.clip]:.1f} s; what only "
                "one of them saw counts as missed in the other"
            )
