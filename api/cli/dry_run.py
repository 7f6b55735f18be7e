"""``stopline dry-run``: what a changed site file would have said of a run's recorded observations."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from api.site_file import load_site_file
from api.work.dry_run import Change, DryRun
from api.work.dry_run import dry_run as try_site
from api.work.event_lines import Row


@click.command(name="dry-run")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--site", required=True, type=click.Path(path_type=Path), help="The changed site file.")
@click.option(
    "--was",
    type=click.Path(path_type=Path),
    help="The site file that the run was made by, where it is no longer at the path that the run noted.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print.",
)
def dry_run(run: Path, site: Path, was: Path | None, form: str) -> None:
    """Judge the observations of RUN, a folder that 'replay' filled, by a changed site file; print what would change.

    Events are gained, lost, or changed in status, time or what else they say, each with its reasons. Nothing is written:
    no event, no record, no evidence.
    """
    tried = try_site(run, load_site_file(site), was)
    for note in tried.notes:
        click.echo(f"note: {note}", err=True)
    if form == "json":
        click.echo(json.dumps(_json(tried), indent=1, ensure_ascii=False))
    else:
        _print(tried)


def _json(tried: DryRun) -> dict[str, object]:
    return {
        "observations": tried.observations,
        "unchanged": tried.unchanged,
        "changes": [
            {
                "kind": change.kind,
                "what": list(change.what),
                "before": change.before,
                "after": change.after,
                "reasons": list(change.reasons),
            }
            for change in tried.changes
        ],
        "passages": {"before": tried.passages[0], "after": tried.passages[1]},
        "site_differences": list(tried.differences),
        "notes": list(tried.notes),
    }


def _print(tried: DryRun) -> None:
    for says in tried.differences:
        click.echo(says)
    if tried.changes:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "rule", "before", "after", "why"):
            table.add_column(heading, overflow="fold")
        for change in tried.changes:
            row = change.after or change.before or {}
            table.add_row(
                change.kind, row["rule"], _told(change.before), _told(change.after), " ".join(_why(change))
            )
        Console(width=160).print(table)
    counts = {
        kind: sum(change.kind == kind for change in tried.changes) for kind in ("gained", "lost", "changed")
    }
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    before, after = tried.passages
    click.echo(f"{told}, {tried.unchanged} unchanged events; passages {before} → {after}")


def _told(row: Row | None) -> str:
    return (
        "–"
        if row is None
        else f"{row['status']} at {row['t_s']:.3f} s, track {row['id'].rsplit('-t', 1)[-1]}"
    )


def _why(change: Change) -> list[str]:
    beyond = [name for name in change.what if name not in ("status", "t_s")]
    return [*change.reasons, *([f"Also differs in {', '.join(beyond)}."] if beyond else [])]
