"""The truth of one clip: what happened, who was there, what was shown, and the counts that the floors are held against."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sample_videos.scene import Scene
from sample_videos.site_yaml import head_box, seen_heads
from sample_videos.stage import plate_colour
from sample_videos.truth_events import events_truth

COVERED = 0.05
"""A vehicle of whose part in the picture this share is hidden is partly hidden."""

HIDDEN = 0.8
"""A vehicle that is hidden to this share can't be seen."""

VEHICLES = ("car", "bus", "truck", "motorcycle", "bicycle")


def clip_truth(scene: Scene, rows: list[list[list[Any]]]) -> dict[str, Any]:
    """The clip's entry of truth.json."""
    happened = events_truth(scene)
    for event in happened["events"]:
        if event["rule"] == "no_parking":
            event["at_px"] = _stands_at(scene, rows, event) or event["at_px"]
    vehicles = _vehicles(scene, rows)
    return {
        "size": list(scene.camera.size_px),
        "fps": scene.fps,
        "seconds": scene.seconds,
        "started_at": scene.started_at,
        "licence": "Apache-2.0",
        "view": scene.about,
        "light": scene.light,
        "site": f"{scene.name}.yaml",
        "heads": {head.head_id: head_box(scene, head) for head in seen_heads(scene)},
        "signal": {
            head.head_id: scene.programs[head.head_id].intervals(scene.seconds) for head in seen_heads(scene)
        },
        "pedestrian_signal": {
            c.head_id: scene.programs[c.head_id].intervals(scene.seconds) for c in scene.crosswalks
        },
        "events": happened["events"],
        "never": list(scene.never),
        "legal_lookalikes": happened["legal_lookalikes"],
        "crossings": happened["crossings"],
        "passages": happened["passages"],
        "vehicles": vehicles,
        "counts": _counts(scene, happened, vehicles, rows),
    }


def _stands_at(scene: Scene, rows: list[list[list[Any]]], event: dict[str, Any]) -> list[float] | None:
    """The middle of the lower edge of the whole vehicle's box: the place of a parked vehicle is told by its box, and from its
    axles that is a wheel's height and half a length away."""
    number = min(round(event["t"] * scene.fps), len(rows) - 1)
    for row in rows[number]:
        if row[0] == event["id"]:
            return [round((row[2] + row[4]) / 2, 1), row[5]]
    return None


def _vehicles(scene: Scene, rows: list[list[list[Any]]]) -> list[dict[str, Any]]:
    seen: dict[int, list[tuple[int, list[Any]]]] = defaultdict(list)
    for number, frame in enumerate(rows):
        for row in frame:
            seen[row[0]].append((number, row))
    found = []
    for drive in scene.traffic.drives:
        trip = drive.trip
        frames = seen.get(trip.trip_id)
        if not frames:
            continue
        hidden = _spans([n for n, row in frames if row[7] >= HIDDEN], scene.fps)
        widths = [row[12][1][0] - row[12][0][0] for _, row in frames if row[12] and row[7] < 0.5]
        found.append(
            {
                "id": trip.trip_id,
                "class": trip.kind.object_class,
                "kind": trip.kind.name,
                "who": trip.who or None,
                "plate": trip.plate or None,
                "plate_colour": plate_colour(drive) if trip.plate else None,
                "plate_px": round(max(widths), 1) if widths else None,
                "first_s": round(frames[0][0] / scene.fps, 3),
                "last_s": round(frames[-1][0] / scene.fps, 3),
                "hidden": [span for span in hidden if span[1] - span[0] >= 1.0],
                "parks": any(not hold.blinks for hold in trip.holds),
            }
        )
    return found


def _spans(numbers: list[int], fps: float) -> list[tuple[float, float]]:
    """Runs of consecutive frame numbers as (from, to) in seconds."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return [(round(a / fps, 3), round(b / fps, 3)) for a, b in spans]


def _counts(
    scene: Scene, happened: dict[str, Any], vehicles: list[dict[str, Any]], rows: list[list[list[Any]]]
) -> dict[str, Any]:
    crossings = happened["crossings"]
    shown = [row for frame in rows for row in frame if row[1] in VEHICLES]
    widths = [v["plate_px"] for v in vehicles if v["plate_px"]]
    return {
        "vehicles": sum(1 for v in vehicles if v["class"] in VEHICLES),
        "crossings_on_green": sum(1 for c in crossings if c["signal"] in ("green", "flashing_green")),
        "crossings_on_red": sum(1 for c in crossings if c["signal"] == "red"),
        "crossings_near_change": sum(1 for c in crossings if abs(c["to_change_s"]) <= 0.6),
        "legal_lookalikes": len(happened["legal_lookalikes"]),
        "vehicle_frames": len(shown),
        "vehicle_frames_partly_hidden": sum(1 for row in shown if row[7] > COVERED),
        "parked_hidden_5s": sum(
            1 for v in vehicles if v["parks"] and any(b - a >= 5.0 for a, b in v["hidden"])
        ),
        "plate_px": [min(widths), max(widths)] if widths else None,
        "frames": len(rows),
    }
