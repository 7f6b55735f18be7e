"""``stopline evidence sweep``: what a crash left is finished or removed, and what waited for its store is delivered."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.settings import load_settings
from api.work.custody import signer_of
from api.work.sweep import as_lines
from api.work.sweep import sweep as run_sweep


@click.command()
@data_option
def sweep(data: Path) -> None:
    """Finish what an interrupted run left: sealed packages that wait in the spool are stored and recorded, and what
    was only half made is removed.

    Run it when a run was killed and is not resumed, or when the store or the records were away at its end. It waits
    for nobody: where the store does not answer it says so, and everything stays for the next time.
    """
    settings, clock = load_settings(), SystemClock()
    for line in as_lines(run_sweep(data, settings.bucket(), signer_of(settings, clock.now()), clock)):
        click.echo(line)
