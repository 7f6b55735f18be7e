"""``stopline serve``: the review page and its API, for people at this machine."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import click
import uvicorn

from api.clock import SystemClock
from api.errors import UsageError
from api.http.app import create_app
from api.work.data_folder import open_records, review_desk
from rules.errors import StoplineError

LOOPBACK = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}


class ServerError(StoplineError):
    """The server cannot listen."""

    code = "server"


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
    records = open_records(data)
    try:
        app = create_app(review_desk(data, records, SystemClock().now))
        with _listener(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            click.echo(
                f"{data}: review at http://{shown}:{listener.getsockname()[1]}/ (Ctrl+C ends it)", err=True
            )
            config = uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,  # an address can hold a plate
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                timeout_graceful_shutdown=3,
            )
            try:
                uvicorn.Server(config).run(sockets=[listener])
            except KeyboardInterrupt:
                click.echo("Ended.", err=True)
    finally:
        records.close()


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ServerError where it cannot be had."""
    try:
        return socket.create_server((host, port), family=LOOPBACK[host])
    except OSError as exc:
        why = (
            "another program listens there; give another --port, or 0 for any that is free"
            if exc.errno == errno.EADDRINUSE
            else exc.strerror
        )
        raise ServerError(f"port {port} on {host}: {why}") from exc
