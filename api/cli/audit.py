"""``stopline audit``: exports the audit, and verifies it: here, or elsewhere from what was exported."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from api.cli.data_option import data_option
from api.records.audit import AuditLine, verified
from api.work.audit_book import AuditBook, exported_lines
from api.work.records_place import open_database


@click.group()
def audit() -> None:
    """Export and verify the audit: who saw and did what, each line chained to the one before."""


@audit.command()
@data_option
def export(data: Path) -> None:
    """Print the audit's lines with their hashes, for 'stopline audit verify --file' anywhere."""
    with closing(open_database(data, create=False)) as database:
        for line in AuditBook(database).exported():
            click.echo(line)


@audit.command()
@data_option
@click.option(
    "--file", type=click.Path(path_type=Path), help="An exported audit, instead of the data folder's own."
)
@click.option(
    "--head",
    metavar="NUMBER:SHA256",
    help="A line that was seen before, such as the last one of an earlier verification: it must still be there.",
)
def verify(data: Path, file: Path | None, head: str | None) -> None:
    """Check that every line follows the one before; the first that does not is named. Exit code 8 where one does not.

    A tail that was cut off shows only against a --head from before: keep what this prints.
    """
    seen = None if head is None else _head(head)
    last: AuditLine | None = None

    def remembered(line: AuditLine) -> AuditLine:
        nonlocal last
        last = line
        return line

    if file is not None:
        number = verified(map(remembered, exported_lines(file)), seen)
    else:
        with closing(open_database(data, create=False)) as database:
            number = AuditBook(database).verified(seen, remembered)
    click.echo(
        f"{number} lines, each follows the one before"
        + ("" if last is None else f"; head {last.number}:{last.sha256}")
    )


def _head(text: str) -> AuditLine:
    number, _, sha256 = text.partition(":")
    if not number.isdecimal() or len(sha256) != 64:
        raise click.BadParameter("write it like 12:SHA256", param_hint="--head")
    return AuditLine(number=int(number), line="", sha256=sha256)
