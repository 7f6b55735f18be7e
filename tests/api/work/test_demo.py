"""The demonstration goes on where it ended, keeps what is finished, and hides neither a clip nor a rule."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from api.errors import ConfigInvalidError, InterruptedRunError, SourceFailure, UsageError
from api.work.demo import (
    DemoDiskError,
    DemoFolderError,
    NoSamplesError,
    SampleClip,
    demo_folder,
    done_before,
    find_samples,
    replay_samples,
    score_samples,
)
from api.work.progress import Advance
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from rules.finding import Rule
from rules.observation import LampState
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import MODELS, SITE, HandClock, ScriptedPipeline, a_recording
from tests.builders.small_disk import small_disk

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
LAMP = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)
RAN = {"rule": "red_light", "class": "car", "t": 4.0, "tolerance_s": 1.5}
START = "2026-05-12T09:41:00+08:00"


def pipeline_of(clip: SampleClip) -> ScriptedPipeline:
    """The same car runs the same red in every clip."""
    return ScriptedPipeline(clip.site_file, actors=(RUNNER,), lamps=(LAMP,), camera_id=clip.camera_id)


class Progresses:
    def __init__(self) -> None:
        self.told: list[tuple[str, int, int, str]] = []

    def begun(self, at: Advance) -> None:
        self.told.append((at.source, at.number, at.of, "begun"))

    def advanced(self, at: Advance) -> None:
        assert (at.source, at.number, at.of) == self.told[-1][:3]

    def ended(self, at: Advance, outcome: str) -> None:
        self.told.append((at.source, at.number, at.of, outcome))

    def noted(self, text: str) -> None:
        assert text.startswith("alarm: "), (
            "a disk that is nearly full is told; nothing else is wrong in these runs"
        )


def site_text(camera: str) -> str:
    return SITE.replace("cam1", camera)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Two clips: in 'early' somebody runs the red and the truth says so, in 'late' the truth expects it later."""
    folder = tmp_path / "samples"
    folder.mkdir()
    for name in ("early", "late"):
        a_recording(folder / f"{name}.mp4", 14.0)
        (folder / f"{name}.yaml").write_text(site_text(name))
    write_truth(
        folder,
        {
            "late.mp4": {"started_at": START, "events": [{**RAN, "t": 12.0}]},
            "early.mp4": {"started_at": START, "events": [RAN]},
        },
    )
    return folder


def write_truth(folder: Path, truth: Mapping[str, Any]) -> None:
    (folder / "truth.json").write_text(json.dumps({"_about": "drawn", **truth}))


def show(
    samples: Path,
    out: Path,
    *names: str,
    stop: Callable[[], bool] = lambda: False,
    progress: Progresses | None = None,
    parts: Callable[[SampleClip], ScriptedPipeline] = pipeline_of,
) -> tuple[SourceFailure, ...]:
    clips = find_samples(samples, names).clips
    with demo_folder(out, fresh=False):
        return replay_samples(clips, out, parts, progress or Progresses(), HandClock(), stop)


def cases(out: Path) -> list[str]:
    records = SqlRecords(out / "records.sqlite")
    found = [case.record.id for case in records.page(CaseFilter(), after_number=None, limit=99)]
    records.close()
    return found


def test_the_clip_with_the_first_event_comes_first(samples: Path, tmp_path: Path) -> None:
    found = find_samples(samples)
    assert [clip.name for clip in found.clips] == ["early", "late"]
    assert found.left_out == ()
    progress = Progresses()
    assert show(samples, tmp_path / "out", progress=progress) == ()
    assert progress.told == [
        ("early", 1, 2, "begun"),
        ("early", 1, 2, "done"),
        ("late", 2, 2, "begun"),
        ("late", 2, 2, "done"),
    ]


def test_all_clips_fill_one_folder_and_are_done_once(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    show(samples, out)
    found = cases(out)
    assert [case.split("-")[0] for case in found] == ["early", "late"]
    assert sorted(path.name for path in (out / "evidence").iterdir()) == sorted(found)
    again = Progresses()
    show(samples, out, progress=again)
    assert again.told == []
    assert cases(out) == found
    assert len(done_before(find_samples(samples).clips, out)) == 2


def test_an_interrupted_demonstration_goes_on_with_what_was_begun(samples: Path, tmp_path: Path) -> None:
    out, asked = tmp_path / "out", 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 60

    clips = tuple(reversed(find_samples(samples).clips))
    with (
        demo_folder(out, fresh=False),
        pytest.raises(
            InterruptedRunError, match=r"interrupted in late; .* kept in .*, and the same command goes on"
        ),
    ):
        replay_samples(clips, out, pipeline_of, Progresses(), HandClock(), stop)
    progress = Progresses()
    show(samples, out, progress=progress)
    assert [told[0] for told in progress.told if told[3] == "done"] == ["late", "early"]
    unbroken = tmp_path / "unbroken"
    show(samples, unbroken)
    assert sorted(cases(out)) == sorted(cases(unbroken))


def test_what_is_left_out_is_said(samples: Path) -> None:
    a_recording(samples / "new.mp4", 1.0)
    a_recording(samples / "untold.mp4", 1.0)
    (samples / "untold.yaml").write_text(site_text("untold"))
    found = find_samples(samples)
    assert [clip.name for clip in found.clips] == ["early", "late"]
    assert found.left_out == (
        "new.mp4 is left out: there is no new.yaml",
        "untold.mp4 is left out: truth.json says nothing of it",
    )
    with pytest.raises(NoSamplesError, match=r"new\.mp4 is left out"):
        find_samples(samples, ["new"])


def test_samples_that_cannot_be_used_are_named(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSamplesError, match="holds no sample clips"):
        find_samples(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="'erly'; did you mean 'early'"):
        find_samples(samples, ["erly"])
    (samples / "late.yaml").write_text(site_text("early"))
    with pytest.raises(
        UsageError, match=r"late\.yaml: cameras: the camera is called 'early' as in .*early\.yaml"
    ):
        find_samples(samples)
    (samples / "late.yaml").write_text("site: {}")
    with pytest.raises(ConfigInvalidError):
        find_samples(samples)


def test_a_clip_that_cannot_be_read_does_not_stop_the_others(samples: Path, tmp_path: Path) -> None:
    (samples / "early.mp4").write_bytes(b"no video")
    (failure,) = show(samples, tmp_path / "out")
    assert failure.source.endswith("early.mp4")
    assert [case.split("-")[0] for case in cases(tmp_path / "out")] == ["late"]
    score = score_samples(find_samples(samples).clips, tmp_path / "out")
    assert [clip.clip for clip in score.clips] == ["late.mp4"]


def test_runs_of_other_weights_are_not_mixed(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    show(samples, out, "early")

    def other(clip: SampleClip) -> ScriptedPipeline:
        return replace(pipeline_of(clip), models=replace(MODELS, weights_sha256="1" * 64))

    with pytest.raises(DemoFolderError, match="differs in the weights; --fresh throws it away"):
        show(samples, out, parts=other)
    assert len(cases(out)) == 1
    with demo_folder(out, fresh=True) as records:
        assert not records.page(CaseFilter(), after_number=None, limit=1)
    assert sorted(path.name for path in out.iterdir()) == ["records.sqlite", "runs"]
    show(samples, out, parts=other)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "run.json"
    kept.write_text("{}")
    for fresh in (False, True):
        with (
            pytest.raises(DemoFolderError, match=r"something else than a demonstration \(run\.json\)"),
            demo_folder(tmp_path, fresh=fresh),
        ):
            pass
    with pytest.raises(DemoFolderError, match="is a file"), demo_folder(kept, fresh=False):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_two_demonstrations_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        demo_folder(tmp_path, fresh=False),
        pytest.raises(DemoFolderError, match="another 'stopline demo' runs in"),
        demo_folder(tmp_path, fresh=True),
    ):
        pass
    with demo_folder(tmp_path, fresh=True):
        pass


def test_the_score_says_which_rules_fall_short_and_which_were_not_tried(
    samples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    show(samples, out, "early")
    clips = find_samples(samples).clips
    score = score_samples([clip for clip in clips if clip.name == "early"], out)
    assert score.below == ()
    assert score.untried == tuple(rule for rule in Rule if rule is not Rule.RED_LIGHT)
    show(samples, out)
    (below,) = score_samples(clips, out).below
    assert (below.rule, below.found, below.missed, below.false) == (Rule.RED_LIGHT, 1, 1, 1)
    write_truth(samples, {"early.mp4": {"events": []}, "late.mp4": {"events": []}})
    score = score_samples(find_samples(samples).clips, out)
    assert score.below[0].false == 2
    assert Rule.RED_LIGHT not in score.untried


def test_a_full_disk_is_said_and_going_on_ends_alike(
    samples: Path, tmp_path: Path, absent: Callable[[str], NoReturn]
) -> None:
    whole = tmp_path / "whole"
    show(samples, whole)
    with small_disk(tmp_path / "disk", 40, absent) as disk:
        out, filler = disk / "out", disk / "filler"
        refused = []
        for free_bytes in range(0, 3_000_000, 100_000):
            filler.write_bytes(b"x" * (free_of(disk) - free_bytes))
            try:
                show(samples, out)
                break
            except DemoDiskError as exc:
                refused.append(str(exc))
            filler.unlink()
        assert len(refused) >= 3
        for text in refused:
            assert str(disk) in text
            assert "run the same command again: what was finished is kept" in text
        assert cases(out) == cases(whole)


def free_of(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
