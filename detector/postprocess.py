"""Turns the raw output of a head into boxes, and drops those that show the same road user again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.weights import STRIDES, HeadLayout
from rules.observation import ObjectClass

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

MOST_CANDIDATES = 1000
"""Boxes, best first, that enter suppression; a crowded road has some hundreds."""

_FAMILIES = (
    frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK}),
    frozenset({ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE}),
    frozenset({ObjectClass.PERSON}),
)
"""Classes that a model takes for one another: two of a family at one place are one road user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Boxes (K, 4) xyxy in input pixels, their scores (K,) 0..1, and each one's index into the class list (K,)."""

    boxes: Floats
    scores: Floats
    indices: Ints


class Decoder:
    """Reads one layout at one input size; ``columns`` are the class columns that are ours."""

    def __init__(self, layout: HeadLayout, width_px: int, height_px: int, columns: Sequence[int]) -> None:
        self._layout = layout
        self._columns = np.asarray(columns, np.intp)
        self._origins, self._steps = _grid(width_px, height_px)
        self._index_of_column = np.full(max(columns) + 1, -1, np.intp)
        self._index_of_column[self._columns] = np.arange(len(columns))

    def __call__(self, output: Floats, least_score: float) -> Candidates:
        """The candidates of ``output`` (without batch axis) whose score is at least ``least_score``.

        A box takes the best of our classes; only in an end-to-end output the graph has chosen among all of its
        own, and rows of classes that are not ours are dropped. Raises FloatingPointError when a score or a
        candidate's box is not finite.
        """
        match self._layout:
            case HeadLayout.YOLOX:
                found = self._yolox(output, least_score)
            case HeadLayout.ULTRALYTICS:
                found = self._ultralytics(output, least_score)
            case HeadLayout.END_TO_END:
                found = self._end_to_end(output, least_score)
        if not np.isfinite(found.boxes).all():
            raise FloatingPointError("a box that is not finite")
        return found

    def _yolox(self, output: Floats, least_score: float) -> Candidates:
        objectness = output[:, 4]
        rows = np.flatnonzero(_finite(objectness) >= least_score)
        scores, indices = _best(output[rows[:, None], 5 + self._columns] * objectness[rows, None])
        keep = scores >= least_score
        rows = rows[keep]
        steps = self._steps[rows, None]
        centres = (output[rows, 0:2] + self._origins[rows]) * steps
        with np.errstate(over="ignore"):
            sizes = np.exp(output[rows, 2:4]) * steps
        return Candidates(boxes=_corners(centres, sizes), scores=scores[keep], indices=indices[keep])

    def _ultralytics(self, output: Floats, least_score: float) -> Candidates:
        scores, indices = _best(_finite(output[4 + self._columns]).T)
        rows = np.flatnonzero(scores >= least_score)
        boxes = _corners(output[0:2, rows].T, output[2:4, rows].T)
        return Candidates(boxes=boxes, scores=scores[rows], indices=indices[rows])

    def _end_to_end(self, output: Floats, least_score: float) -> Candidates:
        rows = output[_finite(output[:, 4]) >= least_score]
        columns = rows[:, 5].astype(np.intp)
        known = (columns >= 0) & (columns < len(self._index_of_column))
        indices = np.where(known, self._index_of_column[np.where(known, columns, 0)], -1)
        keep = indices >= 0
        return Candidates(boxes=rows[keep, :4], scores=rows[keep, 4], indices=indices[keep])


def suppress(found: Candidates, classes: Sequence[ObjectClass], most_overlap: float) -> Ints:
    """The rows of ``found`` to keep, best score first (equal scores: lower row first).

    A box goes when one with a better score, of its class or of one that is taken for it (car, bus and truck;
    motorcycle and bicycle), overlaps it by more than ``most_overlap`` (intersection over union).
    """
    family = np.array([next(i for i, f in enumerate(_FAMILIES) if c in f) for c in classes], np.intp)
    order = np.argsort(-found.scores, kind="stable")[:MOST_CANDIDATES]
    boxes, families = found.boxes[order], family[found.indices[order]]
    alive = np.ones(len(order), bool)
    for row in range(len(order)):
        if alive[row]:
            overlap = overlaps(boxes[row : row + 1], boxes[row + 1 :])[0]
            alive[row + 1 :] &= (overlap <= most_overlap) | (families[row + 1 :] != families[row])
    return order[alive]


def overlaps(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Intersection over union of each box of ``a`` (K, 4) with each of ``b`` (L, 4), xyxy: (K, L), 0 for empty boxes."""
    wide = np.minimum(a[:, None, 2], b[:, 2]) - np.maximum(a[:, None, 0], b[:, 0])
    high = np.minimum(a[:, None, 3], b[:, 3]) - np.maximum(a[:, None, 1], b[:, 1])
    common = np.maximum(wide, 0) * np.maximum(high, 0)
    area_a = np.maximum(a[:, 2] - a[:, 0], 0) * np.maximum(a[:, 3] - a[:, 1], 0)
    area_b = np.maximum(b[:, 2] - b[:, 0], 0) * np.maximum(b[:, 3] - b[:, 1], 0)
    union = area_a[:, None] + area_b - common
    result: NDArray[np.floating] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return result


def _grid(width_px: int, height_px: int) -> tuple[Floats, Floats]:
    """Each cell's (column, row) (N, 2) and stride (N,): the grids one after another, each row by row."""
    origins, steps = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : height_px // stride, 0 : width_px // stride]
        origins.append(np.stack((columns.ravel(), rows.ravel()), axis=1))
        steps.append(np.full(rows.size, stride))
    return np.concatenate(origins).astype(np.float32), np.concatenate(steps).astype(np.float32)


def _best(scores: Floats) -> tuple[Floats, Ints]:
    """The best score of each row and its column."""
    indices = scores.argmax(axis=1)
    return scores[np.arange(len(scores)), indices], indices


def _corners(centres: Floats, sizes: Floats) -> Floats:
    half = sizes / 2
    return np.concatenate((centres - half, centres + half), axis=1)


def _finite(scores: Floats) -> Floats:
    if not np.isfinite(scores).all():
        raise FloatingPointError("a score that is not finite")
    return scores
