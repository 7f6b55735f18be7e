"""Measures detectors on labelled pictures: average precision and recall at IoU 0.5, boxes taller than 6 % of the picture.

``python -m models.evaluate WEIGHTS.onnx ...`` prints the figures of each on the held-out real pictures of the shared
material (``detection/atl/valid`` and ``detection/open_images/valid``, any vehicle class), together, by set and by size, and
on the held-out rendered pictures where there are any (``python -m models.training.rendered`` makes them; class by class).
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from api.settings import load_settings
from detector.postprocess import Decoder, overlaps, suppress
from detector.preprocess import Letterbox
from detector.weights import HeadLayout, Weights, load_weights
from rules.observation import ObjectClass

CHECKOUT = Path(__file__).resolve().parents[1]
LEAST_HEIGHT = 0.06
HELD_OUT = ("atl/valid", "open_images/valid")
HEIGHTS = ((LEAST_HEIGHT, 0.12), (0.12, 0.25), (0.25, 1.01))
"""Share of the picture's height: small, middling and large boxes."""
CLASSES = tuple(ObjectClass(name) for name in ("car", "bus", "truck", "motorcycle", "bicycle", "person"))
UNCLEAR = len(CLASSES)
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
class Labelled:
    """What is in a picture: boxes (K, 4) xyxy 0..1 and their numbers into ``CLASSES`` (K,).

    ``UNCLEAR`` is the number of what does not count, whoever finds it or not.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]


Truths = Iterable[tuple[NDArray[np.uint8], Labelled]]
"""Pictures, blue-green-red (H, W, 3), and what is in them."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Labelled pictures in files, read anew each time they are gone through."""

    files: tuple[tuple[Path, Labelled], ...]

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], Labelled]]:
        for path, labelled in self.files:
            bgr = cv2.imread(str(path))
            if bgr is None:
                raise FileNotFoundError(path)
            yield np.asarray(bgr, np.uint8), labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """``ap50`` is the area under the precision-recall curve made monotone; ``recall`` the most at precision 0.6."""

    ap50: float
    recall: float
    boxes: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """``mean_ap50`` over the classes that there are; ``ap50`` and ``boxes`` of each of them."""

    mean_ap50: float
    ap50: tuple[tuple[ObjectClass, float], ...]
    boxes: tuple[tuple[ObjectClass, int], ...]
    pictures: int


def held_out(shared: Path, folders: Sequence[str] = HELD_OUT) -> Folder:
    """The held-out real pictures; every label in them is a vehicle."""
    files = []
    for folder in folders:
        for path in sorted((shared / "detection" / folder / "images").iterdir()):
            boxes = _labels(shared / "detection" / folder / "labels" / f"{path.stem}.txt").boxes
            files.append((path, Labelled(boxes=boxes, classes=np.zeros(len(boxes), np.int64))))
    return Folder(tuple(files))


def rendered(folder: Path) -> Folder:
    """The pictures in ``folder``, labelled with numbers into ``CLASSES`` and ``UNCLEAR``."""
    paths = sorted((folder / "images").glob("*.jpg"))
    return Folder(tuple((path, _labels(folder / "labels" / f"{path.stem}.txt")) for path in paths))


def _labels(path: Path) -> Labelled:
    """What a YOLO text says."""
    rows = np.loadtxt(path, np.float32, ndmin=2) if path.stat().st_size else np.zeros((0, 5), np.float32)
    centres, halves = rows[:, 1:3], rows[:, 3:5] / 2
    return Labelled(
        boxes=np.concatenate((centres - halves, centres + halves), 1), classes=rows[:, 0].astype(np.int64)
    )


def measure(
    finder: Callable[[NDArray[np.uint8]], Boxes],
    truths: Truths,
    heights: tuple[float, float] = (LEAST_HEIGHT, 1.01),
) -> Figures:
    """The figures of a model on ``truths``, whatever vehicle class it names.

    Counted are labels whose height is between ``heights``; a finding that fits only another label, or has itself another
    height and fits none, is left out, and so are persons.
    """
    scores, hits, total, pictures = [], [], 0, 0
    person = CLASSES.index(ObjectClass.PERSON)
    for truth, found in _findings(finder, truths):
        pictures += 1
        vehicles = found.classes != person
        tall = _between(truth.boxes, heights)
        counted = tall & (truth.classes != UNCLEAR) & (truth.classes != person)
        total += int(counted.sum())
        for score, hit in _judged(
            found.boxes[vehicles], found.scores[vehicles], truth.boxes, counted, heights
        ):
            scores.append(score)
            hits.append(hit)
    return Figures(
        **_areas(np.array(scores, np.float64), np.array(hits, bool), total), boxes=total, pictures=pictures
    )


def measure_classes(finder: Callable[[NDArray[np.uint8]], Boxes], truths: Truths) -> ClassFigures:
    """The figures of a model on ``truths`` for each class by itself; labels that are unclear or small count for nobody."""
    heights = (LEAST_HEIGHT, 1.01)
    scores: list[list[float]] = [[] for _ in CLASSES]
    hits: list[list[bool]] = [[] for _ in CLASSES]
    totals, pictures = [0 for _ in CLASSES], 0
    for truth, found in _findings(finder, truths):
        pictures += 1
        for number in range(len(CLASSES)):
            own = (truth.classes == number) | (truth.classes == UNCLEAR)
            counted = _between(truth.boxes[own], heights) & (truth.classes[own] == number)
            totals[number] += int(counted.sum())
            mine = found.classes == number
            for score, hit in _judged(
                found.boxes[mine], found.scores[mine], truth.boxes[own], counted, heights
            ):
                scores[number].append(score)
                hits[number].append(hit)
    there = [number for number, total in enumerate(totals) if total]
    ap50 = {
        number: _areas(np.array(scores[number], np.float64), np.array(hits[number], bool), totals[number])[
            "ap50"
        ]
        for number in there
    }
    return ClassFigures(
        mean_ap50=float(np.mean(list(ap50.values()))) if ap50 else 0.0,
        ap50=tuple((CLASSES[number], ap50[number]) for number in there),
        boxes=tuple((CLASSES[number], totals[number]) for number in there),
        pictures=pictures,
    )


def _findings(
    finder: Callable[[NDArray[np.uint8]], Boxes], truths: Truths
) -> Iterator[tuple[Labelled, Boxes]]:
    """What is found in each picture, boxes 0..1."""
    for bgr, truth in truths:
        found = finder(bgr)
        size = np.array([bgr.shape[1], bgr.shape[0]] * 2, np.float32)
        yield truth, replace(found, boxes=found.boxes / size)


def _between(boxes: NDArray[np.float32], heights: tuple[float, float]) -> NDArray[np.bool_]:
    """Which boxes are taller than the first and not taller than the second."""
    tall = boxes[:, 3] - boxes[:, 1]
    return np.asarray((tall > heights[0]) & (tall <= heights[1]), bool)


def _judged(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    truth: NDArray[np.float32],
    counted: NDArray[np.bool_],
    heights: tuple[float, float],
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
        elif _between(boxes[row : row + 1], heights)[0]:
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
    parser.add_argument(
        "--rendered",
        type=Path,
        help="folder of held-out rendered pictures; <cache>/train/rendered_valid unless told",
    )
    chosen = parser.parse_args(arguments)
    real = held_out(chosen.shared)
    sets = {folder: held_out(chosen.shared, [folder]) for folder in HELD_OUT}
    drawn = rendered(chosen.rendered or load_settings().cache / "train" / "rendered_valid")
    for path in chosen.weights:
        size = (chosen.size, chosen.size) if chosen.size else None
        finder = _remembering(Finder(load_weights(path, input_size=size)))
        print(_line(path.name, measure(finder, real)))
        for folder, truths in sets.items():
            print(_line(f"  {folder}", measure(finder, truths)))
        for low, high in HEIGHTS:
            print(
                _line(f"  {low:.0%} to {min(high, 1):.0%} of the height", measure(finder, real, (low, high)))
            )
        if drawn.files:
            figures = measure_classes(finder, drawn)
            parts = ", ".join(
                f"{which} {ap50:.3f} ({boxes})"
                for (which, ap50), (_, boxes) in zip(figures.ap50, figures.boxes, strict=True)
            )
            print(f"  rendered: mAP50 {figures.mean_ap50:.3f} in {figures.pictures} pictures: {parts}")
            print(_line("  rendered, any vehicle class", measure(finder, drawn)))
    return 0


def _remembering(finder: Finder) -> Callable[[NDArray[np.uint8]], Boxes]:
    """The finder, asked only once about each picture."""
    seen: dict[bytes, Boxes] = {}

    def find(bgr: NDArray[np.uint8]) -> Boxes:
        key = hashlib.sha256(bgr.tobytes()).digest()
        if key not in seen:
            seen[key] = finder(bgr)
        return seen[key]

    return find


def _line(name: str, figures: Figures) -> str:
    return (
        f"{name}: AP50 {figures.ap50:.3f}, recall at precision {AT_PRECISION} {figures.recall:.3f} "
        f"({figures.boxes} boxes in {figures.pictures} pictures)"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
