"""A dry run: what a changed site file would change of a run, with reasons, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from api.errors import ConfigInvalidError, UsageError
from api.site_file import load_site_file
from api.work.dry_run import Change, DryRun, RunUnusableError, dry_run
from api.work.fold import ObservationsError
from rules.observation import LampState
from tests.builders.runs import a_finished_run
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import SITE, ScriptedPipeline, a_recording

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
PARKED = a_car(2, (60.0, 40.0)).stands_at((270, 150), 0.0, 30.0)
LAMP = a_lamp("lamp").shows(LampState.GREEN, 0.0).shows(LampState.AMBER, 0.3).shows(LampState.RED, 3.6)


def a_site_file(path: Path, *changes: tuple[str, str]) -> Path:
    text = SITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A car that crosses the line at 4 s or so on red, and one that stands at the kerb; run by ``was.yaml``."""
    clip = a_recording(tmp_path / "clip.mp4", 30.0)
    was = load_site_file(a_site_file(tmp_path / "was.yaml"))
    return a_finished_run(tmp_path / "run", ScriptedPipeline(was, (RUNNER, PARKED), (LAMP,)), clip)


def tried(run: Path, tmp_path: Path, *changes: tuple[str, str]) -> DryRun:
    changed = load_site_file(a_site_file(tmp_path / "changed.yaml", *changes))
    return dry_run(run, changed, None)


def one_change(found: DryRun) -> Change:
    (change,) = found.changes
    return change


def events(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def hashes(folder: Path) -> Iterable[tuple[str, bytes]]:
    return sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file())


def test_the_run_has_both_events(run: Path) -> None:
    assert [(event["rule"], event["status"]) for event in events(run)] == [
        ("no_parking", "asserted"),
        ("red_light", "asserted"),
    ]


def test_the_same_site_changes_nothing_and_writes_nothing(run: Path, tmp_path: Path) -> None:
    before = hashes(run)
    found = tried(run, tmp_path)
    assert found.changes == ()
    assert found.unchanged == 2
    assert found.observations == 300
    assert found.passages == (1, 1)
    assert "the site file is the one that the run was made by" in found.notes
    assert hashes(run) == before


def test_an_event_within_a_longer_grace_is_lost_and_the_reason_is_named(run: Path, tmp_path: Path) -> None:
    found = tried(run, tmp_path, ("heads: [lamp]", "heads: [lamp]\n        grace_s: 9"))
    change = one_change(found)
    assert (change.kind, change.before is not None and change.before["rule"]) == ("lost", "red_light")
    assert "The changed site says nothing of its track." in change.reasons
    assert "stop line ahead: grace_s 0.3 → 9" in change.reasons
    assert found.unchanged == 1


def test_an_event_that_becomes_uncertain_is_changed_in_status(run: Path, tmp_path: Path) -> None:
    (red,) = [event for event in events(run) if event["rule"] == "red_light"]
    grace_s = (red["time_into_red_min_s"] + red["time_into_red_max_s"]) / 2.0
    change = one_change(tried(run, tmp_path, ("heads: [lamp]", f"heads: [lamp]\n        grace_s: {grace_s}")))
    assert change.kind == "changed"
    assert change.what == ("status",)
    assert change.after is not None
    assert change.after["status"] == "held"
    assert any("into red" in reason for reason in change.reasons)


def test_a_longer_allowed_stop_moves_the_time_of_the_same_event(run: Path, tmp_path: Path) -> None:
    change = one_change(tried(run, tmp_path, ("allowed_stop_s: 3", "allowed_stop_s: 5")))
    assert change.kind == "changed"
    assert change.before is not None
    assert change.after is not None
    assert change.after["t_s"] - change.before["t_s"] == pytest.approx(2.0, abs=0.15)
    assert "t_s" in change.what
    assert "no parking kerb: allowed_stop_s 3 → 5" in change.reasons


def test_a_zone_that_is_gone_loses_its_event_and_a_new_one_gains(run: Path, tmp_path: Path) -> None:
    found = tried(run, tmp_path, ("- id: kerb", "- id: bay"))
    assert found.differences == ("no parking kerb is gone", "no parking bay is new")
    change = one_change(found)
    assert change.what == ("place",)
    away = ("[[0.72, 0.3], [0.98, 0.3], [0.98, 1.0], [0.72, 1.0]]", "[[0.0, 0.0], [0.05, 0.0], [0.05, 0.1]]")
    change = one_change(tried(run, tmp_path, away))
    assert change.kind == "lost"
    assert any(reason.startswith("no parking kerb: polygon_px") for reason in change.reasons)


def test_an_event_is_gained(tmp_path: Path) -> None:
    clip = a_recording(tmp_path / "clip.mp4", 30.0)
    was = load_site_file(a_site_file(tmp_path / "was.yaml", ("allowed_stop_s: 3", "allowed_stop_s: 300")))
    run = a_finished_run(tmp_path / "run", ScriptedPipeline(was, (PARKED,), (LAMP,)), clip)
    assert not events(run)
    found = tried(run, tmp_path)
    change = one_change(found)
    assert change.kind == "gained"
    assert change.reasons[-1] == "no parking kerb: allowed_stop_s 300 → 3"
    assert len(change.reasons) >= 2
    assert any("may lack its plate" in note for note in found.notes)


def test_a_head_that_was_not_looked_at_is_noted(run: Path, tmp_path: Path) -> None:
    found = tried(run, tmp_path, ("id: lamp,", "id: other,"), ("heads: [lamp]", "heads: [other]"))
    assert any("head other was not looked at in the run" in note for note in found.notes)
    assert one_change(found).kind == "lost"


def test_a_head_whose_box_moved_is_noted_and_explains_its_line(run: Path, tmp_path: Path) -> None:
    found = tried(run, tmp_path, ("box: [0.9, 0.1, 0.95, 0.4]", "box: [0.8, 0.1, 0.85, 0.4]"))
    assert any("its lamps were read in the old box" in note for note in found.notes)
    assert not found.changes


def test_passages_before_and_after_are_counted(run: Path, tmp_path: Path) -> None:
    gate = "      - {id: gate, line: [[0.1, 0.5], [0.7, 0.5]], direction: [[0.4, 0.9], [0.4, 0.2]]}\n"
    assert tried(run, tmp_path, (gate, ""), ("    gates:\n", "")).passages == (1, 0)


def test_without_the_old_site_file_the_differences_are_not_known_and_it_says_so(
    run: Path, tmp_path: Path
) -> None:
    (tmp_path / "was.yaml").rename(tmp_path / "elsewhere.yaml")
    changes = ("allowed_stop_s: 3", "allowed_stop_s: 5")
    found = tried(run, tmp_path, changes)
    assert not found.differences
    assert any("give it with --was" in note for note in found.notes)
    changed = load_site_file(tmp_path / "changed.yaml")
    assert dry_run(run, changed, tmp_path / "elsewhere.yaml").differences
    with pytest.raises(UsageError, match="is not the site file that the run was made by"):
        dry_run(run, changed, tmp_path / "changed.yaml")


def test_another_camera_or_picture_size_is_an_error(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalidError, match="the run is of camera 'cam1', and the file has cam2"):
        tried(run, tmp_path, ("id: cam1", "id: cam2"), ("camera: cam1", "camera: cam2"))
    with pytest.raises(ConfigInvalidError, match="the run's picture has 320x192 px, not 640x384"):
        tried(run, tmp_path, ("size_px: [320, 192]", "size_px: [640, 384]"))


def test_a_folder_without_a_run_and_damaged_observations_are_errors(run: Path, tmp_path: Path) -> None:
    (run / "observations.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(ObservationsError):
        tried(run, tmp_path)
    (run / "summary.json").unlink()
    with pytest.raises(RunUnusableError, match="no finished run"):
        tried(run, tmp_path)
