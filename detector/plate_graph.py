"""Opens the two graphs of the plate reader and runs them, with every failure named by file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from detector.errors import HeadUnknown, InferenceFailed, WeightsDamaged, WeightsMissing, first_line

Floats = NDArray[np.float32]


class PlateGraph:
    """An ONNX graph of one float32 picture input (1, 3, height, width) and float32 outputs."""

    def __init__(self, path: Path, threads: int, outputs: int) -> None:
        """Open ``path`` with ``threads`` threads an inference.

        Raises WeightsMissing, WeightsDamaged, or HeadUnknown where the graph has not one such input or another
        number of outputs.
        """
        self.path = path
        try:
            model = path.read_bytes()
        except OSError as exc:
            raise WeightsMissing(
                path, f"it cannot be read: {exc.strerror or exc}; 'stopline models pull'"
            ) from exc
        self.sha256 = hashlib.sha256(model).hexdigest()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait by spinning take the cores from the road-user model: with both on two cores a step
        # of one detection and two readings took 180 ms of computing, and 50 ms without spinning (measured).
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # onnxruntime's errors have no common base of their own
            raise WeightsDamaged(
                path, f"not an ONNX model that onnxruntime can load: {first_line(exc)}"
            ) from exc
        inputs, found = self._session.get_inputs(), self._session.get_outputs()
        shapes = ", ".join(f"{node.name} {node.type} {node.shape}" for node in (*inputs, *found))
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            raise HeadUnknown(path, "expected one float32 input (1, 3, height, width)", shapes)
        if len(found) != outputs:
            raise HeadUnknown(path, f"expected {outputs} output(s)", shapes)
        self._input = inputs[0].name

    def run(self, blob: Floats) -> list[Floats]:
        """The outputs for ``blob`` (1, 3, height, width), without their batch axis.

        Raises InferenceFailed where the runtime does, or where a value is not finite.
        """
        try:
            outputs = self._session.run(None, {self._input: blob})
        except Exception as exc:  # onnxruntime's errors have no common base of their own
            raise InferenceFailed(self.path, first_line(exc)) from exc
        arrays = [np.asarray(output, np.float32) for output in outputs]
        if any(array.ndim == 0 or array.shape[0] != 1 for array in arrays):
            raise HeadUnknown(
                self.path, "expected outputs of batch 1", str([array.shape for array in arrays])
            )
        if not all(np.isfinite(array).all() for array in arrays):
            raise InferenceFailed(self.path, "the model gave values that are not finite")
        return [array[0] for array in arrays]
