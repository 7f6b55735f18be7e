"""``stopline serve``: the review page and its API, for people who sign in."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click

from api.clock import SystemClock
from api.errors import UsageError
from api.http.app import create_app
from api.http.guard import HOSTS
from api.http.log_lines import log_to_stderr_as_json
from api.http.server import LOOPBACK, address_of, listener, server_of
from api.settings import load_settings
from api.work.accounts import FIRST
from api.work.camera_desk import CameraReach
from api.work.case_package import published_keys
from api.work.case_sight import WorkTerms
from api.work.data_folder import open_records
from api.work.package_store import open_store
from api.work.service import open_service


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
    help="Address to listen on. Another than a loopback one wants --public-url: passwords must not travel in the clear.",
)
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any that is free."
)
@click.option(
    "--public-url",
    metavar="https://HOST",
    help="The address at which browsers reach this server through a proxy that ends TLS (deploy/ has one); cookies are sent by "
    "https only then. Default: this machine's own browsers, by http.",
)
@click.option(
    "--log",
    "log",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to log to the standard error: faults as text, or each request and fault as a JSON line without personal data.",
)
def serve(data: Path, host: str, port: int, public_url: str | None, log: str) -> None:
    """Show the cases of a data folder on a page, for officers to decide.

    Everybody signs in. The first start makes an administrator and prints a one-time password; 'stopline account' makes
    accounts from the command line, too.
    """
    if host not in LOOPBACK and public_url is None:
        raise UsageError(
            f"--host {host}: others could reach it, and passwords would travel in the clear; put a proxy that ends TLS "
            f"before it and give its address as --public-url, or give {', '.join(LOOPBACK)} or leave it out"
        )
    hosts = (*HOSTS, _public_host(public_url)) if public_url is not None else HOSTS
    if log == "json":
        log_to_stderr_as_json()
    now = SystemClock().now
    settings = load_settings()
    bucket = settings.bucket()
    identity = settings.identity_provider()
    records = open_records(data)
    try:
        keys = partial(published_keys, data, settings, None)

        def reach() -> CameraReach:
            return CameraReach(networks=settings.networks(), accounts=settings.camera_accounts())

        service = open_service(
            data,
            records,
            now,
            open_store(data, bucket, now),
            keys=keys,
            reach=reach,
            footage=settings.footage,
            identity=identity,
            terms=WorkTerms(
                lease=timedelta(minutes=settings.claim_minutes), due=timedelta(days=settings.review_days)
            ),
        )
        app = create_app(service, hosts=hosts, is_secure=public_url is not None)
        with listener(host, port) as listening:
            where = address_of(listening) if public_url is None else public_url
            click.echo(f"{data}: review at {where} (Ctrl+C ends it)", err=True)
            password = service.accounts.first_administrator()
            if password is not None:
                click.echo(
                    f"First start: sign in as '{FIRST}' with the one-time password {password}\n"
                    f"An officer's account: stopline account add --data {data} --role officer NAME",
                    err=True,
                )
            try:
                server_of(app, logs_plainly=log == "text").run(sockets=[listening])
            except KeyboardInterrupt:
                click.echo("Ended.", err=True)
            finally:
                service.jobs.close()
                service.exports.close()
    finally:
        records.close()


def _public_host(address: str) -> str:
    parts = urlsplit(address)
    if (
        parts.scheme != "https"
        or not parts.hostname
        or parts.username
        or parts.path.strip("/")
        or parts.query
    ):
        raise UsageError(f"--public-url {address}: write it like https://HOST or https://HOST:PORT")
    return parts.netloc.lower()
