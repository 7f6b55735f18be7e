"""Editing the declared shapes of a graph on the wire, compared with the onnx package."""

from __future__ import annotations

import onnx
import pytest

from detector.onnx_dims import with_input_size
from tests.detector.export_heads import metadata, random_filter, ultralytics, yolox

ROWS = random_filter(8, seed=2, spread=0.01)


def test_only_the_declared_shapes_change() -> None:
    before = onnx.load_model_from_string(yolox(ROWS, size=(96, 64)))
    value = onnx.helper.make_tensor_value_info("split_1_0", onnx.TensorProto.FLOAT, [1, 4, 8, 12])
    before.graph.value_info.append(value)
    after = onnx.load_model_from_string(with_input_size(before.SerializeToString(), "images", 320, 256))
    dims = after.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 3, 256, 320]
    assert not after.graph.output[0].type.tensor_type.HasField("shape")
    assert after.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert not after.graph.value_info
    for model in (before, after):
        del model.graph.input[:], model.graph.output[:], model.graph.value_info[:]
    assert after == before


def test_other_inputs_and_metadata_stay() -> None:
    names = ["car", "bus"]
    model = ultralytics(random_filter(66, seed=2, spread=1.0), names, size=(96, 64))
    after = onnx.load_model_from_string(with_input_size(model, "another", 320, 256))
    assert [dim.dim_value for dim in after.graph.input[0].type.tensor_type.shape.dim] == [1, 3, 64, 96]
    expected = metadata(names, (96, 64), task="detect")
    assert {entry.key: entry.value for entry in after.metadata_props} == expected


def test_symbolic_sizes_become_numbers() -> None:
    after = onnx.load_model_from_string(with_input_size(yolox(ROWS, size=None), "images", 320, 256))
    dims = after.graph.input[0].type.tensor_type.shape.dim
    assert (dims[0].dim_param, dims[2].dim_value, dims[3].dim_value) == ("batch", 256, 320)


@pytest.mark.parametrize("cut", [1, 2, 40, 1000])
def test_a_cut_off_file_is_an_error(cut: int) -> None:
    with pytest.raises(ValueError, match=r"past the end|cut off"):
        with_input_size(yolox(ROWS, size=(96, 64))[:-cut], "images", 320, 256)


def test_bytes_that_are_no_message_are_an_error() -> None:
    with pytest.raises(ValueError, match="wire type 7"):
        with_input_size(b"\x0f\x00", "images", 320, 256)
