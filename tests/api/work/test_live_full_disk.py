"""A live run that ends on a full disk: its results stand, in the room that it kept for them, and name what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from api.work.replay import replay
from api.work.replay_source import ReplayRequest
from api.work.run_folder import OpenMode
from evidence.courier import Pace
from evidence.verification import Trust
from evidence.verify_folder import verify_data_folder
from rules.observation import LampState
from tests.builders.runs import Silence
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import HandClock, ScriptedPipeline, a_recording, a_site
from tests.builders.signing import a_signer
from tests.builders.small_disk import small_disk

FPS = 10
FULL_FROM_S = 14.0
EARLY = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
LATE = a_car(2, (40.0, 30.0)).drives((130, 190), (130, 20), 16.0, 21.0)
LAMP = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)


def fill(path: Path) -> None:
    """Nothing more fits onto the disk of that file."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 10, 1):
            while True:
                try:
                    if file.write(bytes(size)) < size:
                        break
                except OSError:
                    break


def test_a_live_run_that_ends_on_a_full_disk_has_its_results_and_names_what_is_missing(
    tmp_path: Path, absent: Callable[[str], NoReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.work.run_evidence.PACE", Pace(first_s=0.05, end_s=0.2))
    clip = a_recording(tmp_path / "clip.mp4", 24.0, codec="libx264")
    with small_disk(tmp_path / "disk", 40, absent) as disk:
        out, frames = disk / "out", iter(range(10_000))

        def stop() -> bool:
            if next(frames) == round(FULL_FROM_S * FPS):
                fill(disk / "somebody-elses")
            return False

        pipeline = ScriptedPipeline(a_site(), (EARLY, LATE), (LAMP,), is_live=True)
        request = ReplayRequest(
            sources=(str(clip),),
            site_file=pipeline.site_file,
            camera_id="cam1",
            out=out,
            mode=OpenMode.NEW,
            signer=a_signer(),
            start_times=(),
            duration_s=None,
        )
        replay(request, pipeline, Silence(), HandClock(), stop)
        events = [json.loads(line) for line in (out / "events.jsonl").read_text("utf-8").splitlines()]
        summary = json.loads((out / "summary.json").read_text("utf-8"))
        assert [event["track"] for event in events if event["evidence"] is not None] == [1]
        (unkept,) = summary["unkept"]
        assert (unkept["track"], unkept["rule"]) == (2, "red_light")
        assert "disk is full" in unkept["why"]
        assert summary["custody"] is not None, "the chain has its checkpoint"
        assert not (out / "checkpoint").exists()
        assert {path.name for path in (out / "evidence").iterdir()} == {events[0]["id"]}
        (disk / "somebody-elses").unlink()
        found = verify_data_folder(out, Trust())
        assert not [check for part in found.parts for check in part.checks if check.state.value == "failed"]
