"""Several processes at a time give the same bytes as one, are resumed, and end together."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from api.clock import Clock, SystemClock
from api.errors import InterruptedRunError, SomeInputsFailedError
from api.settings import Settings
from api.site_file import SiteFile
from api.work.replay import Replayed, replay
from api.work.replay_jobs import JobDiedError, JobsSetup
from api.work.replay_source import ReplayRequest
from api.work.run_folder import EVENTS, OBSERVATIONS, PASSAGES, OpenMode, is_complete
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from ingest.frame import Frame
from rules.observation import LampState, Observation
from tests.api.work.test_replay import Progresses
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import ScriptedAnalyst, ScriptedPipeline, a_recording, a_site

pytestmark = pytest.mark.timeout(300)  # processes that begin, on a machine that may be busy

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
LAMP = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)


class Dying(ScriptedAnalyst):
    def observe(self, frame: Frame, watched: Sequence[int]) -> Observation:
        ctypes.string_at(0)
        return super().observe(frame, watched)


class DyingPipeline(ScriptedPipeline):
    def new_analyst(self) -> ScriptedAnalyst:
        return Dying((), ())


@dataclass(frozen=True)
class Scripted:
    """Makes the pipeline in each process."""

    dies: bool = False

    def __call__(self, site_file: SiteFile, camera_id: str, clock: Clock) -> ScriptedPipeline:
        kind = DyingPipeline if self.dies else ScriptedPipeline
        return kind(site_file, (RUNNER,), (LAMP,), camera_id=camera_id)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [a_recording(folder / f"{number}.mp4", 8.0 + number) for number in range(4)]


def request_for(out: Path, clips: Sequence[Path], mode: OpenMode = OpenMode.NEW) -> ReplayRequest:
    return ReplayRequest(
        sources=tuple(map(str, clips)),
        site_file=a_site(),
        camera_id="cam1",
        out=out,
        mode=mode,
        start_times=(),
        duration_s=None,
    )


def run(request: ReplayRequest, jobs: int, *, dies: bool = False, stop_after: int | None = None) -> Replayed:
    told = Progresses()
    setup = JobsSetup(jobs=jobs, settings=Settings.of({"HOME": "/nowhere"}), pipelines=Scripted(dies))
    pipeline = Scripted()(request.site_file, "cam1", SystemClock())

    def stop() -> bool:
        return stop_after is not None and len(told.outcomes) >= stop_after

    return replay(request, pipeline, told, SystemClock(), stop, setup)


def same(one: Path, other: Path) -> bool:
    return all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in (EVENTS, PASSAGES, OBSERVATIONS)
    )


def case_ids(out: Path) -> list[str]:
    records = SqlRecords(out / "records.sqlite")
    try:
        return sorted(case.record.id for case in records.page(CaseFilter(), after_number=None, limit=100))
    finally:
        records.close()


def test_jobs_give_the_bytes_and_cases_of_one_process(tmp_path: Path, clips: list[Path]) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    run(request_for(alone, clips), 1)
    run(request_for(shared, clips), 3)
    assert same(alone, shared)
    assert case_ids(alone) == case_ids(shared)
    assert len(case_ids(shared)) == 4
    for case_id in case_ids(shared):
        manifests = [(out / "evidence" / case_id / "manifest.json").read_bytes() for out in (alone, shared)]
        assert manifests[0] == manifests[1]
    assert is_complete(shared)


def test_an_interrupted_run_is_resumed_and_gives_the_same_bytes(tmp_path: Path, clips: list[Path]) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    run(request_for(alone, clips), 1)
    with pytest.raises(InterruptedRunError, match="--resume"):
        run(request_for(shared, clips), 2, stop_after=1)
    assert not is_complete(shared)
    run(request_for(shared, clips, OpenMode.RESUME), 2)
    assert same(alone, shared)
    assert case_ids(alone) == case_ids(shared)


def test_a_source_that_cannot_be_read_stops_no_other(tmp_path: Path, clips: list[Path]) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all" * 100)
    with pytest.raises(SomeInputsFailedError, match=r"broken\.mp4"):
        run(request_for(tmp_path / "out", [clips[0], broken, clips[1]]), 2)
    assert len(case_ids(tmp_path / "out")) == 2


def test_a_process_that_dies_ends_the_run_with_the_name_of_its_source(
    tmp_path: Path, clips: list[Path]
) -> None:
    request = request_for(tmp_path / "out", clips[:2])
    with pytest.raises(JobDiedError, match=r"\.mp4 died \(exit code -11\)"):
        run(request, 2, dies=True)
    run(replace(request, mode=OpenMode.RESUME), 2)
    assert len(case_ids(tmp_path / "out")) == 2
