"""A pipeline whose recordings, sources and rules are real, and whose detector is a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from api.bootstrap import Models, OpenedSource
from api.judge import RuleJudge
from api.site_file import SiteFile, parse_site_file
from api.time_zone import time_zone
from evidence.budget import Budget
from evidence.case_builder import CaseBuilder
from evidence.delivery import Delivery
from evidence.manifest import Origin
from evidence.ports import EventLine
from ingest.file_source import FileSource
from ingest.frame import Frame
from ingest.packet_ring import PacketRing
from rules.observation import Observation, TrackPoint
from tests.builders.scene import Actor, Lamp
from tests.builders.signing import BEGIN

SIZE_PX = (320, 192)
FPS = 10
MODELS = Models(weights_name="script", weights_sha256="0" * 64, plates=())

SITE = """\
site: {id: scripted, name: Scripted, time_zone: Asia/Shanghai}
heads:
  - {id: lamp, camera: cam1, box: [0.9, 0.1, 0.95, 0.4]}
cameras:
  - id: cam1
    size_px: [320, 192]
    stop_lines:
      - id: ahead
        movement: straight
        line: [[0.1, 0.6], [0.7, 0.6]]
        further_on: [[0.1, 0.4], [0.7, 0.4]]
        direction: [[0.4, 0.9], [0.4, 0.2]]
        view: approaching
        scale: {from: [0.4, 0.9], to: [0.4, 0.6], length_m: 6}
        heads: [lamp]
    no_parking:
      - id: kerb
        zone: [[0.72, 0.3], [0.98, 0.3], [0.98, 1.0], [0.72, 1.0]]
        allowed_stop_s: 3
    gates:
      - {id: gate, line: [[0.1, 0.5], [0.7, 0.5]], direction: [[0.4, 0.9], [0.4, 0.2]]}
"""


def a_site(text: str = SITE) -> SiteFile:
    return parse_site_file(text.encode(), "scripted.yaml")


def a_recording(
    path: Path,
    seconds: float,
    *,
    size_px: tuple[int, int] = SIZE_PX,
    codec: str = "mpeg4",
    hole_s: tuple[float, float] = (0.0, 0.0),
) -> Path:
    """A grey video of that length, ten frames a second but none within ``hole_s``, a keyframe each second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options={"g": str(FPS)})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        for number in range(round(seconds * FPS)):
            if hole_s[0] <= number / FPS < hole_s[1]:
                continue
            picture = np.full((size_px[1], size_px[0], 3), 60 + number % 100, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class ScriptedAnalyst:
    """Sees the actors and lamps of a script wherever the script has them, and nothing in the pictures."""

    def __init__(self, actors: Sequence[Actor], lamps: Sequence[Lamp]) -> None:
        self._actors = actors
        self._lamps = lamps

    def observe(self, frame: Frame, watched: Sequence[int]) -> Observation:
        time_s = frame.stamp.media_s
        boxes = [(actor, actor.box_at(time_s)) for actor in self._actors]
        return Observation(
            stamp=frame.stamp,
            tracks=tuple(
                TrackPoint(
                    track_id=actor.track_at(time_s), object_class=actor.object_class, box_px=box, score=0.9
                )
                for actor, box in boxes
                if box is not None
            ),
            lamps=tuple(lamp.sample(time_s) for lamp in self._lamps),
        )


class RealJudgement:
    """The rules and the cases of a pipeline as the product makes them."""

    site_file: SiteFile
    camera_id: str

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
            site=self.site_file.site,
            zone=time_zone(self.site_file.site.time_zone),
            footage=footage,
            delivery=delivery,
            sign=sign,
            going_on=going_on,
            event_line=event_line,
            origin=Origin(site_sha256=self.site_file.sha256, code_version="0", weights=()),
        )

    def new_judge(self) -> RuleJudge:
        return RuleJudge(self.site_file.site, self.camera_id)


@dataclass
class ScriptedPipeline(RealJudgement):
    """``opened`` names the sources in the order in which they were opened."""

    site_file: SiteFile
    actors: Sequence[Actor] = ()
    lamps: Sequence[Lamp] = ()
    models: Models = field(default_factory=lambda: MODELS)
    is_live: bool = False
    camera_id: str = "cam1"
    opened: list[str] = field(default_factory=list)

    def open_source(
        self,
        name: str,
        segment: int,
        started_at: datetime | None,
        duration_s: float | None,
        error_s: float = 1.0,
    ) -> OpenedSource:
        self.opened.append(Path(name).name)
        footage = PacketRing()
        source = FileSource(
            Path(name),
            camera_id=self.camera_id,
            segment=segment,
            started_at=started_at,
            error_s=error_s,
            duration_s=duration_s,
            packet_ring=footage,
        )
        return OpenedSource(
            name=name,
            source=source,
            footage=footage,
            length_s=source.length_s,
            size_bytes=1,
            is_live=self.is_live,
        )

    def new_analyst(self) -> ScriptedAnalyst:
        return ScriptedAnalyst(self.actors, self.lamps)


class HandClock:
    """A clock that moves by 10 ms whenever it is asked how much time has passed."""

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self._elapsed_s)

    def elapsed_s(self) -> float:
        self._elapsed_s += 0.01
        return self._elapsed_s
