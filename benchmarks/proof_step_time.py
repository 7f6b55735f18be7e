"""Proof: what one step of the rules takes with fifty road users in the picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.crowd import CAMERA, LINE, SITE, crowd
from benchmarks.proof import Proof, Trial, Verdict
from rules import engine, red_light
from rules.finding import Finding, Rule
from rules.observation import Observation
from rules.signal import HeadState

RUNS = 5
FULL_S = 60
ALL_RULES_MS, RED_LIGHT_MS = 2.0, 1.0
BUSY_TIMES = 3.0
"""Below the full size nobody has made the machine idle: so many times the limit are granted."""


@dataclass(frozen=True, slots=True)
class Took:
    """Mean milliseconds of a step over one run: computed by this process, and by the clock."""

    cpu_ms: float
    wall_ms: float


def timed(steps: int, work: Callable[[], object]) -> Took:
    """What each of the ``steps`` of the work took."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return Took(
        cpu_ms=(time.process_time() - cpu_s) * 1000.0 / steps,
        wall_ms=(time.perf_counter() - wall_s) * 1000.0 / steps,
    )


def all_rules(seen: Sequence[Observation]) -> list[Finding]:
    """The findings of the whole engine."""
    state = engine.initial(SITE, CAMERA)
    findings: list[Finding] = []
    for observation in seen:
        state, outputs = engine.step(state, observation, SITE, CAMERA, None)
        findings.extend(output for output in outputs if isinstance(output, Finding))
    return findings


def red_light_alone(seen: Sequence[Observation], heads: Sequence[Sequence[HeadState]]) -> None:
    """The rule for red lights at the one line, with the heads as they were at each frame."""
    state, camera = red_light.RedLightState(), SITE.camera(CAMERA)
    for observation, shown in zip(seen, heads, strict=True):
        state, _ = red_light.step(state, observation, shown, LINE, camera)


def heads_of(seen: Sequence[Observation]) -> list[tuple[HeadState, ...]]:
    """The states of the line's heads after each frame."""
    state, heads = engine.initial(SITE, CAMERA), []
    for observation in seen:
        state, _ = engine.step(state, observation, SITE, CAMERA, None)
        heads.append(tuple(state.heads[head_id] for head_id in LINE.head_ids))
    return heads


def prove(trial: Trial) -> Verdict:
    """``trial.size`` seconds of traffic, five times: the medians of the runs' mean steps, as computed, against the limits.

    The mean of a run holds its dearest steps too. What is judged is what the process computed: by the clock
    other work on the machine would count.
    """
    seen = list(crowd(float(trial.size)))
    heads = heads_of(seen)
    found = all_rules(seen)
    everything = [timed(len(seen), lambda: all_rules(seen)) for _ in range(RUNS)]
    red = [timed(len(seen), lambda: red_light_alone(seen, heads)) for _ in range(RUNS)]
    all_ms = median(took.cpu_ms for took in everything)
    red_ms = median(took.cpu_ms for took in red)
    granted = 1.0 if trial.size >= FULL_S else BUSY_TIMES
    return Verdict(
        passed=all_ms < granted * ALL_RULES_MS and red_ms < granted * RED_LIGHT_MS and bool(found),
        figures={
            "road_users": min(len(observation.tracks or ()) for observation in seen),
            "steps": len(seen),
            "runs": RUNS,
            "all_rules_cpu_ms": round(all_ms, 3),
            "all_rules_wall_ms": round(median(took.wall_ms for took in everything), 3),
            "red_light_cpu_ms": round(red_ms, 3),
            "red_light_wall_ms": round(median(took.wall_ms for took in red), 3),
            "red_light_findings": sum(finding.rule is Rule.RED_LIGHT for finding in found),
            "findings": len(found),
        },
    )


PROOF = Proof(
    claim="A step of all rules with 50 road users in the picture takes under 2 ms, of the rule for red lights alone under 1 ms: "
    "medians of 5 runs of their mean over a minute of traffic.",
    small=8,
    full=FULL_S,
    prove=prove,
)
