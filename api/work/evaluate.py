"""Compares runs with the truth: what was found, missed and wrongly said, by rule and clip."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.work.run_folder import EVENTS, PASSAGES, SUMMARY
from api.work.truth_file import ClipTruth
from rules.errors import StoplineError
from rules.finding import Rule, Status
from rules.observation import ObjectClass
from rules.scoring import PredictedEvent, Score, plates_found, score


class EvaluationError(StoplineError):
    """A run that cannot be compared with that truth; the text says what does not fit."""

    code = "input_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipEvaluation:
    """One source of a run against its truth. ``video_s`` is how much of it was seen."""

    clip: str
    video_s: float
    score: Score
    passing_plates_found: tuple[str, ...]
    passing_plates: tuple[str, ...]


def evaluate(run: Path, truth: Mapping[str, ClipTruth]) -> tuple[ClipEvaluation, ...]:
    """Each source of the run in ``run`` against the truth of the clip with its file name.

    Raises EvaluationError where the folder holds no finished run, or the truth knows none of its clips.
    """
    try:
        sources = json.loads((run / SUMMARY).read_text(encoding="utf-8"))["sources"]
        events = _lines(run / EVENTS)
        passages = _lines(run / PASSAGES)
    except (OSError, KeyError, ValueError) as exc:
        raise EvaluationError(f"{run}: no finished run of 'stopline replay' ({exc})") from exc
    known = [source for source in sources if Path(source["source"]).name in truth]
    if not known:
        names = ", ".join(Path(source["source"]).name for source in sources)
        raise EvaluationError(f"{run}: the truth has {', '.join(truth)}, and the run replayed {names}")
    return tuple(_source(source, truth, events, passages) for source in known)


def _source(
    source: Mapping[str, Any],
    truth: Mapping[str, ClipTruth],
    events: Iterable[Mapping[str, Any]],
    passages: Iterable[Mapping[str, Any]],
) -> ClipEvaluation:
    clip = truth[Path(source["source"]).name]
    own = set(source["events"])
    plates = [
        passage["plate"]["text"]
        for passage in passages
        if passage["segment"] == source["segment"] and passage["plate"] is not None
    ]
    return ClipEvaluation(
        clip=clip.clip,
        video_s=source["video_s"],
        score=score(clip.events, [_predicted(event) for event in events if event["id"] in own]),
        passing_plates_found=plates_found(clip.passing_plates, plates),
        passing_plates=clip.passing_plates,
    )


def _predicted(event: Mapping[str, Any]) -> PredictedEvent:
    plate = event["plate"]
    return PredictedEvent(
        id=event["id"],
        rule=Rule(event["rule"]),
        t_s=event["t_s"],
        status=Status(event["status"]),
        object_class=ObjectClass(event["vehicle_class"]),
        at_px=(event["at_px"][0], event["at_px"][1]),
        plate=None if plate is None else plate["text"],
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
