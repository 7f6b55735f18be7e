"""Exports small ONNX detectors whose inputs, outputs and metadata are those of the real exporters.

Behind the head of each stands one layer: the mean colour of every grid cell, weighted by a ``Filter``, so that
its answers can be worked out by hand or, with ``random_filter``, by an independent formula.

* ``yolox``: as YOLOX ``tools/export_onnx.py`` writes it: input ``images`` BGR 0-255, output ``output``
  (1, N, 5+C) with undecoded boxes, objectness and classes after their sigmoid, no metadata.
* ``ultralytics``: as the Ultralytics exporter writes YOLOv8 and YOLO11: input ``images`` RGB 0-1, output
  ``output0`` (1, 4+C, N); boxes from a distribution over 16 distances, anchors baked in unless dynamic.
* ``end_to_end``: the same followed by a top-K without suppression, (1, K, 6), as YOLO26 is exported.
* ``with_nms``: the same followed by NonMaxSuppression, padded to (1, K, 6), as ``nms=True`` exports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)
BINS = 16
OPSET = 17
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Filter:
    """Per grid, an output channel's weights on the three input channels (3, channels, 3) and its bias (3, channels)."""

    weights: Floats
    biases: Floats


def random_filter(channels: int, seed: int, spread: float) -> Filter:
    """Weights of random numbers; ``spread`` is their standard deviation."""
    random = np.random.default_rng(seed)
    return Filter(
        weights=random.normal(0, spread, (len(STRIDES), channels, 3)).astype(np.float32),
        biases=random.normal(0, 1, (len(STRIDES), channels)).astype(np.float32),
    )


class _Graph:
    """Nodes and constants in the making; every method returns the name of its output."""

    def __init__(self, half: bool) -> None:
        self.float = np.float16 if half else np.float32
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        if value.dtype == np.float32:
            value = value.astype(self.float)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.split(kind, *inputs, outputs=1, **attributes)[0]

    def split(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        names = [f"{kind.lower()}_{len(self.nodes)}_{output}" for output in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def cell_means(self, level: int, rows: Filter) -> str:
        """(1, channels, H/s, W/s): the filter of that grid on the mean of each cell."""
        stride = STRIDES[level]
        mean = self.node("AveragePool", "images", kernel_shape=[stride] * 2, strides=[stride] * 2)
        weights = self.constant(rows.weights[level][:, :, None, None])
        return self.node("Conv", mean, weights, self.constant(rows.biases[level]), kernel_shape=[1, 1])

    def flat(self, grid: str, channels: int) -> str:
        """(1, channels, cells), row by row."""
        return self.node("Reshape", grid, self.ints(1, channels, -1))

    def model(
        self,
        output: str,
        name: str,
        shape: Sequence[int | str],
        size: tuple[int, int] | None,
        metadata: dict[str, str],
    ) -> bytes:
        kind = TensorProto.FLOAT16 if self.float is np.float16 else TensorProto.FLOAT
        height, width = (size[1], size[0]) if size else ("height", "width")
        batch = 1 if size else "batch"
        self.nodes.append(helper.make_node("Identity", [output], [name]))
        graph = helper.make_graph(
            self.nodes,
            "main_graph",
            [helper.make_tensor_value_info("images", kind, [batch, 3, height, width])],
            [helper.make_tensor_value_info(name, kind, list(shape))],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        if metadata:
            helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        written: bytes = model.SerializeToString()
        return written


def cells(width: int, height: int) -> int:
    """All cells of the three grids."""
    return sum((width // stride) * (height // stride) for stride in STRIDES)


def yolox(
    rows: Filter, *, size: tuple[int, int] | None, half: bool = False, fixed_reshape: bool = False
) -> bytes:
    """``rows`` gives dx, dy, log w, log h, objectness and the classes; ``size`` (width, height) or None for dynamic.

    ``fixed_reshape`` bakes the number of cells into the graph, as exporters before PyTorch 1.10 did.
    """
    graph = _Graph(half)
    channels = rows.weights.shape[1]
    levels = []
    for level, stride in enumerate(STRIDES):
        boxes, scores = graph.split(
            "Split", graph.cell_means(level, rows), graph.ints(4, channels - 4), outputs=2, axis=1
        )
        grid = graph.node("Concat", boxes, graph.node("Sigmoid", scores), axis=1)
        count = (size[0] // stride) * (size[1] // stride) if size and fixed_reshape else -1
        levels.append(graph.node("Reshape", grid, graph.ints(1, channels, count)))
    output = graph.node("Transpose", graph.node("Concat", *levels, axis=2), perm=[0, 2, 1])
    shape = (1, cells(*size), channels) if size else ("batch", "cells", channels)
    return graph.model(output, "output", shape, size, {})


def metadata(names: Sequence[str], size: tuple[int, int], **more: str) -> dict[str, str]:
    """What the Ultralytics exporter writes: each value as Python text, ``imgsz`` as [height, width]."""
    return {
        "description": "Ultralytics YOLO11n model",
        "stride": "32",
        "task": "detect",
        "batch": "1",
        "imgsz": str([size[1], size[0]]),
        "names": str(dict(enumerate(names))),
        **more,
    }


def ultralytics(
    rows: Filter,
    names: Sequence[str],
    *,
    size: tuple[int, int],
    dynamic: bool = False,
    half: bool = False,
    task: str = "detect",
) -> bytes:
    """``rows`` gives 4 x 16 distance bins (left, top, right, bottom) and the classes."""
    graph = _Graph(half)
    output = _decoded(graph, rows, len(names), size, dynamic)
    shape = ("batch", 4 + len(names), "anchors") if dynamic else (1, 4 + len(names), cells(*size))
    return graph.model(output, "output0", shape, None if dynamic else size, metadata(names, size, task=task))


def end_to_end(rows: Filter, names: Sequence[str], *, size: tuple[int, int], most: int = 300) -> bytes:
    """The ``most`` best boxes with their best class, as they are."""
    graph = _Graph(half=False)
    boxes, scores = _corners_and_scores(graph, rows, names, size)
    best = graph.node("ReduceMax", scores, axes=[2], keepdims=0)
    top_scores, at = graph.split("TopK", best, graph.ints(min(most, cells(*size))), outputs=2, axis=1)
    where = graph.node("Unsqueeze", at, graph.ints(2))
    classes = graph.node("Cast", graph.node("ArgMax", scores, axis=2, keepdims=1), to=TensorProto.FLOAT)
    output = graph.node(
        "Concat",
        graph.node("GatherElements", boxes, graph.node("Expand", where, graph.ints(1, 1, 4)), axis=1),
        graph.node("Unsqueeze", top_scores, graph.ints(2)),
        graph.node("GatherElements", classes, where, axis=1),
        axis=2,
    )
    shape = (1, min(most, cells(*size)), 6)
    return graph.model(output, "output0", shape, size, metadata(names, size, end2end="True"))


def with_nms(
    rows: Filter,
    names: Sequence[str],
    *,
    size: tuple[int, int],
    overlap: float = 0.45,
    score: float = 0.25,
    most: int = 300,
) -> bytes:
    """The boxes that suppression leaves, then rows of zeros up to ``most``."""
    graph = _Graph(half=False)
    boxes, scores = _corners_and_scores(graph, rows, names, size)
    best = graph.node("Equal", scores, graph.node("ReduceMax", scores, axes=[2], keepdims=1))
    best_only = graph.node("Mul", scores, graph.node("Cast", best, to=TensorProto.FLOAT))
    by_class = graph.node("Transpose", best_only, perm=[0, 2, 1])
    kept = graph.node(
        "NonMaxSuppression",
        boxes,
        by_class,
        graph.ints(most),
        graph.constant(np.array([overlap], np.float32)),
        graph.constant(np.array([score], np.float32)),
    )
    _, class_at, box_at = (graph.node("Gather", kept, graph.ints(column), axis=1) for column in range(3))
    found = graph.node(
        "Concat",
        graph.node(
            "Gather",
            graph.node("Squeeze", boxes, graph.ints(0)),
            graph.node("Squeeze", box_at, graph.ints(1)),
        ),
        graph.node("Unsqueeze", graph.node("GatherND", by_class, kept), graph.ints(1)),
        graph.node("Cast", class_at, to=TensorProto.FLOAT),
        axis=1,
    )
    ordered_by = graph.node("Squeeze", graph.node("Gather", found, graph.ints(4), axis=1), graph.ints(1))
    count = graph.node("Shape", ordered_by)
    _, order = graph.split("TopK", ordered_by, count, outputs=2, axis=0)
    padding = graph.constant(np.zeros((most, 6), np.float32))
    padded = graph.node("Concat", graph.node("Gather", found, order), padding, axis=0)
    output = graph.node(
        "Unsqueeze",
        graph.node("Slice", padded, graph.ints(0), graph.ints(most), graph.ints(0)),
        graph.ints(0),
    )
    return graph.model(output, "output0", (1, most, 6), size, metadata(names, size))


def _decoded(graph: _Graph, rows: Filter, classes: int, size: tuple[int, int], dynamic: bool) -> str:
    """(1, 4+C, N): centre x, centre y, width, height in input pixels, then the class scores."""
    channels = 4 * BINS + classes
    levels, anchors, steps = [], [], []
    for level, stride in enumerate(STRIDES):
        grid = graph.cell_means(level, rows)
        levels.append(graph.flat(grid, channels))
        if dynamic:
            anchor = _anchors_of(graph, grid)
            anchors.append(anchor)
            zero = graph.node("Mul", anchor, graph.constant(np.zeros((1, 1, 1), np.float32)))
            steps.append(graph.node("Add", zero, graph.constant(np.full((1, 1, 1), stride, np.float32))))
        else:
            ys, xs = np.mgrid[0 : size[1] // stride, 0 : size[0] // stride]
            centres = np.stack((xs.ravel(), ys.ravel()))[None].astype(np.float32) + np.float32(0.5)
            anchors.append(graph.constant(centres))
            steps.append(graph.constant(np.full(centres.shape, stride, np.float32)))
    distances, logits = graph.split(
        "Split", graph.node("Concat", *levels, axis=2), graph.ints(4 * BINS, classes), outputs=2, axis=1
    )
    anchor, step = graph.node("Concat", *anchors, axis=2), graph.node("Concat", *steps, axis=2)
    by_bin = graph.node(
        "Transpose", graph.node("Reshape", distances, graph.ints(1, 4, BINS, -1)), perm=[0, 2, 1, 3]
    )
    bins = graph.constant(np.arange(BINS, dtype=np.float32).reshape(1, BINS, 1, 1))
    mean = graph.node("Conv", graph.node("Softmax", by_bin, axis=1), bins, kernel_shape=[1, 1])
    sides = graph.node("Reshape", mean, graph.ints(1, 4, -1))
    low, high = graph.split("Split", sides, graph.ints(2, 2), outputs=2, axis=1)
    first, last = graph.node("Sub", anchor, low), graph.node("Add", anchor, high)
    centre = graph.node("Div", graph.node("Add", first, last), graph.constant(np.array(2, np.float32)))
    extent = graph.node("Sub", last, first)
    boxes = graph.node("Concat", graph.node("Mul", centre, step), graph.node("Mul", extent, step), axis=1)
    return graph.node("Concat", boxes, graph.node("Sigmoid", logits), axis=1)


def _anchors_of(graph: _Graph, grid: str) -> str:
    """(1, 2, cells): the centres of the cells of a grid of any size, counted by summing up ones."""
    channel = graph.node("Slice", grid, graph.ints(0), graph.ints(1), graph.ints(1))
    zeros = graph.node("Mul", channel, graph.constant(np.array(0, np.float32)))
    ones = graph.node("Add", zeros, graph.constant(np.array(1, np.float32)))
    counted = [graph.node("CumSum", ones, graph.constant(np.array(axis, np.int64))) for axis in (3, 2)]
    both = graph.flat(graph.node("Concat", *counted, axis=1), 2)
    return graph.node("Sub", both, graph.constant(np.array(0.5, np.float32)))


def _corners_and_scores(
    graph: _Graph, rows: Filter, names: Sequence[str], size: tuple[int, int]
) -> tuple[str, str]:
    """(1, N, 4) xyxy and (1, N, C)."""
    turned = graph.node("Transpose", _decoded(graph, rows, len(names), size, dynamic=False), perm=[0, 2, 1])
    centre, extent, scores = graph.split("Split", turned, graph.ints(2, 2, len(names)), outputs=3, axis=2)
    half = graph.node("Div", extent, graph.constant(np.array(2, np.float32)))
    corners = graph.node("Concat", graph.node("Sub", centre, half), graph.node("Add", centre, half), axis=2)
    return corners, scores
