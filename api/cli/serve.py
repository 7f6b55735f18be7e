"""``stopline serve``: the review page and its API, for people at this machine."""

from __future__ import annotations

from pathlib import Path

import click

from api.clock import SystemClock
from api.errors import UsageError
from api.http.app import create_app
from api.http.server import LOOPBACK, address_of, listener, server_of
from api.settings import load_settings
from api.work.data_folder import open_records, review_desk
from api.work.package_store import open_store


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder that 'stopline replay --out' filled; it may still be filling it.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Loopback address to listen on; any other is refused, since there are no accounts yet.",
)
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any that is free."
)
def serve(data: Path, host: str, port: int) -> None:
    """Show the cases of a data folder on a page, for an officer at this machine to decide."""
    if host not in LOOPBACK:
        raise UsageError(
            f"--host {host}: until there are accounts, only this machine may see the cases; "
            f"give {', '.join(LOOPBACK)} or leave it out"
        )
    now = SystemClock().now
    bucket = load_settings().bucket()
    records = open_records(data)
    try:
        app = create_app(review_desk(data, records, now, open_store(data, bucket, now)))
        with listener(host, port) as listening:
            click.echo(f"{data}: review at {address_of(listening)} (Ctrl+C ends it)", err=True)
            try:
                server_of(app).run(sockets=[listening])
            except KeyboardInterrupt:
                click.echo("Ended.", err=True)
    finally:
        records.close()
