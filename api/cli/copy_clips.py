"""``stopline evidence copy``: H.264 copies, for the page, of clips that no browser plays."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from api.cli.data_option import data_option
from api.cli.exit_codes import ExitCode
from api.clock import SystemClock
from api.settings import load_settings
from api.work.custody import signer_of, signer_or_demo
from api.work.data_folder import open_records
from api.work.package_store import open_store
from api.work.review_copy import copy_clips


@click.command("copy")
@data_option
def copy(data: Path) -> int:
    """Make an H.264 copy of each H.265 clip that has none yet, so that the page can show it.

    'stopline replay' does this at its end; run it where a run was killed, or is still going on. The clip stays the evidence.
    Exit code 5: of some clips none could be made.
    """
    settings, clock = load_settings(), SystemClock()
    failed = False
    with closing(open_records(data)) as records:
        signer = signer_or_demo(data, signer_of(settings, clock.now()))
        store = open_store(data, settings.bucket(), clock.now)
        for made in copy_clips(data, store, records, signer, clock.now):
            failed |= made.why is not None
            click.echo(
                f"copied {made.case_id}" if made.why is None else f"no copy of {made.case_id}: {made.why}"
            )
    return ExitCode.SOME_FAILED if failed else ExitCode.OK
