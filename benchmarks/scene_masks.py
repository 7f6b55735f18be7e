"""Which pixels of a rendered frame show a plate, a head or a front windscreen, and whose: from the meshes that were filmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from sample_videos.render.mesh import GLASS
from sample_videos.render.vehicles import plate_corners
from sample_videos.scene import Scene
from sample_videos.stage import Actor, actors_at, models

HEAD_M = 0.27
"""A head, with helmet or hair, is the uppermost part of a person or rider."""

FORWARD = 0.3
"""The least share of its normal by which a pane looks forward, to be a windscreen."""

LAMPS_BELOW_M = 0.9
"""Glass lower than that belongs to headlamps."""

FACING = 0.25
"""The least cosine at which a plate is seen, as in the frame truth."""

KINDS = ("body", "head", "windscreen", "plate")
SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One head, windscreen or plate that is seen: of whom, and its pixels in the picture (a mask, height x width)."""

    kind: str
    owner: int
    object_class: str
    pixels: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Faces:
    corners: NDArray[np.float64]
    normals: NDArray[np.float64]
    kinds: NDArray[np.int64]


def parts_at(scene: Scene, frame: int, hidden: Sequence[int] = ()) -> list[Part]:
    """What is seen of all heads, windscreens and plates in that frame; ``hidden``: of these road users nothing is seen.

    Nearer road users hide farther ones. What stands still (poles, trees) hides nobody here, so rather too much is wanted.
    """
    wide, high = scene.camera.size_px
    actors = [actor for actor in actors_at(scene, frame / scene.fps) if actor.item.item_id not in hidden]
    polygons: list[NDArray[np.float64]] = []
    depths: list[NDArray[np.float64]] = []
    labels: list[NDArray[np.int64]] = []
    for number, actor in enumerate(actors):
        px, far, kinds = _seen(scene, actor)
        polygons.append(px)
        depths.append(far)
        labels.append(np.where(kinds > 0, 1 + 4 * number + kinds, 0))
    image = np.zeros((high, wide), np.int32)
    if not polygons:
        return []
    px, far, label = np.concatenate(polygons), np.concatenate(depths), np.concatenate(labels)
    inside = (
        (px[:, :, 0].max(axis=1) >= 0) & (px[:, :, 0].min(axis=1) <= wide)
        & (px[:, :, 1].max(axis=1) >= 0) & (px[:, :, 1].min(axis=1) <= high)
    )  # fmt: skip
    fixed = np.rint((px - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    for row in np.argsort(-far):
        if inside[row]:
            cv2.fillConvexPoly(image, fixed[row], int(label[row]), lineType=cv2.LINE_8, shift=SUBPIXEL_BITS)
    found = []
    for value in np.unique(image[image > 0]).tolist():
        number, kind = divmod(value - 1, 4)
        actor = actors[number]
        found.append(
            Part(
                kind=KINDS[kind],
                owner=actor.item.item_id,
                object_class=actor.drive.trip.kind.object_class,
                pixels=image == value,
            )
        )
    return found


def _seen(scene: Scene, actor: Actor) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """The faces that look at the camera: pixels (n, 4, 2) (a triangle repeats its last corner), distances, kinds."""
    faces, model = _faces(actor.item.mesh), actor.item.model
    corners = faces.corners @ model[:3, :3].T + model[:3, 3]
    normals = faces.normals @ model[:3, :3].T
    eye = np.array(scene.camera.eye)
    towards = ((eye - corners.mean(axis=1)) * normals).sum(axis=1) > 0
    quads, kinds = corners[towards][:, [0, 1, 2, 2]], faces.kinds[towards]
    plates = _plates(scene, actor)
    if plates:
        quads = np.concatenate([quads, np.array(plates)])
        kinds = np.concatenate([kinds, np.full(len(plates), KINDS.index("plate"))])
    px = scene.camera.project(quads.reshape(-1, 3)).reshape(-1, 4, 2)
    far = np.linalg.norm(quads.mean(axis=1) - eye, axis=1)
    far[kinds == KINDS.index("plate")] -= 0.1  # it hangs on the body, not in it
    is_before = ~np.isnan(px).any(axis=(1, 2))
    return px[is_before], far[is_before], kinds[is_before]


def _plates(scene: Scene, actor: Actor) -> list[NDArray[np.float64]]:
    trip, model = actor.drive.trip, actor.item.model
    found: list[NDArray[np.float64]] = []
    if not trip.plate:
        return found
    for front in (True, False):
        if front and trip.kind.name == "motorcycle":
            continue
        corners = plate_corners(trip.kind.name, front=front, green=len(trip.plate) == 8)
        world = corners @ model[:3, :3].T + model[:3, 3]
        out = model[:3, 0] * (1.0 if front else -1.0)
        to = np.array(scene.camera.eye) - world.mean(axis=0)
        if float(out @ to) / float(np.linalg.norm(to)) >= FACING:
            found.append(world)
    return found


@cache
def _faces(mesh: str) -> _Faces:
    model = models().full[mesh]
    corners = model.positions[model.triangles].astype(float)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-12)
    kinds = np.zeros(len(corners), np.int64)
    if mesh.startswith(("person", "motorcycle", "bicycle")):
        top = corners[:, :, 2].max()
        kinds[corners[:, :, 2].min(axis=1) > top - HEAD_M] = KINDS.index("head")
    else:
        material = model.vertices[model.triangles[:, 0], 11].round().astype(int)
        kinds[
            (material == GLASS) & (normals[:, 0] > FORWARD) & (corners[:, :, 2].mean(axis=1) > LAMPS_BELOW_M)
        ] = KINDS.index("windscreen")
    return _Faces(corners, normals, kinds)
