"""Pictures of invented streets: their labels lie on what is seen, and an interrupted run goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.training.data import read_folder, read_recipe

pytest.importorskip("moderngl", reason="rendering needs the extra [samples]")

from models.training import rendered

OVERCAST = 2
"""A world to measure on that has a grey sky."""


@pytest.fixture(scope="module")
def world() -> Any:
    """A street under a grey sky: no sun throws shadows beside anybody."""
    try:
        made = rendered.World("rendered_valid", OVERCAST)
    except Exception as exc:  # noqa: BLE001 - whatever the driver raises where there is no OpenGL
        pytest.skip(f"no OpenGL 3.3 here (Debian: libegl1, libgl1-mesa-dri): {exc}")
    yield made
    made.release()


def test_labels_lie_on_what_is_seen(world: Any) -> None:
    actors = world.arrange()
    frame, identities, labels = world.shoot(actors)
    empty, nobody, none = world.shoot([])
    assert (nobody == 0).all()
    assert none.boxes == ()
    changed = np.abs(frame.astype(int) - empty).max(axis=2) > 12
    clear = [box for name, box in zip(labels.classes, labels.boxes, strict=True) if name]
    assert len(clear) >= 3
    for x1, y1, x2, y2 in clear:
        inside = changed[int(y1) : int(y2) + 1, int(x1) : int(x2) + 1]
        assert inside.mean() > 0.15, (x1, y1, x2, y2)
    covered = np.zeros(changed.shape, bool)
    for x1, y1, x2, y2 in labels.boxes:
        covered[max(0, int(y1) - 2) : int(y2) + 3, max(0, int(x1) - 2) : int(x2) + 3] = True
    seen = cv2.resize((identities > 0).astype(np.uint8), changed.shape[::-1], interpolation=cv2.INTER_NEAREST)
    assert (seen.astype(bool) & ~covered).mean() < 0.002


def test_a_class_is_that_of_the_road_user_most_of_whom_is_in_the_box(world: Any) -> None:
    actors = {actor.item.item_id: actor for actor in world.arrange()}
    _, identities, labels = world.shoot(list(actors.values()))
    right = []
    for name, (x1, y1, x2, y2) in zip(labels.classes, labels.boxes, strict=True):
        place = identities[int(y1 / 2) : int(y2 / 2) + 1, int(x1 / 2) : int(x2 / 2) + 1]
        if name and place.size > 60:
            most = int(np.bincount(place[place > 0]).argmax())
            right.append(actors[most].drive.trip.kind.object_class == name)
    assert len(right) >= 3
    assert np.mean(right) > 0.85  # a big one that stands before a small one's box may fill more of it


def test_what_was_rendered_can_be_trained_on_and_is_not_rendered_again(tmp_path: Path) -> None:
    recipe = read_recipe()
    place, names = tmp_path / "rendered", recipe["classes"]
    first = list(rendered.render("rendered", place, [1], names, pictures=2))
    assert [path.name for path in first] == ["0001-00.jpg", "0001-01.jpg"]
    assert list(rendered.render("rendered", place, [1], names, pictures=2)) == []
    folder = next(entry for entry in recipe["folders"] if entry["name"] == "rendered")
    pictures = read_folder(folder, recipe, tmp_path)
    assert len(pictures) == 2
    for picture in pictures:
        high, wide = picture.pixels.shape[:2]
        assert (picture.boxes[:, :2] <= picture.boxes[:, 2:]).all()
        assert (picture.boxes <= np.array([wide, high] * 2) + 0.01).all()
    assert sum(int((picture.may_be != 0).sum()) for picture in pictures) > 2


def test_worlds_to_measure_on_are_others_than_those_to_train_on() -> None:
    assert rendered.SEEDS["rendered"] != rendered.SEEDS["rendered_valid"]
