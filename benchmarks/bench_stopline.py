"""Contender ``stopline``: recordings through the product's own loop, from source to sealed evidence, without plates.

With the option ``watch`` they take the place of live cameras (``api.work.live_camera``): what ``stopline watch`` does, all but
the network. Without it they are replayed, every picture looked at.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from api.bootstrap import CameraPipeline, Models, OpenedSource
from api.clock import SystemClock
from api.judge import RuleJudge
from api.live_pipeline import LivePipeline
from api.settings import Settings, load_settings
from api.site_file import SiteFile, load_site_file
from api.work.live_camera import LiveCamera
from api.work.progress import Advance
from api.work.replay import replay
from api.work.replay_source import ReplayRequest
from api.work.run_evidence import opened_evidence
from api.work.run_folder import OpenMode
from benchmarks.bench_meter import Meter, run_of
from benchmarks.bench_task import BenchClip, ClipRun, Said, read_task, write
from detector.weights import Weights, load_weights
from evidence.budget import Budget
from ingest.file_source import FileSource
from ingest.frame import Frame
from ingest.local_lease import LocalLeases
from ingest.ports import FrameSource
from rules.finding import Finding, Output, Status
from rules.observation import Observation
from rules.site import Site

WATCH = "watch"


def main(task_path: str, run_path: str) -> None:
    task = read_task(Path(task_path))
    settings = load_settings()
    site_files = [load_site_file(Path(clip.site_path)) for clip in task.clips]
    weights = load_weights(
        Path(task.weights), input_size=task.input_px, threads=1, inference=settings.inference
    )
    models = Models(weights_name=weights.path.name, weights_sha256=weights.sha256, plates=())
    work = watched if WATCH in task.options else replayed
    clips = []
    for clip, site_file in zip(task.clips, site_files, strict=True):
        with tempfile.TemporaryDirectory() as name:
            clips.append(work(clip, site_file, models, weights, settings, Path(name)))
    packages = ("stopline", "onnxruntime", "av", "numpy")
    write(Path(run_path), run_of(clips, version, packages))


class _Judge(RuleJudge):
    """The product's judge; the meter is told what it says."""

    def __init__(self, site: Site, camera_id: str, meter: Meter) -> None:
        super().__init__(site, camera_id)
        self._meter = meter

    def step(self, observation: Observation) -> tuple[Output, ...]:
        outputs = super().step(observation)
        self._meter.known(_said(outputs, observation.stamp.media_s))
        return outputs


class _Source:
    """A recording as a source that tells the meter when a picture is asked for, and is never behind."""

    lag_s = 0.0

    def __init__(self, source: FrameSource, meter: Meter, ended: Callable[[], None] = lambda: None) -> None:
        self._source, self._meter, self._ended = source, meter, ended
        self.size_px = source.size_px
        self.shown = 0

    @property
    def damage(self) -> str | None:
        return self._source.damage

    @property
    def skipped(self) -> object:
        assert isinstance(self._source, FileSource)
        return self._source.skipped

    def skip_to_keyframe(self) -> None:
        raise AssertionError("nobody is behind")

    def frames(self) -> Iterator[Frame]:
        self._meter.asked()
        for frame in self._source.frames():
            self.shown += 1
            yield frame
            self._meter.asked()
        self._ended()

    def close(self) -> None:
        self._source.close()


class _Replayed(CameraPipeline):
    """A pipeline of one source."""

    meter: Meter
    source: _Source

    def new_judge(self) -> RuleJudge:
        return _Judge(self._site, self._camera_id, self.meter)

    def open_source(
        self,
        name: str,
        segment: int,
        started_at: datetime | None,
        duration_s: float | None,
        error_s: float = 1.0,
    ) -> OpenedSource:
        opened = super().open_source(name, segment, started_at, duration_s, error_s)
        self.source = _Source(opened.source, self.meter)
        return replace(opened, source=self.source)


class _Watched(LivePipeline):
    """A live pipeline whose camera shows a recording, once."""

    meter: Meter
    clip: BenchClip
    source: _Source
    ended: Callable[[], None]

    def new_judge(self) -> RuleJudge:
        return _Judge(self._site, self._camera_id, self.meter)

    def open_live(self, segment: int, on_thread: Callable[[int], None]) -> OpenedSource:
        started_at = datetime.fromisoformat(self.clip.started_at)
        opened = self.open_source(self.clip.path, segment, started_at, None)
        self.source = _Source(opened.source, self.meter, self.ended)
        return replace(opened, source=self.source, is_live=True)


class _Silent:
    """Shows nothing."""

    def begun(self, at: Advance) -> None: ...

    def advanced(self, at: Advance) -> None: ...

    def ended(self, at: Advance, outcome: str) -> None: ...

    def noted(self, text: str) -> None: ...


def replayed(
    clip: BenchClip, site_file: SiteFile, models: Models, weights: Weights, settings: Settings, folder: Path
) -> ClipRun:
    """The clip as ``stopline replay`` takes it, with evidence."""
    camera_id = site_file.site.cameras[0].camera_id
    pipeline = _Replayed(site_file, camera_id, models, weights, None, SystemClock())
    request = ReplayRequest(
        sources=(clip.path,),
        site_file=site_file,
        camera_id=camera_id,
        out=folder / "run",
        mode=OpenMode.NEW,
        start_times=(datetime.fromisoformat(clip.started_at),),
        duration_s=None,
    )
    pipeline.meter = Meter(clip.name)
    replay(request, pipeline, _Silent(), SystemClock(), stop=lambda: False)
    return pipeline.meter.done(pipeline.source.shown)


def watched(
    clip: BenchClip, site_file: SiteFile, models: Models, weights: Weights, settings: Settings, folder: Path
) -> ClipRun:
    """The clip as ``stopline watch`` takes a live camera, with evidence; it comes as fast as it is taken."""
    camera_id, clock = site_file.site.cameras[0].camera_id, SystemClock()
    pipeline = _Watched(site_file, camera_id, models, weights, None, clock, settings.networks(), dict)
    pipeline.meter, pipeline.clip = Meter(clip.name), clip
    with opened_evidence(folder, None, None, Budget(), clock) as held:
        camera = LiveCamera(
            site_file,
            camera_id,
            pipeline,
            data=folder,
            lease=lambda: LocalLeases(folder / "leases").acquire(camera_id),
            delivery=held.courier,
            sign=held.custody.signature,
            budget=Budget(),
            clock=clock,
            chance=lambda: 0.0,
        )
        pipeline.ended = camera.stop
        camera.run()
        figures = camera.meter.figures()
        if not pipeline.source.shown or figures.frames != pipeline.source.shown:
            raise RuntimeError(f"{clip.name}: {figures.code}: {figures.message}")
    return pipeline.meter.done(pipeline.source.shown)


def _said(outputs: tuple[Output, ...], now_s: float) -> list[Said]:
    return [
        Said(
            rule=one.rule.value,
            object_class=one.object_class.value,
            t_s=one.t_s,
            said_s=now_s,
            at_px=one.at_px,
        )
        for one in outputs
        if isinstance(one, Finding) and one.status is Status.ASSERTED
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
