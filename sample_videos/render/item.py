"""What the renderer draws anew in each frame; describing it needs no OpenGL."""

from __future__ import annotations

from dataclasses import dataclass

from sample_videos.render.camera import Floats

WHITE_LAMP = (1.0, 0.93, 0.82)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """Something that moves: which mesh, where (4x4), and how it looks. ``glow``: head, tail, left, right lamps."""

    mesh: str
    model: Floats
    item_id: int = 0
    paint: tuple[float, float, float] = (0.5, 0.5, 0.5)
    glow: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    lens: tuple[float, float, float] = WHITE_LAMP
    plate: str = ""
    spin: float = 0.0
    seed: float = 0.0
    dirt: float = 0.5
    seams: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    footprint_m: tuple[float, float] = (0.0, 0.0)
    beams: bool = False
