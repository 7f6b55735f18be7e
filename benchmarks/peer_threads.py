"""Holds a peer to one thread, as Stopline's contenders are: none may buy wall time with processor time."""

from __future__ import annotations

import os
from typing import Any


def one_thread() -> None:
    """OpenMP, OpenCV and every later session of ONNX Runtime compute on the thread that asks. Call it first."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
    import cv2
    import onnxruntime

    cv2.setNumThreads(1)
    opened = onnxruntime.InferenceSession

    class OneThread(opened):  # type: ignore[misc,valid-type]
        """A session whose options its maker need not know."""

        def __init__(self, model: Any, options: Any = None, *others: Any, **named: Any) -> None:
            options = onnxruntime.SessionOptions() if options is None else options
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            super().__init__(model, options, *others, **named)

    onnxruntime.InferenceSession = OneThread
