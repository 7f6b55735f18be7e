"""What may compute a detection model."""

from __future__ import annotations

from enum import StrEnum


class Inference(StrEnum):
    """What computes a detection model."""

    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
