"""``stopline eval``: compares runs with the truth, prints the figures and writes a report with pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from api.cli.score_table import COUNTS, FIGURES, rows_of, score_table
from api.work.evaluate import ClipEvaluation, Slice, evaluate, slices
from api.work.evaluation_report import write_report
from api.work.truth_file import load_truth
from rules.figures import RuleScore, confusion, false_per_hour, figures


@click.command(name="eval")
@click.option(
    "--pred",
    "runs",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that 'replay' filled; may be given several times.",
)
@click.option(
    "--truth",
    required=True,
    type=click.Path(path_type=Path),
    help="JSON file with what happens in each clip.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print.",
)
@click.option("--slices", "sliced", is_flag=True, help="Print the figures by condition, camera and lane too.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="New or empty folder for report.html, with a picture of each miss and false alarm.",
)
def evaluate_runs(runs: tuple[Path, ...], truth: Path, form: str, sliced: bool, report: Path | None) -> None:
    """Compare runs with the TRUTH: precision, recall, time error, held rate and plates, by rule and clip.

    'allowed' events meet something that the truth calls optional: neither right nor wrong. Held events accuse nobody.
    'red error' compares the time into red with the truth where it gives one, 'red inside' is how often the truth lies
    within the stated bounds, and 90 % of those bounds are no wider than 'red ± wide'.
    """
    known = load_truth(truth)
    evaluated = [evaluate(run, known) for run in runs]
    clips = [clip for one in evaluated for clip in one.clips]
    for one in evaluated:
        for source in one.unknown:
            click.echo(f"note: {one.run}: {source} is left out, the truth says nothing of it", err=True)
    if form == "json":
        click.echo(json.dumps(_json(clips), indent=1, ensure_ascii=False))
    else:
        _print_clips(clips, with_slices=sliced)
    if report is not None:
        for note in write_report(clips, truth, report):
            click.echo(f"note: {note}", err=True)
        click.echo(f"{report / 'report.html'}", err=True)


def _slice_rows(parts: Iterable[Slice]) -> list[tuple[str, RuleScore]]:
    return [(f"{one.kind} {one.value}", part) for one in parts for part in one.rules]


def _false_per_hour(clips: Iterable[ClipEvaluation]) -> float | None:
    seen = list(clips)
    return false_per_hour(figures(clip.score for clip in seen), sum(clip.video_s for clip in seen))


def _json(clips: list[ClipEvaluation]) -> dict[str, Any]:
    return {
        "rules": [{"clip": name, **_fields(part)} for name, part in rows_of(clips)],
        "slices": [
            {"kind": one.kind, "value": one.value, **_fields(part)}
            for one in slices(clips)
            for part in one.rules
        ],
        "confusion": [
            {"truth": cell.truth, "said": cell.said, "count": cell.count}
            for cell in confusion(clip.score for clip in clips)
        ],
        "false_per_camera_hour": _false_per_hour(clips),
        "passing_plates": {
            clip.clip: {"found": len(clip.passing_plates_found), "of": len(clip.passing_plates)}
            for clip in clips
            if clip.passing_plates
        },
    }


def _fields(part: RuleScore) -> dict[str, Any]:
    names = (*COUNTS, "exempt", "held_instead", *FIGURES)
    return {"rule": part.rule.value, **{name: getattr(part, name) for name in names}}


def _print_clips(clips: list[ClipEvaluation], *, with_slices: bool) -> None:
    console = Console(width=190)
    console.print(score_table("clip", rows_of(clips)))
    if with_slices:
        console.print()
        console.print(score_table("part", _slice_rows(slices(clips))))
    for clip in clips:
        if clip.passing_plates:
            click.echo(
                f"{clip.clip}: {len(clip.passing_plates_found)} of {len(clip.passing_plates)} passing plates exact"
            )
    for cell in confusion(clip.score for clip in clips):
        if cell.truth is not None and cell.said is not None and cell.truth is not cell.said:
            click.echo(f"{cell.count} {cell.truth} taken for {cell.said}")
    instead = sum(part.held_instead for part in figures(clip.score for clip in clips))
    if instead:
        click.echo(f"{instead} of the missed were held")
    hourly = _false_per_hour(clips)
    if hourly is not None:
        click.echo(f"{hourly:.2f} false accusations per camera-hour")
