"""``stopline evidence credentials``: copies with content credentials (C2PA), which other programs can read."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.settings import load_settings
from api.work.credentials import add_credentials, read_credential_signer
from api.work.custody import signer_of, signer_or_demo
from api.work.package_store import open_store


@click.command()
@click.argument("case_id", metavar="ID")
@data_option
@click.option(
    "--certificates",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="The office's certificate for C2PA, followed by those between it and its root.",
)
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="The private key of that certificate: EC P-256 or Ed25519, readable by its owner only.",
)
@click.option("--again", is_flag=True, help="Replace copies that are there.")
def credentials(case_id: str, data: Path, certificates: Path, key: Path, again: bool) -> None:
    """Make copies of a case's photos and clip with content credentials (C2PA) in them, under derived/ of its package.

    The originals stay as they are. Nothing is sent anywhere. Needs the extra [c2pa]; 'stopline evidence verify --authority
    ROOT.pem' checks the copies.
    """
    settings, clock = load_settings(), SystemClock()
    signer = signer_or_demo(data, signer_of(settings, clock.now()))
    by = read_credential_signer(certificates, key)
    store = open_store(data, settings.bucket(), clock.now)
    for file in add_credentials(data, store, case_id, by, signer, clock.now, again=again):
        click.echo(f"made {file.name}")
