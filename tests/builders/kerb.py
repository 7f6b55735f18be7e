"""A kerb for scenarios: a camera with no-parking zones, and what all rules say of the observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from rules import engine
from rules.finding import Finding, Output
from rules.observation import Observation
from rules.schedule import LocalTime
from rules.site import Camera, NoParkingZone, Site

ZONE = NoParkingZone(
    zone_id="kerb", polygon_px=((0, 250), (640, 250), (640, 340), (0, 340)), allowed_stop_s=20
)
PLACE = (300.0, 300.0)
"""Well inside the zone."""


@dataclass(frozen=True)
class Kerb:
    """One camera at a kerb, 640x480 px."""

    zones: tuple[NoParkingZone, ...]
    time_zone: str = "Asia/Shanghai"
    camera: dict[str, Any] = field(default_factory=dict)
    site: dict[str, Any] = field(default_factory=dict)

    def with_camera(self, **options: Any) -> Kerb:
        return replace(self, camera={**self.camera, **options})

    def with_site(self, **options: Any) -> Kerb:
        return replace(self, site={**self.site, **options})

    def judge(self, seen: Sequence[Observation]) -> list[Output]:
        """All outputs, the end of the segment included; the local time is that of the stamps."""
        camera = Camera(camera_id="cam1", width_px=640, height_px=480, no_parking=self.zones, **self.camera)
        fields: dict[str, Any] = {"plate_profile": "ga36", "heads": (), **self.site}
        site = Site(site_id="s", name="Kerb", time_zone=self.time_zone, cameras=(camera,), **fields)
        state = engine.initial(site, "cam1")
        said: list[Output] = []
        for observation in seen:
            at = observation.stamp.captured_at
            local = None if at is None else LocalTime.of(at.astimezone(ZoneInfo(self.time_zone)))
            state, outputs = engine.step(state, observation, site, "cam1", local)
            said.extend(outputs)
        said.extend(engine.finish(state, site, "cam1"))
        return said

    def findings(self, seen: Sequence[Observation]) -> list[Finding]:
        return findings(self.judge(seen))


def a_kerb(*zones: NoParkingZone) -> Kerb:
    """With one zone that allows 20 s at any time, unless others are given."""
    return Kerb(zones=zones or (ZONE,))


def a_zone(**options: Any) -> NoParkingZone:
    """The zone of ``a_kerb`` with fields that differ."""
    return replace(ZONE, **options)


def findings(said: Iterable[Output]) -> list[Finding]:
    return [output for output in said if isinstance(output, Finding)]
