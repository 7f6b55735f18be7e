"""Loads a detection model from an ONNX file and says how its head is to be read.

Head layouts understood, with N = the sum of (W/s)*(H/s) over the strides s = 8, 16, 32 and C classes:

* ``yolox``: (1, N, 5+C), boxes as offsets on the grids, objectness and class scores after their sigmoid
  (YOLOX ``tools/export_onnx.py``, which leaves the boxes undecoded);
* ``ultralytics``: (1, 4+C, N), boxes as centre and size in input pixels, class scores after their sigmoid
  (YOLOv8, YOLO11, and YOLO26 exported with ``end2end=False``);
* ``end_to_end``: (1, K, 6), rows of x1 y1 x2 y2 score class in input pixels, padded with zero scores
  (YOLO26 and YOLOv10 as they are, YOLO11 exported with ``nms=True``).

Ultralytics' exporter writes ``names``, ``task``, ``stride`` and ``imgsz`` (height, width) into the metadata,
each as Python text.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from detector.classes import COCO_NAMES, ClassTable, class_table
from detector.errors import (
    ClassesWrong,
    HeadUnknown,
    InferenceFailed,
    InputSizeWrong,
    WeightsDamaged,
    WeightsHashMismatch,
    WeightsMissing,
    WeightsUnsupported,
    first_line,
)
from detector.inference import Inference
from detector.onnx_dims import with_input_size
from detector.openvino_runner import OpenVinoRunner
from rules.observation import ObjectClass

STRIDES = (8, 16, 32)
"""The grids of YOLOX and of the Ultralytics heads P3 to P5."""

DEFAULT_SIZE = (640, 640)
"""Of a graph that takes any size and does not say what it was trained at; the size COCO models are trained at."""

UNDERSTOOD = (
    "one input (1, 3, H, W) of float32 or float16 and one output: YOLOX (1, N, 5+C) undecoded, "
    "Ultralytics (1, 4+C, N), or end to end (1, K, 6)"
)


class HeadLayout(StrEnum):
    """How the output is laid out; the module says what each means."""

    YOLOX = "yolox"
    ULTRALYTICS = "ultralytics"
    END_TO_END = "end_to_end"


class Runner(Protocol):
    """Computes one model, on several threads at a time."""

    def run(self, blob: NDArray[Any]) -> NDArray[np.float32]:
        """The output for ``blob`` of the declared type, with its batch axis. Raises InferenceFailed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A model that has run once: what computes it, how to feed it and how to read it."""

    path: Path
    sha256: str
    runner: Runner
    half: bool
    width_px: int
    height_px: int
    layout: HeadLayout
    classes: ClassTable

    def run(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """The output for ``blob`` (1, 3, height_px, width_px) without its batch axis, float32.

        Raises InferenceFailed when the runtime does.
        """
        output: NDArray[np.float32] = self.runner.run(blob.astype(np.float16) if self.half else blob)[0]
        return output


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    name: str
    half: bool
    width_px: int | None
    height_px: int | None


def load_weights(
    path: Path,
    *,
    input_size: tuple[int, int] | None = None,
    class_names: Sequence[str] | None = None,
    expected_sha256: str | None = None,
    threads: int = 1,
    inference: Inference = Inference.ONNXRUNTIME,
) -> Weights:
    """The model in ``path``, run once on a grey picture to see that it works and what it gives.

    ``input_size`` is (width, height) in pixels; None takes the graph's own. A graph of fixed size is given
    another one in memory where its head allows it. ``class_names`` are used where the file names no classes;
    80 unnamed ones are COCO's. ``threads`` are those of one inference, computed by ``inference``; whether the model is one
    that we understand is told by ONNX Runtime in any case.

    Raises WeightsMissing, WeightsUnsupported, WeightsHashMismatch, WeightsDamaged, HeadUnknown, ClassesWrong or
    InputSizeWrong.
    """
    model = _read(path)
    sha256 = hashlib.sha256(model).hexdigest()
    if expected_sha256 is not None and sha256 != expected_sha256.lower():
        raise WeightsHashMismatch(path, expected_sha256.lower(), sha256)
    session = _open(path, model, threads)
    metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    if metadata.get("task", "detect") != "detect":
        raise HeadUnknown(
            path, f"a model for the task {metadata['task']!r}, not 'detect'", _shapes(session.get_outputs())
        )
    declared = _declared_input(path, session)
    width_px, height_px = _input_size(path, declared, metadata, input_size)
    own = (declared.width_px or width_px, declared.height_px or height_px)
    output = _probe(path, session, declared, *own)
    layout = _layout(path, output, *own, metadata)
    if own != (width_px, height_px):
        model, session = _resized(path, model, declared, width_px, height_px, layout, threads)
        output = _probe(path, session, declared, width_px, height_px)
        if _layout(path, output, width_px, height_px, metadata) is not layout:
            raise InputSizeWrong(path, width_px, height_px, "the resized graph gives another output")
    classes = _classes(path, layout, output, metadata, class_names)
    runner: Runner = _OnnxRunner(path, session, declared.name)
    if inference is Inference.OPENVINO:
        runner = OpenVinoRunner(path, model, threads)
        if runner.run(_grey(declared, width_px, height_px)).shape != output.shape:
            raise WeightsUnsupported(path, "OpenVINO gives another output than ONNX Runtime")
    return Weights(
        path=path,
        sha256=sha256,
        runner=runner,
        half=declared.half,
        width_px=width_px,
        height_px=height_px,
        layout=layout,
        classes=classes,
    )


def _read(path: Path) -> bytes:
    if path.suffix.lower() in (".pt", ".pth"):
        raise WeightsUnsupported(
            path,
            "PyTorch weights need the extra: pip install 'stopline[ultralytics]'; "
            "or export them to ONNX (yolo export model=... format=onnx) and give the .onnx file",
        )
    try:
        model = path.read_bytes()
    except FileNotFoundError as exc:
        raise WeightsMissing(path, "there is no such file") from exc
    except OSError as exc:
        raise WeightsMissing(path, f"it cannot be read: {exc.strerror}") from exc
    if not model:
        raise WeightsDamaged(path, "the file is empty; expected an ONNX model")
    return model


def _open(path: Path, model: bytes, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait take the cores from the other models (plate_graph.py has the figures).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # onnxruntime's errors have no common base of their own
        raise WeightsDamaged(path, f"not an ONNX model that onnxruntime can load: {first_line(exc)}") from exc


def _declared_input(path: Path, session: ort.InferenceSession) -> _Input:
    inputs = session.get_inputs()
    found = f"inputs {_shapes(inputs)}, outputs {_shapes(session.get_outputs())}"
    if len(inputs) != 1 or len(session.get_outputs()) != 1:
        raise HeadUnknown(path, f"understood is {UNDERSTOOD}", found)
    shape, kind = inputs[0].shape, inputs[0].type
    if len(shape) != 4 or kind not in ("tensor(float)", "tensor(float16)"):
        raise HeadUnknown(path, f"understood is {UNDERSTOOD}", found)
    batch, channels, height, width = (size if isinstance(size, int) else None for size in shape)
    if batch not in (None, 1) or channels not in (None, 3):
        raise HeadUnknown(path, f"understood is {UNDERSTOOD}", found)
    return _Input(name=inputs[0].name, half=kind == "tensor(float16)", width_px=width, height_px=height)


def _input_size(
    path: Path, declared: _Input, metadata: Mapping[str, str], wanted: tuple[int, int] | None
) -> tuple[int, int]:
    if wanted is None:
        trained = _literal(metadata.get("imgsz"))
        default = (trained[1], trained[0]) if _is_int_pair(trained) else DEFAULT_SIZE
        return (declared.width_px or default[0], declared.height_px or default[1])
    stride = _literal(metadata.get("stride"))
    stride = stride if isinstance(stride, int) and stride > 0 else max(STRIDES)
    for size in wanted:
        if size <= 0 or size % stride:
            nearest = max(stride, round(size / stride) * stride)
            raise InputSizeWrong(
                path, *wanted, f"each side must be a multiple of {stride}, such as {nearest} for {size}"
            )
    return wanted


def _probe(
    path: Path, session: ort.InferenceSession, declared: _Input, width_px: int, height_px: int
) -> NDArray[np.float32]:
    """The output for a grey picture, with its batch axis."""
    try:
        output = _OnnxRunner(path, session, declared.name).run(_grey(declared, width_px, height_px))
    except InferenceFailed as exc:
        raise InputSizeWrong(
            path, width_px, height_px, f"the graph does not run at this size: {exc.message}"
        ) from exc
    if not np.isfinite(output).all():
        raise WeightsDamaged(path, "it gives values that are not finite for a grey picture")
    return output


def _grey(declared: _Input, width_px: int, height_px: int) -> NDArray[Any]:
    return np.full((1, 3, height_px, width_px), 0.447, np.float16 if declared.half else np.float32)


@dataclass(frozen=True, slots=True)
class _OnnxRunner:
    """A Runner on a session of ONNX Runtime."""

    path: Path
    session: ort.InferenceSession
    input_name: str

    def run(self, blob: NDArray[Any]) -> NDArray[np.float32]:
        try:
            output = self.session.run(None, {self.input_name: blob})[0]
        except Exception as exc:  # onnxruntime's errors have no common base of their own
            raise InferenceFailed(self.path, first_line(exc)) from exc
        return np.asarray(output, dtype=np.float32)


def _layout(
    path: Path, output: NDArray[np.float32], width_px: int, height_px: int, metadata: Mapping[str, str]
) -> HeadLayout:
    """The layout of ``output`` for an input of this size, judged by its shape; a tie is for the metadata to break."""
    cells = sum((width_px // stride) * (height_px // stride) for stride in STRIDES)
    shape = output.shape
    from_ultralytics = "names" in metadata and "task" in metadata
    if len(shape) == 3 and shape[0] == 1:
        if shape[1] == cells and shape[2] >= 6 and not from_ultralytics:
            if float(np.median(np.abs(output[0, :, :2]))) > max(STRIDES):
                raise HeadUnknown(
                    path,
                    "a YOLOX head whose boxes are decoded in the graph; export it without --decode_in_inference",
                    str(shape),
                )
            return HeadLayout.YOLOX
        if shape[2] == cells and shape[1] >= 5:
            return HeadLayout.ULTRALYTICS
        if shape[2] == 6:
            return HeadLayout.END_TO_END
    raise HeadUnknown(
        path,
        f"understood is {UNDERSTOOD}, with N = {cells} at {width_px}x{height_px}",
        f"an output of shape {shape}",
    )


def _resized(
    path: Path,
    model: bytes,
    declared: _Input,
    width_px: int,
    height_px: int,
    layout: HeadLayout,
    threads: int,
) -> tuple[bytes, ort.InferenceSession]:
    """The model, its graph declared to take this size, and a session of it.

    Only an undecoded head may be resized: in the others the exporter has baked the anchor points of one size
    into the graph, and a graph of as many points but another shape would run and give wrong boxes.
    """
    fixed = f"the graph, fixed at {declared.width_px}x{declared.height_px}, "
    if layout is not HeadLayout.YOLOX:
        fixed += f"decodes its boxes for that size; export it again with imgsz={height_px},{width_px} or dynamic=True"
        raise InputSizeWrong(path, width_px, height_px, fixed)
    try:
        resized = with_input_size(model, declared.name, width_px, height_px)
        return resized, _open(path, resized, threads)
    except (WeightsDamaged, ValueError) as exc:
        raise InputSizeWrong(path, width_px, height_px, fixed + "cannot be resized") from exc


def _classes(
    path: Path,
    layout: HeadLayout,
    output: NDArray[np.float32],
    metadata: Mapping[str, str],
    given: Sequence[str] | None,
) -> ClassTable:
    count = {
        HeadLayout.YOLOX: output.shape[2] - 5,
        HeadLayout.ULTRALYTICS: output.shape[1] - 4,
        HeadLayout.END_TO_END: None,
    }[layout]
    names = _names(metadata) or (tuple(given) if given else None)
    if names is None and count == len(COCO_NAMES):
        names = COCO_NAMES
    if names is None:
        what = "an unknown number of" if count is None else str(count)
        raise ClassesWrong(
            path, f"{what} classes without names; give class_names in the order of the model", ()
        )
    if count is not None and count != len(names):
        raise ClassesWrong(
            path, f"{count} class outputs but {len(names)} class names: {', '.join(names)}", names
        )
    table = class_table(names)
    if not table.columns:
        raise ClassesWrong(
            path,
            f"none of its classes is one of {', '.join(ObjectClass)}; it knows {', '.join(names)}",
            names,
        )
    return table


def _names(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """The names in Ultralytics' metadata: the text of a dict from 0 upwards, or of a list."""
    names = _literal(metadata.get("names"))
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        return tuple(str(names[column]) for column in range(len(names)))
    return tuple(map(str, names)) if isinstance(names, list) else None


def _literal(text: str | None) -> Any:
    """The value of a Python literal, None where ``text`` is none."""
    try:
        return None if text is None else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _is_int_pair(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(v, int) and v > 0 for v in value)
    )


def _shapes(values: Sequence[ort.NodeArg]) -> str:
    return ", ".join(f"{value.name} {tuple(value.shape)} {value.type}" for value in values)
