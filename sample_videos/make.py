"""Renders the sample clips: ``python -m sample_videos.make [NAME ...]``, or ``--seed N`` for a fresh junction clip."""

from __future__ import annotations

import os
from pathlib import Path

import click

from api.settings import load_settings
from sample_videos.clips import CLIPS, fresh
from sample_videos.rendering import render_clip
from sample_videos.rendering import retell as tell_anew

HERE = Path(__file__).resolve().parent


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seed", type=click.IntRange(min=0), help="Render a fresh junction clip of this seed instead.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where clips go; default: this folder, or ./out/sample for --seed.",
)
@click.option("--again", is_flag=True, help="Also clips that are there already.")
@click.option(
    "--retell", is_flag=True, help="Only write site files and truth of the clips that are there anew."
)
def main(names: tuple[str, ...], seed: int | None, out: Path | None, again: bool, retell: bool) -> None:
    """Render each clip NAME (all that are missing by default), at low priority; run it again to resume."""
    unknown = sorted(set(names) - set(CLIPS))
    if unknown:
        raise click.UsageError(f"no clip {', '.join(unknown)}; there are: {', '.join(CLIPS)}")
    os.nice(19)
    cache = load_settings().cache / "samples"
    if seed is not None:
        clip = render_clip(fresh(seed), cache, out or Path("out") / "sample", _say)
        _say(f"{clip} with its site file and truth beside it")
        return
    for name in names or CLIPS:
        target = out or HERE
        if retell:
            if (target / f"{name}.mp4").exists():
                tell_anew(CLIPS[name](), target)
            continue
        if (target / f"{name}.mp4").exists() and not again:
            continue
        _say(f"{name}: its traffic")
        clip = render_clip(CLIPS[name](), cache, target, _say)
        _say(f"{name}: done, {clip.stat().st_size / 1e6:.1f} MB")


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
