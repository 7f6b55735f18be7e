"""From pixels to boxes: three head layouts on pictures whose answer is worked out by hand or by another formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from detector.detection import Detection
from detector.errors import InferenceFailed
from detector.picture import Pixels
from detector.postprocess import Candidates, Decoder, overlaps, suppress
from detector.preprocess import PAD, Letterbox, fit
from detector.weights import HeadLayout, load_weights
from detector.yolo import YoloDetector
from rules.observation import Box, ObjectClass
from tests.detector.export_heads import (
    BINS,
    STRIDES,
    Filter,
    Floats,
    cells,
    end_to_end,
    random_filter,
    ultralytics,
    with_nms,
    yolox,
)
from tests.detector.pictures import ArrayPicture

NAMES = ["car", "person", "bus"]
SIZE = (160, 128)

Make = Callable[[], bytes]
Row = tuple[float, str, Box]


def blue_yolox() -> Filter:
    """Only the finest grid answers, where the cell is blue: a car of 2 x 2 cells around the cell's centre."""
    weights = np.zeros((3, 8, 3), np.float32)
    biases = np.full((3, 8), -20, np.float32)
    weights[0, 4] = (0.08, 0, -0.08)  # BGR, 0-255
    biases[0] = (0.5, 0.5, math.log(2), math.log(2), -8, 8, -8, -8)
    biases[1:, :4] = 0
    return Filter(weights, biases)


def blue_ultralytics() -> Filter:
    """The same: a distance of one cell to all four sides is most likely."""
    weights = np.zeros((3, 4 * BINS + 3, 3), np.float32)
    biases = np.zeros((3, 4 * BINS + 3), np.float32)
    biases[:, 1 : 4 * BINS : BINS] = 30
    biases[:, 4 * BINS :] = -20
    weights[0, 4 * BINS] = (-20, 0, 20)  # RGB, 0-1
    biases[0, 4 * BINS] = -8
    return Filter(weights, biases)


BLUE: dict[str, Make] = {
    "yolox": lambda: yolox(blue_yolox(), size=SIZE),
    "yolox-half": lambda: yolox(blue_yolox(), size=SIZE, half=True),
    "yolox-dynamic": lambda: yolox(blue_yolox(), size=None),
    "yolox-resized": lambda: yolox(blue_yolox(), size=(96, 64)),
    "ultralytics": lambda: ultralytics(blue_ultralytics(), NAMES, size=SIZE),
    "ultralytics-half": lambda: ultralytics(blue_ultralytics(), NAMES, size=SIZE, half=True),
    "ultralytics-dynamic": lambda: ultralytics(blue_ultralytics(), NAMES, size=(96, 96), dynamic=True),
    "end-to-end": lambda: end_to_end(blue_ultralytics(), NAMES, size=SIZE, most=30),
    "nms": lambda: with_nms(blue_ultralytics(), NAMES, size=SIZE, most=30),
}


def detector(
    folder: Path, model: bytes, *, least_score: float = 0.5, most_overlap: float = 0.5
) -> YoloDetector:
    path = folder / "model.onnx"
    path.write_bytes(model)
    weights = load_weights(path, input_size=SIZE, class_names=NAMES)
    return YoloDetector(weights, least_score=least_score, most_overlap=most_overlap)


def street() -> Pixels:
    """320 x 240, grey, with a red and a blue square; halved, the blue one fills cells of the finest grid."""
    pixels = np.full((240, 320, 3), PAD, np.uint8)
    pixels[64:96, 192:224] = (0, 0, 255)
    return pixels


@pytest.mark.parametrize("name", BLUE)
def test_a_blue_square_is_found_where_it_is(tmp_path: Path, name: str) -> None:
    # 320 x 240 in 160 x 128: halved to 160 x 120; YOLOX puts it at the top, Ultralytics 4 pixels lower.
    top = 0 if name.startswith("yolox") else 4
    pixels = street()
    pixels[48 - 2 * top : 64 - 2 * top, 96:112] = (255, 0, 0)
    # The square is cell (6, 3), x 48-56 and y 24-32 of the input; the box reaches half a cell beyond: 44-60, 20-36.
    found = detector(tmp_path, BLUE[name]()).detect(ArrayPicture(pixels))
    assert [d.object_class for d in found] == [ObjectClass.CAR]
    assert found[0].box_px == pytest.approx((88, 2 * (20 - top), 120, 2 * (36 - top)), abs=0.02)
    assert found[0].score == found[0].class_score > 0.99


def test_boxes_end_at_the_edge_of_the_picture(tmp_path: Path) -> None:
    pixels = street()
    pixels[:16, 304:] = (
        255,
        0,
        0,
    )  # cell (19, 0), centre (156, 4) of the input, a box from (148, -4) to (164, 12)
    found = detector(tmp_path, BLUE["yolox"]()).detect(ArrayPicture(pixels))
    assert [d.box_px for d in found] == [pytest.approx((296, 0, 320, 24), abs=0.02)]


@pytest.mark.parametrize("name", ["yolox", "ultralytics", "end-to-end", "nms"])
def test_an_empty_street_is_empty(tmp_path: Path, name: str) -> None:
    assert detector(tmp_path, BLUE[name]()).detect(ArrayPicture(street())) == ()


def test_pictures_of_different_sizes_follow_each_other(tmp_path: Path) -> None:
    found = detector(tmp_path, BLUE["yolox"]())
    square = np.full((128, 160, 3), PAD, np.uint8)
    square[120:, 152:] = (255, 0, 0)
    assert found.detect(ArrayPicture(square))[0].box_px == pytest.approx((148, 116, 160, 128), abs=0.02)
    wide = np.full((60, 160, 3), PAD, np.uint8)
    assert found.detect(ArrayPicture(wide)) == ()


def test_read_only_pixels_are_enough(tmp_path: Path) -> None:
    pixels = street()
    pixels.setflags(write=False)
    assert detector(tmp_path, BLUE["yolox"]()).detect(ArrayPicture(pixels)) == ()


def noise(seed: int) -> Pixels:
    """A picture of the input's own size: coloured blocks, so that every cell has another mean."""
    blocks = np.random.default_rng(seed).integers(0, 256, (16, 20, 3), np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


def cell_means(
    pixels: Pixels, rows: Filter, *, rgb: bool, scale: float
) -> list[tuple[int, int, int, Floats]]:
    """(stride, column, row, channels) of each cell in the order of the output: what the exported layer computes."""
    picture = (pixels[..., ::-1] if rgb else pixels).astype(np.float64) * scale
    found = []
    for level, stride in enumerate(STRIDES):
        for row in range(pixels.shape[0] // stride):
            for column in range(pixels.shape[1] // stride):
                cell = picture[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
                channels = rows.weights[level] @ cell.mean(axis=(0, 1)) + rows.biases[level]
                found.append((stride, column, row, channels.astype(np.float32)))
    return found


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_yolox_boxes_equal_those_of_the_published_formula(tmp_path: Path) -> None:
    rows = random_filter(8, seed=5, spread=0.01)
    expected: list[Row] = []
    for stride, column, row, c in cell_means(noise(1), rows, rgb=False, scale=1.0):
        x, y = (float(c[0]) + column) * stride, (float(c[1]) + row) * stride
        w, h = math.exp(c[2]) * stride, math.exp(c[3]) * stride
        best = max(range(3), key=lambda i: float(c[5 + i]))
        score = sigmoid(c[4]) * sigmoid(c[5 + best])
        box = (max(x - w / 2, 0), max(y - h / 2, 0), min(x + w / 2, 160), min(y + h / 2, 128))
        if score >= 0.3 and box[0] < box[2] and box[1] < box[3]:
            expected.append((score, NAMES[best], box))
    found = detector(tmp_path, yolox(rows, size=SIZE), least_score=0.3, most_overlap=1.0)
    assert_same(rows_of(found.detect(ArrayPicture(noise(1)))), expected)


def test_ultralytics_boxes_equal_those_of_the_published_formula(tmp_path: Path) -> None:
    rows = random_filter(4 * BINS + 3, seed=6, spread=1.0)
    expected: list[Row] = []
    for stride, column, row, c in cell_means(noise(2), rows, rgb=True, scale=1 / 255):
        sides = []
        for side in range(4):
            weights = [math.exp(v) for v in c[side * BINS : (side + 1) * BINS]]
            sides.append(sum(i * w for i, w in enumerate(weights)) / sum(weights) * stride)
        x, y = (column + 0.5) * stride, (row + 0.5) * stride
        best = max(range(3), key=lambda i: float(c[4 * BINS + i]))
        score = sigmoid(c[4 * BINS + best])
        box = (max(x - sides[0], 0), max(y - sides[1], 0), min(x + sides[2], 160), min(y + sides[3], 128))
        if score >= 0.6:
            expected.append((score, NAMES[best], box))
    found = detector(tmp_path, ultralytics(rows, NAMES, size=SIZE), least_score=0.6, most_overlap=1.0)
    assert_same(rows_of(found.detect(ArrayPicture(noise(2)))), expected)


def rows_of(detections: Sequence[Detection]) -> list[Row]:
    return [(d.score, d.object_class.value, d.box_px) for d in detections]


def assert_same(found: Sequence[Row], expected: Sequence[Row]) -> None:
    assert len(expected) > 20
    assert len(found) == len(expected)
    for (score, name, box), (right_score, right_name, right_box) in zip(
        sorted(found), sorted(expected), strict=True
    ):
        assert name == right_name
        assert score == pytest.approx(right_score, abs=1e-5)
        assert box == pytest.approx(right_box, abs=0.01)


@pytest.mark.parametrize("make", [end_to_end, with_nms])
def test_heads_in_and_outside_the_graph_agree(tmp_path: Path, make: Callable[..., bytes]) -> None:
    rows = random_filter(4 * BINS + 2, seed=10, spread=1.0)
    expected, found = (
        rows_of(detector(tmp_path, model, least_score=0.6, most_overlap=0.45).detect(ArrayPicture(noise(3))))
        for model in (ultralytics(rows, NAMES[:2], size=SIZE), make(rows, NAMES[:2], size=SIZE))
    )
    assert {name for _, name, _ in expected} == set(NAMES[:2])
    assert [name for _, name, _ in found] == [name for _, name, _ in expected]
    for (score, _, box), (right_score, _, right_box) in zip(found, expected, strict=True):
        assert score == pytest.approx(right_score, abs=1e-5)
        assert box == pytest.approx(right_box, abs=0.01)


def test_a_class_that_is_not_ours_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(end_to_end(blue_ultralytics(), ["dog", "car", "bus"], size=SIZE, most=30))
    pixels = street()
    pixels[40:56, 96:112] = (255, 0, 0)
    assert YoloDetector(load_weights(path)).detect(ArrayPicture(pixels)) == ()


def test_values_that_are_not_finite_are_an_error_not_an_empty_road(tmp_path: Path) -> None:
    rows = blue_yolox()
    rows.weights[0, 2] = (
        1e37,
        0,
        0,
    )  # exp() of a blue cell overflows; that of the grey trial picture too, to inf
    broken = detector(tmp_path, yolox(rows, size=SIZE))
    pixels = street()
    pixels[48:64, 96:112] = (255, 0, 0)
    assert broken.detect(ArrayPicture(np.zeros((240, 320, 3), np.uint8))) == ()
    with pytest.raises(InferenceFailed, match="not finite") as caught:
        broken.detect(ArrayPicture(pixels))
    assert caught.value.code == "inference_failed"


@pytest.mark.parametrize("layout", list(HeadLayout))
def test_scores_that_are_not_finite_are_an_error(layout: HeadLayout) -> None:
    shape = {
        HeadLayout.YOLOX: (cells(*SIZE), 8),
        HeadLayout.ULTRALYTICS: (7, cells(*SIZE)),
        HeadLayout.END_TO_END: (30, 6),
    }[layout]
    with pytest.raises(FloatingPointError, match="score"):
        Decoder(layout, *SIZE, [0, 1, 2])(np.full(shape, np.nan, np.float32), 0.5)


def test_end_to_end_rows_of_no_class_are_dropped() -> None:
    rows = np.array(
        [[0, 0, 9, 9, 0.9, 1], [0, 0, 9, 9, 0.9, 7], [0, 0, 9, 9, 0.9, -1], [0, 0, 9, 9, 0.4, 1]], np.float32
    )
    found = Decoder(HeadLayout.END_TO_END, *SIZE, [1, 3])(rows, 0.5)
    assert found.indices.tolist() == [0]


@pytest.mark.parametrize(
    ("picture", "inputs", "centred", "expected"),
    [
        ((640, 480), (416, 416), False, (416, 312, 0, 0)),
        ((640, 480), (416, 416), True, (416, 312, 0, 52)),
        ((1280, 720), (640, 384), True, (640, 360, 0, 12)),
        ((768, 432), (416, 416), False, (416, 234, 0, 0)),
        ((333, 333), (64, 96), True, (64, 64, 0, 16)),
        ((99, 100), (64, 64), True, (63, 64, 0, 0)),
        ((99, 100), (64, 64), False, (63, 64, 0, 0)),
        ((3000, 2), (64, 64), False, (64, 1, 0, 0)),
    ],
)
def test_the_picture_fits(
    picture: tuple[int, int], inputs: tuple[int, int], centred: bool, expected: tuple[int, int, int, int]
) -> None:
    found = fit(picture, inputs, centred=centred)
    assert (found.width_px, found.height_px, found.left_px, found.top_px) == expected
    assert found.scale_x == found.width_px / picture[0]
    assert found.scale_y == found.height_px / picture[1]


def test_letterbox_gives_colours_in_order_and_range() -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:] = (51, 102, 255)
    yolox_blob, _ = Letterbox(80, 80, centred=False, rgb=False, unit_range=False)(pixels)
    assert yolox_blob.shape == (1, 3, 80, 80)
    assert yolox_blob[0, :, 39, 79].tolist() == [51, 102, 255]
    assert yolox_blob[0, :, 40, 0].tolist() == [PAD] * 3
    blob, _ = Letterbox(80, 80, centred=True, rgb=True, unit_range=True)(pixels)
    assert blob[0, :, 40, 40] == pytest.approx([1.0, 0.4, 0.2])
    assert blob[0, :, 19, 0] == pytest.approx([PAD / 255] * 3)


def box_rows(*rows: tuple[float, float, float, float, float, int]) -> Candidates:
    table = np.array(rows, np.float32)
    return Candidates(boxes=table[:, :4], scores=table[:, 4], indices=table[:, 5].astype(np.intp))


CLASSES = [
    ObjectClass.CAR,
    ObjectClass.TRUCK,
    ObjectClass.BUS,
    ObjectClass.PERSON,
    ObjectClass.MOTORCYCLE,
    ObjectClass.BICYCLE,
]


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [(0, 0, [1]), (0, 1, [1]), (2, 1, [1]), (4, 5, [1]), (0, 3, [1, 0]), (3, 4, [1, 0]), (0, 4, [1, 0])],
)
def test_the_same_road_user_found_twice_is_found_once(one: int, other: int, kept: list[int]) -> None:
    found = box_rows((0, 0, 10, 10, 0.5, one), (0, 0, 10, 9, 0.6, other))
    assert suppress(found, CLASSES, 0.5).tolist() == kept


def test_neighbours_stay() -> None:
    found = box_rows((0, 0, 10, 10, 0.5, 0), (4, 0, 14, 10, 0.6, 0))  # 60 of 140 shared: 0.43
    assert suppress(found, CLASSES, 0.5).tolist() == [1, 0]
    assert suppress(found, CLASSES, 0.4).tolist() == [1]


def test_what_was_dropped_drops_nobody_else() -> None:
    found = box_rows((0, 0, 10, 10, 0.9, 0), (3, 0, 13, 10, 0.8, 0), (6, 0, 16, 10, 0.7, 0))
    assert suppress(found, CLASSES, 0.5).tolist() == [0, 2]


def test_overlaps_of_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 5, 15, 15], [20, 20, 30, 30], [3, 3, 3, 3]], float)
    expected = np.array([[1, 25 / 175, 0, 0], [25 / 175, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(overlaps(boxes, boxes), expected)
