"""``stopline compare`` and ``stopline dry-run`` as a shell sees them: what is printed, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rules.observation import LampState
from tests.api.cli.conftest import Stopline
from tests.builders.runs import a_finished_run
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import SITE, ScriptedPipeline, a_recording, a_site

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
PARKED = a_car(2, (60.0, 40.0)).stands_at((270, 150), 0.0, 30.0)
LAMP = a_lamp("lamp").shows(LampState.RED, 0.0)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return a_recording(tmp_path / "clip.mp4", 30.0)


@pytest.fixture
def a(tmp_path: Path, clip: Path) -> Path:
    return a_finished_run(tmp_path / "a", ScriptedPipeline(a_site(), (RUNNER, PARKED), (LAMP,)), clip)


@pytest.fixture
def b(tmp_path: Path, clip: Path) -> Path:
    """Like run A, but blind for the car that runs the light."""
    return a_finished_run(tmp_path / "b", ScriptedPipeline(a_site(), (PARKED,), (LAMP,)), clip)


@pytest.fixture
def truth(tmp_path: Path, a: Path) -> Path:
    """What run A says."""
    events = [json.loads(line) for line in (a / "events.jsonl").read_text().splitlines()]
    assert {event["rule"] for event in events} == {"red_light", "no_parking"}
    seen: list[dict[str, Any]] = [
        {"rule": event["rule"], "class": "car", "t": event["t_s"], "tolerance_s": 1.0} for event in events
    ]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"clip.mp4": {"events": seen}}))
    return path


def test_a_gate_that_fails_ends_with_6_and_says_by_how_much(
    stopline: Stopline, a: Path, b: Path, truth: Path
) -> None:
    ran = stopline("compare", a, b, "--truth", truth, "--fail-if", "recall<-0.01", "--fail-if", "false>0")
    assert ran.code == 6
    assert "gate recall<-0.01: failed by red_light -1" in ran.out
    assert "gate false>0: passed" in ran.out
    assert "newly missed: clip.mp4: red_light at" in ran.out
    back = stopline("compare", b, a, "--truth", truth, "--fail-if", "recall<-0.01")
    assert back.code == 0
    assert "newly found: clip.mp4: red_light" in back.out


def test_without_gates_a_difference_is_no_failure(stopline: Stopline, a: Path, b: Path, truth: Path) -> None:
    ran = stopline("compare", a, b, "--truth", truth, "--format", "json")
    assert ran.code == 0
    printed = json.loads(ran.out)
    assert printed["newly_missed"][0]["rule"] == "red_light"
    recall = [
        one for one in printed["differences"] if (one["rule"], one["figure"]) == ("red_light", "recall")
    ]
    assert recall == [{"rule": "red_light", "figure": "recall", "a": 1.0, "b": 0.0, "change": -1.0}]


def test_a_gate_of_another_grammar_is_a_usage_error_before_anything_is_read(
    stopline: Stopline, a: Path, tmp_path: Path
) -> None:
    ran = stopline("compare", a, a, "--truth", tmp_path / "none.json", "--fail-if", "recall")
    assert ran.code == 2
    assert "is no gate; write [RULE.]FIGURE" in ran.err


def test_a_folder_without_a_run_is_unreadable(
    stopline: Stopline, a: Path, truth: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert stopline("compare", a, tmp_path / "empty", "--truth", truth).code == 4
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    assert stopline("dry-run", tmp_path / "empty", "--site", site).code == 4


def test_a_dry_run_prints_what_would_change_and_ends_with_0(
    stopline: Stopline, a: Path, tmp_path: Path
) -> None:
    site = tmp_path / "changed.yaml"
    site.write_text(SITE.replace("allowed_stop_s: 3", "allowed_stop_s: 30"))
    ran = stopline("dry-run", a, "--site", site)
    assert ran.code == 0
    assert "lost" in ran.out
    assert "0 gained, 1 lost, 0 changed, 1 unchanged events; passages 1 → 1" in ran.out
    printed = json.loads(stopline("dry-run", a, "--site", site, "--format", "json").out)
    assert [change["kind"] for change in printed["changes"]] == ["lost"]
    assert printed["changes"][0]["before"]["rule"] == "no_parking"


def test_a_dry_run_with_a_wrong_site_file_ends_with_3(stopline: Stopline, a: Path, tmp_path: Path) -> None:
    site = tmp_path / "changed.yaml"
    site.write_text(SITE.replace("cam1", "cam9"))
    ran = stopline("dry-run", a, "--site", site)
    assert ran.code == 3
    assert "the run is of camera 'cam1', and the file has cam9" in ran.err
    site.write_text("site: {}")
    assert stopline("dry-run", a, "--site", site).code == 3
    assert stopline("dry-run", a, "--site", tmp_path / "none.yaml").code == 3
