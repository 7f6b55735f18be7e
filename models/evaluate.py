"""Measures detectors on labelled pictures: average precision and recall, at IoU 0.5, any vehicle class.

``python -m models.evaluate WEIGHTS.onnx ...`` prints the figures of each on the held-out real pictures of the shared
material (``detection/atl/valid`` and ``detection/open_images/valid``, boxes taller than 6 % of the picture).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.postprocess import Decoder, overlaps, suppress
from detector.preprocess import Letterbox
from detector.weights import HeadLayout, Weights, load_weights
from rules.observation import ObjectClass

CHECKOUT = Path(__file__).resolve().parents[1]
HELD_OUT = ("atl/valid", "open_images/valid")
CLASSES = tuple(ObjectClass(name) for name in ("car", "bus", "truck", "motorcycle", "bicycle", "person"))
LEAST_HEIGHT = 0.06
LEAST_SCORE = 0.01
LEAST_OVERLAP = 0.5
AT_PRECISION = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """What was found in a picture: (K, 4) xyxy px of it, scores (K,), numbers into ``CLASSES`` (K,)."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]


class Finder:
    """What a model finds in single pictures, each part of a road user by itself: riders are not joined to machines.

    The parts are those of ``detector.yolo.YoloDetector``; labelled pictures box riders and machines apart.
    """

    def __init__(
        self, weights: Weights, *, least_score: float = LEAST_SCORE, most_overlap: float = 0.5
    ) -> None:
        yolox = weights.layout is HeadLayout.YOLOX
        self._weights, self._least_score, self._most_overlap = weights, least_score, most_overlap
        self._letterbox = Letterbox(
            weights.width_px, weights.height_px, centred=not yolox, rgb=not yolox, unit_range=not yolox
        )
        self._decode = Decoder(weights.layout, weights.width_px, weights.height_px, weights.classes.columns)
        self._numbers = np.array([CLASSES.index(c) for c in weights.classes.classes], np.int64)

    def __call__(self, bgr: NDArray[np.uint8]) -> Boxes:
        """What is in ``bgr`` (H, W, 3), best score first. Raises InferenceFailed or FloatingPointError."""
        blob, fit = self._letterbox(bgr)
        found = self._decode(self._weights.run(blob), self._least_score)
        keep = suppress(found, self._weights.classes.classes, self._most_overlap)
        offset = np.array([fit.left_px, fit.top_px] * 2, np.float32)
        scale = np.array([fit.scale_x, fit.scale_y] * 2, np.float32)
        limit = np.array([bgr.shape[1], bgr.shape[0]] * 2, np.float32)
        return Boxes(
            boxes=np.clip((found.boxes[keep] - offset) / scale, 0, limit).astype(np.float32),
            scores=found.scores[keep],
            classes=self._numbers[found.indices[keep]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A labelled picture: its file and the boxes (K, 4) xyxy 0..1 of the vehicles in it."""

    picture: Path
    boxes: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """``ap50`` is the area under the precision-recall curve made monotone; ``recall`` the most at precision 0.6."""

    ap50: float
    recall: float
    boxes: int
    pictures: int


def held_out(shared: Path) -> Iterator[Truth]:
    """The held-out real pictures; every label in them is a vehicle."""
    for folder in HELD_OUT:
        for picture in sorted((shared / "detection" / folder / "images").iterdir()):
            labels = shared / "detection" / folder / "labels" / f"{picture.stem}.txt"
            rows = (
                np.loadtxt(labels, np.float32, ndmin=2)
                if labels.stat().st_size
                else np.zeros((0, 5), np.float32)
            )
            centres, halves = rows[:, 1:3], rows[:, 3:5] / 2
            yield Truth(picture=picture, boxes=np.concatenate((centres - halves, centres + halves), 1))


def measure(finder: Callable[[NDArray[np.uint8]], Boxes], truths: Sequence[Truth]) -> Figures:
    """The figures of a model on ``truths``.

    Counted are labels taller than ``LEAST_HEIGHT``; a finding that fits only a smaller label, or is itself that small
    and fits none, is left out, and so are persons.
    """
    scores, hits, total = [], [], 0
    for truth in truths:
        bgr = cv2.imread(str(truth.picture))
        if bgr is None:
            raise FileNotFoundError(truth.picture)
        found = finder(np.asarray(bgr, np.uint8))
        vehicles = found.classes != CLASSES.index(ObjectClass.PERSON)
        size = np.array([bgr.shape[1], bgr.shape[0]] * 2, np.float32)
        counted = truth.boxes[:, 3] - truth.boxes[:, 1] > LEAST_HEIGHT
        total += int(counted.sum())
        for score, hit in _judged(found.boxes[vehicles] / size, found.scores[vehicles], truth.boxes, counted):
            scores.append(score)
            hits.append(hit)
    return Figures(
        **_areas(np.array(scores, np.float64), np.array(hits, bool), total), boxes=total, pictures=len(truths)
    )


def _judged(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    truth: NDArray[np.float32],
    counted: NDArray[np.bool_],
) -> Iterator[tuple[float, bool]]:
    """Score of each finding that counts, and whether it found a label nobody had found; best score first."""
    fit = overlaps(boxes, truth) if len(truth) else np.zeros((len(boxes), 0), np.float32)
    free = np.ones(len(truth), bool)
    for row in np.argsort(-scores, kind="stable"):
        open_fit = np.where(free, fit[row], 0)
        best = np.where(counted, open_fit, 0)
        if len(truth) and best.max() >= LEAST_OVERLAP:
            free[best.argmax()] = False
            yield float(scores[row]), True
        elif len(truth) and open_fit.max() >= LEAST_OVERLAP:
            free[open_fit.argmax()] = False
        elif boxes[row, 3] - boxes[row, 1] > LEAST_HEIGHT:
            yield float(scores[row]), False


def _areas(scores: NDArray[np.float64], hits: NDArray[np.bool_], total: int) -> dict[str, float]:
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(hits[order])
    precision = found / np.arange(1, len(found) + 1)
    recall = found / max(total, 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    ap50 = float(np.sum(np.diff(recall, prepend=0.0) * best_from_here))
    reached = recall[precision >= AT_PRECISION]
    return {"ap50": ap50, "recall": float(reached.max(initial=0.0))}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("--shared", type=Path, default=CHECKOUT.parent / "shared")
    parser.add_argument("--size", type=int, help="width and height of the input, instead of the model's own")
    chosen = parser.parse_args(arguments)
    truths = list(held_out(chosen.shared))
    for path in chosen.weights:
        size = (chosen.size, chosen.size) if chosen.size else None
        figures = measure(Finder(load_weights(path, input_size=size)), truths)
        print(
            f"{path.name}: AP50 {figures.ap50:.3f}, recall at precision {AT_PRECISION} {figures.recall:.3f} "
            f"({figures.boxes} boxes in {figures.pictures} pictures)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
