"""Renders labelled pictures of invented streets to train on, and others to measure on: ``python -m models.training.rendered``.

Everything but the meshes is left to chance: camera, light, weather, colours of the street, who stands where, the lens. A
picture is made of number and kind of its world alone; worlds to measure on have other numbers than those to train on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import cos, hypot, pi, radians, sin, tan
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from api.settings import load_settings
from models.training.data import read_recipe
from sample_videos.clips import junction, streets
from sample_videos.render.camera import Camera
from sample_videos.render.film import Film, develop
from sample_videos.render.gl import Renderer
from sample_videos.render.item import Item
from sample_videos.render.light import LIGHTS, Light
from sample_videos.render.mesh import ASPHALT, FACADE, LEAF, PAVING, PLAIN, Mesh
from sample_videos.render.plates import plate_picture
from sample_videos.render.street import street_mesh
from sample_videos.scene import Scene
from sample_videos.stage import Actor, item_at, models, plate_colour
from sample_videos.truth_frames import frame_truth
from sample_videos.world.demand import PAINTS, circles, invented_plate
from sample_videos.world.kinds import KINDS
from sample_videos.world.paths import Path as Way
from sample_videos.world.paths import path as way_through
from sample_videos.world.places import CROSS_X, KERB_Y, STREET_KERB_Y, Head
from sample_videos.world.traffic import Drive, Moment, Traffic, Trip

WORLDS = {"rendered": 150, "rendered_valid": 12}
"""How many worlds there are to train on and to measure on."""
PICTURES = 20
"""Of each world."""
SEEDS = {"rendered": 9_100, "rendered_valid": 9_200}
SIZES = ((640, 360), (640, 360), (640, 480), (480, 480))
LIGHT_SHARES = {"day": 0.28, "afternoon": 0.16, "overcast": 0.2, "dusk": 0.12, "night": 0.12, "rain": 0.12}
MOST_COVERED = 0.7
"""To train on: of a road user that is more hidden than this the place is left out, neither a label nor empty road."""
LEAST_VISIBLE = 0.5
"""To measure on: who is seen less than this, hidden or outside the picture, does not count."""
LEAST_SIDE_PX = 7.0
RARE = 2.5
"""To train on, buses, trucks and bicycles are this much more frequent: with a street's share of them the detector
stayed below 0.42 for each (cars 0.93)."""
STREETS = 5
"""Of each layout; colours are another matter."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What is in a picture: classes by name ("" where nobody can say) and their boxes, xyxy px."""

    classes: tuple[str, ...]
    boxes: tuple[tuple[float, float, float, float], ...]

    def text(self, names: Sequence[str], size_px: tuple[int, int]) -> str:
        """YOLO text; the class after the last of ``names`` is for what nobody can say."""
        wide, high = size_px
        lines = []
        for name, (x1, y1, x2, y2) in zip(self.classes, self.boxes, strict=True):
            number = names.index(name) if name else len(names)
            numbers = (x1 + x2) / 2 / wide, (y1 + y2) / 2 / high, (x2 - x1) / wide, (y2 - y1) / high
            lines.append(" ".join([str(number), *(f"{value:.5f}" for value in numbers)]))
        return "".join(f"{line}\n" for line in lines)


class World:
    """One invented street under one camera and one light, and pictures of it."""

    def __init__(self, kind: str, number: int) -> None:
        self._to_measure = kind.endswith("_valid")
        self._chance = chance = np.random.default_rng((SEEDS[kind], number))
        layout = str(chance.choice(["junction", "street"], p=[0.65, 0.35]))
        light_name = str(chance.choice(list(LIGHT_SHARES), p=list(LIGHT_SHARES.values())))
        self._light = _light(LIGHTS[light_name], chance)
        self._ways, self._walks = _ways(layout)
        self._camera = _camera(layout, chance)
        heads = junction.HEADS if layout == "junction" else ()
        lamps = junction.STREET_LAMPS if layout == "junction" else streets.STREET_LAMPS
        seed = int(chance.integers(1 << 30))
        self._scene = Scene(
            name=f"{kind}-{number}",
            about="",
            light=light_name,
            layout=layout,
            camera=self._camera,
            fps=12.5,
            seconds=1.0,
            traffic=Traffic(0.0, ()),
            started_at="",
            seed=seed,
        )
        still = _recoloured(_street(layout, number % STREETS, heads, lamps), chance)
        made = models()
        self._renderer = Renderer(self._camera, self._light, still, made.full, made.simple, lamps=lamps)
        self._film = Film(self._light, self._camera.size_px, seed)
        self._develop = develop(self._light)
        self._plates = [invented_plate(chance, green=chance.random() < 0.3) for _ in range(14)]
        self._mix = _mix(chance, rare=1.0 if self._to_measure else RARE)

    def picture(self, number: int) -> tuple[Pixels, Labels]:
        """One arrangement of road users as a camera shows it, RGB uint8, and what is in it."""
        actors = self.arrange()
        frame, identities, labels = self.shoot(actors)
        pixels = self._develop[self._film.expose(frame, identities, number)]
        return _lens(pixels, self._chance), labels

    def shoot(self, actors: Sequence[Actor]) -> tuple[Pixels, NDArray[np.uint16], Labels]:
        """The bare rendering of these, RGB uint8, who is where in it at half its size, and what is in it."""
        items = [actor.item for actor in actors]
        frame = self._renderer.render(items)
        identities = self._renderer.identities(items)
        rows = frame_truth(self._scene, actors, identities)
        return frame, identities, _labels(self._camera, actors, rows, to_measure=self._to_measure)

    def release(self) -> None:
        """Frees the renderer."""
        self._renderer.release()

    def arrange(self) -> list[Actor]:
        """Road users along the ways, nobody in anybody else, none right before the camera."""
        chance = self._chance
        actors: list[Actor] = []
        taken: list[tuple[NDArray[np.float64], float]] = []
        eye = np.array(self._camera.eye)
        forward = np.array(self._camera.target) - eye
        forward /= np.linalg.norm(forward)
        density = float(np.exp(chance.uniform(np.log(4.0), np.log(40.0))))
        for way, walk in [(way, False) for way in self._ways] + [(way, True) for way in self._walks]:
            if chance.random() < 0.25:
                continue
            s = float(chance.uniform(0.0, 25.0))
            while s < way.length_m:
                names, shares = self._mix["walk" if walk else "drive"]
                kind = KINDS[str(chance.choice(names, p=shares))]
                actor = self._actor(len(actors) + 1, kind.name, way, s)
                s += kind.length_m + 0.8 + float(chance.exponential(density * (0.35 if walk else 1.0)))
                x, y = float(actor.item.model[0, 3]), float(actor.item.model[1, 3])
                depths = (_around(actor) - eye) @ forward
                if depths.min() < 1.2 or depths.min() > 120.0:
                    continue
                corners = circles(actor.drive, actor.moment.s_m)
                corners = corners - corners.mean(axis=0) + np.array([x, y])
                radius = kind.width_m / 2 + 0.1
                if any(
                    np.sqrt(((corners[:, None] - other[None]) ** 2).sum(axis=2)).min() < radius + size
                    for other, size in taken
                    if hypot(*(other.mean(axis=0) - np.array([x, y]))) < 14.0
                ):
                    continue
                taken.append((corners, radius))
                actors.append(actor)
        return actors

    def _actor(self, number: int, kind: str, way: Way, s_m: float) -> Actor:
        chance = self._chance
        paint = PAINTS[chance.integers(len(PAINTS))]
        if chance.random() < 0.4:
            red, green, blue = np.clip(chance.uniform(0.0, 1.0, 3) ** 2.2, 0.012, 0.75).tolist()
            paint = (red, green, blue)
        measured = KINDS[kind]
        plate = ""
        if measured.object_class in ("car", "bus", "truck") and chance.random() < 0.9:
            plate = self._plates[chance.integers(len(self._plates))]
        trip = Trip(
            trip_id=number, kind=measured, path=way, depart_s=0.0, speed_mps=5.0, plate=plate, paint=paint
        )
        moment = Moment(
            s_m,
            float(chance.choice([0.0, 6.0])),
            bool(chance.random() < 0.3),
            str(chance.choice(["", "", "", "left", "right"])),
        )
        drive = Drive(trip, 0, [moment])
        if plate:
            self._renderer.add_plate(plate, plate_picture(plate, plate_colour(drive)))
        item = item_at(self._scene, drive, moment, 0.0)
        return Actor(drive, moment, self._disordered(item, small=measured.width_m < 1.0), False)

    def _disordered(self, item: Item, *, small: bool) -> Item:
        """The item a little aside, turned, and of other proportions."""
        chance = self._chance
        aside, turn = float(chance.normal(0, 0.35)), float(chance.normal(0, 0.05))
        if small:
            aside, turn = float(chance.uniform(-1.6, 1.6)), float(chance.normal(0, 0.2))
        if chance.random() < 0.06:
            turn += float(chance.choice([pi, pi / 2, -pi / 2, chance.uniform(-0.8, 0.8)]))
        model = item.model.copy()
        spin = np.array([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]])
        model[:2, 3] += aside * model[:2, 1]
        model[:2, :2] = spin @ model[:2, :2]
        model[:3, :3] *= np.exp(chance.normal(0, (0.06, 0.04, 0.05)))[None, :] * float(
            np.exp(chance.normal(0, 0.05))
        )
        return replace(
            item, model=model, dirt=float(chance.uniform(0.0, 1.0)), seed=float(chance.uniform(0, 50))
        )


def _ways(layout: str) -> tuple[list[Way], list[Way]]:
    """Where vehicles and where people are to be."""
    if layout == "junction":
        drive = [
            junction.IN,
            junction.OUT,
            junction.LEFT,
            junction.RIGHT,
            junction.BIKE,
            junction.BIKE_BESIDE,
        ]
        drive += [way_through([(150.0, y), (-60.0, y)]) for y in (1.75, 5.25, 8.4)]
        for x, sign in ((1.75, 1.0), (5.25, 1.0), (-1.75, -1.0), (-5.25, -1.0)):
            drive.append(way_through([(16.0 + x, -sign * 70.0), (16.0 + x, sign * 70.0)]))
        walk = [
            way_through([(-60.0, side * (KERB_Y + 2.8)), (80.0, side * (KERB_Y + 2.8))])
            for side in (-1.0, 1.0)
        ]
        walk.append(way_through([(3.5, -KERB_Y - 2.0), (3.5, KERB_Y + 2.0)]))
        walk.append(way_through([(28.5, KERB_Y + 2.0), (28.5, -KERB_Y - 2.0)]))
        return drive, walk
    drive = [streets.LANE, streets.BACK]
    drive.append(way_through([(-80.0, streets.KERB_LANE_Y), (150.0, streets.KERB_LANE_Y)]))
    drive.append(way_through([(150.0, 4.9), (-80.0, 4.9)]))
    side = STREET_KERB_Y + 2.6
    return drive, [way_through([(-60.0, -side), (120.0, -side)]), way_through([(120.0, side), (-60.0, side)])]


def _mix(chance: Generator, rare: float) -> dict[str, tuple[list[str], NDArray[np.float64]]]:
    """How often each kind of road user is there: another mix for each world.

    ``rare`` is by how much buses, trucks and bicycles are more frequent than on a street.
    """
    drive = {"sedan": 4.0, "hatchback": 3.0, "suv": 3.0, "van": 1.5, "bus": 1.2 * rare, "truck": 1.5 * rare}
    drive |= {
        "motorcycle": float(chance.choice([1.0, 3.0, 25.0])),
        "bicycle": float(chance.choice([0.6, 2.0])) * rare,
    }
    walk = {"person": 8.0, "bicycle": 1.0 * rare, "motorcycle": 1.0}
    return {
        which: (list(mix), np.array(list(mix.values())) / sum(mix.values()))
        for which, mix in (("drive", drive), ("walk", walk))
    }


def _camera(layout: str, chance: Generator) -> Camera:
    """Over the road or its edge, at any height that cameras hang, looking along it one way or the other, or across."""
    half = KERB_Y if layout == "junction" else STREET_KERB_Y
    x, y = float(chance.uniform(-45.0, 45.0)), float(chance.uniform(1.0 - half, half - 1.0))
    z = float(np.exp(chance.uniform(np.log(2.5), np.log(11.0))))
    reach = z / tan(radians(float(chance.uniform(7.0, 32.0))))
    aim = float(chance.uniform(-0.7, 0.7)) * half
    target = (x + float(chance.choice([-1.0, 1.0])) * reach, aim, 0.0)
    if layout == "junction" and chance.random() < 0.25:
        # Over the cross road, looking along it.
        x, y = CROSS_X + float(chance.uniform(-7.0, 7.0)), float(chance.uniform(-40.0, 40.0))
        target = (CROSS_X + 0.6 * aim, y - (1.0 if y > 0 else -1.0) * reach, 0.0)
    across = float(np.exp(chance.uniform(np.log(24.0), np.log(80.0))))
    size = SIZES[chance.integers(len(SIZES))]
    return Camera(eye=(x, y, z), target=target, across_deg=across, size_px=size)


def _light(light: Light, chance: Generator) -> Light:
    """The light, with another sun, haze and exposure."""
    turn, up = float(chance.uniform(0.0, 2 * pi)), float(chance.uniform(0.35, 1.2))
    tint = np.exp(chance.normal(0.0, 0.06, 3))
    fog = light.fog + (float(chance.uniform(0.001, 0.008)) if chance.random() < 0.25 else 0.0)
    gamma, gain, lift = light.tone
    return replace(
        light,
        sun_dir=(cos(turn), sin(turn), up),
        sun=_times(light.sun, tint * chance.uniform(0.5, 1.15)),
        sky=_times(light.sky, np.exp(chance.normal(0.0, 0.15, 3))),
        horizon=_times(light.horizon, np.exp(chance.normal(0.0, 0.1, 3))),
        ground=_times(light.ground, np.exp(chance.normal(0.0, 0.15, 3))),
        exposure=light.exposure * float(np.exp(chance.normal(0.0, 0.2))),
        clouds=float(chance.uniform(0.0, 1.0)),
        fog=fog,
        wet=light.wet if chance.random() < 0.8 else float(chance.uniform(0.0, 0.9)),
        noise=light.noise * float(np.exp(chance.normal(0.0, 0.5))),
        contact=float(chance.uniform(0.5, 0.85)),
        tone=(
            gamma * float(np.exp(chance.normal(0.0, 0.1))),
            1.0 + (gain - 1.0) * float(chance.uniform(0.0, 1.3)),
            lift * float(chance.uniform(0.0, 1.2)),
        ),
    )


def _times(colour: Sequence[float], factors: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value * factor) for value, factor in zip(colour, factors, strict=True))
    return red, green, blue


@cache
def _street(
    layout: str, variant: int, heads: tuple[Head, ...], lamps: tuple[tuple[float, float, float], ...]
) -> Mesh:
    """Building one takes seconds, so there are only a few."""
    return street_mesh(layout, heads, np.random.default_rng((SEEDS["rendered"], variant)), lamps=lamps)


def _recoloured(mesh: Mesh, chance: Generator) -> Mesh:
    """The street in other colours, its asphalt sometimes of another stuff."""
    vertices = mesh.vertices.copy()
    kinds = vertices[:, 11].round().astype(int)
    for kind, spread in ((FACADE, 0.35), (LEAF, 0.3), (PAVING, 0.25), (PLAIN, 0.25)):
        vertices[kinds == kind, 6:9] *= np.exp(chance.normal(0.0, spread, 3)) * float(
            np.exp(chance.normal(0.0, 0.2))
        )
    if chance.random() < 0.45:
        road = kinds == ASPHALT
        vertices[road, 11] = float(chance.choice([PLAIN, PAVING, LEAF]))
        vertices[road, 6:9] = float(np.exp(chance.uniform(np.log(0.03), np.log(0.35)))) * np.exp(
            chance.normal(0.0, 0.08, 3)
        )
    vertices[:, 6:9] = np.clip(vertices[:, 6:9], 0.0, 0.9)
    return Mesh(vertices, mesh.triangles)


def _labels(
    camera: Camera, actors: Sequence[Actor], rows: Sequence[Sequence[Any]], *, to_measure: bool
) -> Labels:
    """Labels from the truth; whoever is hardly seen, too small, or half behind the camera is left out by place."""
    wide, high = camera.size_px
    named = {row[0]: row for row in rows}
    classes: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    for actor in actors:
        row = named.get(actor.item.item_id)
        if row is not None:
            x1, y1, x2, y2 = row[2:6]
            clear = row[6] >= LEAST_VISIBLE if to_measure else row[7] <= MOST_COVERED
            clear = clear and min(x2 - x1, y2 - y1) >= LEAST_SIDE_PX
            classes.append(row[1] if clear else "")
            boxes.append((x1, y1, x2, y2))
            continue
        px = camera.project(_around(actor))
        (left, top), (right, bottom) = px.min(axis=0), px.max(axis=0)
        left, right = max(0.0, float(left)), min(float(wide), float(right))
        top, bottom = max(0.0, float(top)), min(float(high), float(bottom))
        if right - left > 1.0 and bottom - top > 1.0:
            classes.append("")
            boxes.append((left, top, right, bottom))
    return Labels(classes=tuple(classes), boxes=tuple(boxes))


def _around(actor: Actor) -> NDArray[np.float64]:
    """The eight corners around the road user, (8, 3), in the world."""
    places = models().full[actor.item.mesh].positions
    ends = np.stack([places.min(axis=0), places.max(axis=0)]).astype(float)
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    return corners @ actor.item.model[:3, :3].T + actor.item.model[:3, 3]


def _lens(pixels: Pixels, chance: Generator) -> Pixels:
    """The picture through a poorer lens or sensor, now and then."""
    if chance.random() < 0.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(chance.uniform(0.4, 1.3))), np.uint8)
    if chance.random() < 0.12:
        # The camera shakes, or the shutter is slow.
        long = int(chance.integers(3, 8))
        kernel = np.zeros((long, long), np.float32)
        kernel[long // 2] = 1.0 / long
        pixels = np.asarray(cv2.filter2D(pixels, -1, kernel), np.uint8)
    return pixels


def render(
    kind: str, folder: Path, worlds: Sequence[int], names: Sequence[str], pictures: int = PICTURES
) -> Iterator[Path]:
    """Writes the pictures of the ``worlds`` into ``folder``/images and labels, and yields each as it is done.

    A world of which all pictures are there is passed over; the picture is written after its labels.
    """
    images, labels = folder / "images", folder / "labels"
    for place in (images, labels):
        place.mkdir(parents=True, exist_ok=True)
    for number in worlds:
        paths = [images / f"{number:04}-{index:02}.jpg" for index in range(pictures)]
        if all(path.is_file() for path in paths):
            continue
        world = World(kind, number)
        for index, path in enumerate(paths):
            pixels, found = world.picture(index)
            (labels / f"{path.stem}.txt").write_text(
                found.text(names, (pixels.shape[1], pixels.shape[0])), encoding="utf-8"
            )
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(60 + 36 * ((number * 7 + index * 5) % 11) / 10)]
            whole, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)
            if not whole:
                raise OSError(f"{path}: the picture cannot be written as JPEG")
            part = path.with_suffix(".part")
            part.write_bytes(data.tobytes())
            part.replace(path)
            yield path
        world.release()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.training.rendered", description=__doc__)
    parser.add_argument("--kind", choices=sorted(WORLDS), help="only these; both unless told")
    parser.add_argument("--worlds", type=int, nargs=2, metavar=("FROM", "TO"), help="only these numbers")
    chosen = parser.parse_args(arguments)
    os.nice(19)
    folder = load_settings().cache / "train"
    names = read_recipe()["classes"]
    for kind in [chosen.kind] if chosen.kind else sorted(WORLDS):
        numbers = range(*chosen.worlds) if chosen.worlds else range(WORLDS[kind])
        done = 0
        for _ in render(kind, folder / kind, numbers, names):
            done += 1
            if done % (4 * PICTURES) == 0:
                print(f"{kind}: {done} pictures rendered", flush=True)
        print(f"{kind}: {done} pictures rendered now, {len(numbers) * PICTURES} are there", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
