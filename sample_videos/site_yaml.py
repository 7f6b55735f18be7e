"""Writes a scene's site file in the product's format, from the geometry of the world."""

from __future__ import annotations

from typing import Any

import yaml

from sample_videos.scene import Crosswalk, Line, Scene, Zone
from sample_videos.world.places import Head

SCALE_M = 4.5


def site_text(scene: Scene) -> str:
    """The YAML of the site file of the scene; site and camera are named after it, so that no two clips share a camera."""
    name = scene.name.replace("_", "-")
    camera: dict[str, Any] = {"id": name, "size_px": list(scene.camera.size_px)}
    if scene.lines:
        camera["stop_lines"] = [_line(scene, line) for line in scene.lines]
    if scene.zones:
        camera["no_parking"] = [_zone(scene, zone) for zone in scene.zones]
    if scene.gates:
        camera["gates"] = [
            {
                "id": gate.gate_id,
                "line": [_share(scene, gate.x_m, gate.y1), _share(scene, gate.x_m, gate.y2)],
                "direction": [
                    _share(scene, gate.x_m - 5.0, (gate.y1 + gate.y2) / 2),
                    _share(scene, gate.x_m + 2.0, (gate.y1 + gate.y2) / 2),
                ],
            }
            for gate in scene.gates
        ]
    if scene.crosswalks:
        camera["crosswalks"] = [
            {"id": walk.crosswalk_id, "zone": _seen_part(scene, walk), "heads": [walk.head_id]}
            for walk in scene.crosswalks
        ]
    if scene.plates != "candidates":
        camera["plates"] = scene.plates
    site: dict[str, Any] = {
        "site": {
            "id": name,
            "name": scene.about.split(":")[0],
            "time_zone": "Asia/Shanghai",
        }
    }
    heads = seen_heads(scene)
    if heads:
        site["heads"] = [{"id": head.head_id, "camera": name, "box": head_box(scene, head)} for head in heads]
    site["cameras"] = [camera]
    text = yaml.safe_dump(site, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    return f"# {scene.about}\n{text}"


def seen_heads(scene: Scene) -> list[Head]:
    """The heads whose front the camera sees, whole."""
    return [
        head
        for head in scene.heads
        if head.facing_x * (scene.camera.eye[0] - head.place[0]) > 0.0
        and all(0.0 <= side <= 1.0 for side in head_box(scene, head))
    ]


def head_box(scene: Scene, head: Head) -> list[float]:
    """left, top, right, bottom of the head's housing in shares of the picture."""
    x, y, z = head.place
    s = head.scale
    wide, high = scene.camera.size_px
    px = scene.camera.project([(x, y + dy * 0.24 * s, z + dz * 0.66 * s) for dy in (-1, 1) for dz in (-1, 1)])
    (x1, y1), (x2, y2) = px.min(axis=0), px.max(axis=0)
    return [round(float(v), 5) for v in (x1 / wide, y1 / high, x2 / wide, y2 / high)]


def _line(scene: Scene, line: Line) -> dict[str, Any]:
    x, middle = line.x_m, (line.y1 + line.y2) / 2
    departing = line.view == "departing"
    start, end = (x - SCALE_M, x) if departing else (x, x + SCALE_M)
    part: dict[str, Any] = {
        "id": line.line_id,
        "movement": line.movement,
        "line": [_share(scene, x, line.y2), _share(scene, x, line.y1)],
        "further_on": [_share(scene, line.further_x, line.y2), _share(scene, line.further_x, line.y1)],
        "direction": [_share(scene, x - 4.5, middle), _share(scene, x + 3.0, middle)],
        "view": line.view,
        "scale": {
            "from": _share(scene, start, middle),
            "to": _share(scene, end, middle),
            "length_m": SCALE_M,
        },
        "heads": list(line.heads),
    }
    if line.grace_s != 0.3:
        part["grace_s"] = line.grace_s
    if line.standing_s != 3.0:
        part["standing_s"] = line.standing_s
    return part


def _zone(scene: Scene, zone: Zone) -> dict[str, Any]:
    part: dict[str, Any] = {
        "id": zone.zone_id,
        "zone": [_share(scene, x, y) for x, y in zone.corners],
        "allowed_stop_s": zone.allowed_stop_s,
    }
    if zone.windows:
        part["windows"] = [{"from": a, "to": b} for a, b in zone.windows]
    if zone.queue_heads is not None:
        (x1, y1), (x2, y2) = zone.corners[0], zone.corners[2]
        middle = (y1 + y2) / 2
        part["queue"] = {"direction": [_share(scene, x1, middle), _share(scene, x2, middle)]}
        part["queue"]["heads"] = list(zone.queue_heads)
    return part


def _seen_part(scene: Scene, walk: Crosswalk) -> list[list[float]]:
    """The corners of what the camera sees of the crossing, kerb to kerb or as far as the picture reaches."""
    wide = scene.camera.size_px[0]
    ys = [walk.y1 + (walk.y2 - walk.y1) * i / 100 for i in range(101)]
    sides = []
    for x in (walk.x1, walk.x2):
        seen = [y for y in ys if 0.0 <= scene.camera.pixel(x, y)[0] <= wide]
        sides.append((x, min(seen), max(seen)))
    (x1, a1, b1), (x2, a2, b2) = sides
    return [_share(scene, x, y) for x, y in ((x1, a1), (x2, a2), (x2, b2), (x1, b1))]


def _share(scene: Scene, x: float, y: float) -> list[float]:
    """A ground point in shares of the picture, cut to it."""
    px, py = scene.camera.pixel(x, y)
    wide, high = scene.camera.size_px
    return [round(min(max(px / wide, 0.0), 1.0), 5), round(min(max(py / high, 0.0), 1.0), 5)]
