"""``stopline records``: backs up what the service knows, restores it, and moves it to PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.data_option import data_option
from api.work.records_place import back_up, move_records, restore


@click.group()
def records() -> None:
    """Back up and restore records, or move them to PostgreSQL.

    Records are cases, decisions, people, the audit and the sites' configuration; packages are files of their own
    (evidence/, or the bucket) and are backed up as such. Records lie in records.sqlite in the data folder, or in the
    PostgreSQL database that the folder remembers; its password is in libpq's password file (~/.pgpass).
    """


@records.command()
@data_option
@click.argument("file", type=click.Path(path_type=Path))
def backup(data: Path, file: Path) -> None:
    """Write all records of the data folder, as of one moment, to FILE; whoever uses them goes on meanwhile."""
    rows = back_up(data, file)
    click.echo(f"{rows} rows of records, readable by you only: {file}")


@records.command("restore")
@data_option
@click.argument("file", type=click.Path(path_type=Path))
def restore_command(data: Path, file: Path) -> None:
    """Make the records of a data folder that has none from the backup in FILE, whichever kind of database it came from."""
    click.echo(f"{restore(data, file)} rows of records restored: {data}")


@records.command()
@data_option
@click.argument("address", metavar="postgresql://USER@HOST:PORT/NAME")
def move(data: Path, address: str) -> None:
    """Move the records of a data folder, which nothing may use meanwhile, into a new PostgreSQL database.

    The file that held them stays, under another name.
    """
    click.echo(f"{move_records(data, address)} rows of records moved: {data} uses the database from now on")
