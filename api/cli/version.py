"""``stopline version``: what is installed."""

from __future__ import annotations

import json

import click

from api.versions import versions


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table to read, or one JSON object.",
)
def version(form: str) -> None:
    """Print the versions of Stopline and of what it rests on."""
    found = versions()
    if form == "json":
        click.echo(json.dumps(found))
        return
    for name, number in found.items():
        click.echo(f"{name:<24} {number}")
