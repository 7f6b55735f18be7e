"""``stopline watch`` as an operator runs it: the real model, a real camera, Prometheus, SIGTERM."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from api.cli.main import main
from tests.builders.live import a_live_site
from tests.builders.scripted import a_recording
from tests.rtsp import serve

SECRET = "hunter2/x"


@pytest.mark.timeout(300)
def test_a_camera_is_watched_until_sigterm(
    tmp_path: Path, weights: Path, absent: Callable[[str], NoReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(f"gate: {{user: operator, password: {SECRET}}}\n", encoding="utf-8")
    monkeypatch.setenv("STOPLINE_CAMERA_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("STOPLINE_CAMERA_ACCOUNTS_FILE", str(accounts))
    recording = a_recording(tmp_path / "camera.mp4", 20.0, codec="libx264")
    with serve(recording, absent, user="operator", password=SECRET, loop=True) as camera:
        site, data = tmp_path / "site.yaml", tmp_path / "data"
        site.write_text(
            a_live_site("north", f"rtsp://127.0.0.1:{camera.port}/camera", account="gate"), encoding="utf-8"
        )
        command = [sys.executable, "-m", "api.cli", "watch", str(site), "--data", str(data), "--no-plates"]
        command += ["--weights", str(weights), "--workers", "1", "--metrics", "127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            told: list[dict[str, Any]] = []
            try:
                for line in process.stderr:
                    told.append(json.loads(line))
                    if told[-1]["event"] == "camera_state" and told[-1]["state"] == "live":
                        break
                address = next(one["address"] for one in told if one["event"] == "metrics")
                with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
                    metrics = answer.read().decode()
                process.send_signal(signal.SIGTERM)
                rest = process.stderr.read()
            finally:
                process.kill()
    assert process.returncode == 0, rest
    told += [json.loads(line) for line in rest.splitlines()]
    assert told[-1]["event"] == "watch_ended"
    assert 'stopline_camera_state{camera="north"' in metrics
    files = [path.read_bytes().decode("utf-8", "replace") for path in data.rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in [*files, metrics, json.dumps(told)])
    (segments,) = (data / "live" / "north").glob("*/segments.jsonl")
    assert json.loads(segments.read_text(encoding="utf-8"))["frames"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{tmp}/none.yaml"], 3, "cannot be read"),
        (["{tmp}"], 2, "nothing to watch"),
        (["{tmp}", "--metrics", "here"], 2, "is no HOST:PORT"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    tmp_path: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(tmp=tmp_path) for argument in arguments]
    metrics = [] if "--metrics" in given else ["--metrics", "off"]
    assert main(["watch", *given, "--data", str(tmp_path / "data"), *metrics]) == code
    assert message in capsys.readouterr().err
