"""Ctrl-C and SIGTERM end a replay with 130 and keep what was finished; resuming gives what an unbroken run gives."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.scripted import SITE, a_recording

RESULTS = ("events.jsonl", "passages.jsonl", "observations.jsonl.gz")


def command(folder: Path, weights: Path, out: str, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "api.cli", "replay", str(folder / "a.mp4"), str(folder / "b.mp4")),
        *("--site", str(folder / "site.yaml"), "--weights", str(weights), "--out", str(folder / out)),
        *("--no-plates", "--progress", "json", *more),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    a_recording(tmp_path / "a.mp4", 1.0)
    a_recording(tmp_path / "b.mp4", 8.0)
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_replay_keeps_what_was_finished(
    folder: Path, weights: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        command(folder, weights, "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            told = json.loads(line)
            if (told["progress"], told["number"]) == ("begun", 2):
                process.send_signal(number)
                break
        rest = process.stderr.read()
        assert process.stdout.read() == ""
    assert process.returncode == 130
    assert "1 of 2 SOURCEs) is kept" in rest
    assert "--resume" in rest
    assert not (folder / "out" / "events.jsonl").exists()

    resumed = subprocess.run(
        command(folder, weights, "out", "--resume"), capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert '"number": 1' not in resumed.stderr
    unbroken = subprocess.run(command(folder, weights, "whole"), capture_output=True, text=True, check=False)
    assert unbroken.returncode == 0, unbroken.stderr
    for name in RESULTS:
        assert (folder / "out" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_quiet_says_nothing_and_results_go_to_stdout(folder: Path, weights: Path) -> None:
    quiet = subprocess.run(
        command(folder, weights, "quiet", "--quiet", "--duration", "0.5"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    again = subprocess.run(
        command(folder, weights, "quiet", "--duration", "0.5", "--resume"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0
    assert "is complete already; nothing was done" in again.stderr
    assert "0 asserted, 0 held, 0 exempt; 0 passages; 10 frames, 1.0 s of video" in again.stdout
