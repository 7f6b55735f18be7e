"""``stopline config``: checks site files and shows what may stand in one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from api.errors import ConfigInvalidError, Problem
from api.site_file import SiteFile, load_site_file, site_schema_text


@click.group()
def config() -> None:
    """Check site files, and show what may stand in one."""


@config.command()
@click.argument("file", nargs=-1, required=True, type=click.Path(path_type=Path))
def validate(file: tuple[Path, ...]) -> None:
    """Check each site FILE; every problem is named with its line, its field and what would be right."""
    problems: list[Problem] = []
    for path in file:
        try:
            click.echo(f"{path}: in order: {_content(load_site_file(path))}")
        except ConfigInvalidError as exc:
            problems.extend(exc.problems)
    if problems:
        raise ConfigInvalidError(problems)


@config.command()
def schema() -> None:
    """Print the JSON Schema of site files: every field with its meaning, unit and default."""
    click.echo(site_schema_text(), nl=False)


@config.command()
def example() -> None:
    """Print an example of a site file."""
    click.echo((files("api") / "example.site.yaml").read_text(encoding="utf-8"), nl=False)


def _content(site_file: SiteFile) -> str:
    cameras = site_file.site.cameras
    parts = [
        (len(cameras), "camera"),
        (len(site_file.document.heads), "signal head"),
        (sum(len(camera.stop_lines) for camera in cameras), "stop line"),
        (sum(len(camera.no_parking) for camera in cameras), "no-parking zone"),
        (sum(len(camera.gates) for camera in cameras), "gate"),
    ]
    counted = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts if count)
    return f"site {site_file.site.site_id}, {counted}"
