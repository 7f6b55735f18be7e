"""Live cameras whose streams, rules, evidence and processes are real, and whose detector is a script."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api.bootstrap import Models, OpenedSource
from api.clock import Clock
from api.judge import RuleJudge
from api.live_pipeline import OPEN_TIMEOUT_S, SILENCE_S, address_with_account
from api.settings import Settings
from api.site_file import SiteFile
from api.time_zone import time_zone
from evidence.budget import Budget
from evidence.case_builder import CaseBuilder
from evidence.delivery import Delivery
from evidence.manifest import Origin
from evidence.ports import EventLine
from ingest.frame import Frame
from ingest.packet_ring import PacketRing
from ingest.redact import redact_url
from ingest.rtsp_source import RtspSource, Transport
from rules.observation import Observation
from tests.builders.scene import Actor, Lamp
from tests.builders.scripted import MODELS, SITE, ScriptedAnalyst


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

    def __call__(self, settings: Settings, clock: Clock) -> ScriptedPipelines:
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "clock", clock)
        return self

    def pipeline(self, site_file: SiteFile, camera_id: str) -> ScriptedLivePipeline:
        script = self.scripts.get(camera_id, Script())
        return ScriptedLivePipeline(site_file, camera_id, script, self.settings, self.clock)  # type: ignore[attr-defined]


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


class ScriptedLivePipeline:
    """As LivePipeline, without models."""

    def __init__(
        self, site_file: SiteFile, camera_id: str, script: Script, settings: Settings, clock: Clock
    ) -> None:
        self._site_file, self._camera_id, self._script = site_file, camera_id, script
        self._settings, self._clock = settings, clock

    @property
    def models(self) -> Models:
        return MODELS

    def open_live(self, segment: int, on_thread: Callable[[int], None]) -> OpenedSource:
        stream = next(one for one in self._site_file.document.cameras if one.id == self._camera_id).stream
        assert stream is not None
        url = address_with_account(stream, stream.address, self._settings.camera_accounts())
        footage = PacketRing()
        source = RtspSource(
            url,
            camera_id=self._camera_id,
            clock=self._clock,
            segment=segment,
            open_timeout_s=OPEN_TIMEOUT_S,
            read_timeout_s=SILENCE_S,
            packet_ring=footage,
            transport=Transport(stream.transport),
            networks=self._settings.networks(),
            on_thread=on_thread,
        )
        return OpenedSource(
            name=redact_url(url), source=source, footage=footage, length_s=None, size_bytes=None, is_live=True
        )

    def live_analyst(self, opened: OpenedSource) -> DyingAnalyst:
        return DyingAnalyst(self._script)

    def new_cases(
        self,
        data_dir: Path,
        footage: PacketRing,
        delivery: Delivery,
        sign: Callable[[bytes], bytes],
        event_line: EventLine,
        going_on: Budget | None = None,
    ) -> CaseBuilder:
        return CaseBuilder(
            data_dir=data_dir,
            site=self._site_file.site,
            zone=time_zone(self._site_file.site.time_zone),
            footage=footage,
            delivery=delivery,
            sign=sign,
            going_on=going_on,
            event_line=event_line,
            origin=Origin(site_sha256=self._site_file.sha256, code_version="0", weights=()),
        )

    def new_judge(self) -> RuleJudge:
        return RuleJudge(self._site_file.site, self._camera_id)


def a_live_site(camera_id: str, address: str, *, account: str | None = None, extra: str = "") -> str:
    """The scripted site with one camera of that id, whose stream is there."""
    named = f", account: {account}" if account else ""
    text = SITE.replace("id: scripted,", f"id: site-{camera_id},").replace("cam1", camera_id)
    stream = f"    stream: {{address: '{address}'{named}}}\n{extra}"
    return text.replace("    stop_lines:\n", f"{stream}    stop_lines:\n")
