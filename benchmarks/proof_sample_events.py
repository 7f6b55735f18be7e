"""Every rule on every rendered clip: whatever happened is asserted, and nobody is accused of anything else."""

from __future__ import annotations

from collections import Counter
from functools import partial

from api.work.evaluate import evaluate
from benchmarks import clips
from benchmarks.clips import Clip, Model
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.seeing import seen
from rules.figures import figures
from rules.finding import Rule


def prove(trial: Trial) -> Verdict:
    """Each clip with each model, replayed and compared with the truth."""
    shown: dict[str, int | float | str | bool] = {"clips": len(clips.chosen(trial))}
    passed = True
    for model in clips.models(trial):
        found, missed, false = Counter[str](), Counter[str](), Counter[str]()
        for clip in clips.chosen(trial):
            step = trial.once(f"{clip.name}, {model.name}", partial(_compared, trial, clip, model))
            for rule in Rule:
                found[rule] += int(step.get(f"{rule}_found", 0))
                missed[rule] += int(step.get(f"{rule}_missed", 0))
                false[rule] += int(step.get(f"{rule}_false", 0))
        for rule in Rule:
            if found[rule] + missed[rule] + false[rule] == 0:
                continue
            shown[f"{model.name}_{rule}_required"] = found[rule] + missed[rule]
            shown[f"{model.name}_{rule}_precision"] = _share(found[rule], found[rule] + false[rule])
            shown[f"{model.name}_{rule}_recall"] = _share(found[rule], found[rule] + missed[rule])
        passed = passed and missed.total() == false.total() == 0 and found.total() > 0
    return Verdict(passed=passed, figures=shown)


def _share(part: int, whole: int) -> float:
    """1.0 of nothing: nothing was wrong."""
    return round(part / whole, 4) if whole else 1.0


def _compared(trial: Trial, clip: Clip, model: Model) -> Figures:
    run = seen(trial, clip, model)
    score = evaluate(run.folder, {clip.path.name: clip.truth}).clips[0].score
    shown: dict[str, int | float | str | bool] = {}
    for part in figures([score]):
        shown[f"{part.rule}_found"] = part.found
        shown[f"{part.rule}_missed"] = part.missed
        shown[f"{part.rule}_false"] = part.false
        shown[f"{part.rule}_held"] = part.held
    wrong = [f"missed {truth.rule} at {truth.t_s:.1f} s: {truth.who}" for truth in score.missed]
    wrong += [f"false {event.rule} at {event.t_s:.1f} s ({event.object_class})" for event in score.false]
    wrong += [
        f"held {match.truth.rule} at {match.truth.t_s:.1f} s: {' '.join(match.predicted.reasons)}"
        for match in score.held_instead
    ]
    return {**shown, "wrong": "; ".join(wrong)}


PROOF = Proof(
    claim="On every sample clip, with YOLOX-nano and with the default detector where there is one, each rule asserts every "
    "event of the truth and nothing else (plates are not read).",
    small=1,
    full=clips.ALL,
    prove=prove,
    needs_shared=True,
)
