"""Compares runs with the truth: what was found, missed and wrongly said, by rule and clip, and by part of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.work.run_folder import EVENTS, PASSAGES, SUMMARY
from api.work.truth_file import ClipTruth
from rules.errors import StoplineError
from rules.figures import RuleScore, figures, part_of
from rules.finding import Rule, Status
from rules.observation import ObjectClass
from rules.scoring import PredictedEvent, Score, TruthEvent, plates_found, score


class EvaluationError(StoplineError):
    """A run that cannot be compared with that truth; the text says what does not fit."""

    code = "input_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipEvaluation:
    """One source of a run against its truth. ``video_s`` is how much of it was seen.

    ``source`` is the recording as the run was given it, ``run`` the run's folder.
    """

    run: Path
    source: str
    segment: int
    camera: str
    clip: str
    conditions: tuple[str, ...]
    video_s: float
    score: Score
    passing_plates_found: tuple[str, ...]
    passing_plates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvaluation:
    """A run against the truth; ``unknown`` are its sources that the truth says nothing of, and that count nothing."""

    run: Path
    clips: tuple[ClipEvaluation, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The figures of a part of the clips: ``kind`` is condition, camera or lane."""

    kind: str
    value: str
    rules: tuple[RuleScore, ...]


def evaluate(run: Path, truth: Mapping[str, ClipTruth]) -> RunEvaluation:
    """Each source of the run in ``run`` against the truth of the clip with its file name.

    Raises EvaluationError where the folder holds no finished run, the truth knows none of its clips, or names
    another camera for one.
    """
    try:
        summary = json.loads((run / SUMMARY).read_text(encoding="utf-8"))
        camera, sources = str(summary["camera"]), list(summary["sources"])
        events = _lines(run / EVENTS)
        passages = _lines(run / PASSAGES)
    except (OSError, KeyError, TypeError, ValueError) as exc:
        raise EvaluationError(f"{run}: no finished run of 'stopline replay' ({exc})") from exc
    known = [source for source in sources if Path(source["source"]).name in truth]
    if not known:
        names = ", ".join(Path(source["source"]).name for source in sources)
        raise EvaluationError(f"{run}: the truth has {', '.join(truth)}, and the run replayed {names}")
    return RunEvaluation(
        run=run,
        clips=tuple(_source(run, camera, source, truth, events, passages) for source in known),
        unknown=tuple(source["source"] for source in sources if source not in known),
    )


def slices(clips: Sequence[ClipEvaluation]) -> tuple[Slice, ...]:
    """The figures by condition, camera and lane, each in alphabetical order.

    A truth has the conditions of its clip and its own, an event that met none those of its clip, and its stop
    line or zone for a lane.
    """
    conditions = {word for clip in clips for word in clip.conditions}
    conditions |= {word for clip in clips for truth in _truths(clip.score) for word in truth.conditions}
    lanes = {truth.lane for clip in clips for truth in _truths(clip.score) if truth.lane is not None}
    lanes |= {event.place for clip in clips for event in _unmet(clip.score) if event.place is not None}
    return (
        *(
            Slice(kind="condition", value=word, rules=figures(_under(word, clip) for clip in clips))
            for word in sorted(conditions)
        ),
        *(
            Slice(
                kind="camera",
                value=camera,
                rules=figures(clip.score for clip in clips if clip.camera == camera),
            )
            for camera in sorted({clip.camera for clip in clips})
        ),
        *(
            Slice(kind="lane", value=lane, rules=figures(_in_lane(lane, clip) for clip in clips))
            for lane in sorted(lanes)
        ),
    )


def _under(condition: str, clip: ClipEvaluation) -> Score:
    if condition in clip.conditions:
        return clip.score
    return part_of(clip.score, lambda truth: condition in truth.conditions, lambda event: False)


def _in_lane(lane: str, clip: ClipEvaluation) -> Score:
    return part_of(clip.score, lambda truth: truth.lane == lane, lambda event: event.place == lane)


def _truths(scored: Score) -> Iterator[TruthEvent]:
    yield from scored.missed
    yield from (match.truth for match in scored.matches)


def _unmet(scored: Score) -> Iterator[PredictedEvent]:
    yield from scored.false
    yield from scored.held
    yield from scored.exempt


def _source(
    run: Path,
    camera: str,
    source: Mapping[str, Any],
    truth: Mapping[str, ClipTruth],
    events: Iterable[Mapping[str, Any]],
    passages: Iterable[Mapping[str, Any]],
) -> ClipEvaluation:
    clip = truth[Path(source["source"]).name]
    if "error" in source:
        raise EvaluationError(
            f"{run}: {source['source']} could not be replayed ({source['message']}), so what happens in it cannot be "
            "compared; finish the run with 'stopline replay --resume', or replay the others alone"
        )
    if clip.camera not in (None, camera):
        raise EvaluationError(
            f"{clip.where}: camera: is {clip.camera!r}, and the run {run} replayed it as camera {camera!r}; correct it "
            f"there, or replay with --camera {clip.camera}"
        )
    own = set(source["events"])
    plates = [
        passage["plate"]["text"]
        for passage in passages
        if passage["segment"] == source["segment"] and passage["plate"] is not None
    ]
    return ClipEvaluation(
        run=run,
        source=source["source"],
        segment=source["segment"],
        camera=camera,
        clip=clip.clip,
        conditions=clip.conditions,
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
        place=event.get("place"),
        track=event.get("track"),
        time_into_red_s=event.get("time_into_red_s"),
        red_bounds_s=_red_bounds_s(event),
        reasons=tuple(event.get("reasons", ())),
    )


def _red_bounds_s(event: Mapping[str, Any]) -> tuple[float, float | None] | None:
    """None also for the line of an older run, which did not say whether the upper end is open."""
    least_s = event.get("time_into_red_min_s")
    if least_s is None or "time_into_red_max_s" not in event:
        return None
    return (least_s, event["time_into_red_max_s"])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
