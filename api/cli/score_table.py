"""The table of figures by clip and rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from api.work.evaluate import ClipEvaluation
from rules.figures import RuleScore, figures

COUNTS = ("found", "missed", "false", "allowed", "held")
FIGURES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "median_error_s": "error s",
    "held_rate": "held rate",
    "plate_accuracy": "plates",
    "median_red_error_s": "red error s",
    "red_inside_share": "red inside",
    "red_width_90_s": "red ± wide s",
}
"""Each figure of a RuleScore with its heading."""

Rows = Sequence[tuple[str, RuleScore]]


def rows_of(clips: Iterable[ClipEvaluation]) -> Rows:
    """A row for each rule of each clip, then one for each rule of all clips together."""
    seen = list(clips)
    rows = [(clip.clip, part) for clip in seen for part in figures([clip.score])]
    return rows + [("all clips", part) for part in figures(clip.score for clip in seen)]


def score_table(
    first: str, rows: Rows, counts: Iterable[str] = COUNTS, shown: Iterable[str] = tuple(FIGURES)
) -> Table:
    """The rows under the heading ``first``; "–" stands where a figure has no value."""
    counts, shown = tuple(counts), tuple(shown)
    table = Table(box=None, pad_edge=False)
    for heading in (first, "rule"):
        table.add_column(heading, no_wrap=True)
    for heading in (*counts, *(FIGURES[name] for name in shown)):
        table.add_column(heading, justify="right")
    for name, part in rows:
        values = [getattr(part, figure) for figure in shown]
        table.add_row(
            name,
            part.rule.value,
            *(str(getattr(part, count)) for count in counts),
            *("–" if value is None else f"{value:.2f}" for value in values),
        )
    return table
