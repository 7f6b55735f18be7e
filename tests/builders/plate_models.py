"""The plate reader's files, fetched once into the cache that all runs share."""

from __future__ import annotations

from pathlib import Path

from api.model_manifest import load_manifest, verified_path
from api.work.models import pull_models
from detector.plates import PlateReader

MANIFEST = Path(__file__).resolve().parents[2] / "models" / "manifest.toml"


def plate_files(cache: Path) -> tuple[Path, Path, Path]:
    """Detector, recogniser and charset in ``cache``, fetched by pip (a process of its own) where they are missing."""
    manifest = load_manifest(MANIFEST)
    pull_models(manifest, cache)
    detector, recogniser, charset = (
        verified_path(manifest, name, cache)
        for name in ("plate-detector", "plate-recogniser", "plate-charset")
    )
    return detector, recogniser, charset


def plate_reader(cache: Path, threads: int = 2) -> PlateReader:
    """A reader on those files."""
    return PlateReader(*plate_files(cache), threads=threads)
