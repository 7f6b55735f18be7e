"""Puts a moment of the traffic on the stage: every road user and every lit lens as an item for the renderer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import cos, pi, sin

import numpy as np

from sample_videos.render.heavy import bus_mesh, truck_mesh
from sample_videos.render.item import Item
from sample_videos.render.light import LIGHTS, Light
from sample_videos.render.mesh import HEADLAMP, Mesh, surface
from sample_videos.render.riders import STRIDES, bicycle_mesh, motorcycle_mesh, person_mesh
from sample_videos.render.vehicles import SHAPES, car_mesh
from sample_videos.scene import Scene
from sample_videos.world.places import Head
from sample_videos.world.traffic import Drive, Moment, pose

LENS_COLOURS = {"red": (1.0, 0.018, 0.012), "amber": (1.0, 0.42, 0.015), "green": (0.02, 0.95, 0.52)}
LENS_PLACES = {"red": 0.40, "amber": 0.0, "green": -0.40}


@dataclass(frozen=True, eq=False)
class Models:
    """The meshes of all road users, and simple ones with the same outline where they are cheaper."""

    full: dict[str, Mesh]
    simple: dict[str, Mesh]


@dataclass(frozen=True, eq=False)
class Actor:
    """A road user at one moment: its drive, moment, placement (4x4), and item."""

    drive: Drive
    moment: Moment
    item: Item
    is_resting: bool


@cache
def models() -> Models:
    """All meshes, made once."""
    full = {name: car_mesh(name) for name in SHAPES}
    simple = {name: car_mesh(name, simple=True) for name in SHAPES}
    full |= {
        "bus": bus_mesh(),
        "truck": truck_mesh(),
        "motorcycle": motorcycle_mesh(),
        "bicycle": bicycle_mesh(),
    }
    full |= {f"person{phase}": person_mesh(phase) for phase in range(STRIDES)}
    full |= {f"lens_{shape}": _lens(shape) for shape in ("", "left", "right", "straight")}
    simple |= {"bus": bus_mesh(simple=True), "truck": truck_mesh(simple=True)}
    return Models(full, simple)


def actors_at(scene: Scene, t_s: float) -> list[Actor]:
    """Everybody who is in the world at that media time."""
    found = []
    for drive in scene.traffic.drives:
        moment = scene.traffic.moment(drive, t_s)
        if moment is None:
            continue
        later = scene.traffic.moment(drive, t_s + 1.0 / scene.fps)
        blinking = bool(moment.blinks)
        still = later is not None and abs(later.s_m - moment.s_m) < 1e-6 and not blinking
        found.append(
            Actor(
                drive,
                moment,
                item_at(scene, drive, moment, t_s),
                still and later is not None and later.braking == moment.braking,
            )
        )
    return found


def lenses_at(scene: Scene, t_s: float) -> list[Item]:
    """The lit lens of each head."""
    items = []
    for head in scene.heads:
        lamp = scene.programs[head.head_id].lamp(t_s)
        if lamp in LENS_COLOURS:
            items.append(_lens_item(head, lamp))
    return items


def plate_colour(drive: Drive) -> str:
    """blue, green or yellow, by GA 36."""
    if drive.trip.kind.object_class in ("bus", "truck"):
        return "yellow"
    return "green" if len(drive.trip.plate) == 8 else "blue"


def placement(x: float, y: float, heading: float, z: float = 0.0) -> np.ndarray:
    """4x4 from local axes to the world."""
    matrix = np.eye(4)
    matrix[:2, :2] = [[cos(heading), -sin(heading)], [sin(heading), cos(heading)]]
    matrix[:3, 3] = x, y, z
    return matrix


def item_at(scene: Scene, drive: Drive, moment: Moment, t_s: float) -> Item:
    """A road user as the renderer draws it."""
    trip, kind = drive.trip, drive.trip.kind
    light: Light = LIGHTS[scene.light]
    x, y, heading = pose(trip, moment.s_m)
    parked = any(not hold.blinks and moment.speed_mps == 0.0 and hold.until_s > t_s for hold in trip.holds)
    lit = light.headlamps if not parked and kind.name not in ("bicycle", "person") else 0.0
    tail = (0.10 if lit == 0.0 else 0.5) + (1.3 if moment.braking and not parked else 0.0)
    flash = 2.0 if (t_s * 1.5 + trip.trip_id * 0.37) % 1.0 < 0.5 else 0.0
    mesh = kind.name
    if kind.name == "person":
        mesh = f"person{int(moment.s_m / 1.35 * STRIDES) % STRIDES}" if moment.speed_mps > 0.0 else "person0"
    sidewalk = 0.15 if kind.name == "person" and trip.who == "pavement" else 0.0
    rng = np.random.default_rng(trip.trip_id)
    return Item(
        mesh=mesh,
        model=placement(x, y, heading, sidewalk),
        item_id=trip.trip_id,
        paint=trip.paint,
        glow=(
            lit,
            tail if kind.name != "person" else 0.0,
            flash * (moment.blinks in ("left", "both")),
            flash * (moment.blinks in ("right", "both")),
        ),
        plate=trip.plate,
        spin=-moment.s_m / 0.32,
        seed=float(rng.uniform(0, 50)),
        dirt=float(rng.uniform(0.15, 0.8)),
        seams=(0.06 * kind.length_m, -0.13 * kind.length_m, 0.22 * kind.length_m, 0.62)
        if kind.name in SHAPES
        else (0.0,) * 4,
        footprint_m=(kind.length_m / 2, kind.width_m / 2),
        beams=lit > 1.0,
    )


def _lens_item(head: Head, lamp: str) -> Item:
    x, y, z = head.place
    model = placement(
        x + head.facing_x * 0.006, y, 0.0 if head.facing_x > 0 else pi, z + LENS_PLACES[lamp] * head.scale
    )
    model[:3, :3] = model[:3, :3] * head.scale
    return Item(mesh=f"lens_{head.arrow}", model=model, lens=LENS_COLOURS[lamp], glow=(3.0, 0.0, 0.0, 0.0))


def _lens(shape: str) -> Mesh:
    """A lens that faces +x, 0.15 m in radius: round, or an arrow as the driver sees it."""
    if shape == "":
        ring = [(0.0, 0.15 * cos(pi * i / 12), 0.15 * sin(pi * i / 12)) for i in range(24)]
        return surface(np.array(ring), [tuple(range(24))], [((0.0, 0.0, 0.0), 0.5, 0.0, HEADLAMP)])
    bar = [(-0.03, -0.13), (0.03, -0.13), (0.03, 0.02), (-0.03, 0.02)]
    tip = [(-0.10, 0.0), (0.10, 0.0), (0.0, 0.14)]
    turn = {"straight": 0.0, "left": pi / 2, "right": -pi / 2}[shape]
    points: list[tuple[float, float, float]] = []
    faces: list[tuple[int, ...]] = []
    for part in (bar, tip):
        first = len(points)
        for across, up in part:
            # The driver looks along -x at the lens, so the driver's left is -y turned round: +y of the lens is the driver's right.
            a, u = across * cos(turn) - up * sin(turn), across * sin(turn) + up * cos(turn)
            points.append((0.0, a, u))
        faces.append(tuple(range(first, len(points))))
    return surface(np.array(points), faces, [((0.0, 0.0, 0.0), 0.5, 0.0, HEADLAMP)] * 2)
