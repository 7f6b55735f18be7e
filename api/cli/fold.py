"""``stopline fold``: judges a run's recorded observations again, without looking at the video."""

from __future__ import annotations

from pathlib import Path

import click

from api.clock import SystemClock
from api.settings import load_settings
from api.site_file import load_site_file
from api.work.fold import fold_file, write_folded
from api.work.package_store import open_store


@click.command()
@click.argument("observations", type=click.Path(path_type=Path))
@click.option("--site", required=True, type=click.Path(path_type=Path), help="The site file to judge by.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="New or empty folder for events.jsonl and passages.jsonl.",
)
def fold(observations: Path, site: Path, out: Path) -> None:
    """Judge OBSERVATIONS again: a folder that 'replay' filled, or its observations.jsonl.gz.

    With the same site file this gives the run's events byte for byte (without paths to evidence, which is not built
    again); with another one it shows what that would change.
    """
    store = None
    if observations.is_dir():
        store = open_store(observations, load_settings().bucket(), SystemClock().now)
    folded = fold_file(observations, load_site_file(site).site, store)
    write_folded(folded, out)
    events = folded.events.count("\n")
    click.echo(
        f"{folded.observations} observations, {events} events, {folded.passages.count(chr(10))} passages: {out}"
    )
