"""A detector that never saw the rendered clips finds their vehicles: recall of YOLOX-nano on the truth boxes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clip_frames import frames_at
from benchmarks.proof import Figures, Proof, Trial, Verdict
from detector.weights import Weights, load_weights
from detector.yolo import YoloDetector
from models.evaluate import held_out
from rules.geometry import iou
from rules.observation import VEHICLE_CLASSES, Box, FrameStamp

CLIPS = Path(__file__).resolve().parents[1] / "sample_videos"
SCORE = 0.25
FULL_FRAMES = 100
LEAST_HEIGHT, LEAST_VISIBLE, LEAST_IOU = 0.06, 0.5, 0.5
DAY = frozenset({"day", "afternoon", "overcast"})
REAL_PICTURES = 156
"""All held-out real pictures, beside which the figures of the rendered clips are told."""

LEAST_BY_DAY, LEAST_OTHERWISE = 0.80, 0.60
"""Share of the truth vehicles to be found, over all clips by day and over those at dusk, at night and in rain."""


class Still:
    """A picture that is not from a camera."""

    def __init__(self, bgr: NDArray[np.uint8]) -> None:
        self._bgr = bgr
        self.height, self.width = bgr.shape[:2]

    @property
    def stamp(self) -> FrameStamp:
        return FrameStamp(camera_id="cam", segment=0, index=0, media_s=0.0)

    def bgr(self) -> NDArray[np.uint8]:
        return self._bgr

    def planes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        raise NotImplementedError


def measure(
    weights: Weights, frames: Iterable[tuple[NDArray[np.uint8], Sequence[Sequence[Any]]]]
) -> tuple[int, int, list[float]]:
    """How many truth vehicles counted, how many were found, and the scores of those found."""
    detector = YoloDetector(weights)
    wanted, scores = 0, []
    for picture, rows in frames:
        high = picture.shape[0]
        found = [
            d
            for d in detector.detect(Still(picture))
            if d.score >= SCORE and d.object_class in VEHICLE_CLASSES
        ]
        for row in rows:
            box: Box = (row[2], row[3], row[4], row[5])
            if row[1] == "person" or row[5] - row[3] <= LEAST_HEIGHT * high or row[6] < LEAST_VISIBLE:
                continue
            wanted += 1
            best = max(
                (d for d in found if iou(d.box_px, box) >= LEAST_IOU), key=lambda d: d.score, default=None
            )
            if best is not None:
                scores.append(best.score)
    return wanted, len(scores), scores


def truth_rows(clip: str) -> list[list[list[Any]]]:
    """Per frame of the clip, the rows of what is in it."""
    lines = gzip.decompress((CLIPS / "frames" / f"{clip}.jsonl.gz").read_bytes()).decode().splitlines()
    return [json.loads(line) for line in lines[1:]]


def sampled(clip: str, count: int) -> Iterator[tuple[NDArray[np.uint8], list[list[Any]]]]:
    """``count`` frames of the clip, evenly spread, with their truth."""
    rows = truth_rows(clip)
    chosen = np.linspace(0, len(rows) - 1, count).round().astype(int).tolist()
    for number, frame in frames_at(CLIPS / f"{clip}.mp4", chosen):
        yield frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False), rows[number]


def real(shared: Path, count: int) -> Iterator[tuple[NDArray[np.uint8], list[list[Any]]]]:
    """The first held-out real pictures, with their labels as rows of vehicles in full view."""
    for picture, labelled in islice(held_out(shared), count):
        high, wide = picture.shape[:2]
        boxes = labelled.boxes * np.array([wide, high] * 2, np.float32)
        yield picture, [[number, "car", *box, 1.0] for number, box in enumerate(boxes.tolist())]


def prove(trial: Trial) -> Verdict:
    """Each clip on ``trial.size`` frames; judged over all clips by day together, and over the others together.

    A few frames cannot tell 0.79 from 0.80: below the full size the claim counts as refuted where the sample lies
    two standard errors under it. At full size it must hold as it stands.
    """
    truth = json.loads((CLIPS / "truth.json").read_text("utf-8"))
    weights = load_weights(trial.shared / "weights" / "yolox_nano.onnx")
    figures: dict[str, int | float | str | bool] = {}
    sums = {True: [0, 0], False: [0, 0]}
    mean_scores: list[tuple[int, float]] = []
    for name, entry in truth.items():
        if name.startswith("_"):
            continue
        clip = name.removesuffix(".mp4")

        def work(clip: str = clip) -> Figures:
            return _figures(measure(weights, sampled(clip, trial.size)))

        figure = trial.once(clip, work)
        mean_scores.append((int(figure["found"]), float(figure["mean_score"])))
        wanted, found = int(figure["wanted"]), int(figure["found"])
        figures[f"{clip}_recall"] = round(found / max(wanted, 1), 3)
        total = sums[entry["light"] in DAY]
        total[0] += wanted
        total[1] += found
    passed = True
    for by_day, least in ((True, LEAST_BY_DAY), (False, LEAST_OTHERWISE)):
        wanted, found = sums[by_day]
        figures["recall_by_day" if by_day else "recall_otherwise"] = round(found / max(wanted, 1), 3)
        doubt = 0.0 if trial.size >= FULL_FRAMES else 2.0 * (least * (1.0 - least) / max(wanted, 1)) ** 0.5
        passed = passed and found >= (least - doubt) * wanted
    beside = trial.once(
        "held-out real pictures",
        lambda: _figures(measure(weights, real(trial.shared, REAL_PICTURES * trial.size // FULL_FRAMES))),
    )
    figures["recall_on_real_pictures"] = round(int(beside["found"]) / max(int(beside["wanted"]), 1), 3)
    total_found = sum(found for found, _ in mean_scores)
    mean_score = sum(found * score for found, score in mean_scores) / max(total_found, 1)
    figures["mean_score"] = round(mean_score, 3)
    figures["mean_score_on_real_pictures"] = round(float(beside["mean_score"]), 3)
    return Verdict(passed=passed, figures=figures)


def _figures(found: tuple[int, int, list[float]]) -> Figures:
    wanted, hits, scores = found
    return {"wanted": wanted, "found": hits, "mean_score": float(np.mean(scores)) if scores else 0.0}


PROOF = Proof(
    claim="YOLOX-nano (416, score 0.25), which never saw the rendered clips, finds at least 80 % by day and 60 % at night and "
    "in rain of the vehicles taller than 6 % of the picture and at least half visible (IoU 0.5, any vehicle class).",
    small=6,
    full=FULL_FRAMES,
    prove=prove,
    needs_shared=True,
)
