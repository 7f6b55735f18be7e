"""What stands still: roads, kerbs, markings, houses, trees, poles, signal masts, for a junction or a street.

World axes: x along the main road, y to its left, z up. Traffic keeps to the right; see ``sample_videos.world.places``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import cos, pi, sin, tau

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sample_videos.render.mesh import (
    ASPHALT,
    FACADE,
    LEAF,
    PAVING,
    PLAIN,
    SIGN,
    WORN,
    Colour,
    Mesh,
    ball,
    box,
    joined,
    quad,
    surface,
    tube,
)
from sample_videos.world.places import (
    CROSS_HALF,
    CROSS_X,
    FAR_LINE_X,
    KERB_Y,
    MASTS,
    STREET_KERB_Y,
    ZEBRA,
    Head,
)

WHITE: Colour = (0.62, 0.62, 0.60)
YELLOW: Colour = (0.62, 0.42, 0.06)
STEEL: Colour = (0.30, 0.31, 0.32)


def street_mesh(
    layout: str, heads: Sequence[Head], rng: Generator, *, lamps: Sequence[tuple[float, float, float]]
) -> Mesh:
    """The whole still world of the ``layout`` (junction or street)."""
    parts = _junction(rng) if layout == "junction" else _street(rng)
    parts += [part for head in heads for part in _housing(head)]
    parts += [part for x, y, z in lamps for part in _lamp_post(x, y, z)]
    return joined(parts)


def _flat(x1: float, y1: float, x2: float, y2: float, z: float, colour: Colour, kind: int) -> Mesh:
    return quad([(x1, y1, z), (x2, y1, z), (x2, y2, z), (x1, y2, z)], colour, rough=0.9, kind=kind)


def _stripe(x1: float, y1: float, x2: float, y2: float, colour: Colour = WHITE) -> Mesh:
    return _flat(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2), 0.008, colour, WORN)


def _dashes(x1: float, x2: float, y: float, *, along_y: bool = False) -> list[Mesh]:
    parts = []
    for start in np.arange(x1, x2 - 1.9, 6.0):
        a, b = float(start), float(start) + 2.4
        parts.append(_stripe(y - 0.075, a, y + 0.075, b) if along_y else _stripe(a, y - 0.075, b, y + 0.075))
    return parts


def _arrow(x: float, y: float, turn: str, facing: float) -> list[Mesh]:
    """A lane arrow at (x, y); ``facing`` 1 points along +x, -1 along -x."""

    def place(points: list[tuple[float, float]]) -> Mesh:
        p = np.array([(x + facing * a, y + facing * b, 0.009) for a, b in points])
        return surface(p, [tuple(range(len(p)))], [(WHITE, 0.9, 0.0, WORN)])

    parts = [place([(-2.2, -0.09), (0.8, -0.09), (0.8, 0.09), (-2.2, 0.09)])]
    if "straight" in turn:
        parts.append(place([(0.8, -0.28), (2.2, 0.0), (0.8, 0.28)]))
    for side, word in ((1.0, "left"), (-1.0, "right")):
        if word in turn:
            bar = [(-0.3, side * 0.05), (0.1, side * 0.05), (0.1, side * 0.6), (-0.3, side * 0.6)]
            tip = [(-0.6, side * 0.6), (0.4, side * 0.6), (-0.1, side * 1.15)]
            parts += [place(points if side > 0 else points[::-1]) for points in (bar, tip)]
    return parts


def _kerbed_block(x1: float, y1: float, x2: float, y2: float) -> list[Mesh]:
    """A raised pavement with its kerb stones."""
    top = _flat(x1, y1, x2, y2, 0.15, (0.27, 0.26, 0.245), PAVING)
    stone: Colour = (0.36, 0.36, 0.35)
    parts = [top]
    for (a, b), (c, d) in (
        ((x1, y1), (x2, y1)),
        ((x1, y2), (x2, y2)),
        ((x1, y1), (x1, y2)),
        ((x2, y1), (x2, y2)),
    ):
        middle = ((a + c) / 2, (b + d) / 2, 0.085)
        parts.append(box(middle, (abs(c - a) + 0.2, abs(d - b) + 0.2, 0.17), stone, rough=0.9))
    return parts


def _junction(rng: Generator) -> list[Mesh]:
    left, right = CROSS_X - CROSS_HALF, CROSS_X + CROSS_HALF
    parts = [_flat(-200, -200, 260, 260, 0.0, (0.1, 0.1, 0.1), ASPHALT)]
    for x1, x2 in ((-200.0, left - 1.0), (right + 1.0, 240.0)):
        for side in (-1.0, 1.0):
            parts += _kerbed_block(x1, min(side * KERB_Y, side * 200), x2, max(side * KERB_Y, side * 200))
    for start, end in ((-150.0, 0.0), (FAR_LINE_X, 200.0)):
        near = 0.0 if start < 0 else FAR_LINE_X
        for side in (-1.0, 1.0):
            solid = side < 0 if start < 0 else side > 0
            inner, outer = side * 3.5, side * 7.0
            if solid:
                parts.append(
                    _stripe(
                        near - 28 if start < 0 else near,
                        inner - 0.075,
                        near if start < 0 else near + 28,
                        inner + 0.075,
                    )
                )
                parts += _dashes(start, near - 30, inner) if start < 0 else _dashes(near + 30, end, inner)
            else:
                parts += _dashes(start, end, inner)
            parts.append(_stripe(start, outer - 0.075, end, outer + 0.075))
        parts += [_stripe(start, y - 0.07, end, y + 0.07, YELLOW) for y in (-0.16, 0.16)]
    parts += [_stripe(-0.2, -7.0, 0.2, -0.3), _stripe(FAR_LINE_X - 0.2, 0.3, FAR_LINE_X + 0.2, 7.0)]
    parts += [
        _stripe(-0.2, -KERB_Y + 0.2, 0.2, -7.1),
        _stripe(FAR_LINE_X - 0.2, 7.1, FAR_LINE_X + 0.2, KERB_Y - 0.2),
    ]
    for x1, x2 in (ZEBRA, (2 * CROSS_X - ZEBRA[1], 2 * CROSS_X - ZEBRA[0])):
        parts += [_stripe(x1, y, x2, y + 0.42) for y in np.arange(-KERB_Y + 0.5, KERB_Y - 0.6, 0.9)]
    for y1, y2 in ((-KERB_Y - 5.0, -KERB_Y - 1.5), (KERB_Y + 1.5, KERB_Y + 5.0)):
        parts += [_stripe(x, y1, x + 0.42, y2) for x in np.arange(left + 0.4, right - 0.6, 0.9)]
    for side in (-1.0, 1.0):
        edge = side * (KERB_Y + 6.5)
        parts.append(
            _stripe(CROSS_X if side < 0 else left, edge - 0.2, right if side < 0 else CROSS_X, edge + 0.2)
        )
        lo, hi = (edge, 120.0) if side > 0 else (-120.0, edge)
        parts += [_stripe(CROSS_X - 0.07 + d, lo, CROSS_X + 0.07 + d, hi, YELLOW) for d in (-0.16, 0.16)]
        parts += [p for x in (CROSS_X - 3.6, CROSS_X + 3.6) for p in _dashes(lo, hi, x, along_y=True)]
    for x in (-7.0, -24.0):
        parts += _arrow(x, -1.75, "left straight", 1.0) + _arrow(x, -5.25, "straight right", 1.0)
        parts += _arrow(FAR_LINE_X - x, 1.75, "left straight", -1.0) + _arrow(
            FAR_LINE_X - x, 5.25, "straight right", -1.0
        )
    for x, y, reach in MASTS:
        parts += _mast(x, y, reach)
    for sx in (-1.0, 1.0):
        for sy in (-1.0, 1.0):
            corner = CROSS_X + sx * (CROSS_HALF + 14.0)
            parts += _row_of_houses(rng, corner, sx, sy * (KERB_Y + 9.0), sy, 7)
            parts += _side_houses(rng, CROSS_X + sx * (CROSS_HALF + 9.0), sx, sy * (KERB_Y + 28.0), sy, 5)
            parts += [
                t
                for i in range(8)
                for t in _tree(rng, corner - sx * 3.0 + sx * i * rng.uniform(8.5, 10.0), sy * (KERB_Y + 2.2))
            ]
            parts += [
                t
                for i in range(4)
                for t in _tree(rng, CROSS_X + sx * (CROSS_HALF + 3.0), sy * (KERB_Y + 16 + i * 10))
            ]
            parts += _furniture(rng, corner, sx, sy * KERB_Y, sy)
    parts += _railing(-90.0, -34.0, 0.0) + _railing(66.0, 120.0, 0.0)
    return parts


def _street(rng: Generator) -> list[Mesh]:
    parts = [_flat(-200, -60, 300, 60, 0.0, (0.1, 0.1, 0.1), ASPHALT)]
    for side in (-1.0, 1.0):
        y = side * STREET_KERB_Y
        parts += _kerbed_block(-150.0, min(y, side * 90), 260.0, max(y, side * 90))
        parts += _dashes(-150.0, 200.0, side * 3.5)
        parts += _row_of_houses(rng, -90.0, 1.0, side * (STREET_KERB_Y + 9.0), side, 17)
        parts += [
            t
            for i in range(26)
            for t in _tree(rng, -70.0 + i * rng.uniform(8.8, 9.2), side * (STREET_KERB_Y + 1.9))
        ]
        parts += _furniture(rng, -70.0, 1.0, y, side)
    parts += [_stripe(-150, y - 0.07, 250, y + 0.07, YELLOW) for y in (-0.16, 0.16)]
    parts.append(_stripe(-150, -STREET_KERB_Y + 0.25, 250, -STREET_KERB_Y + 0.40, YELLOW))
    for x in (12.0, 40.0):
        parts.append(tube((x, -STREET_KERB_Y - 0.6, 0.1), (x, -STREET_KERB_Y - 0.6, 2.6), 0.04, 0.04, STEEL))
        parts.append(_disc((x - 0.05, -STREET_KERB_Y - 0.6, 2.4), 0.32, (0.35, 0.02, 0.02), -1.0))
        parts.append(_disc((x - 0.06, -STREET_KERB_Y - 0.6, 2.4), 0.24, (0.02, 0.06, 0.35), -1.0))
    return parts


def _disc(
    middle: tuple[float, float, float], radius: float, colour: Colour, facing_x: float, kind: int = SIGN
) -> Mesh:
    x, y, z = middle
    p = [(x, y + facing_x * radius * cos(tau * i / 20), z + radius * sin(tau * i / 20)) for i in range(20)]
    return surface(np.array(p), [tuple(range(20))], [(colour, 0.4, 0.0, kind)])


def _mast(x: float, y: float, reach: float) -> list[Mesh]:
    arm = y - np.sign(y) * reach
    return [
        tube((x, y, 0.0), (x, y, 6.6), 0.16, 0.12, STEEL, rough=0.4, metal=0.5, sectors=12),
        tube((x, y, 6.3), (x, arm, 6.5), 0.09, 0.06, STEEL, rough=0.4, metal=0.5, sectors=10),
        box((x, y, 0.25), (0.5, 0.5, 0.3), (0.3, 0.3, 0.3)),
        box((x, y - np.sign(y) * 0.35, 1.6), (0.35, 0.25, 0.6), (0.4, 0.4, 0.38)),
    ]


def _housing(head: Head) -> list[Mesh]:
    """A signal head's box, visors and back board; its lenses are drawn per frame."""
    x, y, z = head.place
    f, s = head.facing_x, head.scale
    black: Colour = (0.012, 0.012, 0.013)
    parts = [
        box((x - f * 0.16, y, z), (0.30, 0.44 * s, 1.30 * s), black, rough=0.5),
        box((x - f * 0.10, y, z), (0.03, 0.60 * s, 1.46 * s), (0.018, 0.018, 0.02), rough=0.6),
        tube((x - f * 0.2, y, z + 0.6 * s), (x - f * 0.2, y, 6.45), 0.035, 0.035, STEEL)
        if not head.has_pole
        else tube((x - f * 0.36, y, 0.0), (x - f * 0.36, y, z + 0.75 * s), 0.07, 0.06, STEEL, metal=0.5),
    ]
    for place in (0.40 * s, 0.0, -0.40 * s):
        angles = np.linspace(0.1 * pi, 0.9 * pi, 8)
        rim = [(y + 0.175 * s * cos(a), z + place + 0.175 * s * sin(a)) for a in angles]
        for (y1, z1), (y2, z2) in pairwise(rim):
            p = np.array([(x, y1, z1), (x + f * 0.24, y1, z1), (x + f * 0.24, y2, z2), (x, y2, z2)])
            look = [(black, 0.6, 0.0, PLAIN)] * 2
            parts.append(surface(p, [(0, 1, 2, 3), (3, 2, 1, 0)], look))
        parts.append(_disc((x + f * 0.002, y, z + place), 0.15 * s, (0.02, 0.018, 0.016), f, PLAIN))
    return parts


def _lamp_post(x: float, y: float, z: float) -> list[Mesh]:
    side = 1.0 if y > 0 else -1.0
    foot = y + side * 2.2
    return [
        tube((x, foot, 0.0), (x, foot, z - 0.3), 0.10, 0.06, STEEL, rough=0.4, metal=0.5),
        tube((x, foot, z - 0.3), (x, y, z + 0.12), 0.05, 0.04, STEEL, rough=0.4, metal=0.5),
        box((x, y, z + 0.12), (0.28, 0.7, 0.1), (0.5, 0.5, 0.5)),
    ]


def _row_of_houses(rng: Generator, x: float, sx: float, y: float, sy: float, count: int) -> list[Mesh]:
    parts = []
    for _ in range(count):
        wide, deep, tall = (
            rng.uniform(12, 19),
            rng.uniform(11, 15),
            float(rng.choice([10.4, 13.5, 16.6, 19.7, 26.0])),
        )
        tone = rng.uniform(0.16, 0.42)
        tint = np.clip(tone * np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.68, 1.0)]), 0, 1)
        colour = (float(tint[0]), float(tint[1]), float(tint[2]))
        middle = (x + sx * wide / 2, y + sy * deep / 2, tall / 2 + 0.1)
        parts.append(box(middle, (wide - 0.3, deep, tall), colour, rough=0.85, kind=FACADE))
        parts.append(box((middle[0], middle[1], tall + 0.25), (wide, deep + 0.5, 0.4), (tone * 0.7,) * 3))
        parts.append(box((middle[0], y - sy * 0.45, 4.05), (wide - 1.0, 0.9, 0.12), (0.2, 0.2, 0.2)))
        for _ in range(5):
            at = (middle[0] + rng.uniform(-0.45, 0.45) * wide, y - sy * 0.2, rng.integers(5, 9) * 1.4)
            parts.append(box(at, (0.8, 0.35, 0.6), (0.55, 0.55, 0.53)))
        x += sx * wide
    return parts


def _side_houses(rng: Generator, x: float, sx: float, y: float, sy: float, count: int) -> list[Mesh]:
    parts = []
    for _ in range(count):
        wide, deep, tall = (
            rng.uniform(12, 17),
            rng.uniform(11, 15),
            float(rng.choice([10.4, 13.5, 16.6, 22.8])),
        )
        tone = rng.uniform(0.18, 0.45)
        middle = (x + sx * deep / 2, y + sy * wide / 2, tall / 2)
        parts.append(
            box(middle, (deep, wide - 0.3, tall), (tone, tone * 0.95, tone * 0.85), rough=0.85, kind=FACADE)
        )
        y += sy * wide
    return parts


def _tree(rng: Generator, x: float, y: float) -> list[Mesh]:
    tall, spread = rng.uniform(4.2, 6.0), rng.uniform(1.7, 2.3)
    bark: Colour = (0.10, 0.075, 0.055)
    parts = [tube((x, y, 0.1), (x + rng.uniform(-0.2, 0.2), y, tall - 0.6), 0.16, 0.09, bark, rough=0.95)]
    parts += [box((x, y, 0.16), (1.3, 1.3, 0.06), (0.08, 0.06, 0.045))]
    count = 230
    way = rng.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    middle = way * np.array([spread, spread, spread * 0.8]) * rng.uniform(0.45, 1.0, (count, 1)) ** 0.6
    middle += np.array([x, y, tall + 0.9]) + 0.35 * np.sin(way * 5.0)
    points: list[NDArray[np.float64]] = []
    faces: list[tuple[int, ...]] = []
    looks: list[tuple[Colour, float, float, int]] = []
    for (px, py, pz), (wx, wy, wz) in zip(middle, way, strict=True):
        side = np.array([rng.normal(), rng.normal(), rng.normal() * 0.4])
        side /= np.linalg.norm(side)
        normal = np.array([wx, wy, wz]) + 0.5 * rng.normal(size=3)
        up = np.cross(side, normal)
        up /= max(float(np.linalg.norm(up)), 1e-6)
        r = rng.uniform(0.22, 0.42)
        first = len(points)
        for i in range(5):
            a = tau * i / 5
            points.append(np.array([px, py, pz]) + r * (cos(a) * side + sin(a) * up) * rng.uniform(0.7, 1.2))
        faces.append((first, first + 1, first + 2, first + 3, first + 4))
        green = rng.uniform(0.75, 1.25) * (0.75 + 0.25 * wz)
        looks.append(((0.045 * green, 0.085 * green, 0.022 * green), 0.85, 0.0, LEAF))
    parts.append(surface(np.array(points), faces, looks))
    return parts


def _furniture(rng: Generator, x: float, sx: float, kerb: float, sy: float) -> list[Mesh]:
    parts: list[Mesh] = []
    for i in range(5):
        at = x + sx * (4 + i * rng.uniform(9, 14))
        parts.append(
            tube((at, kerb + sy * 0.7, 0.1), (at, kerb + sy * 0.7, 1.0), 0.06, 0.06, (0.5, 0.4, 0.05))
        )
        if rng.random() < 0.6:
            tint = (float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.1, 0.4)))
            parts.append(
                box((at + sx * 4, kerb + sy * 3.2, 1.2), (0.4, 1.6, 2.1), tint, rough=0.4, kind=SIGN)
            )
        parts.append(
            ball((at + sx * 2, kerb + sy * 3.4, 0.4), (0.9, 0.5, 0.5), (0.035, 0.075, 0.02), kind=LEAF)
        )
    return parts


def _railing(x1: float, x2: float, y: float) -> list[Mesh]:
    parts = [box(((x1 + x2) / 2, y, z), (x2 - x1, 0.05, 0.06), (0.55, 0.55, 0.55)) for z in (0.95, 0.35)]
    parts += [box((float(x), y, 0.5), (0.05, 0.05, 1.0), (0.55, 0.55, 0.55)) for x in np.arange(x1, x2, 1.5)]
    return parts
