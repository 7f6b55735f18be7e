"""``stopline keys``: makes the key that signs evidence, changes it, and gives out its public half."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click

from api.clock import SystemClock
from api.errors import UsageError
from api.settings import Settings, load_settings
from evidence.canonical import moment
from evidence.durable import Disk
from evidence.keys import HeldKey, KeyFolder, PublishedKey, published_file, write_published

FOLDER = click.option(
    "--keys",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The key folder. Default: what STOPLINE_KEYS names.",
)
VALID_DAYS = click.option(
    "--valid-days",
    type=click.IntRange(1, 36_500),
    metavar="N",
    help="What it signs later than that many days from now is not accepted. Default: without end.",
)


@click.group()
def keys() -> None:
    """Make and change the key that signs evidence, and publish its public half.

    A private key lies in the key folder as <id>.pem, readable by its owner only. STOPLINE_SIGNING_PASSPHRASE_FILE names a
    file with a passphrase that protects it besides.
    """


@keys.command()
@FOLDER
@click.option(
    "--label", required=True, help="Whose key it is, for verifiers to read: 'Traffic Police, District 3'."
)
@VALID_DAYS
def generate(folder: Path | None, label: str, valid_days: int | None) -> None:
    """Make the first key of a key folder."""
    settings = load_settings()
    made = _opened(settings, folder).generate(
        label, SystemClock().now(), valid_for=_days(valid_days), passphrase=settings.passphrase()
    )
    _say_made(made, settings, folder)


@keys.command()
@FOLDER
@click.option("--label", help="Whose key the new one is. Default: as before.")
@VALID_DAYS
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 366),
    default=24,
    show_default=True,
    help="How long what runs with the old key may go on signing with it.",
)
def rotate(folder: Path | None, label: str | None, valid_days: int | None, overlap_hours: int) -> None:
    """Make the next key; the old private key is removed, what it signed stays valid."""
    settings = load_settings()
    made = _opened(settings, folder).rotate(
        label,
        SystemClock().now(),
        overlap=timedelta(hours=overlap_hours),
        valid_for=_days(valid_days),
        passphrase=settings.passphrase(),
    )
    _say_made(made, settings, folder)


@keys.command()
@FOLDER
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; one that is there is replaced. Default: print.",
)
def publish(folder: Path | None, out: Path | None) -> None:
    """Write the public keys, old ones too, as 'evidence verify --trust' takes them. Give them out apart from evidence."""
    published = _opened(load_settings(), folder).published()
    if not published:
        raise UsageError("the key folder holds no key yet; make one with 'stopline keys generate'")
    if out is None:
        click.echo(published_file(published), nl=False)
        return
    write_published(out, published, Disk())
    click.echo(f"{len(published)} public keys: {out}", err=True)


@keys.command("list")
@FOLDER
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A table to read, or one JSON object a line.",
)
def list_(folder: Path | None, form: str) -> None:
    """List the keys: id, which one signs, from when to when, whose."""
    for key in _opened(load_settings(), folder).held():
        click.echo(json.dumps(_fields(key), ensure_ascii=False) if form == "jsonl" else _line(key))


def _opened(settings: Settings, folder: Path | None) -> KeyFolder:
    where = folder or settings.keys
    if where is None:
        raise UsageError("no key folder is named; give --keys DIR, or set STOPLINE_KEYS")
    return KeyFolder(where, Disk())


def _days(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)


def _say_made(made: PublishedKey, settings: Settings, folder: Path | None) -> None:
    click.echo(f"{made.key.id} signs from {_day(made)} on ({made.label})")
    if folder is not None and settings.keys != folder:
        click.echo(f"set STOPLINE_KEYS={folder} so that 'stopline replay' signs with it", err=True)
    click.echo("give 'stopline keys publish' to whoever is to verify", err=True)


def _day(key: PublishedKey) -> str:
    return "-" if key.valid_from is None else moment(key.valid_from)


def _line(key: HeldKey) -> str:
    published = key.published
    until = "-" if published.valid_until is None else moment(published.valid_until)
    return f"{published.key.id}  {'signs' if key.signs else 'past':<5}  {_day(published)}  {until:<24}  {published.label}"


def _fields(key: HeldKey) -> dict[str, object]:
    published = key.published
    return {
        "id": published.key.id,
        "label": published.label,
        "public_key": published.key.hex,
        "signs": key.signs,
        "valid_from": None if published.valid_from is None else moment(published.valid_from),
        "valid_until": None if published.valid_until is None else moment(published.valid_until),
    }
