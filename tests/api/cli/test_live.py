"""A live camera as SOURCE: ended by --duration or by Ctrl-C, its results kept, its password nowhere."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from tests.broker import PASSWORD, USER, serve_broker
from tests.builders.scripted import SITE, a_recording
from tests.rtsp import Camera, serve

SECRET = "hunter2/x"


@pytest.fixture
def camera(
    tmp_path: Path, absent: Callable[[str], NoReturn], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Camera]:
    monkeypatch.setenv("STOPLINE_CAMERA_NETWORKS", "127.0.0.0/8")
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


def test_a_camera_outside_the_networks_is_refused(
    tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STOPLINE_CAMERA_NETWORKS")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 4
    assert "lies outside the networks" in ran.stderr
    assert nowhere("hunter2", tmp_path / "out", ran.stderr)


def test_a_start_time_is_refused_for_a_live_camera(command: list[str]) -> None:
    ran = subprocess.run(
        [*command, "--start-time", "2024-05-01T08:30:00+08:00"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "a live camera has its own clock" in ran.stderr


@pytest.mark.timeout(400)  # a live camera waits for nobody, and neither do its packets on a busy machine
def test_a_controllers_feed_over_mqtt_is_joined_to_a_live_camera(
    tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that only the controller knows; the password comes from a file and stands nowhere afterwards."""
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace(", camera: cam1, box: [0.9, 0.1, 0.95, 0.4]", ""), encoding="utf-8")
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    monkeypatch.setenv("STOPLINE_MQTT_PASSWORD_FILE", str(tmp_path / "password"))
    with serve_broker(tmp_path) as broker, broker.controller() as controller:
        feed = [*command, "--duration", "4", "--signals", broker.url()]
        with subprocess.Popen(feed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                said = {"head": "lamp", "state": "red", "at": datetime.now(UTC).isoformat()}
                controller.publish("junction/1", json.dumps(said), qos=1)
                time.sleep(0.1)
            assert process.stderr is not None
            told = process.stderr.read()
    assert process.returncode == 0, told
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    (counts,) = summary["sources"][0]["signals"]
    assert counts["messages"] > 0
    assert counts["source"].startswith("mqtt://***@127.0.0.1")
    assert summary["unknown_lamp_share"] == {"lamp": None}
    with gzip.open(tmp_path / "out" / "observations.jsonl.gz", "rt", encoding="utf-8") as lines:
        assert any('"source":"controller"' in line for line in lines)
    assert nowhere(PASSWORD, tmp_path / "out", told)
    assert nowhere(f"{USER}@", tmp_path / "out", told)
