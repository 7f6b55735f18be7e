"""Weights: three head layouts told apart, sizes and classes taken from the file, and each way to be wrong named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from detector.classes import COCO_NAMES, class_table
from detector.errors import (
    ClassesWrong,
    HeadUnknown,
    InferenceFailed,
    InputSizeWrong,
    WeightsDamaged,
    WeightsError,
    WeightsHashMismatch,
    WeightsMissing,
    WeightsUnsupported,
)
from detector.weights import HeadLayout, load_weights
from rules.observation import ObjectClass
from tests.detector.export_heads import (
    Filter,
    cells,
    end_to_end,
    metadata,
    random_filter,
    ultralytics,
    with_nms,
    yolox,
)

NAMES = ("dog", "Car", "motorbike", "pedestrian")
SIZE = (96, 64)
YOLOX_ROWS = random_filter(5 + len(NAMES), seed=1, spread=0.01)
ULTRALYTICS_ROWS = random_filter(64 + len(NAMES), seed=1, spread=1.0)

Save = Callable[[bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(model: bytes) -> Path:
        path = tmp_path / "model.onnx"
        path.write_bytes(model)
        return path

    return write


def edited(model: bytes, edit: Callable[[onnx.ModelProto], None]) -> bytes:
    """The model after ``edit``."""
    parsed = onnx.load_model_from_string(model)
    edit(parsed)
    changed: bytes = parsed.SerializeToString()
    return changed


def graph_of(inputs: dict[str, list[int]], outputs: dict[str, list[int]]) -> bytes:
    """A model that gives constants of the shapes in ``outputs`` whatever it is given."""
    nodes = [
        helper.make_node(
            "Constant",
            [],
            [name],
            value=helper.make_tensor(f"{name}_value", TensorProto.FLOAT, shape, np.zeros(shape).ravel()),
        )
        for name, shape in outputs.items()
    ]
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    written: bytes = model.SerializeToString()
    return written


@pytest.mark.parametrize(
    ("model", "layout"),
    [
        (yolox(YOLOX_ROWS, size=SIZE), HeadLayout.YOLOX),
        (yolox(YOLOX_ROWS, size=SIZE, half=True), HeadLayout.YOLOX),
        (ultralytics(ULTRALYTICS_ROWS, NAMES, size=SIZE), HeadLayout.ULTRALYTICS),
        (ultralytics(ULTRALYTICS_ROWS, NAMES, size=SIZE, half=True), HeadLayout.ULTRALYTICS),
        (ultralytics(ULTRALYTICS_ROWS, NAMES, size=SIZE, dynamic=True), HeadLayout.ULTRALYTICS),
        (end_to_end(ULTRALYTICS_ROWS, NAMES, size=SIZE), HeadLayout.END_TO_END),
        (with_nms(ULTRALYTICS_ROWS, NAMES, size=SIZE), HeadLayout.END_TO_END),
    ],
    ids=[
        "yolox",
        "yolox-half",
        "ultralytics",
        "ultralytics-half",
        "ultralytics-dynamic",
        "end-to-end",
        "nms",
    ],
)
def test_layout_size_and_classes_are_found(save: Save, model: bytes, layout: HeadLayout) -> None:
    weights = load_weights(save(model), class_names=NAMES)
    assert weights.layout is layout
    assert (weights.width_px, weights.height_px) == SIZE
    assert weights.sha256 == hashlib.sha256(model).hexdigest()
    assert weights.classes.names == NAMES
    assert dict(zip(weights.classes.columns, weights.classes.classes, strict=True)) == {
        1: ObjectClass.CAR,
        2: ObjectClass.MOTORCYCLE,
        3: ObjectClass.PERSON,
    }
    blob = np.zeros((1, 3, SIZE[1], SIZE[0]), np.float32)
    assert weights.run(blob).dtype == np.float32


def test_one_class_yolox_is_not_taken_for_end_to_end(save: Save) -> None:
    model = yolox(random_filter(6, seed=1, spread=0.01), size=SIZE)
    assert load_weights(save(model), class_names=["car"]).layout is HeadLayout.YOLOX


def test_names_in_the_file_win_over_given_ones(save: Save) -> None:
    model = ultralytics(ULTRALYTICS_ROWS, NAMES, size=SIZE)
    assert load_weights(save(model), class_names=["a", "b", "c", "d"]).classes.names == NAMES


def test_80_classes_without_names_are_those_of_coco(save: Save) -> None:
    model = yolox(random_filter(85, seed=1, spread=0.01), size=SIZE)
    table = load_weights(save(model)).classes
    assert dict(zip(table.columns, table.classes, strict=True)) == {
        0: ObjectClass.PERSON,
        1: ObjectClass.BICYCLE,
        2: ObjectClass.CAR,
        3: ObjectClass.MOTORCYCLE,
        5: ObjectClass.BUS,
        7: ObjectClass.TRUCK,
    }
    assert len(COCO_NAMES) == 80


def test_every_class_of_ours_is_known_by_its_own_name() -> None:
    assert class_table([str(c) for c in ObjectClass]).classes == tuple(ObjectClass)


def test_dynamic_graph_takes_the_size_it_was_trained_at(save: Save) -> None:
    model = ultralytics(ULTRALYTICS_ROWS, NAMES, size=(128, 96), dynamic=True)
    weights = load_weights(save(model))
    assert (weights.width_px, weights.height_px) == (128, 96)


def test_dynamic_graph_takes_the_wanted_size(save: Save) -> None:
    model = ultralytics(ULTRALYTICS_ROWS, NAMES, size=SIZE, dynamic=True)
    weights = load_weights(save(model), input_size=(160, 128))
    assert weights.run(np.zeros((1, 3, 128, 160), np.float32)).shape == (4 + len(NAMES), cells(160, 128))


def test_dynamic_graph_without_a_size_takes_640(save: Save) -> None:
    weights = load_weights(save(yolox(YOLOX_ROWS, size=None)), class_names=NAMES)
    assert (weights.width_px, weights.height_px) == (640, 640)


@pytest.mark.parametrize("wanted", [(160, 64), (96, 128), (64, 96)])
def test_fixed_yolox_is_resized_in_memory(save: Save, wanted: tuple[int, int]) -> None:
    path = save(yolox(YOLOX_ROWS, size=SIZE))
    weights = load_weights(path, input_size=wanted, class_names=NAMES)
    assert (weights.width_px, weights.height_px) == wanted
    blob = np.random.default_rng(3).uniform(0, 255, (1, 3, wanted[1], wanted[0])).astype(np.float32)
    path.write_bytes(yolox(YOLOX_ROWS, size=wanted))
    made_for_it = load_weights(path, class_names=NAMES)
    np.testing.assert_array_equal(weights.run(blob), made_for_it.run(blob))


def test_fixed_yolox_with_its_cells_baked_in_is_refused_another_size(save: Save) -> None:
    path = save(yolox(YOLOX_ROWS, size=SIZE, fixed_reshape=True))
    assert load_weights(path, class_names=NAMES, input_size=SIZE).width_px == SIZE[0]
    with pytest.raises(InputSizeWrong, match="160x64"):
        load_weights(path, class_names=NAMES, input_size=(160, 64))


@pytest.mark.parametrize("make", [ultralytics, end_to_end, with_nms])
def test_fixed_decoding_graph_is_refused_another_size_even_of_as_many_cells(
    save: Save, make: Callable[..., bytes]
) -> None:
    path = save(make(ULTRALYTICS_ROWS, NAMES, size=SIZE))
    with pytest.raises(InputSizeWrong, match=r"fixed at 96x64.*imgsz=96,64 or dynamic=True") as caught:
        load_weights(path, input_size=(64, 96))
    assert (caught.value.width_px, caught.value.height_px) == (64, 96)


@pytest.mark.parametrize("size", [(100, 64), (96, 0), (-32, 64)])
def test_size_must_be_a_multiple_of_the_stride(save: Save, size: tuple[int, int]) -> None:
    with pytest.raises(InputSizeWrong, match=r"multiple of 32, such as (96|32)"):
        load_weights(save(yolox(YOLOX_ROWS, size=None)), input_size=size, class_names=NAMES)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"no\.onnx: there is no such file"):
        load_weights(tmp_path / "no.onnx")


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="cannot be read"):
        load_weights(tmp_path)


def test_pytorch_weights_need_the_extra(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnsupported, match=r"stopline\[ultralytics\].*export") as caught:
        load_weights(tmp_path / "yolo26n.pt")
    assert caught.value.code == "weights_unsupported"


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"not a model",
        lambda model: model[: len(model) // 2],
        lambda model: model[7:],
    ],
    ids=["empty", "text", "cut off", "beginning lost"],
)
def test_damaged_file(save: Save, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(WeightsDamaged):
        load_weights(save(damage(yolox(YOLOX_ROWS, size=SIZE))), class_names=NAMES)


def test_weights_that_are_no_numbers(save: Save) -> None:
    rows = Filter(weights=YOLOX_ROWS.weights, biases=np.full_like(YOLOX_ROWS.biases, np.nan))
    with pytest.raises(WeightsDamaged, match="not finite"):
        load_weights(save(yolox(rows, size=SIZE)), class_names=NAMES)


def test_wrong_hash_names_both(save: Save) -> None:
    path = save(yolox(YOLOX_ROWS, size=SIZE))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load_weights(path, class_names=NAMES, expected_sha256=found.upper()).sha256 == found
    with pytest.raises(WeightsHashMismatch, match=found) as caught:
        load_weights(path, class_names=NAMES, expected_sha256="0" * 64)
    assert (caught.value.expected, caught.value.found) == ("0" * 64, found)


PICTURE = {"images": [1, 3, 64, 96]}


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (graph_of(PICTURE, {"output0": [1, 3 * cells(*SIZE), 9]}), r"\(1, 378, 9\)"),
        (graph_of(PICTURE, {"output0": [1, 1000]}), r"\(1, 1000\)"),
        (graph_of(PICTURE, {"boxes": [1, 9, 4], "scores": [1, 9, 4]}), "boxes .* scores"),
        (graph_of({**PICTURE, "size": [1, 2]}, {"output0": [1, 9, 6]}), "images .* size"),
        (graph_of({"images": [1, 1, 64, 96]}, {"output0": [1, 9, 6]}), r"images \(1, 1, 64, 96\)"),
        (graph_of({"images": [8, 3, 64, 96]}, {"output0": [8, 9, 6]}), r"images \(8, 3, 64, 96\)"),
        (graph_of({"tokens": [1, 77]}, {"output0": [1, 9, 6]}), r"tokens \(1, 77\)"),
    ],
    ids=["yolov5", "classifier", "two outputs", "two inputs", "grey", "batch of 8", "text"],
)
def test_unknown_head_says_what_was_found_and_what_is_understood(
    save: Save, model: bytes, found: str
) -> None:
    with pytest.raises(HeadUnknown, match=r"understood is .*YOLOX.*found .*" + found) as caught:
        load_weights(save(model))
    assert caught.value.code == "weights_head"


def test_model_for_another_task(save: Save) -> None:
    model = ultralytics(ULTRALYTICS_ROWS, NAMES, size=SIZE, task="pose")
    with pytest.raises(HeadUnknown, match="'pose', not 'detect'"):
        load_weights(save(model))


def test_yolox_decoded_in_the_graph(save: Save) -> None:
    biases = YOLOX_ROWS.biases.copy()
    biases[:, :2] += 200  # centres in pixels
    with pytest.raises(HeadUnknown, match="decode_in_inference"):
        load_weights(save(yolox(Filter(YOLOX_ROWS.weights, biases), size=SIZE)), class_names=NAMES)


def test_class_count_must_fit_the_names(save: Save) -> None:
    with pytest.raises(ClassesWrong, match="4 class outputs but 2 class names: car, bus"):
        load_weights(save(yolox(YOLOX_ROWS, size=SIZE)), class_names=["car", "bus"])


def test_nameless_classes_are_not_guessed(save: Save) -> None:
    with pytest.raises(ClassesWrong, match="4 classes without names; give class_names"):
        load_weights(save(yolox(YOLOX_ROWS, size=SIZE)))


def test_nameless_end_to_end_classes_are_not_guessed(save: Save) -> None:
    model = edited(
        end_to_end(ULTRALYTICS_ROWS, NAMES, size=SIZE, most=30),
        lambda parsed: parsed.ClearField("metadata_props"),
    )
    with pytest.raises(ClassesWrong, match="unknown number of classes without names"):
        load_weights(save(model))


def test_a_model_that_knows_nobody_of_ours_lists_whom_it_knows(save: Save) -> None:
    model = ultralytics(ULTRALYTICS_ROWS, ["cat", "dog", "boat", "plane"], size=SIZE)
    with pytest.raises(ClassesWrong, match=r"car, bus, truck.*it knows cat, dog, boat, plane") as caught:
        load_weights(save(model))
    assert caught.value.names == ("cat", "dog", "boat", "plane")


def test_unreadable_names_are_as_good_as_none(save: Save) -> None:
    def spoil(parsed: onnx.ModelProto) -> None:
        helper.set_model_props(parsed, {**metadata(NAMES, SIZE), "names": "{0: 'car'"})

    with pytest.raises(ClassesWrong, match="without names"):
        load_weights(save(edited(ultralytics(ULTRALYTICS_ROWS, NAMES, size=SIZE), spoil)))


def test_failing_inference_is_an_error(save: Save) -> None:
    weights = load_weights(save(yolox(YOLOX_ROWS, size=SIZE)), class_names=NAMES)
    with pytest.raises(InferenceFailed, match=r"model\.onnx"):
        weights.run(np.zeros((1, 3, 8, 8), np.float32))


def test_every_weights_error_has_a_code_of_its_own() -> None:
    kinds: list[type[WeightsError]] = [WeightsError, *WeightsError.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len(kinds)
