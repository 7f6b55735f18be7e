"""Meshes of people on foot, on motorcycles and on bicycles; local axes as for vehicles."""

from __future__ import annotations

from itertools import pairwise
from math import sin, tau

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
    hands: tuple[float, float],
    feet: tuple[float, float],
    helmet: Colour,
    *,
    splay: float = 0.15,
) -> list[Mesh]:
    """A rider: hip, hands and feet by (x, z); ``lean`` is how far the shoulders are before the hip."""
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
        ball((sx + 0.055, 0, sz + 0.225), (0.125, 0.11, 0.12), helmet, rough=0.25, rings=9, sectors=14),
    ]
    for side in (-1.0, 1.0):
        shoulder, elbow = (
            (sx, side * 0.19, sz - 0.03),
            ((sx + hands[0]) / 2 - 0.06, side * 0.29, (sz + hands[1]) / 2 - 0.08),
        )
        hand = (hands[0], side * 0.27, hands[1])
        for a, b, ra, rb in ((shoulder, elbow, 0.068, 0.056), (elbow, hand, 0.056, 0.04)):
            parts.append(tube(a, b, ra, rb, jacket, rough=0.9, sectors=8, kind=CLOTH))
            parts.append(ball(b, (rb, rb, rb), jacket, rough=0.9, rings=4, sectors=7, kind=CLOTH))
        parts.append(ball(hand, (0.05, 0.05, 0.04), SKIN, rings=4, sectors=6))
        knee = ((x + feet[0]) / 2 + 0.16, side * (splay + 0.06), (z + feet[1]) / 2 + 0.09)
        parts += _limb(
            [(x, side * 0.11, z), knee, (feet[0], side * splay, feet[1])], [0.095, 0.07, 0.05], TROUSERS
        )
        parts.append(
            ball(
                (feet[0] + 0.06, side * splay, feet[1] - 0.04), (0.13, 0.05, 0.05), BLACK, rings=4, sectors=7
            )
        )
    return parts


def motorcycle_mesh() -> Mesh:
    """A scooter with its rider; the paint colours the machine's panels and the rider's jacket."""
    kind = KINDS["motorcycle"]
    front = kind.length_m / 2 - kind.front_overhang_m
    rear = front - kind.wheelbase_m
    dark: Colour = (0.03, 0.03, 0.032)
    panel: Colour = (0.9, 0.9, 0.9)
    parts = [
        moved(wheel(0.25, 0.13, sectors=16, rim=(0.25, 0.25, 0.26)), (front, 0, 0.25)),
        moved(wheel(0.25, 0.14, sectors=16, rim=(0.25, 0.25, 0.26)), (rear, 0, 0.25)),
        ball((front - 0.02, 0, 0.42), (0.26, 0.10, 0.13), (0.12, 0.12, 0.13), rough=0.4),
        ball((front - 0.20, 0, 0.68), (0.13, 0.22, 0.30), panel, rough=0.3, kind=PAINT, sectors=14),
        ball((rear + 0.14, 0, 0.60), (0.50, 0.18, 0.17), panel, rough=0.3, kind=PAINT, sectors=14),
        ball((rear + 0.05, 0, 0.40), (0.30, 0.15, 0.13), dark, rough=0.6),
        tube(
            (rear + 0.1, -0.17, 0.30),
            (rear - 0.30, -0.20, 0.36),
            0.045,
            0.06,
            (0.3, 0.3, 0.31),
            rough=0.3,
            metal=0.7,
        ),
        ball((rear + 0.22, 0, 0.78), (0.40, 0.15, 0.08), BLACK, rough=0.7),
        box((0.08, 0, 0.32), (0.6, 0.34, 0.08), dark),
        tube((front, 0, 0.25), (front - 0.22, 0, 1.0), 0.035, 0.03, dark, metal=0.5),
        tube((front - 0.22, -0.35, 1.02), (front - 0.22, 0.35, 1.02), 0.02, 0.02, dark),
        ball((front - 0.13, 0, 0.93), (0.10, 0.15, 0.12), panel, rough=0.3, kind=PAINT),
        ball((front - 0.05, 0, 0.91), (0.05, 0.095, 0.07), (0.8, 0.82, 0.85), rough=0.1, kind=HEADLAMP),
        ball((rear - 0.34, 0, 0.70), (0.06, 0.13, 0.05), (0.40, 0.012, 0.012), rough=0.15, kind=TAILLAMP),
        tube((rear - 0.18, 0, 0.90), (rear - 0.34, 0, 0.86), 0.02, 0.02, (0.4, 0.4, 0.4), metal=0.7),
        box((rear - 0.30, 0, 0.50), (0.05, 0.12, 0.24), dark),
    ]
    for side in (-1.0, 1.0):
        parts += [
            tube((front - 0.24, side * 0.28, 1.02), (front - 0.26, side * 0.34, 1.20), 0.012, 0.012, BLACK),
            ball((front - 0.26, side * 0.36, 1.24), (0.02, 0.07, 0.05), BLACK, rough=0.3),
            ball(
                (rear - 0.30, side * 0.15, 0.64),
                (0.05, 0.045, 0.035),
                (0.55, 0.22, 0.08),
                kind=LEFT if side > 0 else RIGHT,
            ),
            tube(
                (rear - 0.02, side * 0.10, 0.25),
                (rear - 0.08, side * 0.13, 0.60),
                0.028,
                0.028,
                (0.3, 0.3, 0.3),
                metal=0.6,
            ),
        ]
    x, z = plate_place("motorcycle", front=False)
    parts.append(plate_quad(x + 0.01, z - 0.10, PLATE_SIZE_M["motorcycle"], front=False))
    parts += _rider((rear + 0.24, 0.86), 0.10, (front - 0.22, 1.04), (0.14, 0.38), (0.55, 0.05, 0.04))
    return joined(parts)


def bicycle_mesh() -> Mesh:
    """A bicycle with its rider."""
    kind = KINDS["bicycle"]
    front = kind.length_m / 2 - kind.front_overhang_m
    rear = front - kind.wheelbase_m
    parts: list[Mesh] = []
    frame: Colour = (0.10, 0.16, 0.28)
    for x in (front, rear):
        steps = [
            (x + 0.325 * sin(tau * (i + 5) / 20), 0.0, 0.335 + 0.325 * sin(tau * i / 20)) for i in range(21)
        ]
        parts += [
            tube(a, b, 0.021, 0.021, (0.02, 0.02, 0.02), sectors=5, caps=False) for a, b in pairwise(steps)
        ]
        for i in range(6):
            parts.append(
                tube((x, 0, 0.335), steps[i * 3], 0.004, 0.004, (0.4, 0.4, 0.4), sectors=3, caps=False)
            )
    crank, seat, head = (rear + 0.42, 0.0, 0.30), (rear + 0.25, 0.0, 0.90), (front - 0.12, 0.0, 0.86)
    for a, b in (
        (crank, seat),
        (crank, head),
        (seat, head),
        (crank, (rear, 0, 0.335)),
        (seat, (rear, 0, 0.335)),
        (head, (front, 0, 0.335)),
    ):
        parts.append(tube(a, b, 0.02, 0.02, frame, rough=0.3, sectors=6))
    parts += [
        tube((front - 0.16, -0.27, 1.02), (front - 0.16, 0.27, 1.02), 0.016, 0.016, BLACK),
        tube(head, (front - 0.16, 0, 1.02), 0.018, 0.018, BLACK),
        ball((rear + 0.24, 0, 0.94), (0.13, 0.08, 0.04), BLACK),
        ball((rear - 0.08, 0, 0.68), (0.02, 0.04, 0.04), (0.4, 0.01, 0.01), kind=TAILLAMP),
    ]
    parts += _rider((rear + 0.26, 1.00), 0.22, (front - 0.16, 1.05), (rear + 0.45, 0.28), (0.012, 0.01, 0.01))
    return joined(parts)
