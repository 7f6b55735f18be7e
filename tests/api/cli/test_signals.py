"""``stopline replay --signals``: what a controller logged joins a recording, and what is wrong with it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.cli.conftest import Ran, Stopline
from tests.builders.scripted import SITE, a_recording

START = "2024-05-01T08:30:00+08:00"
RED = '{"head": "lamp", "state": "red", "at": "2024-05-01T08:30:00+08:00"}\n'
Replay = Callable[..., Ran]


@pytest.fixture
def replay(stopline: Stopline, tmp_path: Path, weights: Path) -> Replay:
    """Replays one second of a grey road, whose only head no camera sees, with that text as log."""
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace(", camera: cam1, box: [0.9, 0.1, 0.95, 0.4]", ""), encoding="utf-8")
    clip = a_recording(tmp_path / "clip.mp4", 1.0)

    def run(log: str, *more: str) -> Ran:
        (tmp_path / "log.jsonl").write_text(log, encoding="utf-8")
        paths = ("--site", site, "--weights", weights, "--out", tmp_path / "out")
        return stopline("replay", clip, *paths, "--no-plates", "--progress", "none", *more)

    return run


def test_a_log_joins_the_recording_and_its_oddities_are_told(replay: Replay, tmp_path: Path) -> None:
    log = str(tmp_path / "log.jsonl")
    ran = replay(RED * 2 + RED.replace('"red"', '"mauve"'), "--signals", log, "--start-time", START)
    assert ran.code == 0, ran.err
    assert f"note: {log}: 2 messages said again what was known" in ran.err
    assert f"note: {log}: 1 states were none that anybody knows" in ran.err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["sources"][0]["signals"][0]["messages"] == 3
    assert summary["disarmed"] == []


def test_a_log_that_cannot_be_used_ends_the_replay_with_what_would_be_right(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = str(tmp_path / "log.jsonl")
    ran = replay(RED + "{}\n", "--signals", log, "--start-time", START)
    assert ran.code == 4
    assert f"{log}:2: has no head" in ran.err
    ran = replay(RED, "--signals", log)
    assert ran.code == 2
    assert "give --start-time once per SOURCE" in ran.err
    ran = replay(RED, "--signals", "mqtt://u:hunter2@host/a", "--start-time", START)
    assert ran.code == 4
    assert "STOPLINE_MQTT_PASSWORD_FILE" in ran.err
    assert "hunter2" not in ran.err
    monkeypatch.setenv("STOPLINE_MQTT_PASSWORD_FILE", str(tmp_path / "missing"))
    ran = replay(RED, "--signals", log, "--start-time", START)
    assert ran.code == 3
    assert "STOPLINE_MQTT_PASSWORD_FILE: " in ran.err
