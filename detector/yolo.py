"""Finds road users with a YOLO model: letterbox, inference, decoding, suppression, riders joined."""

from __future__ import annotations

import numpy as np

from detector.detection import Detection
from detector.errors import InferenceFailed
from detector.picture import Picture
from detector.postprocess import Decoder, suppress
from detector.preprocess import Letterbox
from detector.riders import join_riders
from detector.weights import HeadLayout, Weights


class YoloDetector:
    """A Detector on one model. It reuses its buffers: one instance per thread."""

    def __init__(self, weights: Weights, *, least_score: float = 0.1, most_overlap: float = 0.5) -> None:
        """``least_score`` (0..1) is what the tracker may still use to carry a track on (ByteTrack's lower
        threshold); ``most_overlap`` is the intersection over union above which two boxes are one road user.
        """
        self._weights = weights
        self._least_score = least_score
        self._most_overlap = most_overlap
        yolox = weights.layout is HeadLayout.YOLOX
        self._letterbox = Letterbox(
            weights.width_px, weights.height_px, centred=not yolox, rgb=not yolox, unit_range=not yolox
        )
        self._decode = Decoder(weights.layout, weights.width_px, weights.height_px, weights.classes.columns)

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        """Everyone found in ``picture``, riders and machines joined, best score first.

        Raises InferenceFailed when the model fails or gives values that are not finite.
        """
        blob, fit = self._letterbox(picture.bgr())
        output = self._weights.run(blob)
        try:
            found = self._decode(output, self._least_score)
        except FloatingPointError as exc:
            raise InferenceFailed(self._weights.path, f"the model gave {exc}") from exc
        classes = self._weights.classes.classes
        keep = suppress(found, classes, self._most_overlap)
        offset = np.array([fit.left_px, fit.top_px] * 2, np.float32)
        scale = np.array([fit.scale_x, fit.scale_y] * 2, np.float32)
        limit = np.array([picture.width, picture.height] * 2, np.float32)
        boxes = np.clip((found.boxes[keep] - offset) / scale, 0, limit)
        detections = [
            Detection(
                object_class=classes[index],
                box_px=(box[0], box[1], box[2], box[3]),
                score=score,
                class_score=score,
            )
            for box, score, index in zip(
                boxes.tolist(), found.scores[keep].tolist(), found.indices[keep].tolist(), strict=True
            )
            if box[0] < box[2] and box[1] < box[3]
        ]
        return join_riders(detections)
