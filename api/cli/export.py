"""``stopline evidence export``: cases as a BagIt package with all that a court or another authority needs."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.settings import load_settings
from api.work.case_package import published_keys
from api.work.export import ExportRequest
from api.work.export import export as run_export
from evidence.records_sql import SqlRecords

RECORDS = "records.sqlite"


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
    "--keys",
    type=click.Path(path_type=Path),
    metavar="KEYS",
    help="The office's public keys, as 'stopline keys publish' writes them. Default: those of STOPLINE_KEYS, else the data "
    "folder's demo key.",
)
def export(
    cases: tuple[str, ...], data: Path, out: Path, zipped: bool, redacted: bool, keys: Path | None
) -> None:
    """Export each CASE, all in one package: its files and signatures, chain and checkpoints, public keys, and a summary in
    Chinese and English as PDF.

    The package is a bag (BagIt, RFC 8493), validated before it gets its name. A case that does not verify, or lacks a
    file, is never exported.
    """
    published = published_keys(data, load_settings(), keys)
    request = ExportRequest(cases=cases, data=data, out=out, redacted=redacted, zipped=zipped)
    records = SqlRecords(data / RECORDS) if (data / RECORDS).is_file() else None
    try:
        made = run_export(request, published, records, SystemClock().now)
    finally:
        if records is not None:
            records.close()
    click.echo(str(made))
