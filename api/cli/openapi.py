"""``stopline openapi``: the API's description."""

from __future__ import annotations

import json

import click

from api.http.app import describe_api


@click.command()
def openapi() -> None:
    """Print the OpenAPI document of the API that 'serve' offers."""
    click.echo(json.dumps(describe_api(), ensure_ascii=False, indent=2))
