"""What a scene is: place, light, camera, signals, trips, and what the site file and the truth say about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sample_videos.render.camera import Camera
from sample_videos.world.places import Head
from sample_videos.world.signals import Program
from sample_videos.world.traffic import Traffic

Ground = tuple[float, float]
"""A point on the ground: x, y in metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A stop line across the approach that runs along +x, from ``y1`` to ``y2`` at ``x_m``."""

    line_id: str
    movement: str
    y1: float
    y2: float
    further_x: float
    view: str
    heads: tuple[str, ...]
    x_m: float = 0.0
    grace_s: float = 0.3
    standing_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A no-parking zone. ``windows`` are (from, to) as HH:MM, none for all day. ``queue_heads`` makes it a running lane,
    in which queues before these heads stand; None where nobody queues."""

    zone_id: str
    corners: tuple[Ground, ...]
    allowed_stop_s: float
    windows: tuple[tuple[str, str], ...] = ()
    queue_heads: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A line at ``x_m`` from ``y1`` to ``y2`` that vehicles pass; forward is along +x."""

    gate_id: str
    x_m: float
    y1: float
    y2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalk:
    """A crossing over the approach with its own head for pedestrians."""

    crosswalk_id: str
    x1: float
    x2: float
    y1: float
    y2: float
    head_id: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One clip. ``started_at`` is local time with its offset; ``later`` names rules whose truth stands here already."""

    name: str
    about: str
    light: str
    layout: str
    camera: Camera
    fps: float
    seconds: float
    traffic: Traffic
    started_at: str
    seed: int
    max_mb: float = 2.2
    heads: tuple[Head, ...] = ()
    programs: dict[str, Program] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    gates: tuple[Gate, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()
    plates: str = "candidates"
    lamps: tuple[tuple[float, float, float], ...] = ()
    never: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        return round(self.fps * self.seconds)
