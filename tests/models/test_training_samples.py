"""Labels as they are read, and samples as they are composed: boxes stay on their objects, what is unlabelled is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.data import LabelsWrong, Picture, bits, read_folder, read_labels, read_recipe
from models.training.mosaic import EVERYTHING, Composer

CHECKOUT = Path(__file__).resolve().parents[2]
CAR, TRUCK, PERSON = 0b1, 0b100, 0b100000


def drawn(colour: tuple[int, int, int], box: tuple[int, int, int, int], **changes: object) -> Picture:
    """A black picture of 300 x 200 px with one box of a colour, which is its label."""
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = colour
    fields: dict[str, object] = {
        "pixels": pixels,
        "boxes": np.array([box], np.float32),
        "may_be": np.array([CAR], np.int64),
        "labelled": CAR | PERSON,
        "weight": 1.0,
        "source": "drawn",
    }
    return Picture(**{**fields, **changes})  # type: ignore[arg-type]


def test_labels_are_corners_and_what_they_may_be(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1 0.5 0.5 0.2 0.4\n\n0 0.95 0.5 0.2 0.2\n")
    boxes, may_be = read_labels(path, [CAR, CAR | TRUCK])
    assert boxes == pytest.approx(np.array([[0.4, 0.3, 0.6, 0.7], [0.85, 0.4, 1.0, 0.6]]))
    assert may_be.tolist() == [CAR | TRUCK, CAR]


def test_no_label_file_is_no_label(tmp_path: Path) -> None:
    boxes, may_be = read_labels(tmp_path / "none.txt", [CAR])
    assert (boxes.shape, may_be.shape) == ((0, 4), (0,))


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.2", "car 0.5 0.5 0.2 0.2", "1 0.5 0.5 0.2 0.2", "0 a b c d"])
def test_a_wrong_label_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"0 0.5 0.5 0.2 0.2\n{line}\n")
    with pytest.raises(LabelsWrong, match=r"a[.]txt, line 2: "):
        read_labels(path, [CAR])


def test_an_optional_folder_may_be_absent_and_is_read_once_it_is_there(tmp_path: Path) -> None:
    recipe = read_recipe()
    rendered = next(folder for folder in recipe["folders"] if folder["name"] == "rendered")
    assert read_folder(rendered, recipe, tmp_path) == []
    for name in ("images", "labels"):
        (tmp_path / rendered["path"] / name).mkdir(parents=True)
    picture = np.zeros((500, 1000, 3), np.uint8)
    cv2.imwrite(str(tmp_path / rendered["path"] / "images" / "one.png"), picture)
    (tmp_path / rendered["path"] / "labels" / "one.txt").write_text("2 0.5 0.5 0.5 0.5\n")
    (read,) = read_folder(rendered, recipe, tmp_path)
    side = recipe["cache_side_px"]
    assert read.pixels.shape == (side // 2, side, 3)
    assert read.boxes[0] == pytest.approx([side / 4, side / 8, side * 3 / 4, side * 3 / 8])
    assert read.may_be.tolist() == [bits(["truck"], recipe["classes"])]
    assert read.labelled == bits(recipe["classes"], recipe["classes"])


def test_every_class_the_recipe_names_is_one_of_its_classes() -> None:
    recipe = read_recipe()
    for folder in recipe["folders"]:
        bits(folder["labelled"], recipe["classes"])
        for names in folder["map"]:
            bits(names, recipe["classes"])


def test_a_sample_is_the_same_each_time_and_another_for_each_number() -> None:
    compose = Composer([drawn((0, 0, 255), (100, 50, 220, 150))], seed=1)
    first, again, other = compose(5, 128, 0.5), compose(5, 128, 0.5), compose(6, 128, 0.5)
    assert (first.pixels == again.pixels).all()
    assert (first.boxes == again.boxes).all()
    assert (first.pixels != other.pixels).any()


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_boxes_stay_on_their_objects(mosaic: float) -> None:
    compose = Composer([drawn((0, 0, 255), (100, 50, 220, 150))], seed=2)
    seen = 0
    for number in range(40):
        sample = compose(number, 160, mosaic)
        # The drawn box: black and the grey around the pictures have no colour in any light.
        calm = cv2.medianBlur(sample.pixels, 5).astype(int)
        red = calm[:, :, 2] - calm[:, :, 1] > 40
        if not red.any():
            continue  # made grey
        inside = np.zeros_like(red)
        for x1, y1, x2, y2 in sample.boxes.round().astype(int):
            inside[max(0, y1 - 4) : y2 + 4, max(0, x1 - 4) : x2 + 4] = True
            seen += 1
            assert red[y1 + 4 : y2 - 4, x1 + 4 : x2 - 4].mean() > 0.95
        # Less than a third of a box left by the cut is no label: its place is left out.
        unknown = np.kron(sample.labelled[:400].reshape(20, 20) == 0, np.ones((8, 8), bool))
        assert (
            red & ~inside & ~cv2.dilate(unknown.astype(np.uint8), np.ones((9, 9))).astype(bool)
        ).sum() < 20
    assert seen > 20


def test_an_empty_place_says_nothing_about_classes_nobody_labelled() -> None:
    sample = Composer([drawn((255, 255, 255), (100, 50, 220, 150))], seed=3)(0, 160, 1.0)
    cells = 20 * 20 + 10 * 10 + 5 * 5
    assert sample.labelled.shape == (cells,)
    assert set(np.unique(sample.labelled)) == {
        CAR | PERSON,
        EVERYTHING,
    }  # the pictures, and the grey around them


def test_what_the_teacher_is_unsure_of_is_neither_label_nor_empty_road() -> None:
    unsure = drawn((255, 255, 255), (60, 40, 240, 160), may_be=np.array([0], np.int64))
    for number in range(10):
        sample = Composer([unsure], seed=4)(number, 160, 0.0)
        assert len(sample.boxes) == 0
        assert (sample.labelled[:400] == 0).any()


def test_pictures_are_taken_by_their_weight() -> None:
    box = (50, 50, 250, 150)
    heavy = drawn((255, 255, 255), box, weight=9.0)
    light = drawn((255, 255, 255), box, weight=1.0, may_be=np.array([TRUCK], np.int64))
    compose = Composer([heavy, light], seed=5)
    kinds = [kind for number in range(200) for kind in compose(number, 64, 0.0).may_be.tolist()]
    assert 0.83 < kinds.count(CAR) / len(kinds) < 0.96


def test_neither_measuring_nor_reading_the_data_loads_torch() -> None:
    code = (
        "import sys, models.evaluate, models.training.data, models.training.mosaic, models.training.teacher\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False).returncode == 0
