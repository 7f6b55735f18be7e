"""Gives Stopline's default detector the input and output of Ultralytics' exports: the same network, some cheap nodes around it.

Before it red-green-blue of 0..1 becomes blue-green-red of 0..255; after it boxes are decoded on their grids, objectness and
class scores are multiplied, and rows and columns change places, as in an export of YOLOv8.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from detector.weights import STRIDES


def convert(source: Path, target: Path, input_px: tuple[int, int], class_names: Sequence[str]) -> None:
    """``target`` holds the network of ``source`` (undecoded YOLOX) at that (width, height), to be read as YOLOv8."""
    model = onnx.load(source)
    graph = model.graph
    width, height = input_px
    given, raw = graph.input[0].name, graph.output[0].name
    for node in graph.node:
        node.input[:] = [f"{given}_bgr255" if name == given else name for name in node.input]
    before = [
        helper.make_node("Gather", [given, "peer_bgr"], [f"{given}_bgr"], axis=1),
        helper.make_node("Mul", [f"{given}_bgr", "peer_255"], [f"{given}_bgr255"]),
    ]
    classes = len(class_names)
    after = [
        helper.make_node(
            "Split", [raw, "peer_parts"], ["peer_xy", "peer_wh", "peer_obj", "peer_cls"], axis=2
        ),
        helper.make_node("Mul", ["peer_xy", "peer_steps"], ["peer_xy_px"]),
        helper.make_node("Add", ["peer_xy_px", "peer_origins"], ["peer_centres"]),
        helper.make_node("Exp", ["peer_wh"], ["peer_exp"]),
        helper.make_node("Mul", ["peer_exp", "peer_steps"], ["peer_sizes"]),
        helper.make_node("Mul", ["peer_cls", "peer_obj"], ["peer_scores"]),
        helper.make_node("Concat", ["peer_centres", "peer_sizes", "peer_scores"], ["peer_rows"], axis=2),
        helper.make_node("Transpose", ["peer_rows"], ["output0"], perm=[0, 2, 1]),
    ]
    origins, steps = _grid(width, height)
    constants = {
        "peer_bgr": np.array([2, 1, 0], np.int64),
        "peer_255": np.array(255.0, np.float32),
        "peer_parts": np.array([2, 2, 1, classes], np.int64),
        "peer_steps": steps[None, :, None],
        "peer_origins": (origins * steps[:, None])[None],
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.value_info[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.input.append(helper.make_tensor_value_info(given, TensorProto.FLOAT, (1, 3, height, width)))
    graph.output.append(
        helper.make_tensor_value_info("output0", TensorProto.FLOAT, (1, 4 + classes, len(steps)))
    )
    del model.metadata_props[:]
    about = {
        "names": str(dict(enumerate(class_names))),
        "task": "detect",
        "stride": str(max(STRIDES)),
        "batch": "1",
        "imgsz": str([height, width]),
    }
    helper.set_model_props(model, about)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _grid(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Each cell's (column, row) and stride, the grids one after another, each row by row."""
    origins, steps = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        origins.append(np.stack((columns.ravel(), rows.ravel()), axis=1))
        steps.append(np.full(rows.size, stride))
    return np.concatenate(origins).astype(np.float32), np.concatenate(steps).astype(np.float32)
