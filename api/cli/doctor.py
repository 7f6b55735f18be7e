"""``stopline doctor``: says whether an installation is well, and what to do where it is not."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.exit_codes import ExitCode
from api.clock import SystemClock
from api.settings import load_settings
from api.work.doctor import Verdict, examine

COLOURS = {Verdict.WELL: "green", Verdict.LOOK: "yellow", Verdict.ILL: "red"}


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The data folder to look at, too: disk, records, evidence store.",
)
def doctor(data: Path | None) -> int:
    """Look at all that Stopline rests on, changing nothing: models, key, disk, records, evidence store.

    Exit code 3 where something is ill; what only wants a look changes nothing.
    """
    is_ill = False
    for found in examine(load_settings(), data, SystemClock().now):
        click.echo(
            f"{click.style(f'{found.verdict:<5}', fg=COLOURS[found.verdict])} {found.what}: {found.detail}"
        )
        if found.advice:
            click.echo(f"      → {found.advice}")
        is_ill |= found.verdict is Verdict.ILL
    return ExitCode.CONFIG_INVALID if is_ill else ExitCode.OK
