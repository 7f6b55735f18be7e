"""Finds the recordings that somebody means by a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from api.errors import UsageError
from ingest.open_source import ADDRESS

ENDINGS = frozenset(
    ".mp4 .m4v .mov .mkv .avi .ts .m2ts .mts .mpg .mpeg .flv .webm .h264 .h265 .264 .265 .dav".split()
)
"""What recorders write, in whatever case."""


def recordings(sources: Iterable[str]) -> tuple[str, ...]:
    """Each source, and of each folder every recording in it and in the folders below, in the order of their names, 2 before 10.

    Raises UsageError for a folder without a recording, and where one recording is meant twice.
    """
    found: list[str] = []
    for source in sources:
        folder = Path(source)
        if ADDRESS.match(source) or not folder.is_dir():
            found.append(source)
            continue
        within = [path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()]
        if not within:
            raise UsageError(f"{folder} holds no recording (files ending in {' '.join(sorted(ENDINGS))})")
        found += [str(path) for path in sorted(within, key=lambda path: _natural(path.relative_to(folder)))]
    seen: set[Path] = set()
    for source in found:
        if ADDRESS.match(source):
            continue
        path = Path(source).resolve()
        if path in seen:
            raise UsageError(f"{source} is meant twice: its cases would be found twice; name it once")
        seen.add(path)
    return tuple(found)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Numbers in names count as numbers."""
    parts = re.findall(r"\d+|\D+", str(path).lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
