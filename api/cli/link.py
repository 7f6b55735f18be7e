"""``stopline evidence link``: an address for one file of a package in a bucket that works for a while, for whoever gets it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.settings import load_settings
from api.work.link import link_to

MOST_HOURS = 168


@click.command()
@click.argument("case_id", metavar="ID")
@click.argument("name", metavar="FILE")
@data_option
@click.option(
    "--hours",
    type=click.IntRange(1, MOST_HOURS),
    default=1,
    show_default=True,
    help="For how long it works; S3 allows a week at most.",
)
def link(case_id: str, name: str, data: Path, hours: int) -> None:
    """Print an address for FILE (clip.mp4, say) of the case ID, whose packages are in a bucket.

    It is signed for STOPLINE_STORE_PUBLIC_ENDPOINT and needs no account: whoever has it can fetch the file until it
    runs out.
    """
    now = SystemClock().now
    click.echo(link_to(case_id, name, data, load_settings().bucket(), now, timedelta(hours=hours)))
