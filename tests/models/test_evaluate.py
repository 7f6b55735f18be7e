"""Average precision and recall, computed by hand on drawn pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.weights import load_weights
from models.evaluate import (
    CLASSES,
    UNCLEAR,
    Boxes,
    Finder,
    Folder,
    Labelled,
    held_out,
    main,
    measure,
    measure_classes,
    rendered,
)
from rules.observation import ObjectClass

CAR, PERSON = CLASSES.index(ObjectClass.CAR), CLASSES.index(ObjectClass.PERSON)
Row = tuple[float, float, float, float, float, int]
"""x1 y1 x2 y2 in px of a 100 px picture, score, class."""


def finds(*rows: Row) -> Callable[[NDArray[np.uint8]], Boxes]:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return lambda bgr: Boxes(boxes=table[:, :4], scores=table[:, 4], classes=table[:, 5].astype(np.int64))


@pytest.fixture
def truths() -> Make:
    """One grey picture of 100 x 100 px with these boxes in px."""

    def make(boxes: Sequence[tuple[float, ...]]) -> list[tuple[NDArray[np.uint8], Labelled]]:
        corners = np.array(boxes, np.float32).reshape(-1, 4) / np.float32(100)
        grey = np.full((100, 100, 3), 90, np.uint8)
        return [(grey, Labelled(boxes=corners, classes=np.zeros(len(corners), np.int64)))]

    return make


Make = Callable[[Sequence[tuple[float, ...]]], list[tuple[NDArray[np.uint8], Labelled]]]


def test_all_found_and_nothing_else_is_one(truths: Make) -> None:
    two = truths([(0, 0, 20, 20), (50, 50, 90, 90)])
    figures = measure(finds((0, 0, 20, 20, 0.9, CAR), (50, 50, 90, 90, 0.3, CAR)), two)
    assert (figures.ap50, figures.recall, figures.boxes) == (1.0, 1.0, 2)


def test_a_box_found_twice_counts_once(truths: Make) -> None:
    two = truths([(0, 0, 20, 20), (50, 50, 90, 90)])
    figures = measure(
        finds((0, 0, 20, 20, 0.9, CAR), (0, 0, 20, 21, 0.8, CAR), (50, 50, 90, 90, 0.7, CAR)), two
    )
    # Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
    assert figures.ap50 == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert figures.recall == 1.0


def test_recall_is_that_at_precision_0_6(truths: Make) -> None:
    two = truths([(0, 0, 20, 20), (50, 50, 90, 90)])
    wrong = [(60.0, 0.0, 80.0, 20.0, 0.8, CAR), (60.0, 20.0, 80.0, 40.0, 0.7, CAR)]
    figures = measure(finds((0, 0, 20, 20, 0.9, CAR), *wrong, (50, 50, 90, 90, 0.6, CAR)), two)
    assert figures.recall == 0.5
    assert figures.ap50 == pytest.approx(0.5 * 1 + 0.5 * 0.5)


def test_an_overlap_under_a_half_is_a_miss_and_a_false_alarm(truths: Make) -> None:
    figures = measure(finds((0, 0, 20, 9.9, 0.9, CAR)), truths([(0, 0, 20, 20)]))
    assert (figures.ap50, figures.recall) == (0.0, 0.0)


def test_small_boxes_and_persons_are_left_out(truths: Make) -> None:
    some = truths([(0, 0, 20, 20), (40, 40, 45, 45)])
    figures = measure(
        finds(
            (0, 0, 20, 20, 0.5, CAR),
            (40, 40, 45, 45, 0.9, CAR),  # fits a small label
            (80, 80, 85, 85, 0.9, CAR),  # is small and fits none
            (50, 0, 60, 90, 0.9, PERSON),
        ),
        some,
    )
    assert (figures.ap50, figures.recall, figures.boxes) == (1.0, 1.0, 1)


def test_only_the_height_asked_for_counts(truths: Make) -> None:
    two = truths([(0, 0, 20, 10), (50, 50, 90, 90)])
    both = finds((0, 0, 20, 10, 0.9, CAR), (50, 50, 90, 90, 0.8, CAR), (0, 60, 40, 100, 0.7, CAR))
    assert (measure(both, two, (0.06, 0.12)).ap50, measure(both, two, (0.06, 0.12)).boxes) == (1.0, 1)
    assert measure(both, two, (0.25, 1.01)).ap50 == 1.0
    assert measure(both, two, (0.25, 1.01)).boxes == 1


def test_classes_are_measured_each_by_itself_and_what_is_unclear_counts_for_nobody(tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "one.jpg"), np.full((100, 100, 3), 90, np.uint8))
    (tmp_path / "labels" / "one.txt").write_text(
        f"{CAR} 0.1 0.1 0.2 0.2\n{PERSON} 0.7 0.7 0.4 0.4\n{UNCLEAR} 0.5 0.2 0.2 0.2\n"
    )
    drawn = rendered(tmp_path)
    figures = measure_classes(
        finds(
            (0, 0, 20, 20, 0.9, CAR),
            (50, 50, 90, 90, 0.8, CAR),  # the person is no car
            (50, 50, 90, 90, 0.7, PERSON),
            (40, 10, 60, 30, 0.95, CAR),  # fits what is unclear
        ),
        drawn,
    )
    assert figures.ap50 == ((ObjectClass.CAR, 1.0), (ObjectClass.PERSON, 1.0))
    assert figures.boxes == ((ObjectClass.CAR, 1), (ObjectClass.PERSON, 1))
    wrong = measure_classes(finds((50, 50, 90, 90, 0.8, CAR), (0, 0, 20, 20, 0.7, CAR)), drawn)
    assert wrong.ap50 == ((ObjectClass.CAR, 0.5), (ObjectClass.PERSON, 0.0))
    assert wrong.mean_ap50 == 0.25


def test_nothing_found_is_zero(truths: Make) -> None:
    assert measure(finds(), truths([(0, 0, 20, 20)])).ap50 == 0.0


def test_the_held_out_pictures_are_those_with_vehicles(shared: Path) -> None:
    found = held_out(shared).files
    assert len(found) == 156
    assert sum(len(truth.boxes) for _, truth in found) == 339 + 227
    for path, truth in found:
        assert "valid" in path.parts
        assert (truth.boxes[:, :2] < truth.boxes[:, 2:]).all()


def test_a_car_is_found_where_it_is_labelled(shared: Path, weights: Path) -> None:
    """YOLOX-nano on eight pictures: the finder's boxes are in px of the picture, not of the input."""
    figures = measure(Finder(load_weights(weights)), Folder(held_out(shared).files[40:48]))
    assert figures.ap50 > 0.4


def test_the_command_prints_both_figures(
    shared: Path,
    weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = Folder(held_out(shared).files[:2])
    monkeypatch.setattr("models.evaluate.held_out", lambda folder, folders=(): few)
    assert main([str(weights), "--size", "320", "--shared", str(shared), "--rendered", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("yolox_nano.onnx: AP50 0.")
