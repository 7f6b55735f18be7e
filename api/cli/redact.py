"""``stopline evidence redact``: copies of cases in which nobody but the accused vehicle can be recognised."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.settings import load_settings
from api.work.custody import signer_of, signer_or_demo
from api.work.package_store import open_store
from api.work.redact import RedactedCase, RedactRequest
from api.work.redact import redact as run_redact


@click.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE…")
@data_option
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="MODEL",
    help="The model that finds road users, in ONNX and of any input size. Default: the one that comes with Stopline.",
)
@click.option("--again", is_flag=True, help="Make it anew where there is one already.")
def redact(cases: tuple[str, ...], data: Path, weights: Path | None, again: bool) -> None:
    """Make a redacted copy of each CASE under derived/ of its package, for appeals and public release.

    In photos and clip, a mosaic hides people, plates and windscreens, all but the accused vehicle's plate; where it is
    doubtful what somebody is, all of them. The originals stay as they are. A case that does not verify gets no copy.
    Hardly anybody is missed, but look at a copy before it leaves the house.
    """
    from api.eyes import open_eyes

    settings, clock = load_settings(), SystemClock()
    signer = signer_or_demo(data, signer_of(settings, clock.now()))
    request = RedactRequest(cases=cases, data=data, again=again)

    def done(made: RedactedCase) -> None:
        click.echo(f"{made.case_id}: {len(made.files)} files in {made.place}")

    store = open_store(data, settings.bucket(), clock.now)
    run_redact(request, store, lambda: open_eyes(settings, weights), signer, clock.now, done)
