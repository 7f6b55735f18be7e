"""``stopline eval``: compares runs with the truth and prints the figures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from api.work.evaluate import ClipEvaluation, evaluate
from api.work.truth_file import load_truth
from rules.scoring import RuleScore, false_per_hour, total

COLUMNS = ("found", "missed", "false", "allowed", "held")


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
def evaluate_runs(runs: tuple[Path, ...], truth: Path, form: str) -> None:
    """Compare runs with the TRUTH: precision, recall, time error, held rate and plates, by rule and clip.

    'allowed' events meet something that the truth calls optional: neither right nor wrong. Held events accuse nobody.
    """
    known = load_truth(truth)
    clips = [clip for run in runs for clip in evaluate(run, known)]
    if form == "json":
        click.echo(json.dumps(_json(clips), indent=1, ensure_ascii=False))
    else:
        _print_table(clips)


def _rows(clips: Iterable[ClipEvaluation]) -> list[tuple[str, RuleScore]]:
    rows = [(clip.clip, part) for clip in clips for part in clip.score.rules]
    return rows + [("all clips", part) for part in total(clip.score for clip in clips)]


def _false_per_hour(clips: Iterable[ClipEvaluation]) -> float | None:
    seen = list(clips)
    return false_per_hour(total(clip.score for clip in seen), sum(clip.video_s for clip in seen))


def _json(clips: list[ClipEvaluation]) -> dict[str, Any]:
    return {
        "rules": [
            {
                "clip": name,
                "rule": part.rule.value,
                **{column: getattr(part, column) for column in COLUMNS},
                "precision": part.precision,
                "recall": part.recall,
                "f1": part.f1,
                "median_error_s": part.median_error_s,
                "held_rate": part.held_rate,
                "plate_accuracy": part.plate_accuracy,
            }
            for name, part in _rows(clips)
        ],
        "false_per_camera_hour": _false_per_hour(clips),
        "passing_plates": {
            clip.clip: {"found": len(clip.passing_plates_found), "of": len(clip.passing_plates)}
            for clip in clips
            if clip.passing_plates
        },
    }


def _print_table(clips: list[ClipEvaluation]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("clip", "rule"):
        table.add_column(heading, no_wrap=True)
    for heading in (*COLUMNS, "precision", "recall", "F1", "error s", "held rate", "plates"):
        table.add_column(heading, justify="right")
    for name, part in _rows(clips):
        figures = (
            part.precision,
            part.recall,
            part.f1,
            part.median_error_s,
            part.held_rate,
            part.plate_accuracy,
        )
        counts = [str(getattr(part, column)) for column in COLUMNS]
        table.add_row(name, part.rule.value, *counts, *("–" if x is None else f"{x:.2f}" for x in figures))
    Console(width=160).print(table)
    for clip in clips:
        if clip.passing_plates:
            click.echo(
                f"{clip.clip}: {len(clip.passing_plates_found)} of {len(clip.passing_plates)} passing plates exact"
            )
    hourly = _false_per_hour(clips)
    if hourly is not None:
        click.echo(f"{hourly:.2f} false accusations per camera-hour")
