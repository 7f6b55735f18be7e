"""Meshes of buses and trucks; local axes as for cars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sample_videos.render.mesh import (
    GLASS,
    HEADLAMP,
    LEFT,
    PAINT,
    PLAIN,
    RIGHT,
    TAILLAMP,
    Colour,
    Mesh,
    ball,
    box,
    joined,
    moved,
    surface,
    wheel,
)
from sample_videos.render.vehicles import BLACK, PLATE_SIZE_M, arch, plate_place, plate_quad
from sample_videos.world.kinds import KINDS

Look = tuple[Colour, float, float, int]


def bus_mesh(*, simple: bool = False) -> Mesh:
    """A city bus."""
    kind = KINDS["bus"]
    length, half = kind.length_m, kind.width_m / 2
    paint: tuple[Colour, float, float, int] = ((1, 1, 1), 0.3, 0.1, PAINT)
    glass: tuple[Colour, float, float, int] = ((0.02, 0.025, 0.028), 0.06, 0.0, GLASS)
    dark: tuple[Colour, float, float, int] = (BLACK, 0.6, 0.0, PLAIN)
    white: tuple[Colour, float, float, int] = ((0.75, 0.75, 0.73), 0.35, 0.0, PLAIN)
    section = [
        (0.0, 0.32),
        (half * 0.96, 0.32),
        (half, 0.42),
        (half, 1.12),
        (half, 1.28),
        (half, 2.42),
        (half, 2.62),
        (half * 0.93, 2.98),
        (half * 0.7, 3.08),
        (0.0, 3.10),
    ]
    xs = np.unique(
        np.round(
            np.concatenate(
                [
                    np.linspace(-length / 2 + 0.5, length / 2 - 0.6, 9 if simple else 15),
                    [-length / 2, -length / 2 + 0.06, length / 2 - 0.25, length / 2 - 0.06, length / 2],
                ]
            ),
            3,
        )
    )
    grid = np.zeros((len(xs), len(section), 3))
    for i, x in enumerate(xs):
        shrink = 1.0 - 0.06 * max(0.0, 1 - (length / 2 - abs(x)) / 0.25) ** 2
        for k, (y, z) in enumerate(section):
            lean = 0.16 * max(0.0, (z - 1.2) / 1.9) if x > length / 2 - 0.3 else 0.0
            grid[i, k] = (x - lean * (1 if x > length / 2 - 0.3 else 0), y * shrink, z)
    n = len(section)
    points = np.concatenate([grid.reshape(-1, 3), (grid * np.array([1, -1, 1])).reshape(-1, 3)])
    mirror = len(xs) * n
    by_row = [dark, dark, paint, paint, glass, glass, paint, white, white]
    faces: list[tuple[int, ...]] = []
    looks: list[tuple[Colour, float, float, int]] = []
    for i in range(len(xs) - 1):
        for k in range(n - 1):
            pillar = k in (4, 5) and (i in (0, 1, len(xs) - 2))
            look = white if pillar else by_row[k] if k != 5 else glass if xs[i] > length / 2 - 0.7 else dark
            a, b = i * n + k, (i + 1) * n + k
            faces += [(a, a + 1, b + 1, b), (mirror + a, mirror + b, mirror + b + 1, mirror + a + 1)]
            looks += [look, look]
    last = (len(xs) - 1) * n
    front = [dark, dark, paint, glass, glass, dark, paint, paint, white]
    back = [dark, dark, paint, paint, paint, paint, paint, paint, white]
    for k in range(n - 1):
        faces += [
            (last + k, last + k + 1, mirror + last + k + 1, mirror + last + k),
            (k, mirror + k, mirror + k + 1, k + 1),
        ]
        looks += [front[k], back[k]]
    parts = [surface(points, faces, looks, crease_cos=0.75)]
    axle = length / 2 - kind.front_overhang_m
    for x in (axle, axle - kind.wheelbase_m):
        for side in (-1.0, 1.0):
            if not simple:
                parts.append(arch(x, side * half, 0.5))
            parts.append(
                moved(
                    wheel(0.5, 0.3, sectors=10 if simple else 20, rim=(0.5, 0.5, 0.5)),
                    (x, side * (half - 0.14), 0.5),
                )
            )
    if simple:
        return joined(parts)
    nose = length / 2
    for side, indicator in ((-1.0, RIGHT), (1.0, LEFT)):
        parts += [
            ball(
                (nose - 0.06, side * (half - 0.42), 0.78),
                (0.12, 0.24, 0.12),
                (0.8, 0.82, 0.85),
                rough=0.1,
                kind=HEADLAMP,
            ),
            ball(
                (nose - 0.06, side * (half - 0.16), 0.80),
                (0.12, 0.09, 0.11),
                (0.75, 0.42, 0.15),
                rough=0.2,
                kind=indicator,
            ),
            box(
                (-nose - 0.01, side * (half - 0.14), 1.2),
                (0.05, 0.16, 0.5),
                (0.38, 0.012, 0.012),
                rough=0.15,
                kind=TAILLAMP,
            ),
            box(
                (-nose - 0.01, side * (half - 0.14), 0.86),
                (0.05, 0.16, 0.16),
                (0.55, 0.22, 0.08),
                rough=0.2,
                kind=indicator,
            ),
            box((nose + 0.12, side * (half + 0.10), 2.1), (0.12, 0.2, 0.42), BLACK, rough=0.5),
            box((nose - 0.05, side * (half + 0.02), 2.45), (0.3, 0.06, 0.06), BLACK),
        ]
    parts += [
        box((nose - 0.13, 0, 2.78), (0.1, 1.5, 0.24), (0.03, 0.02, 0.01), rough=0.3),
        *(
            box(
                (nose - 0.075, -0.55 + 0.13 * i, 2.78),
                (0.02, 0.06 + 0.03 * (i % 3 == 1), 0.15),
                (0.9, 0.45, 0.05),
                kind=SIGN_GLOW,
            )
            for i in range(9)
        ),
        box((nose + 0.0, 0, 0.45), (0.06, 1.9, 0.16), BLACK, rough=0.6),
        box((-nose - 0.0, 0, 0.5), (0.06, 2.2, 0.2), BLACK, rough=0.6),
        box((nose + 0.01, 0.15, 1.35), (0.02, 1.1, 0.03), BLACK),
        box((-nose - 0.01, 0, 1.98), (0.05, 1.75, 0.85), (0.02, 0.025, 0.028), rough=0.08, kind=GLASS),
        box((-nose - 0.02, 0.45, 2.28), (0.06, 0.6, 0.2), (0.03, 0.02, 0.01), rough=0.3),
        *(
            box((-nose - 0.055, 0.30 + 0.13 * i, 2.28), (0.02, 0.07, 0.13), (0.9, 0.45, 0.05), kind=SIGN_GLOW)
            for i in range(3)
        ),
        box((-nose - 0.02, 0, 1.02), (0.05, 1.5, 0.5), (0.05, 0.05, 0.055), rough=0.7),
        box((-nose - 0.03, 0, 2.76), (0.05, 1.3, 0.22), (0.75, 0.75, 0.73)),
        *(
            ball((-nose - 0.0, y, 2.98), (0.06, 0.09, 0.05), (0.4, 0.012, 0.012), kind=TAILLAMP)
            for y in (-0.95, 0.95)
        ),
        *(
            box((nose - 0.02 - 0.12 * k, y, 1.5 + 0.35 * k), (0.03, 0.03, 0.8), BLACK)
            for k, y in ((0, 0.25), (0, -0.75))
        ),
        box((nose + 0.02, 0, 1.10), (0.03, 2.2, 0.06), (0.7, 0.7, 0.7), metal=0.6),
        box((nose + 0.01, 0, 0.92), (0.03, 0.9, 0.12), (0.05, 0.05, 0.05)),
        box((0, 0, 3.14), (3.2, 1.7, 0.18), (0.7, 0.7, 0.7)),
        *(
            box((x, -half - 0.004, 1.45), (1.1, 0.02, 2.0), (0.02, 0.024, 0.026), rough=0.1, kind=GLASS)
            for x in (nose - 1.5, -0.3)
        ),
        *(box((-nose + 0.9, 0, 0.8 + 0.1 * i), (1.82, 1.6, 0.03), BLACK) for i in range(3)),
    ]
    for front_end in (True, False):
        x, z = plate_place("bus", front=front_end)
        parts.append(plate_quad(x, z, PLATE_SIZE_M["car"], front=front_end))
    return joined(parts)


SIGN_GLOW = HEADLAMP


def truck_mesh(*, simple: bool = False) -> Mesh:
    """A box truck."""
    kind = KINDS["truck"]
    nose, half = kind.length_m / 2, kind.width_m / 2
    cab = _cab(nose, half * 0.94)
    parts = [
        cab,
        box(
            (nose - 1.0 - 3.0 + 0.1 - 0.55, 0, 1.98), (5.3, kind.width_m, 2.15), (0.60, 0.60, 0.58), rough=0.5
        ),
    ]
    parts.append(box((-0.6, 0, 0.72), (kind.length_m - 1.3, 1.0, 0.28), BLACK))
    axle = nose - kind.front_overhang_m
    for x in (axle, axle - kind.wheelbase_m):
        for side in (-1.0, 1.0):
            parts.append(
                moved(
                    wheel(0.46, 0.34, sectors=10 if simple else 18, rim=(0.4, 0.4, 0.4)),
                    (x, side * (half - 0.2), 0.46),
                )
            )
    if simple:
        return joined(parts)
    for i in range(11):
        x = nose - 2.0 - 0.46 * i
        for side in (-1.0, 1.0):
            parts.append(box((x, side * (half + 0.005), 1.98), (0.05, 0.03, 2.1), (0.45, 0.45, 0.44)))
    for side, indicator in ((-1.0, RIGHT), (1.0, LEFT)):
        parts += [
            ball(
                (nose - 0.06, side * (half - 0.42), 0.86),
                (0.1, 0.2, 0.11),
                (0.8, 0.82, 0.85),
                rough=0.1,
                kind=HEADLAMP,
            ),
            ball(
                (nose - 0.08, side * (half - 0.2), 0.88),
                (0.1, 0.07, 0.09),
                (0.75, 0.42, 0.15),
                rough=0.2,
                kind=indicator,
            ),
            box(
                (-nose - 0.0, side * (half - 0.22), 0.72),
                (0.06, 0.3, 0.14),
                (0.38, 0.012, 0.012),
                rough=0.2,
                kind=TAILLAMP,
            ),
            box(
                (-nose - 0.0, side * (half - 0.48), 0.72),
                (0.06, 0.16, 0.14),
                (0.55, 0.22, 0.08),
                kind=indicator,
            ),
            box((nose - 0.15, side * (half + 0.15), 1.75), (0.1, 0.18, 0.42), BLACK, rough=0.5),
            box((0.2, side * (half - 0.08), 0.62), (2.3, 0.05, 0.4), (0.35, 0.35, 0.35)),
            box((-nose + 0.06, side * 0.5, 1.98), (0.1, 0.05, 2.1), (0.5, 0.5, 0.5), metal=0.5),
        ]
    parts += [
        *(
            box((-nose - 0.005, y, 0.56), (0.06, 0.2, 0.09), (0.55, 0.03, 0.02) if i % 2 else (0.7, 0.7, 0.7))
            for i, y in enumerate(np.arange(-0.95, 1.0, 0.2))
        ),
        *(
            box(
                (nose - 2.1 - 0.5 * i, side * (half + 0.012), 0.94),
                (0.25, 0.02, 0.06),
                (0.55, 0.03, 0.02) if i % 2 else (0.7, 0.7, 0.7),
            )
            for i in range(11)
            for side in (-1.0, 1.0)
        ),
        *(
            box((-nose + 0.03, y, 3.0), (0.06, 0.1, 0.05), (0.4, 0.012, 0.012), kind=TAILLAMP)
            for y in (-0.9, -0.1, 0.1, 0.9)
        ),
        *(box((-nose + 0.1, y, 0.45), (0.03, 0.34, 0.5), BLACK) for y in (-0.92, 0.92)),
        *(
            box((-nose + 0.0, y, z), (0.05, 0.18, 0.05), (0.25, 0.25, 0.25))
            for y in (-1.0, 1.0)
            for z in (1.2, 1.95, 2.7)
        ),
        box((-nose + 0.0, -0.25, 1.5), (0.05, 0.06, 0.4), (0.25, 0.25, 0.25)),
        box((-nose + 0.025, 0, 0.92), (0.1, 2.28, 0.09), (0.35, 0.35, 0.35)),
        box((-nose + 0.025, 0, 3.02), (0.1, 2.28, 0.08), (0.35, 0.35, 0.35)),
        box((-nose + 0.04, 0, 1.98), (0.09, 0.03, 2.1), BLACK),
        box((nose + 0.01, 0, 0.5), (0.08, 2.0, 0.24), (0.3, 0.3, 0.3)),
        box((nose - 0.02, 0, 1.08), (0.08, 1.5, 0.2), BLACK),
        box((-0.6, 0.0, 2.0), (2.6, half * 2 + 0.03, 0.5), (0.1, 0.2, 0.5)),
    ]
    for front in (True, False):
        x, z = plate_place("truck", front=front)
        parts.append(plate_quad(x, z, PLATE_SIZE_M["car"], front=front))
    return joined(parts)


def _cab(nose: float, half: float) -> Mesh:
    paint: tuple[Colour, float, float, int] = ((1, 1, 1), 0.3, 0.1, PAINT)
    glass: tuple[Colour, float, float, int] = ((0.02, 0.025, 0.028), 0.06, 0.0, GLASS)
    dark: tuple[Colour, float, float, int] = (BLACK, 0.8, 0.0, PLAIN)
    section = [
        (0.0, 0.45),
        (half, 0.45),
        (half, 0.9),
        (half, 1.32),
        (half * 0.97, 2.05),
        (half * 0.9, 2.35),
        (0.0, 2.42),
    ]
    lean = [0.0, 0.0, 0.0, 0.03, 0.26, 0.42, 0.46]
    xs = [nose - 1.75, nose - 1.2, nose - 0.35, nose]
    rows = [[(x - (lean[k] if x == nose else 0.0), y, z) for k, (y, z) in enumerate(section)] for x in xs]
    return _shell(
        rows,
        lambda i, k: dark if k == 0 else glass if k == 3 and i == 1 else paint,
        [dark, paint, paint, glass, paint, paint],
    )


def _shell(
    rows: Sequence[Sequence[tuple[float, float, float]]],
    look_of: Callable[[int, int], Look],
    front: Sequence[Look],
) -> Mesh:
    """A body through the rows (from the rear on), mirrored, with the looks of its end."""
    grid = np.array(rows)
    count, n = grid.shape[:2]
    points = np.concatenate([grid.reshape(-1, 3), (grid * np.array([1, -1, 1])).reshape(-1, 3)])
    mirror = count * n
    faces: list[tuple[int, ...]] = []
    looks: list[Look] = []
    for i in range(count - 1):
        for k in range(n - 1):
            a, b = i * n + k, (i + 1) * n + k
            faces += [(a, a + 1, b + 1, b), (mirror + a, mirror + b, mirror + b + 1, mirror + a + 1)]
            looks += [look_of(i, k)] * 2
    last = (count - 1) * n
    for k in range(n - 1):
        faces += [
            (last + k, last + k + 1, mirror + last + k + 1, mirror + last + k),
            (k, mirror + k, mirror + k + 1, k + 1),
        ]
        looks += [front[k], look_of(0, k)]
    return surface(points, faces, looks, crease_cos=0.75)
