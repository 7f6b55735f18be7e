"""A run's folder keeps what is finished, shows results whole or not at all, and refuses what isn't its own."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.errors import UsageError
from api.work.observation_lines import parse_observation
from api.work.observation_writer import OutputError
from api.work.run_folder import (
    CHECKPOINT,
    EVENTS,
    OBSERVATIONS,
    PASSAGES,
    RUN,
    SUMMARY,
    OpenMode,
    RunFolder,
    RunPlan,
    SourceRecord,
    check_folder,
    is_complete,
    open_run,
    read_summary,
)
from rules.observation import FrameStamp, Observation

PLAN = RunPlan(
    camera="north",
    sources=("a.mp4", "b.mp4"),
    start_times=(),
    duration_s=None,
    site_sha256="1" * 64,
    weights_sha256="2" * 64,
    plates=(),
    stopline="0.1.0",
    with_evidence=True,
)


def event(name: str, t_s: float) -> dict[str, Any]:
    return {"id": name, "t_s": t_s, "status": "asserted"}


def record(segment: int, *events: dict[str, Any]) -> SourceRecord:
    return SourceRecord(
        source="ab"[segment] + ".mp4",
        segment=segment,
        size_bytes=10,
        frames=3,
        analysed=3,
        video_s=1.0,
        wall_s=0.5,
        damage=None,
        interrupted=False,
        has_wall_clock=False,
        gaps_s=[(0.0, 0.7)],
        gap_count=1,
        gap_s=0.7,
        lamp_samples={"left": 3},
        lamps_unknown={"left": 1},
        events=events,
        passages=(),
    )


def observation(segment: int, index: int) -> Observation:
    stamp = FrameStamp(camera_id="north", segment=segment, index=index, media_s=index / 3)
    return Observation(stamp=stamp, tracks=())


def fill(folder: RunFolder, segment: int, *events: dict[str, Any]) -> SourceRecord:
    with folder.observations(segment) as writer:
        for index in range(3):
            writer.write(observation(segment, index))
    made = record(segment, *events)
    folder.finish(made)
    return made


def test_results_of_all_sources_stand_together_in_their_order(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "run"
    with open_run(out, PLAN, OpenMode.NEW) as folder:
        records = [fill(folder, 0, event("z", 2.0), event("b", 1.0)), fill(folder, 1, event("a", 1.0))]
        assert not is_complete(out)
        folder.publish(records, {"frames": 6}, complete=True)
    assert is_complete(out)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [EVENTS, PASSAGES, OBSERVATIONS, SUMMARY, RUN]
    )
    assert [json.loads(line)["id"] for line in (out / EVENTS).read_text().splitlines()] == ["a", "b", "z"]
    assert (out / PASSAGES).read_text() == ""
    assert read_summary(out) == {"frames": 6}
    with gzip.open(out / OBSERVATIONS, "rt") as lines:
        seen = [parse_observation(line) for line in lines]
    assert seen == [observation(segment, index) for segment in (0, 1) for index in range(3)]


def test_the_same_observations_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with open_run(tmp_path / name, PLAN, OpenMode.NEW) as folder:
            folder.publish([fill(folder, 0)], {}, complete=True)
    assert (tmp_path / "first" / OBSERVATIONS).read_bytes() == (
        tmp_path / "second" / OBSERVATIONS
    ).read_bytes()


def test_a_finished_source_is_kept_for_resuming_and_an_unfinished_one_is_not(tmp_path: Path) -> None:
    with open_run(tmp_path, PLAN, OpenMode.NEW) as folder:
        made = fill(folder, 0, event("a", 1.0))
        with folder.observations(1) as writer:
            writer.write(observation(1, 0))
    assert not is_complete(tmp_path)
    with open_run(tmp_path, PLAN, OpenMode.RESUME) as folder:
        found = folder.finished(0)
        assert found is not None
        assert json.dumps(found.events) == json.dumps(made.events)
        assert found.gaps_s == [[0.0, 0.7]]
        assert folder.finished(1) is None
        folder.publish([found, fill(folder, 1)], {}, complete=True)
    assert is_complete(tmp_path)


def test_resuming_in_a_new_folder_begins_there(tmp_path: Path) -> None:
    with open_run(tmp_path / "new", PLAN, OpenMode.RESUME) as folder:
        assert folder.finished(0) is None


def test_a_run_that_failed_in_part_keeps_its_checkpoint(tmp_path: Path) -> None:
    with open_run(tmp_path, PLAN, OpenMode.NEW) as folder:
        folder.publish([fill(folder, 0)], {}, complete=False)
    assert (tmp_path / EVENTS).is_file()
    assert not is_complete(tmp_path)
    with open_run(tmp_path, PLAN, OpenMode.RESUME) as folder:
        assert folder.finished(0) is not None


@pytest.mark.parametrize("mode", list(OpenMode))
def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path, mode: OpenMode) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"not empty|no run of ours"), open_run(tmp_path, PLAN, mode):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        check_folder(tmp_path / "out", PLAN, OpenMode.OVERWRITE)


def test_overwriting_removes_what_a_run_left_and_nothing_else(tmp_path: Path) -> None:
    with open_run(tmp_path, PLAN, OpenMode.NEW) as folder:
        folder.publish([fill(folder, 0)], {}, complete=True)
    (tmp_path / "evidence" / "x").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("mine")
    other = replace(PLAN, camera="south")
    with open_run(tmp_path, other, OpenMode.OVERWRITE, ["evidence"]) as folder:
        assert folder.finished(0) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([CHECKPOINT, "notes.txt", RUN])
    assert json.loads((tmp_path / RUN).read_text())["camera"] == "south"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"camera": "south"}, "--camera ('north' then, 'south' now)"),
        ({"sources": ("a.mp4",)}, "the SOURCEs (['a.mp4', 'b.mp4'] then, ['a.mp4'] now)"),
        ({"site_sha256": "3" * 64}, "the content of the site file. Resume"),
        ({"weights_sha256": "3" * 64}, "the weights. Resume"),
        ({"duration_s": 5.0}, "--duration (None then, 5.0 now)"),
        ({"start_times": ("2024-01-01T00:00:00.000Z",)}, "--start-time ([] then"),
        ({"plates": ("x",)}, "the plate models ([] then"),
        ({"stopline": "0.2.0"}, "the version of Stopline ('0.1.0' then, '0.2.0' now)"),
    ],
)
def test_resuming_another_run_says_what_differs(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with open_run(tmp_path, PLAN, OpenMode.NEW):
        pass
    with pytest.raises(UsageError) as caught:
        check_folder(tmp_path, replace(PLAN, **change), OpenMode.RESUME)
    assert said in str(caught.value)
    assert "--overwrite" in str(caught.value)


def test_a_damaged_plan_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / RUN).write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        check_folder(tmp_path, PLAN, OpenMode.RESUME)


def test_what_a_full_disk_left_of_a_run_that_never_began_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / f".{RUN}.part").touch()
    for mode in OpenMode:
        check_folder(tmp_path, PLAN, mode)
    (tmp_path / "checkpoint" / "notes").touch()
    with pytest.raises(UsageError, match="holds no run of ours"):
        check_folder(tmp_path, PLAN, OpenMode.RESUME)


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with open_run(tmp_path, PLAN, OpenMode.NEW):
        for mode in (OpenMode.RESUME, OpenMode.OVERWRITE):
            with pytest.raises(UsageError, match="in use by another replay"), open_run(tmp_path, PLAN, mode):
                pass
        assert (tmp_path / CHECKPOINT).is_dir()
    with open_run(tmp_path, PLAN, OpenMode.RESUME):
        pass


def test_an_abandoned_run_leaves_the_folder_empty(tmp_path: Path) -> None:
    with open_run(tmp_path, PLAN, OpenMode.NEW) as folder:
        folder.abandon()
    assert not list(tmp_path.iterdir())


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="cannot be written: Not a directory"),
        open_run(tmp_path / "file" / "out", PLAN, OpenMode.NEW),
    ):
        pass


def test_a_crash_between_results_and_clean_up_is_completed_by_resuming(tmp_path: Path) -> None:
    with open_run(tmp_path, PLAN, OpenMode.NEW) as folder:
        fill(folder, 0, event("a", 1.0))
        records = [found for found in [folder.finished(0)] if found]
        folder.publish(records, {"frames": 3}, complete=False)  # as if killed before the checkpoint went
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*") if path.is_file()}
    with open_run(tmp_path, PLAN, OpenMode.RESUME) as folder:
        folder.publish([found for found in [folder.finished(0)] if found], {"frames": 3}, complete=True)
    assert is_complete(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*")} == before
