"""What happened in a clip, from the world itself: crossings, offences, legal actions that look like offences."""

from __future__ import annotations

from typing import Any

from rules.scoring import AT_RADIUS_PX
from sample_videos.scene import Crosswalk, Gate, Line, Scene, Zone
from sample_videos.world.traffic import DT_S, Drive, axles

MARGIN_S = 0.5
"""A red-light offence is required of a detector from this long after the grace on; nearer to it either answer is accepted."""

NEAR_CHANGE_S = 0.6
STANDS_MPS = 0.08


def events_truth(scene: Scene) -> dict[str, Any]:
    """Crossings, events, and legal look-alikes of the scene."""
    crossings, events, legal = [], [], []
    for drive in scene.traffic.drives:
        for line in scene.lines:
            crossing = _crossing(scene, drive, line)
            if crossing is None:
                continue
            crossings.append(crossing)
            event = None
            if (drive.trip.turns or "straight") == line.movement:
                event = _red_light(scene, drive, line, crossing) or _stopped_past(
                    scene, drive, line, crossing
                )
            if event is not None:
                events.append(event)
            elif crossing["lookalike"]:
                legal.append(
                    {"id": drive.trip.trip_id, "t": crossing["front_wheels_s"], "why": crossing["lookalike"]}
                )
        for zone in scene.zones:
            stay = _stay(scene, drive, zone)
            if stay is not None and stay["event"] is not None:
                events.append(stay["event"])
            elif stay is not None and stay["lookalike"]:
                legal.append({"id": drive.trip.trip_id, "t": stay["from_s"], "why": stay["lookalike"]})
        for crosswalk in scene.crosswalks:
            event = _on_red(scene, drive, crosswalk)
            if event is not None:
                events.append(event)
    passages = [
        p for drive in scene.traffic.drives for gate in scene.gates if (p := _passage(scene, drive, gate))
    ]
    return {
        "events": sorted(events, key=lambda event: event["t"]),
        "crossings": sorted(crossings, key=lambda crossing: crossing["front_wheels_s"]),
        "passages": sorted(passages, key=lambda passage: passage["t"]),
        "legal_lookalikes": sorted(legal, key=lambda entry: entry["t"]),
    }


def _meets_x(
    scene: Scene, drive: Drive, x_m: float, *, rear: bool = False
) -> tuple[float, float, float] | None:
    """(media seconds, y, distance along the path) where the wheels pass ``x_m`` along +x; None where they don't."""
    way, back = drive.trip.path, drive.trip.kind.wheelbase_m if rear else 0.0
    xs = way.points[:, 0]
    index = next((i for i in range(1, len(xs)) if xs[i - 1] < x_m <= xs[i]), None)
    if index is None:
        return None
    share = (x_m - xs[index - 1]) / (xs[index] - xs[index - 1])
    s_m = (index - 1 + float(share)) * 0.25
    t_s = scene.traffic.reaches(drive, s_m + back)
    if t_s is None:
        return None
    return t_s, way.at(s_m)[1], s_m


def _crossing(scene: Scene, drive: Drive, line: Line) -> dict[str, Any] | None:
    met = _meets_x(scene, drive, line.x_m)
    if met is None or not line.y1 <= met[1] <= line.y2 or not 0.0 <= met[0] < scene.seconds:
        return None
    if drive.trip.kind.object_class == "person":
        return None
    t_s, y, _ = met
    rear = _meets_x(scene, drive, line.x_m, rear=True)
    states = [scene.programs[head].state(t_s) for head in line.heads]
    onset = max(scene.programs[head].onset(t_s) for head in line.heads)
    red = all(state == "red" for state in states)
    changes = [at for head in line.heads for at, state in scene.programs[head].changes if state == "red"]
    to_red = min((t_s - at for at in changes), key=abs)
    lookalike = ""
    if red and drive.trip.turns == "right" and line.movement == "straight":
        lookalike = "turned right on red"
    elif not red and -NEAR_CHANGE_S <= to_red < 0.0:
        lookalike = "crossed on the last moment of amber"
    elif red and t_s - onset < line.grace_s:
        lookalike = "crossed within the grace"
    elif not red and rear is not None and any(t_s < at < rear[0] for at in changes):
        lookalike = "was over the line when red began"
    elif not red and _stood_on_red(scene, drive, line, t_s):
        lookalike = "pushed over the line by the queue on green, stood there on red"
    return {
        "id": drive.trip.trip_id,
        "class": drive.trip.kind.object_class,
        "line": line.line_id,
        "front_wheels_s": round(t_s, 3),
        "rear_wheels_s": None if rear is None else round(rear[0], 3),
        "at_px": _px(scene, line.x_m, y),
        "signal": states[0] if len(set(states)) == 1 else states,
        "into_red_s": round(t_s - onset, 3) if red else None,
        "to_change_s": round(to_red, 3),
        "lookalike": lookalike,
    }


def _stood_on_red(scene: Scene, drive: Drive, line: Line, crossed_s: float) -> bool:
    for index, moment in enumerate(drive.moments):
        t_s = scene.traffic.from_s + (drive.first_step + index) * DT_S
        if (
            t_s > crossed_s
            and moment.speed_mps < STANDS_MPS
            and scene.programs[line.heads[0]].state(t_s) == "red"
        ):
            x, _ = drive.trip.path.at(moment.s_m)
            return x < line.further_x + 4.0
    return False


def _event(
    scene: Scene, drive: Drive, rule: str, t_s: float, at: tuple[float, float], **more: Any
) -> dict[str, Any]:
    return {
        "rule": rule,
        "class": drive.trip.kind.object_class,
        "t": round(t_s, 3),
        "tolerance_s": 0.6,
        "required": True,
        "id": drive.trip.trip_id,
        "plate": drive.trip.plate or None,
        "who": drive.trip.who or drive.trip.kind.name,
        "at_px": _px(scene, *at),
        "at_radius_px": _metre_px(scene, *at),
    } | more


def _red_light(scene: Scene, drive: Drive, line: Line, crossing: dict[str, Any]) -> dict[str, Any] | None:
    into = crossing["into_red_s"]
    if into is None or into < line.grace_s:
        return None
    beyond = _meets_x(scene, drive, line.further_x, rear=True)
    stood = _standing_from(scene, drive, crossing["front_wheels_s"], line.further_x)
    if beyond is None or (stood is not None and stood < beyond[0]):
        return None
    in_clip = crossing["front_wheels_s"] > 1.0 and beyond[0] < scene.seconds - 0.5
    return _event(
        scene,
        drive,
        "red_light",
        crossing["front_wheels_s"],
        (line.x_m, _meets_y(drive, line)),
        line=line.line_id,
        at_px=_over_line_px(scene, drive, line),
        into_red_s=into,
        required=into >= line.grace_s + MARGIN_S and in_clip,
    )


def _over_line_px(scene: Scene, drive: Drive, line: Line) -> list[float]:
    """Where on the line the whole vehicle is seen to cross: midway between where its front and its rear wheels appear then,
    at the height of the line. A camera beside the lane sees its length too."""
    y = _meets_y(drive, line)
    front, rear = (_px(scene, x, y) for x in (line.x_m, line.x_m - drive.trip.kind.wheelbase_m))
    return [round((front[0] + rear[0]) / 2, 1), front[1]]


def _meets_y(drive: Drive, line: Line) -> float:
    points = drive.trip.path.points
    return float(points[(points[:, 0] >= line.x_m).argmax()][1])


def _standing_from(scene: Scene, drive: Drive, after_s: float, before_x: float) -> float | None:
    for index, moment in enumerate(drive.moments):
        t_s = scene.traffic.from_s + (drive.first_step + index) * DT_S
        if t_s > after_s and moment.speed_mps < STANDS_MPS:
            return t_s if drive.trip.path.at(moment.s_m)[0] < before_x else None
    return None


def _stopped_past(scene: Scene, drive: Drive, line: Line, crossing: dict[str, Any]) -> dict[str, Any] | None:
    if crossing["into_red_s"] is None or crossing["into_red_s"] < line.grace_s:
        return None
    from_s = _standing_from(scene, drive, crossing["front_wheels_s"], line.further_x)
    if from_s is None or any(scene.programs[h].state(from_s + line.standing_s) != "red" for h in line.heads):
        return None
    moment = scene.traffic.moment(drive, from_s)
    x, y = drive.trip.path.at(0.0 if moment is None else moment.s_m)
    t_s = from_s + line.standing_s
    return _event(
        scene,
        drive,
        "stopped_past_line",
        t_s,
        (x, y),
        line=line.line_id,
        tolerance_s=1.5,
        into_red_s=crossing["into_red_s"],
        required=crossing["into_red_s"] >= line.grace_s + MARGIN_S and t_s < scene.seconds - 1.0,
    )


def _stay(scene: Scene, drive: Drive, zone: Zone) -> dict[str, Any] | None:
    """The longest time for which the vehicle stood with the middle of its ground in the zone, within the clip."""
    if drive.trip.kind.object_class in ("person", "bicycle"):
        return None
    best: tuple[float, float] | None = None
    start: float | None = None
    place = (0.0, 0.0)
    for index, moment in enumerate(drive.moments):
        t_s = scene.traffic.from_s + (drive.first_step + index) * DT_S
        here = False
        if moment.speed_mps < STANDS_MPS:
            (fx, fy), (rx, ry) = axles(drive.trip, moment.s_m)
            here = _inside(((fx + rx) / 2, (fy + ry) / 2), zone)
        if here and start is None:
            start = t_s
        if here and start is not None and (best is None or t_s - start > best[1] - best[0]):
            best, place = (start, t_s), axles(drive.trip, moment.s_m)[1]
        if not here:
            start = None
    if best is None or best[1] < 0.0 or best[0] > scene.seconds:
        return None
    from_s, to_s = max(best[0], 0.0), min(best[1], scene.seconds)
    opened = max(from_s, _opens_s(scene, zone))
    queue = not drive.trip.holds
    event, lookalike = None, ""
    if to_s - opened > zone.allowed_stop_s and not queue:
        event = _event(
            scene,
            drive,
            "no_parking",
            opened + zone.allowed_stop_s,
            place,
            zone=zone.zone_id,
            tolerance_s=3.0,
            stood_from_s=round(from_s, 3),
            stood_to_s=round(to_s, 3),
            seen_arriving=best[0] > 0.5,
            required=to_s - opened > zone.allowed_stop_s + 2.0,
        )
    elif to_s - from_s > 0.4 * zone.allowed_stop_s:
        lookalike = "stands in a queue" if queue else "stops no longer than allowed"
    return {"from_s": round(from_s, 3), "to_s": round(to_s, 3), "event": event, "lookalike": lookalike}


def _opens_s(scene: Scene, zone: Zone) -> float:
    """The media second at which the zone begins to hold; 0 where it holds from the start."""
    if not zone.windows:
        return 0.0
    clock = scene.started_at[11:19].split(":")
    now = int(clock[0]) * 3600 + int(clock[1]) * 60 + int(clock[2])
    starts = [int(a[:2]) * 3600 + int(a[3:]) * 60 for a, b in zone.windows]
    ends = [int(b[:2]) * 3600 + int(b[3:]) * 60 for a, b in zone.windows]
    if any(a <= now < b for a, b in zip(starts, ends, strict=True)):
        return 0.0
    return float(min((a - now for a in starts if a >= now), default=86_400))


def _inside(point: tuple[float, float], zone: Zone) -> bool:
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(zone.corners, (*zone.corners[1:], zone.corners[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def _passage(scene: Scene, drive: Drive, gate: Gate) -> dict[str, Any] | None:
    met = _meets_x(scene, drive, gate.x_m)
    if met is None or not gate.y1 <= met[1] <= gate.y2 or not 0.0 <= met[0] < scene.seconds:
        return None
    if drive.trip.kind.object_class == "person":
        return None
    return {
        "gate": gate.gate_id,
        "direction": "forward",
        "t": round(met[0], 3),
        "id": drive.trip.trip_id,
        "class": drive.trip.kind.object_class,
        "plate": drive.trip.plate or None,
        "at_px": _px(scene, gate.x_m, met[1]),
    }


def _on_red(scene: Scene, drive: Drive, crosswalk: Crosswalk) -> dict[str, Any] | None:
    """A pedestrian or cyclist who steps from the kerb onto the crossing while its head is red."""
    if drive.trip.kind.object_class not in ("person", "bicycle"):
        return None
    points = drive.trip.path.points
    within = [
        i
        for i, (x, y) in enumerate(points)
        if crosswalk.x1 <= x <= crosswalk.x2 and crosswalk.y1 <= y <= crosswalk.y2
    ]
    if not within or abs(points[within[-1]][1] - points[within[0]][1]) < 3.0:
        return None
    t_s = scene.traffic.reaches(drive, within[0] * 0.25)
    if t_s is None or not 0.0 <= t_s < scene.seconds or scene.programs[crosswalk.head_id].state(t_s) != "red":
        return None
    at = points[within[0]]
    return _event(
        scene,
        drive,
        "crosswalk_red",
        t_s,
        (float(at[0]), float(at[1])),
        crosswalk=crosswalk.crosswalk_id,
        plate=None,
    )


def _metre_px(scene: Scene, x: float, y: float) -> float:
    """How wide a metre across the road is there, at least ``AT_RADIUS_PX``: so near to the truth's place an event lies."""
    (a, _), (b, _) = scene.camera.pixel(x, y - 0.5), scene.camera.pixel(x, y + 0.5)
    return round(max(AT_RADIUS_PX, abs(b - a)), 1)


def _px(scene: Scene, x: float, y: float) -> list[float]:
    px, py = scene.camera.pixel(x, y)
    return [round(px, 1), round(py, 1)]
