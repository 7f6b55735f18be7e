"""Proof: ``kill -9`` at any moment of a run loses no case, lists no half of one, and none twice."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data_folder import Content, content, listed_whole
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.street_run import EVENTS, its_findings, run, the_street

SECONDS = 40.0
SEED = 20
DELAY_S = 0.03
"""Longer than the run takes for a frame with which a package is finished."""

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Moment:
    """When to kill: so long after the run reported a frame at or past ``media_s``."""

    media_s: float
    delay_s: float


def prove(trial: Trial) -> Verdict:
    """``trial.size`` times: a run killed at a random moment, its resumption killed at another, and one that ends."""
    film = trial.folder / "street.mp4"
    if not film.is_file():
        the_street(SECONDS).film(film.with_suffix(".part.mp4")).replace(film)
    good = trial.folder / "good"
    if not (good / EVENTS).is_file():
        shutil.rmtree(good, ignore_errors=True)
        good.mkdir()
        run(good, film, SECONDS)
    wanted = content(good)
    chance = random.Random(SEED)
    rounds: list[Figures] = []
    for number in range(trial.size):
        moments = tuple(Moment(chance.uniform(0.0, SECONDS), chance.uniform(0.0, DELAY_S)) for _ in range(2))

        def killed_twice(moments: tuple[Moment, ...] = moments) -> Figures:
            return _killed(trial.folder / "data", film, moments, wanted)

        rounds.append(trial.once(f"round {number}", killed_twice))
    cases, kills = listed_whole(good), sum(int(figures["kills"]) for figures in rounds)
    same = sum(bool(figures["same_after_resume"]) for figures in rounds)
    return Verdict(
        passed=cases == len(its_findings(the_street(SECONDS)))
        and kills == 2 * trial.size
        and same == trial.size
        and not wanted.left
        and not wanted.wrong
        and len(wanted.linked) == cases,
        figures={
            "cases": cases,
            "rounds": trial.size,
            "kills": kills,
            "kills_that_left_something_half_done": sum(int(figures["half_done"]) for figures in rounds),
            "listed_at_a_kill_least": min(int(figures["listed_least"]) for figures in rounds),
            "listed_at_a_kill_most": max(int(figures["listed_most"]) for figures in rounds),
            "rounds_same_after_resume": same,
        },
    )


def _killed(data: Path, film: Path, moments: tuple[Moment, ...], wanted: Content) -> Figures:
    """What was found after each kill, and whether the run that followed ended like one that was never disturbed."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    kills, half_done = 0, 0
    listed = []
    for moment in moments:
        kills += _run_until(data, film, moment)
        listed.append(listed_whole(data))
        half_done += any(path.name != "kept" for path in (data / "spool").glob("*"))
    run(data, film, SECONDS)
    return {
        "kills": kills,
        "half_done": half_done,
        "listed_least": min(listed),
        "listed_most": max(listed),
        "same_after_resume": content(data) == wanted,
        "first_difference": wanted.first_difference(content(data)),
    }


def _run_until(data: Path, film: Path, moment: Moment) -> bool:
    """Whether a run was killed at that moment."""
    command = [sys.executable, "-m", "benchmarks.street_run", str(data), str(film), str(SECONDS)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if float(line) >= moment.media_s:
                time.sleep(moment.delay_s)
                break
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


PROOF = Proof(
    claim="A run with evidence that is killed with SIGKILL at a random moment, and again while it is resumed, "
    "lists only whole packages, and after --resume holds every case once, byte for byte as an undisturbed run.",
    small=2,
    full=20,
    prove=prove,
)
