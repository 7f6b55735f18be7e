"""What is kept for measuring is refused by the training recipe by its content, whatever it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from models.training.data import (
    TrainingDataMissing,
    TrainingDataRefused,
    admit,
    kept_for_measuring,
    read_folder,
    read_recipe,
    read_refused,
)


def test_every_file_kept_for_measuring_is_refused(shared: Path) -> None:
    refused = read_refused()
    kept = list(kept_for_measuring(shared))
    assert len(kept) > 200
    for path in kept:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in refused, path


def test_a_refused_picture_under_another_name_is_refused(shared: Path, tmp_path: Path) -> None:
    valid = next(path for path in kept_for_measuring(shared) if path.suffix == ".jpg")
    with pytest.raises(TrainingDataRefused, match="must not be trained on"):
        admit(tmp_path / "harmless.jpg", valid.read_bytes(), read_refused())
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "harmless.jpg").write_bytes(valid.read_bytes())
    entry = {"path": ".", "map": [["car"]], "labelled": ["car"], "weight": 1.0, "name": "own"}
    with pytest.raises(TrainingDataRefused):
        read_folder(entry, read_recipe(), tmp_path)


def test_the_recipe_names_no_folder_that_is_kept_for_measuring(shared: Path) -> None:
    refused = read_refused()
    recipe = read_recipe()
    assert recipe["folders"]
    root = Path(__file__).resolve().parents[2]
    for folder in recipe["folders"]:
        if folder.get("made", False):
            continue  # invented, not taken
        for picture in sorted((root / folder["path"] / "images").glob("*"))[:50]:
            assert hashlib.sha256(picture.read_bytes()).hexdigest() not in refused, picture


def test_missing_pictures_are_said_with_where_they_should_be(tmp_path: Path) -> None:
    entry = {"path": "nowhere", "map": [["car"]], "labelled": ["car"], "weight": 1.0, "name": "own"}
    with pytest.raises(TrainingDataMissing, match="nowhere"):
        read_folder(entry, read_recipe(), tmp_path)


def test_a_folder_whose_name_keeps_it_apart_is_refused(tmp_path: Path) -> None:
    entry = {"path": "rendered_valid", "map": [["car"]], "labelled": ["car"], "weight": 1.0, "name": "own"}
    with pytest.raises(TrainingDataRefused, match="rendered_valid"):
        read_folder(entry, read_recipe(), tmp_path)
