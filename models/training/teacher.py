"""Frames of a clip, labelled by a teacher model: its sure boxes are labels, its unsure ones are left out of the loss."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detector.weights import load_weights
from models.evaluate import Boxes as Found
from models.evaluate import Finder
from models.training.data import Picture, TrainingDataMissing, admit, bits, fitted, read_refused


def read_clip(clip: Mapping[str, Any], recipe: Mapping[str, Any], root: Path, cache: Path) -> list[Picture]:
    """Every so many-th frame of one entry of the recipe's ``clips``; what the teacher said is kept in ``cache``.

    Raises TrainingDataMissing or TrainingDataRefused.
    """
    path = root / clip["path"]
    if not path.is_file():
        raise TrainingDataMissing(path, "no such clip; it is part of the shared material beside the checkout")
    content = path.read_bytes()
    admit(path, content, read_refused())
    teacher = recipe["teacher"]
    key = hashlib.sha256(
        content + repr((sorted(teacher.items()), clip["every"], clip["input_px"])).encode()
    ).hexdigest()[:16]
    kept = cache / f"teacher-{path.stem}-{key}.npz"
    frames = _frames(path, clip["every"])
    if not kept.is_file():
        weights = load_weights(root / teacher["weights"], input_size=(clip["input_px"], clip["input_px"]))
        finder = Finder(weights, least_score=teacher["unsure"])
        said = [finder(frame) for frame in frames]
        np.savez(kept.with_suffix(".part.npz"), *[_row(found) for found in said])
        kept.with_suffix(".part.npz").replace(kept)
    with np.load(kept) as saved:
        rows = [saved[name] for name in saved.files]
    names = recipe["classes"]
    pictures = []
    for frame, row in zip(frames, rows, strict=True):
        sure = row[:, 4] >= teacher["sure"]
        meaning = np.array([1 << int(index) for index in row[:, 5]], np.int64)
        pictures.append(
            fitted(
                frame,
                row[:, :4].astype(np.float32),
                np.where(sure, meaning, 0),
                side_px=recipe["cache_side_px"],
                labelled=bits(clip["labelled"], names),
                weight=clip["weight"],
                source=path.stem,
            )
        )
    return pictures


def _row(found: Found) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(K, 6): box, score, class number."""
    return np.concatenate((found.boxes, found.scores[:, None], found.classes[:, None]), 1).astype(np.float32)


def _frames(path: Path, every: int) -> list[Any]:
    clip, frames, number = cv2.VideoCapture(str(path)), [], 0
    while clip.grab():
        if number % every == 0:
            frames.append(clip.retrieve()[1])
        number += 1
    clip.release()
    return frames
