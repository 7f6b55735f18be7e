"""What a contender of ``make bench`` is given, and what it gives back: files of JSON between environments that share nothing else.

It needs the standard library alone, since the peers' environment has no Stopline in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLine:
    """A stop line in pixels. ``direction`` is the unit vector of travel; ``red_s`` are the spans in which nobody may cross."""

    line_px: tuple[Point, Point]
    direction: Point
    red_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kerb:
    """A no-parking zone in pixels."""

    polygon_px: tuple[Point, ...]
    allowed_stop_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchClip:
    """One recording, and what is asked of it."""

    name: str
    path: str
    site_path: str
    fps: float
    seconds: float
    started_at: str
    lines: tuple[RedLine, ...]
    kerbs: tuple[Kerb, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run of one contender: each clip once, one picture in ``stride`` looked at."""

    clips: tuple[BenchClip, ...]
    weights: str
    input_px: tuple[int, int]
    class_names: tuple[str, ...]
    vehicles: tuple[str, ...]
    stride: int = 1
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An event that a contender reports; ``said_s`` is the media time of the picture in which it did."""

    rule: str
    object_class: str
    t_s: float
    said_s: float
    at_px: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRun:
    """What one clip came to. ``cpu_s`` is of all threads; ``frame_ms`` is of each picture that was looked at, from asking for
    it, decoding included, to knowing what it tells; ``finding_ms`` of those in which an event was reported.
    """

    clip: str
    frames: int
    cpu_s: float
    wall_s: float
    said: tuple[Said, ...]
    frame_ms: tuple[float, ...]
    finding_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a contender gives back. ``versions`` are of what it is made of."""

    clips: tuple[ClipRun, ...]
    peak_memory_mb: float
    versions: Mapping[str, str] = field(default_factory=dict)


def write(path: Path, what: Task | Run) -> None:
    """The file holds it."""
    path.write_text(json.dumps(asdict(what)), encoding="utf-8")


def read_task(path: Path) -> Task:
    raw = json.loads(path.read_text(encoding="utf-8"))
    clips = tuple(
        BenchClip(
            **{
                **one,
                "lines": tuple(RedLine(**_line(line)) for line in one["lines"]),
                "kerbs": tuple(
                    Kerb(polygon_px=_points(kerb["polygon_px"]), allowed_stop_s=kerb["allowed_stop_s"])
                    for kerb in one["kerbs"]
                ),
            }
        )
        for one in raw["clips"]
    )
    fixed = {name: tuple(raw[name]) for name in ("input_px", "class_names", "vehicles", "options")}
    return Task(**{**raw, **fixed, "clips": clips})


def read_run(path: Path) -> Run:
    raw = json.loads(path.read_text(encoding="utf-8"))
    clips = tuple(
        ClipRun(
            **{
                **one,
                "said": tuple(Said(**{**said, "at_px": tuple(said["at_px"])}) for said in one["said"]),
                "frame_ms": tuple(one["frame_ms"]),
                "finding_ms": tuple(one["finding_ms"]),
            }
        )
        for one in raw["clips"]
    )
    return Run(**{**raw, "clips": clips})


def _line(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "line_px": _points(raw["line_px"]),
        "direction": tuple(raw["direction"]),
        "red_s": tuple(tuple(span) for span in raw["red_s"]),
    }


def _points(raw: Any) -> tuple[Any, ...]:
    return tuple((float(x), float(y)) for x, y in raw)
