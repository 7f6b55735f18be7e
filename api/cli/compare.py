"""``stopline compare``: two runs against the same truth, and gates for continuous integration."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from api.cli.exit_codes import ExitCode
from api.work.compare import COUNTS, Comparison, Difference, Verdict, compare, parse_gate, verdicts
from api.work.evaluate import evaluate
from api.work.truth_file import load_truth
from rules.scoring import PredictedEvent, TruthEvent

ALWAYS = ("precision", "recall")
"""Figures that are printed also where they do not differ."""

RUN = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(name="compare")
@click.argument("run_a", type=RUN)
@click.argument("run_b", type=RUN)
@click.option(
    "--truth",
    required=True,
    type=click.Path(path_type=Path),
    help="JSON file with what happens in each clip.",
)
@click.option(
    "--fail-if",
    "conditions",
    multiple=True,
    metavar="GATE",
    help="End with exit code 6 where the difference B - A of a figure is such: [RULE.]FIGURE, then < <= > or >=, then a "
    "number. Quote it: --fail-if 'recall<-0.01'. May be given several times.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print.",
)
def compare_runs(run_a: Path, run_b: Path, truth: Path, conditions: tuple[str, ...], form: str) -> int:
    """Compare two runs of the same clips with the TRUTH: what RUN_B finds, misses and wrongly says that RUN_A did not.

    A gate without a rule is judged for each rule; one that no rule has a value for fails.
    """
    gates = [parse_gate(text) for text in conditions]
    known = load_truth(truth)
    comparison = compare(evaluate(run_a, known), evaluate(run_b, known))
    judged = verdicts(gates, comparison)
    for note in comparison.notes:
        click.echo(f"note: {note}", err=True)
    if form == "json":
        click.echo(json.dumps(_json(comparison, judged), indent=1, ensure_ascii=False))
    else:
        _print(comparison, judged)
    return ExitCode.GATE_FAILED if any(verdict.failed for verdict in judged) else ExitCode.OK


def _json(comparison: Comparison, judged: Iterable[Verdict]) -> dict[str, Any]:
    def truths(listed: Iterable[tuple[str, TruthEvent]]) -> list[dict[str, Any]]:
        return [
            {"clip": clip, "rule": truth.rule.value, "t_s": truth.t_s, "who": truth.who}
            for clip, truth in listed
        ]

    def events(listed: Iterable[tuple[str, PredictedEvent]]) -> list[dict[str, Any]]:
        return [
            {"clip": clip, "rule": event.rule.value, "t_s": event.t_s, "id": event.id}
            for clip, event in listed
        ]

    return {
        "differences": [
            {"rule": one.rule, "figure": one.figure, "a": one.a, "b": one.b, "change": one.change}
            for one in comparison.differences
        ],
        "newly_missed": truths(comparison.newly_missed),
        "newly_found": truths(comparison.newly_found),
        "newly_false": events(comparison.newly_false),
        "no_longer_false": events(comparison.no_longer_false),
        "gates": [{"gate": one.gate.text, "failed": one.failed, "says": one.says} for one in judged],
    }


def _print(comparison: Comparison, judged: Iterable[Verdict]) -> None:
    shown = [one for one in comparison.differences if one.a != one.b or one.figure in ALWAYS]
    table = Table(box=None, pad_edge=False)
    for heading in ("rule", "figure"):
        table.add_column(heading, no_wrap=True)
    for heading in ("A", "B", "B - A"):
        table.add_column(heading, justify="right")
    for one in shown:
        table.add_row(one.rule or "all rules", one.figure, *_cells(one))
    Console(width=120).print(table)
    for truths, how in ((comparison.newly_missed, "newly missed"), (comparison.newly_found, "newly found")):
        for clip, truth in truths:
            click.echo(
                f"{how}: {clip}: {truth.rule} at {truth.t_s:.2f} s" + (f", {truth.who}" if truth.who else "")
            )
    for events, how in (
        (comparison.newly_false, "newly false"),
        (comparison.no_longer_false, "no longer false"),
    ):
        for clip, event in events:
            click.echo(f"{how}: {clip}: {event.rule} at {event.t_s:.2f} s, {event.id}")
    for verdict in judged:
        click.echo(f"gate {verdict.says}")


def _cells(one: Difference) -> tuple[str, str, str]:
    digits = ".0f" if one.figure in COUNTS else ".3f"
    values = ((one.a, digits), (one.b, digits), (one.change, "+" + digits))
    first, second, change = ("–" if value is None else format(value, form) for value, form in values)
    return first, second, change
