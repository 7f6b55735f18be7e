"""Writes the tester's report: one page with the figures, their parts, and each miss and false alarm with its picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.work.evaluate import ClipEvaluation, slices
from api.work.evaluation_page import Card, page_text
from api.work.evaluation_pictures import MOST_PICTURES, Case, Shot, shots
from api.work.run_folder import make_empty, write_file
from rules.scoring import Match, PredictedEvent, TruthEvent

REPORT = "report.html"


def write_report(clips: Sequence[ClipEvaluation], truth: Path, out: Path) -> tuple[str, ...]:
    """``report.html`` stands in ``out``; it holds its pictures and asks for nothing else.

    Returns a sentence for each picture that could not be had, once each. Raises UsageError where ``out`` is
    not a new or empty folder, OutputError.
    """
    make_empty(out)
    cards = [card for clip, budget in _budgets(clips) for card in _cards(clip, budget)]
    write_file(out / REPORT, page_text(clips, slices(clips), cards, str(truth)).encode())
    return tuple(dict.fromkeys(card.shot.why_not for card in cards if card.shot.why_not is not None))


def _budgets(clips: Iterable[ClipEvaluation]) -> Iterator[tuple[ClipEvaluation, int]]:
    """Each clip with how many pictures are left for it."""
    left = MOST_PICTURES
    for clip in clips:
        yield clip, max(left, 0)
        left -= len(clip.score.missed) + len(clip.score.false)


def _cards(clip: ClipEvaluation, budget: int) -> list[Card]:
    cases: list[Case] = [*clip.score.missed, *clip.score.false]
    beyond = f"The report holds the first {MOST_PICTURES} pictures."
    taken = (*shots(clip, cases[:budget]), *(Shot(says="", why_not=beyond) for _ in cases[budget:]))
    notes = _Notes(clip.score.held_instead, clip.score.mistaken)
    return [
        _missed(clip, case, shot, notes) if isinstance(case, TruthEvent) else _false(clip, case, shot, notes)
        for case, shot in zip(cases, taken, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Notes:
    """What met a miss or a false alarm although it does not count."""

    held: Sequence[Match]
    mistaken: Sequence[Match]


def _missed(clip: ClipEvaluation, truth: TruthEvent, shot: Shot, notes: _Notes) -> Card:
    facts = [f"expected at {truth.t_s:.2f} s ± {truth.tolerance_s:.2f} s"]
    if truth.who:
        facts.append(truth.who)
    facts.append("any road user" if truth.object_class is None else truth.object_class.value)
    if truth.lane:
        facts.append(f"lane {truth.lane}")
    if truth.time_into_red_s is not None:
        facts.append(f"{truth.time_into_red_s:.2f} s into red")
    said = [
        f"Held at {match.predicted.t_s:.2f} s: {' '.join(match.predicted.reasons)}"
        for match in notes.held
        if match.truth == truth
    ]
    said += [
        f"Taken for {match.predicted.rule} at {match.predicted.t_s:.2f} s ({match.predicted.id})."
        for match in notes.mistaken
        if match.truth == truth
    ]
    return Card(
        kind="missed",
        rule=truth.rule,
        clip=clip.clip,
        t_s=truth.t_s,
        facts=tuple(facts),
        said=tuple(said),
        shot=shot,
    )


def _false(clip: ClipEvaluation, event: PredictedEvent, shot: Shot, notes: _Notes) -> Card:
    facts = [event.id, event.object_class.value, f"at {event.at_px[0]:.0f}, {event.at_px[1]:.0f} px"]
    if event.place:
        facts.append(event.place)
    said = list(event.reasons)
    said += [
        f"The truth has {match.truth.rule} at {match.truth.t_s:.2f} s there."
        for match in notes.mistaken
        if match.predicted == event
    ]
    return Card(
        kind="false alarm",
        rule=event.rule,
        clip=clip.clip,
        t_s=event.t_s,
        facts=tuple(facts),
        said=tuple(said),
        shot=shot,
    )
