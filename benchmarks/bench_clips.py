"""The clips of ``make bench``: the 1080p25 traffic clips of the sample world, as tasks for contenders, and their scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from api.site_file import load_site_file
from api.work.truth_file import ClipTruth, load_truth
from benchmarks.bench_task import BenchClip, Kerb, RedLine, Run
from rules.figures import figures
from rules.finding import Rule, Status
from rules.observation import ObjectClass
from rules.scoring import PredictedEvent, Score, score

SAMPLES = Path(__file__).resolve().parents[1] / "sample_videos"
CLIPS = ("junction_red_departing", "junction_red_approaching", "parking_all_day")
"""All that are 1920x1080 at 25 pictures a second. The quiet one would be no test."""


def bench_clips(names: Iterable[str] = CLIPS) -> tuple[BenchClip, ...]:
    """The clips with their lines and zones in pixels, and the true times of red."""
    raw: Mapping[str, Any] = json.loads((SAMPLES / "truth.json").read_text("utf-8"))
    return tuple(_clip(name, raw[f"{name}.mp4"]) for name in names)


def _clip(name: str, truth: Mapping[str, Any]) -> BenchClip:
    site_path = SAMPLES / str(truth["site"])
    site = load_site_file(site_path).site
    camera = site.cameras[0]
    lines = [
        RedLine(line_px=line.line_px, direction=line.direction, red_s=_red_s(truth["signal"], line.head_ids))
        for line in camera.stop_lines
    ]
    kerbs = [
        Kerb(polygon_px=zone.polygon_px, allowed_stop_s=zone.allowed_stop_s) for zone in camera.no_parking
    ]
    return BenchClip(
        name=name,
        path=str(SAMPLES / f"{name}.mp4"),
        site_path=str(site_path),
        fps=float(truth["fps"]),
        seconds=float(truth["seconds"]),
        started_at=str(truth["started_at"]),
        lines=tuple(lines),
        kerbs=tuple(kerbs),
    )


def _red_s(signal: Mapping[str, Any], head_ids: Iterable[str]) -> tuple[tuple[float, float], ...]:
    """When the one head of the line shows red."""
    (head_id,) = head_ids
    return tuple((from_s, to_s) for state, from_s, to_s in signal[head_id] if state == "red")


def bench_truth() -> Mapping[str, ClipTruth]:
    """The truth of each sample clip, by its name without ending."""
    return {name.removesuffix(".mp4"): truth for name, truth in load_truth(SAMPLES / "truth.json").items()}


def scored(run: Run, truth: Mapping[str, ClipTruth]) -> dict[str, Score]:
    """Each clip's events against its truth."""
    scores = {}
    for clip in run.clips:
        said = [
            PredictedEvent(
                id=f"{clip.clip}-{number}",
                rule=Rule(one.rule),
                t_s=one.t_s,
                status=Status.ASSERTED,
                object_class=ObjectClass(one.object_class),
                at_px=one.at_px,
            )
            for number, one in enumerate(clip.said)
        ]
        scores[clip.clip] = score(truth[clip.clip].events, said)
    return scores


def counts(scores: Iterable[Score]) -> tuple[int, int, int]:
    """Found, missed and false, over all rules and clips."""
    parts = figures(scores)
    return (
        sum(part.found for part in parts),
        sum(part.missed for part in parts),
        sum(part.false for part in parts),
    )


def f1(found: int, missed: int, false: int) -> float:
    """2 TP / (2 TP + FP + FN); 0.0 where nothing was found."""
    return round(2 * found / (2 * found + missed + false), 4) if found else 0.0
