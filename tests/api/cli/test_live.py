"""A live camera as SOURCE: ended by --duration or by Ctrl-C, its results kept, its password nowhere."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.builders.scripted import SITE, a_recording
from tests.rtsp import Camera, serve

SECRET = "hunter2/x"


@pytest.fixture
def camera(tmp_path: Path, absent: Callable[[str], NoReturn]) -> Iterator[Camera]:
    recording = a_recording(tmp_path / "camera.mp4", 60.0, codec="libx264")
    with serve(recording, absent, user="operator", password=SECRET) as serving:
        yield serving


@pytest.fixture
def command(tmp_path: Path, weights: Path, camera: Camera) -> list[str]:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    return [
        *(sys.executable, "-m", "api.cli", "replay", camera.url, "--site", str(tmp_path / "site.yaml")),
        *("--weights", str(weights), "--out", str(tmp_path / "out"), "--no-plates", "--progress", "json"),
    ]


def nowhere(secret: str, folder: Path, *texts: str) -> bool:
    files = [path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()]
    return not any(secret in text for text in (*files, *texts))


def test_a_duration_ends_a_live_replay(tmp_path: Path, command: list[str]) -> None:
    ran = subprocess.run([*command, "--duration", "2"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["video_s"] == pytest.approx(2.0, abs=0.2)
    assert summary["disarmed"] == []
    assert summary["sources"][0]["source"].startswith("rtsp://***@127.0.0.1")
    for secret in ("hunter2", "operator"):
        assert nowhere(secret, tmp_path / "out", ran.stdout, ran.stderr)


def test_ctrl_c_ends_a_live_replay_and_keeps_what_was_seen(tmp_path: Path, command: list[str]) -> None:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            if json.loads(line)["progress"] == "advanced":
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "what was seen until then stands in" in rest
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["sources"][0]["interrupted"] is True
    assert summary["frames"] > 0
    assert nowhere("hunter2", tmp_path / "out", rest)


def test_a_wrong_password_is_an_unreadable_input(tmp_path: Path, command: list[str]) -> None:
    wrong = [argument.replace("hunter2", "hunter3") for argument in command]
    ran = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert ran.returncode == 4
    assert "the camera refuses this account; check user and password" in ran.stderr
    assert nowhere("hunter3", tmp_path / "out", ran.stderr)


def test_a_start_time_is_refused_for_a_live_camera(command: list[str]) -> None:
    ran = subprocess.run(
        [*command, "--start-time", "2024-05-01T08:30:00+08:00"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "a live camera has its own clock" in ran.stderr
