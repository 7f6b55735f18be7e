"""``stopline evidence retain``, ``hold`` and ``release``: how long evidence stays, and what keeps it longer."""

from __future__ import annotations

import json
from pathlib import Path

import click

from api.cli.data_option import data_option
from api.cli.exit_codes import ExitCode
from api.clock import SystemClock
from api.settings import load_settings
from api.site_file import load_site_file
from api.work import retain as retention
from api.work.custody import signer_of
from api.work.package_store import open_store

BY = click.option("--by", required=True, metavar="NAME", help="Who orders it; kept with the case.")


@click.command()
@data_option
@click.option(
    "--site",
    "sites",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="SITE.yaml",
    help="The site file whose 'retention' says how long its cases stay; once per site of the folder.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def retain(data: Path, sites: tuple[Path, ...], dry_run: bool, as_json: bool) -> int:
    """Delete what has been kept long enough; run it daily.

    Cases go by their site's periods, each with a tombstone in its chain; a case under legal hold stays. Passages go on their
    date with their pictures, and observations once their last frame is as old. Exit code 5: something had to go and
    could not.
    """
    settings, clock = load_settings(), SystemClock()
    request = retention.RetainRequest(
        data=data, sites=tuple(load_site_file(path) for path in sites), dry_run=dry_run
    )
    signer = None if dry_run else signer_of(settings, clock.now())
    found = retention.retain(request, signer, clock.now, open_store(data, settings.bucket(), clock.now))
    if as_json:
        click.echo(json.dumps(retention.as_fields(found), ensure_ascii=False, indent=1))
    else:
        for line in retention.as_lines(found):
            click.echo(line)
    return ExitCode.OK if found.is_done else ExitCode.SOME_FAILED


@click.command()
@click.argument("case_id", metavar="ID")
@data_option
@BY
@click.option("--reason", required=True, metavar="TEXT", help="Why, for whoever asks later.")
def hold(case_id: str, data: Path, by: str, reason: str) -> None:
    """Keep a case whatever its period says, until 'release'."""
    now = SystemClock().now
    store = open_store(data, load_settings().bucket(), now)
    retention.place_hold(data, case_id, reason=reason, by=by, now=now, store=store)
    click.echo(f"{case_id} is under legal hold")


@click.command()
@click.argument("case_id", metavar="ID")
@data_option
@BY
def release(case_id: str, data: Path, by: str) -> None:
    """Lift the legal hold of a case: its period counts again."""
    now = SystemClock().now
    store = open_store(data, load_settings().bucket(), now)
    retention.lift_hold(data, case_id, by=by, now=now, store=store)
    click.echo(f"{case_id} is no longer under legal hold")
