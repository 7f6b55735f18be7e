"""A camera that was touched, or whose lamp is hidden, disarms itself in time and accuses nobody; one that was not never does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from benchmarks import clips, spoiling
from benchmarks.clips import Clip, Model
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.seeing import Judged, Seen, Spoiling, judged, seen
from benchmarks.spoiling import Spoil, SpoiledSource
from detector.scene_watch import EVERY_S, LEARN_S
from rules.finding import Status
from rules.observation import Box
from rules.scoring import score

WITHIN_S = 5.0
AFTER_S = 10.0
"""For so long after the moment the clip is looked at."""

DARK_LIGHTS = frozenset({"night", "dusk"})
SMALL_FOOTAGE_UPTO_S = 6.0

WHOLE: Mapping[str, Callable[[Random], Spoil]] = {
    "turned": spoiling.turned,
    "shifted": spoiling.shifted,
    "refocused": spoiling.refocused,
    "darkened": spoiling.darkened,
}
LAMP = ("lamp_covered", "branch_over_lamp")


def prove(trial: Trial) -> Verdict:
    """Each clip untouched, and spoiled in each way at a random moment of its own."""
    model = clips.models(trial)[0]
    chosen = clips.chosen(trial)
    real = clips.real_clips(trial.shared)
    if trial.size == 1:
        real = tuple(clips.cut(clip, SMALL_FOOTAGE_UPTO_S) for clip in real[:1])
    untouched = [
        trial.once(f"{clip.name}, untouched", partial(_untouched, trial, clip, model))
        for clip in (*chosen, *real)
    ]
    spoiled: dict[str, list[Figures]] = {}
    for how in (*WHOLE, *LAMP):
        for clip in chosen:
            if how in WHOLE or _heads_px(clip):
                step = trial.once(f"{clip.name}, {how}", partial(_spoiled, trial, clip, model, how))
                spoiled.setdefault(how, []).append(step)
    shown: dict[str, int | float | str | bool] = {
        "clips": len(chosen),
        "untouched": len(untouched),
        "untouched_disarmed_s": sum(float(step["disarmed_s"]) for step in untouched),
    }
    passed = shown["untouched_disarmed_s"] == 0.0
    for how, steps in spoiled.items():
        late = [step for step in steps if not 0.0 <= float(step["disarmed_after_s"]) <= WITHIN_S]
        accused = sum(int(step["accused_after"]) + int(step["false"]) for step in steps)
        shown[f"{how}_clips"] = len(steps)
        shown[f"{how}_not_disarmed_in_time"] = len(late)
        shown[f"{how}_disarmed_after_s_most"] = max(float(step["disarmed_after_s"]) for step in steps)
        shown[f"{how}_accused"] = accused
        passed = passed and not late and accused == 0
    return Verdict(passed=passed, figures=shown)


def _untouched(trial: Trial, clip: Clip, model: Model) -> Figures:
    """Lamps and scene alone decide."""
    return {"disarmed_s": seen(trial, clip, model, looking=False).disarmed_s}


def _spoiled(trial: Trial, clip: Clip, model: Model, how: str) -> Figures:
    """When what must distrust itself did so (-1.0: never), and who was accused wrongly or after that."""
    assert clip.seconds is not None
    chance = Random(f"{clip.name} {how}")
    end_s = clip.seconds if clip.upto_s is None else clip.upto_s
    at_s = chance.uniform(LEARN_S + EVERY_S, end_s - WITHIN_S - 1.0)
    spoil = _spoil(clip, how, chance)
    change = Spoiling(
        key=f"{how} from {at_s} on: {_source_text()}",
        seen_s=at_s if spoil.hides_users else None,
        source=lambda source: SpoiledSource(source, spoil, at_s),
    )
    run = seen(trial, clip, model, change, upto_s=min(end_s, at_s + AFTER_S))
    said = judged(run.observations(), run.site)
    disarmed_s = _all_disarmed_s(run, said, how)
    scored = score(clip.truth.events, said.predicted)
    after = [
        finding
        for _, finding in said.findings
        if finding.status is Status.ASSERTED and disarmed_s is not None and finding.t_s > disarmed_s
    ]
    return {
        "at_s": round(at_s, 3),
        "disarmed_after_s": -1.0 if disarmed_s is None else round(disarmed_s - at_s, 3),
        "cause": ", ".join(sorted({disarmed.cause.value for _, disarmed in said.disarmed})),
        "too_early": any(now_s < at_s for now_s, _ in said.disarmed),
        "accused_after": len(after),
        "false": len(scored.false),
    }


def _all_disarmed_s(run: Seen, said: Judged, how: str) -> float | None:
    """When all that must distrust itself has said so: the camera, or each stop line whose heads are hidden."""
    if how in WHOLE:
        return min((now_s for now_s, disarmed in said.disarmed if disarmed.place_id is None), default=None)
    times: list[float] = []
    for line in run.site.cameras[0].stop_lines:
        own = [now_s for now_s, disarmed in said.disarmed if disarmed.place_id in (None, line.line_id)]
        if not own:
            return None
        times.append(min(own))
    return max(times, default=None)


def _spoil(clip: Clip, how: str, chance: Random) -> Spoil:
    if how in WHOLE:
        return WHOLE[how](chance)
    if how == "lamp_covered":
        return spoiling.covered(_heads_px(clip), chance)
    light = 0.25 if DARK_LIGHTS & set(clip.truth.conditions) else 1.0
    return spoiling.overgrown(_heads_px(clip), light, chance)


def _heads_px(clip: Clip) -> list[Box]:
    """The heads of the clip's stop lines that its camera sees."""
    site = clip.site_file().site
    camera = site.cameras[0]
    named = {head_id for line in camera.stop_lines for head_id in line.head_ids}
    return [
        head.box_px for head in site.heads if head.head_id in named and head.camera_id == camera.camera_id
    ]


def _source_text() -> str:
    return (clips.CHECKOUT / "benchmarks" / "spoiling.py").read_text("utf-8")


PROOF = Proof(
    claim="Where the camera of a sample clip is turned by 2°, shifted by 3 % of the picture's width, thrown out of focus or "
    "darkened, or its lamp covered or hidden by a branch, at a random moment, it is disarmed within 5 s and nobody is "
    "accused wrongly or afterwards (YOLOX-nano); untouched sample clips and real ones are not disarmed for a second.",
    small=1,
    full=clips.ALL,
    prove=prove,
    needs_shared=True,
)
