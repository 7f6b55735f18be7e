"""Triangle meshes with material per vertex, and the solids everything is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin, tau

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]

(
    PLAIN,
    PAINT,
    GLASS,
    PLATE,
    RIM,
    HEADLAMP,
    TAILLAMP,
    LEFT,
    RIGHT,
    FACADE,
    ASPHALT,
    LEAF,
    SIGN,
    PAVING,
    WORN,
    CLOTH,
) = range(16)
"""What the shaders do with a surface; lamps glow by the vehicle's state, LEFT and RIGHT are its indicators."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """``vertices``: (n, 14) float32: position, normal, colour (linear), roughness, metal, kind, u, v. ``triangles``: (m, 3)."""

    vertices: Floats
    triangles: NDArray[np.uint32]

    @property
    def positions(self) -> Floats:
        return self.vertices[:, :3]


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """All of them as one."""
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([m.triangles + np.uint32(o) for m, o in zip(meshes, offsets, strict=True)]),
    )


def moved(mesh: Mesh, at: Sequence[float], turn_z: float = 0.0, turn_y: float = 0.0) -> Mesh:
    """The mesh turned (first around y, then around z, radians) and moved."""
    cz, sz, cy, sy = cos(turn_z), sin(turn_z), cos(turn_y), sin(turn_y)
    turn = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    vertices = mesh.vertices.copy()
    vertices[:, :3] = vertices[:, :3] @ turn.T + np.array(at)
    vertices[:, 3:6] = vertices[:, 3:6] @ turn.T
    return Mesh(vertices.astype(np.float32), mesh.triangles)


def surface(
    positions: NDArray[np.float64],
    faces: Sequence[Sequence[int]],
    looks: Sequence[tuple[Colour, float, float, int]],
    *,
    crease_cos: float = 0.80,
    uv: Sequence[Sequence[tuple[float, float]]] | None = None,
) -> Mesh:
    """A mesh of polygons (counter-clockwise from outside), one look each; shaded smoothly below the crease angle."""
    corners: list[int] = []
    face_of: list[int] = []
    triangles: list[tuple[int, int, int]] = []
    for number, face in enumerate(faces):
        first = len(corners)
        corners.extend(face)
        face_of.extend([number] * len(face))
        triangles.extend((first, first + i, first + i + 1) for i in range(1, len(face) - 1))
    corner, owner = np.array(corners), np.array(face_of)
    area = np.zeros((len(faces), 3))
    for number, face in enumerate(faces):
        p = positions[list(face)]
        area[number] = np.cross(p, np.roll(p, -1, axis=0)).sum(axis=0)
    unit = area / np.maximum(np.linalg.norm(area, axis=1, keepdims=True), 1e-9)
    keys = np.unique(np.round(positions, 4), axis=0, return_inverse=True)[1].reshape(-1)[corner]
    order = np.argsort(keys, kind="stable")
    normals = np.zeros((len(corner), 3))
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    for group in np.split(order, starts[1:]):
        f = owner[group]
        close = unit[f] @ unit[f].T > crease_cos
        normals[group] = close @ area[f]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    look = np.array([(*colour, rough, metal, kind) for colour, rough, metal, kind in looks])[owner]
    flat = np.zeros((len(corner), 2)) if uv is None else np.array([pair for face in uv for pair in face])
    vertices = np.concatenate([positions[corner], normals, look, flat], axis=1).astype(np.float32)
    unique, inverse = np.unique(np.round(vertices, 5), axis=0, return_inverse=True)
    return Mesh(
        unique.astype(np.float32), inverse.reshape(-1)[np.array(triangles)].reshape(-1, 3).astype(np.uint32)
    )


def box(
    middle: Sequence[float],
    size: Sequence[float],
    colour: Colour,
    *,
    rough: float = 0.7,
    metal: float = 0.0,
    kind: int = PLAIN,
) -> Mesh:
    """A box; u runs along its faces in metres, v upwards."""
    sx, sy, sz = (value / 2 for value in size)
    p = np.array([(x, y, z) for x in (-sx, sx) for y in (-sy, sy) for z in (-sz, sz)]) + np.array(middle)
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    spans = [(sz, sy), (sy, sz), (sx, sz), (sz, sx), (sy, sx), (sx, sy)]
    uv = [[(0.0, 0.0), (2 * a, 0.0), (2 * a, 2 * b), (0.0, 2 * b)] for a, b in spans]
    uv[0] = [(0.0, 0.0), (0.0, 2 * sz), (2 * sy, 2 * sz), (2 * sy, 0.0)]
    uv[3] = [(0.0, 0.0), (0.0, 2 * sz), (2 * sx, 2 * sz), (2 * sx, 0.0)]
    return surface(p, faces, [(colour, rough, metal, kind)] * 6, uv=uv)


def quad(
    corners: Sequence[Sequence[float]], colour: Colour, *, rough: float = 0.8, kind: int = PLAIN
) -> Mesh:
    """A rectangle, counter-clockwise from its lower left corner as seen from outside; u, v run 0 to 1."""
    uv = [[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]]
    return surface(np.array(corners, float), [(0, 1, 2, 3)], [(colour, rough, 0.0, kind)], uv=uv)


def ball(
    middle: Sequence[float],
    radii: Sequence[float],
    colour: Colour,
    *,
    rough: float = 0.6,
    metal: float = 0.0,
    kind: int = PLAIN,
    rings: int = 7,
    sectors: int = 10,
) -> Mesh:
    """An ellipsoid."""
    p = [
        (
            sin(pi * i / rings) * cos(tau * j / sectors),
            sin(pi * i / rings) * sin(tau * j / sectors),
            cos(pi * i / rings),
        )
        for i in range(rings + 1)
        for j in range(sectors)
    ]
    faces = []
    for i in range(rings):
        for j in range(sectors):
            a, b = i * sectors + j, i * sectors + (j + 1) % sectors
            faces.append((a, a + sectors, b + sectors, b))
    points = np.array(p) * np.array(radii) + np.array(middle)
    return surface(points, faces, [(colour, rough, metal, kind)] * len(faces), crease_cos=-1.0)


def tube(
    a: Sequence[float],
    b: Sequence[float],
    radius_a: float,
    radius_b: float,
    colour: Colour,
    *,
    rough: float = 0.6,
    metal: float = 0.0,
    sectors: int = 8,
    caps: bool = True,
    kind: int = PLAIN,
) -> Mesh:
    """A straight tube from ``a`` to ``b``."""
    start, end = np.array(a, float), np.array(b, float)
    axis = (end - start) / np.linalg.norm(end - start)
    side = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(axis, side)
    angle = np.arange(sectors) * tau / sectors
    ring = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up
    p = np.concatenate([start + ring * radius_a, end + ring * radius_b])
    faces: list[tuple[int, ...]] = [
        (j, (j + 1) % sectors, sectors + (j + 1) % sectors, sectors + j) for j in range(sectors)
    ]
    if caps:
        faces += [tuple(range(sectors))[::-1], tuple(range(sectors, 2 * sectors))]
    return surface(p, faces, [(colour, rough, metal, kind)] * len(faces), crease_cos=0.3)


def wheel(radius: float, width: float, *, sectors: int = 20, rim: Colour = (0.45, 0.46, 0.48)) -> Mesh:
    """A wheel around the y axis: tyre, and rims on both sides whose u, v the shader turns into spokes."""
    tyre = (0.022, 0.022, 0.024)
    ring = [
        (-width / 2, radius * 0.68),
        (-width / 2, radius * 0.93),
        (-width * 0.32, radius),
        (width * 0.32, radius),
    ]
    ring += [(width / 2, radius * 0.93), (width / 2, radius * 0.68)]
    p: list[tuple[float, float, float]] = []
    faces: list[tuple[int, ...]] = []
    uv: list[list[tuple[float, float]]] = []
    looks: list[tuple[Colour, float, float, int]] = []
    for j in range(sectors):
        c, s = cos(tau * j / sectors), sin(tau * j / sectors)
        p.extend((r * c, y, r * s) for y, r in ring)
    n = len(ring)
    for j in range(sectors):
        a, b = j * n, (j + 1) % sectors * n
        for k in range(n - 1):
            faces.append((a + k, a + k + 1, b + k + 1, b + k))
            looks.append((tyre, 0.9, 0.0, PLAIN))
            uv.append([(0.0, 0.0)] * 4)
    for side, k in ((-1, 0), (1, n - 1)):
        hub = len(p)
        p.append((0.0, side * width * 0.42, 0.0))
        for j in range(sectors):
            a, b = j * n + k, (j + 1) % sectors * n + k
            faces.append((a, b, hub) if side < 0 else (b, a, hub))
            looks.append((rim, 0.35, 0.8, RIM))
            ends = [(cos(tau * i / sectors), sin(tau * i / sectors)) for i in (j, j + 1)]
            uv.append([*(ends if side < 0 else ends[::-1]), (0.0, 0.0)])
    return surface(np.array(p), faces, looks, crease_cos=0.6, uv=uv)
