"""``stopline evidence stamp``: an authority outside says that a manifest was there at a time."""

from __future__ import annotations

from pathlib import Path

import click
import urllib3

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.errors import UsageError
from api.settings import load_settings
from api.work.custody import signer_of
from api.work.package_store import open_store
from api.work.stamp import StampRequest
from api.work.stamp import stamp as run_stamp
from evidence.time_stamp import request_time_stamp

CONNECT_S, READ_S = 5.0, 30.0


@click.command()
@click.argument("case_id", required=False, metavar="[ID]")
@click.option("--all", "everything", is_flag=True, help="Every case that has no time stamp yet.")
@data_option
def stamp(case_id: str | None, everything: bool, data: Path) -> None:
    """Ask the authority of STOPLINE_TIMESTAMP_URL for an RFC 3161 time stamp on a case's manifest.

    It is sent the manifest's SHA-256 and nothing else. Its answer is kept below derived/ and checked by 'stopline evidence
    verify --authority'. Needs the extra [timestamp].
    """
    if everything == (case_id is not None):
        raise UsageError("say which case: its ID, or --all")
    settings, clock = load_settings(), SystemClock()
    url = settings.timestamp_authority()
    http = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S), retries=False, maxsize=1
    )
    request = StampRequest(data=data, case_id=case_id)
    signer = signer_of(settings, clock.now())
    count = 0
    store = open_store(data, settings.bucket(), clock.now)
    for stamped in run_stamp(
        request, store, signer, lambda manifest: request_time_stamp(manifest, url, http), clock.now
    ):
        click.echo(f"stamped {stamped}")
        count += 1
    if not count:
        click.echo("nothing to stamp")
