"""What is in each frame, from geometry: boxes of the projected meshes, what covers them, ground points, plates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sample_videos.render.camera import Camera
from sample_videos.render.vehicles import plate_corners
from sample_videos.scene import Scene
from sample_videos.stage import Actor, models
from sample_videos.world.traffic import axles

SAMPLES = 500
LEAST_PX = 8.0


def frame_truth(scene: Scene, actors: Sequence[Actor], identities: NDArray[np.uint16]) -> list[list[Any]]:
    """One row per road user in the picture, see ``ROW``."""
    rows = []
    for actor in actors:
        row = _row(scene.camera, actor, identities)
        if row is not None:
            rows.append(row)
    return rows


ROW = (
    "id, class, x1, y1, x2, y2 (whole road user, cut to the picture), visible (share of it that is seen), covered (share of "
    "its part inside the picture that something hides), front wheels x, y, rear wheels x, y (ground, px), plate corners "
    "(top-left, top-right, bottom-right, bottom-left) or null"
)


@cache
def _samples(mesh: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points spread over the mesh's surface and their normals scaled by the area that each stands for."""
    model = models().full[mesh]
    corners = model.positions[model.triangles].astype(float)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    area = np.linalg.norm(cross, axis=1)
    rng = np.random.default_rng(7)
    chosen = rng.choice(len(area), SAMPLES, p=area / area.sum())
    share = rng.dirichlet((1.0, 1.0, 1.0), SAMPLES)
    points = (corners[chosen] * share[:, :, None]).sum(axis=1)
    normals = cross[chosen] / np.maximum(area[chosen], 1e-12)[:, None]
    return points, normals


@cache
def _outline(mesh: str) -> NDArray[np.float64]:
    """The mesh's vertices, the mirrors' and aerials' included."""
    return np.unique(models().full[mesh].positions.astype(float).round(3), axis=0)


def _row(camera: Camera, actor: Actor, identities: NDArray[np.uint16]) -> list[Any] | None:
    wide, high = camera.size_px
    model, trip = actor.item.model, actor.drive.trip
    px = camera.project(_outline(actor.item.mesh) @ model[:3, :3].T + model[:3, 3])
    if np.isnan(px).any():
        return None
    (x1, y1), (x2, y2) = px.min(axis=0), px.max(axis=0)
    x1, x2, y1, y2 = max(x1, 0.0), min(x2, wide), max(y1, 0.0), min(y2, high)
    if x2 - x1 < LEAST_PX / 2 or y2 - y1 < LEAST_PX:
        return None
    visible, covered = _seen(camera, actor, identities)
    front, rear = (camera.pixel(*point) for point in axles(trip, actor.moment.s_m))
    quad = _plate(camera, actor) if trip.plate else None
    numbers = [round(float(v), 1) for v in (x1, y1, x2, y2)]
    ground = [round(v, 1) for v in (*front, *rear)]
    return [
        trip.trip_id,
        trip.kind.object_class,
        *numbers,
        round(visible, 2),
        round(covered, 2),
        *ground,
        quad,
    ]


def _seen(camera: Camera, actor: Actor, identities: NDArray[np.uint16]) -> tuple[float, float]:
    points, normals = _samples(actor.item.mesh)
    model = actor.item.model
    world, facing = points @ model[:3, :3].T + model[:3, 3], normals @ model[:3, :3].T
    to = np.array(camera.eye) - world
    distance = np.linalg.norm(to, axis=1)
    weight = np.maximum((facing * to).sum(axis=1) / distance, 0.0) / distance**2
    px = camera.project(world) / 2.0
    column, line = np.floor(px[:, 0]).astype(int), np.floor(px[:, 1]).astype(int)
    high, wide = identities.shape
    inside = (column >= 0) & (column < wide) & (line >= 0) & (line < high)
    shown = np.zeros(len(points), bool)
    for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        c, r = np.clip(column + dx, 0, wide - 1), np.clip(line + dy, 0, high - 1)
        shown |= identities[r, c] == actor.item.item_id
    shown &= inside
    total, in_picture = weight.sum(), weight[inside].sum()
    if total <= 0.0 or in_picture <= 0.0:
        return 0.0, 1.0
    return float(weight[shown].sum() / total), float(1.0 - weight[shown].sum() / in_picture)


def _plate(camera: Camera, actor: Actor) -> list[list[float]] | None:
    """The corners in the picture of the plate that faces the camera, unless it leaves the picture or shows its edge only."""
    model, trip = actor.item.model, actor.drive.trip
    for front in (True, False):
        corners = plate_corners(trip.kind.name, front=front, green=False)
        world = corners @ model[:3, :3].T + model[:3, 3]
        out = model[:3, 0] * (1.0 if front else -1.0)
        to = np.array(camera.eye) - world.mean(axis=0)
        if float(out @ to) / float(np.linalg.norm(to)) < 0.25:
            continue
        px = camera.project(world)
        wide, high = camera.size_px
        if (px < 0).any() or (px[:, 0] > wide).any() or (px[:, 1] > high).any():
            return None
        return [[round(float(x), 1), round(float(y), 1)] for x, y in px]
    return None
