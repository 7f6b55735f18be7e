"""Meshes of cars, vans, buses and trucks: bodies lofted over cross-sections, with lamps, grilles, wheels and plates.

Local axes: x forward, y left, z up, origin on the ground under the middle of the length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_videos.render.mesh import (
    GLASS,
    HEADLAMP,
    LEFT,
    PAINT,
    PLAIN,
    PLATE,
    RIGHT,
    TAILLAMP,
    Colour,
    Mesh,
    ball,
    box,
    joined,
    moved,
    quad,
    surface,
    wheel,
)
from sample_videos.world.kinds import KINDS, Kind

BLACK: Colour = (0.012, 0.012, 0.013)
CHROME: Colour = (0.6, 0.6, 0.62)
PLATE_SIZE_M = {"car": (0.44, 0.14), "green": (0.48, 0.14), "motorcycle": (0.22, 0.14)}
"""GA 36: width and height of the plates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A car's side view. Each line is (share of the length from the rear, height in m); ``glass`` are the shares between
    which the roof's slopes and the side windows lie: rear slope's foot and top, front slope's top and foot.
    """

    shoulder: tuple[tuple[float, float], ...]
    roof: tuple[tuple[float, float], ...]
    glass: tuple[float, float, float, float]
    pillars: tuple[float, ...]
    clearance: float
    wheel_radius: float
    tumble: float = 0.80
    rear_window: bool = True


SHAPES: dict[str, Shape] = {
    "sedan": Shape(
        shoulder=(
            (0, 0.86),
            (0.03, 0.98),
            (0.2, 1.0),
            (0.5, 0.95),
            (0.7, 0.93),
            (0.9, 0.78),
            (0.97, 0.70),
            (1, 0.62),
        ),
        roof=((0.17, 1.0), (0.33, 1.40), (0.45, 1.46), (0.56, 1.44), (0.74, 0.93)),
        glass=(0.17, 0.33, 0.57, 0.74),
        pillars=(0.235, 0.475),
        clearance=0.2,
        wheel_radius=0.32,
    ),
    "hatchback": Shape(
        shoulder=(
            (0, 0.84),
            (0.03, 0.97),
            (0.3, 0.97),
            (0.5, 0.94),
            (0.74, 0.92),
            (0.92, 0.78),
            (0.98, 0.70),
            (1, 0.62),
        ),
        roof=((0.02, 0.98), (0.10, 1.38), (0.3, 1.50), (0.54, 1.47), (0.76, 0.92)),
        glass=(0.02, 0.12, 0.56, 0.76),
        pillars=(0.15, 0.44),
        clearance=0.2,
        wheel_radius=0.30,
    ),
    "suv": Shape(
        shoulder=(
            (0, 0.95),
            (0.02, 1.08),
            (0.3, 1.09),
            (0.5, 1.06),
            (0.72, 1.04),
            (0.92, 0.96),
            (0.98, 0.86),
            (1, 0.76),
        ),
        roof=((0.015, 1.09), (0.08, 1.55), (0.3, 1.69), (0.55, 1.67), (0.75, 1.05)),
        glass=(0.015, 0.10, 0.57, 0.75),
        pillars=(0.16, 0.43),
        clearance=0.25,
        wheel_radius=0.36,
    ),
    "van": Shape(
        shoulder=((0, 1.0), (0.01, 1.1), (0.4, 1.1), (0.75, 1.08), (0.92, 0.98), (0.98, 0.86), (1, 0.74)),
        roof=((0.006, 1.1), (0.03, 1.9), (0.2, 2.0), (0.7, 1.98), (0.76, 1.90), (0.91, 1.02)),
        glass=(0.006, 0.03, 0.75, 0.91),
        pillars=(0.08, 0.36, 0.60),
        clearance=0.24,
        wheel_radius=0.33,
        tumble=0.86,
    ),
}
"""Side views of the four kinds of cars, drawn after none in particular."""


def car_mesh(name: str, *, simple: bool = False) -> Mesh:
    """A car of that kind; ``simple`` leaves out what does not change its outline."""
    kind, shape = KINDS[name], SHAPES[name]
    parts = [_body(kind, shape, 24 if simple else 44)]
    front = kind.length_m / 2 - kind.front_overhang_m
    for x in (front, front - kind.wheelbase_m):
        for side in (-1.0, 1.0):
            at = (x, side * (kind.width_m / 2 - 0.125), shape.wheel_radius)
            if not simple:
                parts.append(arch(x, side * (kind.width_m / 2 - 0.004), shape.wheel_radius))
            parts.append(moved(wheel(shape.wheel_radius, 0.24, sectors=10 if simple else 18), at))
    if not simple:
        parts.extend(_car_details(kind, shape))
    return joined(parts)


def _body(kind: Kind, shape: Shape, stations: int) -> Mesh:
    half, length = kind.width_m / 2, kind.length_m
    marks = {0.0, 1.0, 0.004, 0.996, 0.012, 0.988, 0.03, 0.97, *shape.glass}
    marks |= {share for share, _ in shape.roof} | {p + d for p in shape.pillars for d in (-0.013, 0.013)}
    xs = np.unique(np.concatenate([np.linspace(0, 1, stations), sorted(marks)]).round(4))
    xs = xs[np.concatenate([[True], np.diff(xs) > 0.0025])]
    shoulder = np.interp(xs, *np.array(shape.shoulder).T)
    r0, r3 = shape.roof[0][0], shape.roof[-1][0]
    roof = np.where((xs > r0) & (xs < r3), np.interp(xs, *np.array(shape.roof).T), shoulder)
    roof = np.maximum(roof, shoulder)
    taper = np.interp(
        xs,
        (0, 0.004, 0.012, 0.03, 0.09, 0.2, 0.8, 0.92, 0.97, 0.988, 0.996, 1),
        (0.80, 0.86, 0.90, 0.94, 0.98, 1, 1, 0.975, 0.92, 0.86, 0.80, 0.72),
    )
    below = np.interp(xs, (0, 0.06, 0.2, 0.85, 0.95, 1), (0.16, 0.03, 0.0, 0.0, 0.02, 0.1)) + shape.clearance
    rows = []
    for x, sh, rf, tp, bl in zip(xs, shoulder, roof, taper, below, strict=True):
        w, cabin = half * tp, rf - sh
        lean = min(cabin / 0.45, 1.0)
        top = w * (0.90 + (shape.tumble - 0.90) * lean)
        rows.append(
            [
                (x, 0.0, bl),
                (x, w * 0.86, bl),
                (x, w * 0.965, bl + 0.05),
                (x, w, bl + 0.42 * (sh - bl)),
                (x, w * 0.99, bl + 0.80 * (sh - bl)),
                (x, w * 0.955, sh - 0.01),
                (x, w * 0.93, sh + 0.015),
                (x, top, sh + 0.02 + max(cabin - 0.10, 0.0)),
                (x, top * 0.93, sh + 0.03 + max(cabin - 0.035, 0.0)),
                (x, top * 0.55, sh + 0.045 + cabin - 0.012 * lean),
                (x, 0.0, sh + 0.055 + cabin - 0.012 * lean),
            ]
        )
    grid = np.array(rows)
    grid[:, :, 0] = (grid[:, :, 0] - 0.5) * length
    n = grid.shape[1]
    points = np.concatenate([grid.reshape(-1, 3), (grid * np.array([1, -1, 1])).reshape(-1, 3)])
    mirror = len(xs) * n
    faces: list[tuple[int, ...]] = []
    looks: list[tuple[Colour, float, float, int]] = []
    for i in range(len(xs) - 1):
        middle = (xs[i] + xs[i + 1]) / 2
        for k in range(n - 1):
            look = _car_look(shape, float(middle), k)
            a, b = i * n + k, (i + 1) * n + k
            faces += [(a, a + 1, b + 1, b), (mirror + a, mirror + b, mirror + b + 1, mirror + a + 1)]
            looks += [look, look]
    last = (len(xs) - 1) * n
    for k in range(n - 1):
        look = _end_look(k)
        faces += [(last + k, last + k + 1, mirror + last + k + 1, mirror + last + k)]
        faces += [(k, mirror + k, mirror + k + 1, k + 1)]
        looks += [look, look]
    return surface(points, faces, looks, crease_cos=0.72)


def _car_look(shape: Shape, x: float, k: int) -> tuple[Colour, float, float, int]:
    rear_foot, rear_top, front_top, front_foot = shape.glass
    paint: tuple[Colour, float, float, int] = ((1.0, 1.0, 1.0), 0.3, 0.3, PAINT)
    glass: tuple[Colour, float, float, int] = ((0.02, 0.024, 0.026), 0.06, 0.0, GLASS)
    if k <= 1:
        return (BLACK, 0.9, 0.0, PLAIN)
    if k == 6:
        inside = rear_foot + 0.05 < x < front_foot - 0.05
        pillar = any(abs(x - p) <= 0.013 for p in shape.pillars)
        return glass if inside and not pillar else ((0.02, 0.02, 0.02), 0.4, 0.0, PLAIN) if pillar else paint
    if k >= 8:
        slope = front_top < x < front_foot or (shape.rear_window and rear_foot < x < rear_top)
        return glass if slope else paint
    return paint


def _end_look(k: int) -> tuple[Colour, float, float, int]:
    return (BLACK, 0.8, 0.0, PLAIN) if k <= 1 else ((1.0, 1.0, 1.0), 0.3, 0.3, PAINT)


def arch(x: float, y: float, radius: float) -> Mesh:
    """A dark half disc in the side, behind and above the wheel."""
    angles = np.linspace(-0.25, np.pi + 0.25, 14)
    r = radius * 1.17
    side = 1.0 if y > 0 else -1.0
    points = np.array(
        [
            (x, y + side * 0.012, radius),
            *((x + r * np.cos(a), y + side * 0.012, radius + r * np.sin(a)) for a in angles),
        ]
    )
    faces = [(0, i, i + 1) if side < 0 else (0, i + 1, i) for i in range(1, len(angles))]
    return surface(points, faces, [((0.008, 0.008, 0.008), 0.95, 0.0, PLAIN)] * len(faces))


def plate_quad(x: float, z: float, size: tuple[float, float], *, front: bool) -> Mesh:
    """A plate that faces forward or back; its texture's u runs from its left edge as read."""
    w, h = size[0] / 2, size[1] / 2
    s = 1.0 if front else -1.0
    corners = [(x, s * -w, z - h), (x, s * w, z - h), (x, s * w, z + h), (x, s * -w, z + h)]
    return quad(corners, (1, 1, 1), rough=0.45, kind=PLATE)


def plate_corners(name: str, *, front: bool, green: bool) -> np.ndarray:
    """The plate's corners in local axes: top-left, top-right, bottom-right, bottom-left as read, (4, 3)."""
    x, z = plate_place(name, front=front)
    size = PLATE_SIZE_M["green" if green else "motorcycle" if name == "motorcycle" else "car"]
    w, h, s = size[0] / 2, size[1] / 2, 1.0 if front else -1.0
    return np.array([(x, s * -w, z + h), (x, s * w, z + h), (x, s * w, z - h), (x, s * -w, z - h)])


def plate_place(name: str, *, front: bool) -> tuple[float, float]:
    """x and z of the middle of the plate of that kind of vehicle."""
    kind = KINDS[name]
    off = 0.06 if name in ("bus", "truck") else 0.035
    x = kind.length_m / 2 + off if front else -kind.length_m / 2 - off
    heights = {
        "sedan": (0.42, 0.74),
        "hatchback": (0.42, 0.70),
        "suv": (0.50, 0.80),
        "van": (0.50, 0.72),
        "bus": (0.55, 0.75),
        "truck": (0.55, 0.70),
        "motorcycle": (0.60, 0.62),
    }
    return x, heights[name][0 if front else 1]


def _car_details(kind: Kind, shape: Shape) -> list[Mesh]:
    half, nose, tail = kind.width_m / 2, kind.length_m / 2, -kind.length_m / 2
    tall = kind.name in ("suv", "van")
    lamp_z = 0.82 if tall else 0.66
    parts = [
        # Grille, chrome strip, lower intake, and a dark sill around the rear plate.
        box((nose - 0.02, 0, lamp_z - 0.03), (0.06, 0.92, 0.15), BLACK, rough=0.5),
        box((nose + 0.008, 0, lamp_z + 0.045), (0.03, 0.80, 0.02), CHROME, rough=0.2, metal=0.9),
        box((nose + 0.008, 0, lamp_z - 0.03), (0.03, 0.80, 0.014), CHROME, rough=0.2, metal=0.9),
        box((nose + 0.008, 0, lamp_z), (0.045, 0.11, 0.09), CHROME, rough=0.2, metal=0.9),
        box((nose - 0.02, 0, shape.clearance + 0.10), (0.06, half * 1.35, 0.13), BLACK, rough=0.8),
        box((tail + 0.02, 0, shape.clearance + 0.12), (0.06, half * 1.4, 0.13), BLACK, rough=0.8),
        box(
            (tail - 0.005, 0, plate_place(kind.name, front=False)[1] + 0.1),
            (0.03, 0.62, 0.03),
            CHROME,
            rough=0.2,
            metal=0.8,
        ),
    ]
    for side, indicator in ((-1.0, RIGHT), (1.0, LEFT)):
        parts += [
            ball(
                (nose - 0.20, side * (half - 0.30), lamp_z),
                (0.19, 0.24, 0.095),
                (0.30, 0.31, 0.33),
                rough=0.08,
                kind=GLASS,
            ),
            ball(
                (nose - 0.10, side * (half - 0.36), lamp_z),
                (0.11, 0.09, 0.065),
                (0.8, 0.82, 0.85),
                rough=0.1,
                kind=HEADLAMP,
            ),
            ball(
                (nose - 0.17, side * (half - 0.19), lamp_z + 0.01),
                (0.12, 0.06, 0.05),
                (0.75, 0.42, 0.15),
                rough=0.2,
                kind=indicator,
            ),
            ball(
                (nose - 0.08, side * (half - 0.28), shape.clearance + 0.14),
                (0.07, 0.09, 0.055),
                (0.6, 0.6, 0.6),
                rough=0.2,
                kind=PLAIN,
            ),
        ]
        if tall or kind.name == "hatchback":
            z = 1.05 if tall else 0.92
            parts.append(
                ball(
                    (tail + 0.08, side * (half - 0.17), z),
                    (0.12, 0.10, 0.20),
                    (0.38, 0.012, 0.012),
                    rough=0.12,
                    kind=TAILLAMP,
                )
            )
            parts.append(
                ball(
                    (tail + 0.05, side * (half - 0.19), z - 0.14),
                    (0.11, 0.08, 0.05),
                    (0.55, 0.22, 0.08),
                    rough=0.2,
                    kind=indicator,
                )
            )
        else:
            parts.append(
                ball(
                    (tail + 0.10, side * (half - 0.26), 0.80),
                    (0.15, 0.24, 0.085),
                    (0.38, 0.012, 0.012),
                    rough=0.12,
                    kind=TAILLAMP,
                )
            )
            parts.append(
                ball(
                    (tail + 0.10, side * (half - 0.16), 0.74),
                    (0.14, 0.10, 0.04),
                    (0.55, 0.22, 0.08),
                    rough=0.2,
                    kind=indicator,
                )
            )
        belt = shape.shoulder[3][1]
        mirror_x = (shape.glass[3] - 0.5 - 0.05) * kind.length_m
        parts += [
            ball(
                (mirror_x, side * (half + 0.09), belt + 0.08),
                (0.06, 0.11, 0.075),
                (1, 1, 1),
                rough=0.3,
                kind=PAINT,
            ),
            box((mirror_x, side * (half - 0.02), belt + 0.03), (0.05, 0.14, 0.03), BLACK),
            quad(
                [
                    (mirror_x - 0.063, side * (half + 0.09) + d * 0.08, belt + 0.08 + e * 0.05)
                    for d, e in ((1, -1), (-1, -1), (-1, 1), (1, 1))
                ],
                (0.25, 0.28, 0.3),
                rough=0.05,
                kind=GLASS,
            ),
        ]
        for pillar in shape.pillars[:2]:
            parts.append(
                box(
                    ((pillar - 0.5 + 0.05) * kind.length_m, side * (half - 0.008), belt - 0.12),
                    (0.17, 0.03, 0.025),
                    (0.35, 0.35, 0.36),
                    rough=0.3,
                    metal=0.5,
                )
            )
        parts.append(
            box(
                (0, side * (half - 0.02), shape.clearance + 0.05),
                (kind.wheelbase_m - 0.75, 0.05, 0.09),
                BLACK,
                rough=0.8,
            )
        )
    for front in (True, False):
        x, z = plate_place(kind.name, front=front)
        parts.append(plate_quad(x, z, PLATE_SIZE_M["car"], front=front))
    if kind.name == "suv":
        for side in (-1.0, 1.0):
            parts.append(
                box((-0.25, side * half * 0.72, 1.735), (1.9, 0.04, 0.04), CHROME, rough=0.3, metal=0.7)
            )
    return parts
