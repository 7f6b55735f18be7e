"""``stopline evidence export``: cases as a BagIt package with all that a court or another authority needs."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.errors import UsageError
from api.records.exports import ExportContents
from api.settings import load_settings
from api.work.case_package import published_keys
from api.work.credentials import read_credential_signer
from api.work.export import ExportRequest
from api.work.export import export as run_export
from api.work.package_store import open_store
from api.work.records_place import has_records, open_database
from evidence.records_sql import SqlRecords


@click.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE…")
@data_option
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that the package is put into, under the case's id or, of several, their number.",
)
@click.option("--zip", "zipped", is_flag=True, help="One ZIP file instead of a folder.")
@click.option(
    "--redacted", is_flag=True, help="Also what is under derived/: the redacted copy, which must be there."
)
@click.option(
    "--only-redacted",
    is_flag=True,
    help="The redacted copy alone, which must be there: for who appeals, and for the public.",
)
@click.option(
    "--certificates",
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="Also copies of photos and clips with content credentials (C2PA), signed by this certificate chain; needs the extra "
    "[c2pa], and says so where it is missing.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="The private key of the first certificate, readable by its owner only.",
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="KEYS",
    help="The office's public keys, as 'stopline keys publish' writes them. Default: those of STOPLINE_KEYS, else the data "
    "folder's demo key.",
)
def export(
    cases: tuple[str, ...],
    data: Path,
    out: Path,
    zipped: bool,
    redacted: bool,
    only_redacted: bool,
    certificates: Path | None,
    key: Path | None,
    keys: Path | None,
) -> None:
    """Export each CASE, all in one package: its files and signatures, chain and checkpoints, public keys, and a summary in
    Chinese and English as PDF.

    The package is a bag (BagIt, RFC 8493), validated before it gets its name. A case that does not verify, or lacks a
    file, is never exported.
    """
    settings, now = load_settings(), SystemClock().now
    published = published_keys(data, settings, keys)
    if (certificates is None) != (key is None):
        raise UsageError("content credentials want both, --certificates and the --key of the first of them")
    if redacted and only_redacted:
        raise UsageError("give --redacted for both copies or --only-redacted for one, not both options")
    contents = ExportContents.WITH_REDACTED if redacted else ExportContents.ORIGINAL
    request = ExportRequest(
        cases=cases,
        data=data,
        out=out,
        contents=ExportContents.REDACTED if only_redacted else contents,
        zipped=zipped,
        credentials=read_credential_signer(certificates, key) if certificates and key else None,
    )
    store = open_store(data, settings.bucket(), now)
    records = SqlRecords(open_database(data)) if has_records(data) else None
    try:
        made = run_export(
            request, store, published, records, now, left_out=lambda what: click.echo(what, err=True)
        )
    finally:
        if records is not None:
            records.close()
    click.echo(str(made))
