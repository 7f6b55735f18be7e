"""Proof: ``kill -9`` at random moments of a real ``stopline replay``: nothing half-written is listed, --resume completes it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from api.clock import SystemClock
from benchmarks.data_folder import Content, content, listed_whole
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.street_run import EVENTS
from evidence.durable import Disk
from evidence.keys import REGISTER, KeyFolder

CHECKOUT = Path(__file__).resolve().parents[1]
KEYS = "keys"
CLIP = "hanoi_redlight"
LENGTH_S = 63.8
SEED = 21
DELAY_S = 1.0
"""Progress is told once a second; the moment within that second is random too."""


@dataclass(frozen=True)
class Moment:
    """When to kill: so long after the replay told that it was at or past ``media_s``; below 0 before it began."""

    media_s: float
    delay_s: float


def prove(trial: Trial) -> Verdict:
    """``trial.size`` times: a replay killed at a random moment, and resumed with ``--resume``."""
    keys = trial.folder / KEYS
    if not (keys / REGISTER).is_file():
        shutil.rmtree(keys, ignore_errors=True)
        KeyFolder(keys, Disk()).generate("proof", SystemClock().now())
    good = trial.folder / "good"
    if not (good / EVENTS).is_file():
        shutil.rmtree(good, ignore_errors=True)
        _finish(good, trial.shared)
    wanted = content(good)
    chance = random.Random(SEED)
    rounds: list[Figures] = []
    for number in range(trial.size):
        moment = Moment(chance.uniform(-3.0, LENGTH_S), chance.uniform(0.0, DELAY_S))

        def killed(moment: Moment = moment) -> Figures:
            return _killed(trial.folder / "data", trial.shared, moment, wanted)

        rounds.append(trial.once(f"round {number}", killed))
    cases, same = listed_whole(good), sum(bool(figures["same_after_resume"]) for figures in rounds)
    kills = sum(bool(figures["killed"]) for figures in rounds)
    return Verdict(
        passed=cases > 0
        and kills == same == trial.size
        and not wanted.left
        and not wanted.wrong
        and len(wanted.linked) == cases,
        figures={
            "cases": cases,
            "kills": kills,
            "kills_that_left_something_half_done": sum(bool(figures["half_done"]) for figures in rounds),
            "listed_at_a_kill_least": min(int(figures["listed"]) for figures in rounds),
            "listed_at_a_kill_most": max(int(figures["listed"]) for figures in rounds),
            "same_after_resume": same,
        },
    )


def _killed(data: Path, shared: Path, moment: Moment, wanted: Content) -> Figures:
    """What was found after the kill, and whether the resumed run ended like one that was never disturbed."""
    shutil.rmtree(data, ignore_errors=True)
    with subprocess.Popen(
        _command(data, shared),
        cwd=CHECKOUT,
        env=_environment(data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        if moment.media_s >= 0.0:
            for line in process.stderr:
                if line.startswith("{") and json.loads(line).get("media_s", 0.0) >= moment.media_s:
                    break
        time.sleep(moment.delay_s)
        process.send_signal(signal.SIGKILL)
    listed = listed_whole(data)
    half_done = any((data / "spool").glob("*"))
    _finish(data, shared)
    return {
        "killed": process.returncode == -signal.SIGKILL,
        "at_media_s": moment.media_s,
        "listed": listed,
        "half_done": half_done,
        "same_after_resume": content(data) == wanted,
        "first_difference": wanted.first_difference(content(data)),
    }


def _finish(data: Path, shared: Path) -> None:
    """The run in the folder, gone on with and brought to its end. Raises CalledProcessError where it fails."""
    subprocess.run(
        [*_command(data, shared), "--resume"],
        cwd=CHECKOUT,
        env=_environment(data),
        check=True,
        stderr=subprocess.DEVNULL,
        timeout=600,
    )


def _environment(data: Path) -> dict[str, str]:
    """Ours, with the trial's own key: the same for every run, so that what it signs can be compared."""
    return {**os.environ, "STOPLINE_KEYS": str(data.parent / KEYS)}


def _command(data: Path, shared: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "api.cli", "replay", str(shared / "footage" / f"{CLIP}.mp4")),
        *("--site", f"tests/sites/{CLIP}.yaml", "--out", str(data)),
        *("--weights", str(shared / "weights" / "yolox_nano.onnx"), "--no-plates", "--progress", "json"),
    ]


PROOF = Proof(
    claim="A replay of a real recording that is killed with SIGKILL at a random moment lists only whole packages, "
    "and after --resume its events and every file of its evidence, signatures too, are those of a replay that was never disturbed.",
    small=1,
    full=20,
    prove=prove,
    needs_shared=True,
)
