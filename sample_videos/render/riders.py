"""Meshes of people on foot, on motorcycles and on bicycles; local axes as for vehicles."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin, tau

from sample_videos.render.mesh import (
    CLOTH,
    HEADLAMP,
    LEFT,
    PAINT,
    RIGHT,
    TAILLAMP,
    Colour,
    Mesh,
    ball,
    box,
    joined,
    moved,
    tube,
    wheel,
)
from sample_videos.render.vehicles import BLACK, PLATE_SIZE_M, plate_place, plate_quad
from sample_videos.world.kinds import KINDS

SKIN: Colour = (0.42, 0.24, 0.16)
TROUSERS: Colour = (0.03, 0.04, 0.08)
STRIDES = 6
"""How many phases of a step there are meshes of."""


def _limb(points: list[tuple[float, float, float]], radii: list[float], colour: Colour) -> list[Mesh]:
    parts = []
    for (a, b), (ra, rb) in zip(pairwise(points), pairwise(radii), strict=True):
        parts.append(tube(a, b, ra, rb, colour, rough=0.9, sectors=7))
        parts.append(ball(b, (rb, rb, rb), colour, rough=0.9, rings=4, sectors=7))
    return parts


def person_mesh(phase: int) -> Mesh:
    """A person who walks along +x; ``phase`` of ``STRIDES``. The paint colours the jacket."""
    swing = sin(tau * phase / STRIDES) * 0.34
    parts = [
        ball((0, 0, 1.22), (0.13, 0.20, 0.30), (1, 1, 1), rough=0.9, kind=CLOTH),
        ball((0, 0, 0.95), (0.125, 0.17, 0.16), TROUSERS, rough=0.9),
        ball((0.01, 0, 1.60), (0.10, 0.085, 0.125), SKIN, rough=0.7),
        ball((-0.02, 0, 1.645), (0.105, 0.095, 0.095), (0.012, 0.01, 0.01), rough=0.8),
        tube((0, 0, 1.40), (0, 0, 1.52), 0.06, 0.05, SKIN),
    ]
    for side, way in ((-1.0, 1.0), (1.0, -1.0)):
        knee = (way * swing * 0.6 + 0.03, side * 0.09, 0.50)
        foot = (way * swing - 0.04, side * 0.09, 0.08 + 0.06 * max(0.0, -way * swing))
        parts += _limb([(0, side * 0.09, 0.90), knee, foot], [0.085, 0.06, 0.045], TROUSERS)
        parts.append(
            ball(
                (foot[0] + 0.07, foot[1], foot[2] - 0.035),
                (0.13, 0.05, 0.045),
                (0.05, 0.05, 0.05),
                rings=4,
                sectors=7,
            )
        )
        hand = (-way * swing * 0.6 + 0.05, side * 0.24, 0.88)
        arm = _limb(
            [(0, side * 0.19, 1.40), (-way * swing * 0.2 - 0.03, side * 0.25, 1.13), hand],
            [0.06, 0.05, 0.035],
            (0.05, 0.06, 0.09),
        )
        parts += arm
        parts.append(ball(hand, (0.045, 0.04, 0.055), SKIN, rings=4, sectors=6))
    return joined(parts)


def _rider(
    hip: tuple[float, float],
    lean: float,
    hands: tuple[float, float, float],
    feet: tuple[float, float, float],
    helmet: Colour,
    *,
    knees_out: float,
) -> list[Mesh]:
    """A rider: the hip by (x, z), hands and feet by (x, y, z), y to both sides; ``lean`` is how far the shoulders are
    before the hip, ``knees_out`` how far the knees are beside the feet."""
    x, z = hip
    sx, sz = x + lean, z + 0.46
    jacket: Colour = (0.9, 0.9, 0.9)
    parts = [
        ball((sx - 0.02, 0, sz - 0.10), (0.125, 0.205, 0.15), jacket, rough=0.9, kind=CLOTH, sectors=14),
        ball(
            ((x + sx) / 2, 0, (z + sz) / 2 - 0.02),
            (0.125, 0.165, 0.25),
            jacket,
            rough=0.9,
            kind=CLOTH,
            sectors=14,
        ),
        ball((x, 0, z + 0.02), (0.16, 0.19, 0.13), TROUSERS, rough=0.9),
        tube((sx, 0, sz + 0.0), (sx + 0.05, 0, sz + 0.13), 0.06, 0.05, SKIN),
        ball((sx + 0.07, 0, sz + 0.18), (0.09, 0.08, 0.12), SKIN, rough=0.7),
        ball((sx + 0.055, 0, sz + 0.215), (0.13, 0.115, 0.125), helmet, rough=0.25, rings=9, sectors=14),
    ]
    for side in (-1.0, 1.0):
        shoulder = (sx, side * 0.19, sz - 0.03)
        elbow = ((sx + hands[0]) / 2 - 0.06, side * 0.29, (sz + hands[2]) / 2 - 0.10)
        hand = (hands[0], side * hands[1], hands[2])
        for a, b, ra, rb in ((shoulder, elbow, 0.068, 0.056), (elbow, hand, 0.056, 0.04)):
            parts.append(tube(a, b, ra, rb, jacket, rough=0.9, sectors=8, kind=CLOTH))
            parts.append(ball(b, (rb, rb, rb), jacket, rough=0.9, rings=4, sectors=7, kind=CLOTH))
        parts.append(ball(hand, (0.05, 0.05, 0.04), SKIN, rings=4, sectors=6))
        foot = (feet[0], side * feet[1], feet[2])
        knee = ((x + feet[0]) / 2 + 0.16, side * (feet[1] + knees_out), (z + feet[2]) / 2 + 0.09)
        parts += _limb([(x, side * 0.11, z), knee, foot], [0.095, 0.07, 0.05], TROUSERS)
        shoe = (feet[0] + 0.06, side * feet[1], feet[2] - 0.04)
        parts.append(ball(shoe, (0.13, 0.05, 0.05), BLACK, rings=4, sectors=7))
    return parts


def motorcycle_mesh() -> Mesh:
    """A scooter with cases at its sides and its rider; the paint colours its panels and the rider's jacket."""
    kind = KINDS["motorcycle"]
    front = kind.length_m / 2 - kind.front_overhang_m
    rear = front - kind.wheelbase_m
    dark: Colour = (0.03, 0.03, 0.032)
    panel: Colour = (0.9, 0.9, 0.9)
    steel: Colour = (0.35, 0.35, 0.36)
    rim: Colour = (0.3, 0.3, 0.31)
    radius, bars = 0.30, 0.98
    parts = [
        moved(wheel(radius, 0.15, sectors=18, rim=rim), (front, 0, radius)),
        moved(wheel(radius, 0.18, sectors=18, rim=rim), (rear, 0, radius)),
        ball((front, 0, radius + 0.14), (0.30, 0.09, 0.20), panel, rough=0.3, kind=PAINT, sectors=12),
        ball((front - 0.24, 0, 0.64), (0.14, 0.26, 0.34), panel, rough=0.3, kind=PAINT, sectors=14),
        ball((rear + 0.10, 0, 0.64), (0.55, 0.22, 0.18), panel, rough=0.3, kind=PAINT, sectors=14),
        ball((rear - 0.12, 0, 0.60), (0.30, 0.20, 0.14), dark, rough=0.5),
        ball((0.02, 0, 0.42), (0.34, 0.20, 0.20), (0.10, 0.10, 0.105), rough=0.5, metal=0.4),
        ball((rear + 0.25, 0, 0.78), (0.46, 0.17, 0.09), BLACK, rough=0.7),
        box((0.05, 0, 0.32), (0.55, 0.36, 0.08), dark),
        tube((front - 0.24, -0.47, bars), (front - 0.24, 0.47, bars), 0.022, 0.022, dark),
        ball((front - 0.10, 0, bars - 0.12), (0.14, 0.17, 0.14), panel, rough=0.3, kind=PAINT),
        ball((front, 0, bars - 0.13), (0.06, 0.11, 0.09), (0.8, 0.82, 0.85), rough=0.1, kind=HEADLAMP),
        ball((rear - 0.36, 0, 0.70), (0.06, 0.15, 0.06), (0.40, 0.012, 0.012), rough=0.15, kind=TAILLAMP),
        box((rear - 0.30, 0, 0.46), (0.05, 0.14, 0.26), dark),
        box((rear - 0.33, 0, 0.34), (0.03, 0.2, 0.2), BLACK),
    ]
    for side, indicator in ((-1.0, RIGHT), (1.0, LEFT)):
        stalk, mirror = (front - 0.28, side * 0.36, bars + 0.16), (front - 0.28, side * 0.38, bars + 0.19)
        parts += [
            tube(
                (front, side * 0.10, radius),
                (front - 0.22, side * 0.10, bars - 0.05),
                0.03,
                0.03,
                steel,
                metal=0.6,
            ),
            tube((front - 0.26, side * 0.27, bars), stalk, 0.012, 0.012, BLACK),
            ball(mirror, (0.02, 0.075, 0.05), BLACK, rough=0.3),
            ball((rear - 0.32, side * 0.20, 0.64), (0.05, 0.05, 0.04), (0.55, 0.22, 0.08), kind=indicator),
            tube(
                (rear - 0.02, side * 0.13, radius),
                (rear + 0.06, side * 0.17, 0.62),
                0.035,
                0.035,
                steel,
                metal=0.6,
            ),
            tube(
                (rear + 0.35, side * 0.19, 0.28),
                (rear - 0.36, side * 0.21, 0.36),
                0.05,
                0.065,
                steel,
                metal=0.7,
            ),
            box((rear - 0.05, side * 0.29, 0.56), (0.45, 0.16, 0.32), BLACK, rough=0.6),
        ]
    x, z = plate_place("motorcycle", front=False)
    parts.append(plate_quad(x + 0.01, z - 0.10, PLATE_SIZE_M["motorcycle"], front=False))
    parts += _rider(
        (rear + 0.26, 0.84),
        0.25,
        (front - 0.24, 0.40, bars + 0.02),
        (0.12, 0.32, 0.36),
        (0.55, 0.05, 0.04),
        knees_out=0.12,
    )
    return joined(parts)


def bicycle_mesh() -> Mesh:
    """A bicycle with basket, rack and mudguards (in the paint's colour) and its rider."""
    kind = KINDS["bicycle"]
    front = kind.length_m / 2 - kind.front_overhang_m
    rear = front - kind.wheelbase_m
    radius, axle, bars, seat = 0.33, 0.34, 1.04, 0.96
    parts: list[Mesh] = []
    for x in (front, rear):
        parts += _hoop(x, axle, radius, 0.034, (0.012, 0.012, 0.013))
        parts += _hoop(x, axle, radius - 0.045, 0.012, (0.5, 0.5, 0.5))
        for i in range(6):
            rim = (x + radius * cos(tau * i / 6), 0.0, axle + radius * sin(tau * i / 6))
            parts.append(tube((x, 0, axle), rim, 0.004, 0.004, (0.4, 0.4, 0.4), sectors=3, caps=False))
        angles = [0.25 + (pi - 0.5) * i / 8 for i in range(9)]
        guard = [(x + (radius + 0.05) * cos(a), axle + (radius + 0.05) * sin(a)) for a in angles]
        for (ax, az), (bx, bz) in pairwise(guard):
            for y in (-0.02, 0.02):
                strip = tube(
                    (ax, y, az), (bx, y, bz), 0.022, 0.022, (0.9,) * 3, sectors=5, caps=False, kind=PAINT
                )
                parts.append(strip)
    crank, saddle, head = (rear + 0.42, 0.0, 0.30), (rear + 0.25, 0.0, seat - 0.08), (front - 0.12, 0.0, 0.86)
    for a, b in (
        (crank, saddle),
        (crank, head),
        (saddle, head),
        (crank, (rear, 0, axle)),
        (saddle, (rear, 0, axle)),
        (head, (front, 0, axle)),
        (head, (front - 0.16, 0, bars)),
    ):
        parts.append(tube(a, b, 0.026, 0.026, (0.02, 0.02, 0.022), rough=0.3, sectors=6))
    parts += [
        tube((front - 0.16, -0.34, bars), (front - 0.16, 0.34, bars), 0.02, 0.02, BLACK),
        ball((rear + 0.24, 0, seat), (0.14, 0.10, 0.05), BLACK),
        ball((rear - 0.36, 0, 0.52), (0.03, 0.05, 0.05), (0.4, 0.01, 0.01), kind=TAILLAMP),
        box((front + 0.10, 0, 0.86), (0.26, 0.36, 0.24), (0.10, 0.10, 0.105), rough=0.6),
        box((rear - 0.08, 0, 0.74), (0.42, 0.15, 0.03), (0.05, 0.05, 0.05), metal=0.4),
    ]
    for side in (-1.0, 1.0):
        grip = (front - 0.26, side * 0.34, bars)
        parts.append(tube((front - 0.16, side * 0.34, bars), grip, 0.024, 0.024, BLACK))
    parts += _rider(
        (rear + 0.26, seat + 0.08),
        0.26,
        (front - 0.18, 0.36, bars + 0.03),
        (rear + 0.45, 0.26, 0.28),
        (0.012, 0.01, 0.01),
        knees_out=0.14,
    )
    return joined(parts)


def _hoop(x: float, z: float, radius: float, thickness: float, colour: Colour) -> list[Mesh]:
    """A ring around the y axis."""
    points = [(x + radius * cos(tau * i / 20), 0.0, z + radius * sin(tau * i / 20)) for i in range(21)]
    return [tube(a, b, thickness, thickness, colour, sectors=6, caps=False) for a, b in pairwise(points)]
