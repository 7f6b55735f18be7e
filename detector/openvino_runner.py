"""Runs detection models by OpenVINO (the extra ``[openvino]``): in bfloat16 where the processor computes in it."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import InferenceFailed, WeightsUnsupported, first_line


class OpenVinoRunner:
    """A Runner on a compiled model; each thread that calls it has a request of its own."""

    def __init__(self, path: Path, model: bytes, threads: int) -> None:
        """``path`` names the ONNX file ``model`` in errors. Raises WeightsUnsupported without the extra, or if it cannot load it.

        bfloat16 where the processor has it, else float32. No thread is bound to a core: the workers share them.
        """
        # The package else keeps a client id under the home folder and reports to its maker; it has a stub for this case.
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None is how Python bars a module
        try:
            import openvino
        except ImportError as exc:
            raise WeightsUnsupported(
                path, "STOPLINE_INFERENCE=openvino needs the extra: pip install 'stopline[openvino]'"
            ) from exc
        self._path = path
        self._of_thread = threading.local()
        options = {
            "INFERENCE_PRECISION_HINT": "bf16",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
        }
        try:
            core = openvino.Core()
            self._compiled: Any = core.compile_model(core.read_model(model), "CPU", options)
        except Exception as exc:  # openvino's errors have no common base of their own
            raise WeightsUnsupported(path, f"OpenVINO cannot load it: {first_line(exc)}") from exc

    def run(self, blob: NDArray[Any]) -> NDArray[np.float32]:
        """The output with its batch axis. Raises InferenceFailed."""
        try:
            request = getattr(self._of_thread, "request", None)
            if request is None:
                request = self._of_thread.request = self._compiled.create_infer_request()
            output = request.infer({0: blob}, share_inputs=True)[0]
        except Exception as exc:  # openvino's errors have no common base of their own
            raise InferenceFailed(self._path, first_line(exc)) from exc
        return np.asarray(output, dtype=np.float32)
