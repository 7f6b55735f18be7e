"""The option that names the data folder, the same for all commands about evidence."""

from __future__ import annotations

from pathlib import Path

import click

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The data folder, which 'stopline replay --out' filled. Default: the current folder.",
)
