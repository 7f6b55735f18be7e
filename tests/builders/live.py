"""Live cameras whose streams, rules, evidence and processes are real, and whose detector is a script."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from api.bootstrap import Models, OpenedSource
from api.clock import Clock
from api.live_pipeline import open_stream
from api.settings import Settings
from api.site_file import SiteFile
from ingest.frame import Frame
from rules.observation import Observation
from tests.builders.scene import Actor, Lamp
from tests.builders.scripted import MODELS, SITE, RealJudgement, ScriptedAnalyst


@dataclass(frozen=True, kw_only=True)
class Script:
    """What is seen of a camera by media time; at the frame of index ``dies_at`` its thread crashes the process."""

    actors: Sequence[Actor] = ()
    lamps: Sequence[Lamp] = ()
    dies_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class ScriptedPipelines:
    """Called in each worker; scripts by camera id."""

    scripts: Mapping[str, Script] = field(default_factory=dict)

    def __call__(self, settings: Settings, clock: Clock) -> _WorkerPipelines:
        return _WorkerPipelines(self.scripts, settings, clock)


@dataclass(frozen=True)
class _WorkerPipelines:
    scripts: Mapping[str, Script]
    settings: Settings
    clock: Clock

    def pipeline(self, site_file: SiteFile, camera_id: str) -> ScriptedLivePipeline:
        script = self.scripts.get(camera_id, Script())
        return ScriptedLivePipeline(site_file, camera_id, script, self.settings, self.clock)


class DyingAnalyst(ScriptedAnalyst):
    """Sees what its script says, and crashes as a decoder would, on its own thread."""

    def __init__(self, script: Script) -> None:
        super().__init__(script.actors, script.lamps)
        self._dies_at = script.dies_at

    def observe(self, frame: Frame, watched: Sequence[int]) -> Observation:
        if frame.stamp.index == self._dies_at:
            ctypes.string_at(0)
        return super().observe(frame, watched)

    def glance(self, frame: Frame) -> Observation:
        return Observation(
            stamp=frame.stamp,
            tracks=None,
            lamps=tuple(lamp.sample(frame.stamp.media_s) for lamp in self._lamps),
        )


@dataclass
class ScriptedLivePipeline(RealJudgement):
    """As LivePipeline, without models."""

    site_file: SiteFile
    camera_id: str
    script: Script
    settings: Settings
    clock: Clock

    @property
    def models(self) -> Models:
        return MODELS

    def open_live(self, segment: int, on_thread: Callable[[int], None]) -> OpenedSource:
        stream = next(one for one in self.site_file.document.cameras if one.id == self.camera_id).stream
        assert stream is not None
        return open_stream(
            stream,
            camera_id=self.camera_id,
            segment=segment,
            clock=self.clock,
            networks=self.settings.networks(),
            accounts=self.settings.camera_accounts(),
            on_thread=on_thread,
        )

    def live_analyst(self, opened: OpenedSource) -> DyingAnalyst:
        return DyingAnalyst(self.script)


def a_live_site(camera_id: str, address: str, *, account: str | None = None, extra: str = "") -> str:
    """The scripted site with one camera of that id, whose stream is there."""
    named = f", account: {account}" if account else ""
    text = SITE.replace("id: scripted,", f"id: site-{camera_id},").replace("cam1", camera_id)
    stream = f"    stream: {{address: '{address}'{named}}}\n{extra}"
    return text.replace("    stop_lines:\n", f"{stream}    stop_lines:\n")
