"""``stopline evidence``: whether evidence is what was sealed, for somebody who doesn't trust us, and how long it stays."""

from __future__ import annotations

import json
from pathlib import Path

import click

from api.cli.copy_clips import copy
from api.cli.credentials import credentials
from api.cli.data_option import data_option
from api.cli.exit_codes import ExitCode
from api.cli.export import export
from api.cli.link import link
from api.cli.redact import redact
from api.cli.retain import hold, release, retain
from api.cli.stamp import stamp
from api.cli.sweep import sweep
from api.clock import SystemClock
from api.settings import load_settings
from api.work.package_store import open_store
from api.work.verify import VerifyRequest, as_fields, as_lines
from api.work.verify import verify as run_verify
from evidence.verification import Result

EXIT_CODES = {
    Result.VERIFIED: ExitCode.OK,
    Result.NOT_VERIFIED: ExitCode.NOT_VERIFIED,
    Result.UNKNOWN_SIGNER: ExitCode.SIGNER_UNKNOWN,
}


@click.group()
def evidence() -> None:
    """Check that evidence is what was sealed, finish what a crash left, and delete what was kept long enough."""


for command in (link, sweep, retain, hold, release, stamp, copy, credentials, redact, export):
    evidence.add_command(command)


@evidence.command()
@click.argument("target", required=False, metavar="[PATH|ID]")
@click.option("--all", "everything", is_flag=True, help="Every package and every chain of the data folder.")
@data_option
@click.option(
    "--trust",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="KEYS",
    help="Public keys to trust: what 'stopline keys publish' writes, or PEM. Got from the signer, not with the evidence.",
)
@click.option(
    "--authority",
    "authorities",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="Root certificates, to check time stamps (RFC 3161) and content credentials (C2PA) with; got from those who gave "
    "them.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A checkpoint that was kept elsewhere: only with one can it be seen that a chain's end was cut off.",
)
@click.option(
    "--chain",
    "links",
    type=click.Path(path_type=Path),
    metavar="LINKS",
    help="The links.jsonl of the chain, for a package that stands outside its data folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(
    target: str | None,
    everything: bool,
    data: Path,
    trust: tuple[Path, ...],
    authorities: tuple[Path, ...],
    checkpoint: Path | None,
    links: Path | None,
    as_json: bool,
) -> int:
    """Verify a package (PATH or ID), or with --all a whole data folder, from files alone.

    Each file is compared with its manifest, the manifest with its signature and its link, each link with its
    neighbours, and the chain with checkpoints. Packages in a bucket are fetched one by one.
    Exit code 8: something does not verify. 9: everything fits together,
    but a signer is not among the keys of --trust.
    """
    request = VerifyRequest(
        target=target,
        everything=everything,
        data=data,
        trust=trust,
        authorities=authorities,
        checkpoint=checkpoint,
        links=links,
    )
    now = SystemClock().now
    found = run_verify(request, lambda folder: open_store(folder, load_settings().bucket(), now))
    if as_json:
        click.echo(json.dumps(as_fields(found), ensure_ascii=False, indent=1))
    else:
        for line in as_lines(found):
            click.echo(line)
    return EXIT_CODES[found.result]
