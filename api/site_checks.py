"""Finds what parts of a site file say against each other: names, heads, directions and lines that don't fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import acos, degrees

from api.errors import Problem
from api.site_hours import hour_findings
from api.site_pixels import SizePx, direction_px, line_px
from api.site_schema import CameraPart, GatePart, SiteDocument
from api.site_signals import HeadPart, StopLinePart
from api.suggest import did_you_mean
from api.time_zone import UnknownTimeZoneError, time_zone
from api.yaml_text import Place, YamlDocument, field_text
from detector.lamp_size import MIN_LONG_PX, MIN_SHORT_PX
from rules.geometry import distance_along
from rules.observation import Point

MIN_ANGLE_DEG = 15.0
"""Between a line and its direction: a pixel of error across a line at 15° is already four along the way."""

MAX_SCALE_ANGLE_DEG = 45.0
"""Between a measured length and the direction of travel: beyond it, the length tells more about the lane's width."""

_Finding = tuple[Place, str]


def site_problems(site: SiteDocument, document: YamlDocument) -> list[Problem]:
    """Every contradiction within a site file whose parts are right by themselves, with its line."""
    return [
        Problem(
            file=document.file,
            line=document.line(place),
            field=field_text(place),
            message=message,
            place=place,
        )
        for place, message in _site_findings(site)
    ]


def _site_findings(site: SiteDocument) -> Iterator[_Finding]:
    try:
        time_zone(site.site.time_zone)
    except UnknownTimeZoneError as exc:
        yield ("site", "time_zone"), str(exc)
    yield from _duplicates((("heads", i), head.id) for i, head in enumerate(site.heads))
    yield from _duplicates((("cameras", i), camera.id) for i, camera in enumerate(site.cameras))
    cameras = {camera.id: camera for camera in site.cameras}
    for i, head in enumerate(site.heads):
        yield from _head_findings(("heads", i), head, cameras)
    head_ids = [head.id for head in site.heads]
    for i, camera in enumerate(site.cameras):
        yield from _camera_findings(("cameras", i), camera, head_ids)
        for j, zone in enumerate(camera.no_parking):
            yield from hour_findings(
                ("cameras", i, "no_parking", j), zone, has_holidays=bool(site.site.holidays)
            )
    for axis, size in enumerate(site.detector.input_size or ()):
        if size % 32:
            nearest = max(32, round(size / 32) * 32)
            yield (
                ("detector", "input_size", axis),
                f"{size} is not a multiple of 32; {nearest} is the nearest",
            )


def _head_findings(place: Place, head: HeadPart, cameras: dict[str, CameraPart]) -> Iterator[_Finding]:
    if head.camera is None or head.box is None:
        return
    camera = cameras.get(head.camera)
    if camera is None:
        yield (*place, "camera"), f"unknown camera {head.camera!r}{_known(head.camera, cameras)}"
        return
    width_px = (head.box[2] - head.box[0]) * camera.size_px[0]
    height_px = (head.box[3] - head.box[1]) * camera.size_px[1]
    if max(width_px, height_px) < MIN_LONG_PX or min(width_px, height_px) < MIN_SHORT_PX:
        yield (
            (*place, "box"),
            f"{width_px:.1f} x {height_px:.1f} px is too small to tell lamps apart; a head needs at least "
            f"{MIN_SHORT_PX} x {MIN_LONG_PX} px: zoom in, or leave out camera and box",
        )


def _camera_findings(place: Place, camera: CameraPart, head_ids: list[str]) -> Iterator[_Finding]:
    yield from _duplicates(
        [((*place, "stop_lines", i), part.id) for i, part in enumerate(camera.stop_lines)]
        + [((*place, "no_parking", i), part.id) for i, part in enumerate(camera.no_parking)]
        + [((*place, "gates", i), part.id) for i, part in enumerate(camera.gates)]
        + [((*place, "crosswalks", i), part.id) for i, part in enumerate(camera.crosswalks)]
    )
    for i, stop_line in enumerate(camera.stop_lines):
        at = (*place, "stop_lines", i)
        yield from _named_heads(at, stop_line.heads or (), head_ids)
        yield from _lane_findings(at, stop_line, head_ids, [line.id for line in camera.stop_lines])
        slanted = list(_slanted(at, stop_line, camera.size_px))
        yield from slanted or _stop_line_findings(at, stop_line, camera.size_px)
    for i, zone in enumerate(camera.no_parking):
        if zone.queue is not None:
            yield from _named_heads((*place, "no_parking", i, "queue"), zone.queue.heads, head_ids)
    for i, crossing in enumerate(camera.crosswalks):
        yield from _named_heads((*place, "crosswalks", i), crossing.heads, head_ids)
    for i, gate in enumerate(camera.gates):
        yield from _slanted((*place, "gates", i), gate, camera.size_px)
        if any(after <= before for before, after in pairwise((0.0, *gate.lanes, 1.0))):
            yield (
                (*place, "gates", i, "lanes"),
                f"{list(gate.lanes)} do not rise between 0 and 1; give the inner boundaries in their order",
            )


def _named_heads(place: Place, named: tuple[str, ...], head_ids: list[str]) -> Iterator[_Finding]:
    for i, head_id in enumerate(named):
        if head_id not in head_ids:
            yield (*place, "heads", i), f"unknown head {head_id!r}{_known(head_id, head_ids)}"
        elif head_id in named[:i]:
            yield (*place, "heads", i), f"head {head_id!r} is named twice"


def _lane_findings(
    place: Place, part: StopLinePart, head_ids: list[str], line_ids: list[str]
) -> Iterator[_Finding]:
    names = [movement.movement for movement in part.movements]
    for i, movement in enumerate(part.movements):
        yield from _named_heads((*place, "movements", i), movement.heads, head_ids)
        if movement.movement in names[:i]:
            yield (*place, "movements", i, "movement"), f"movement {movement.movement!r} is given twice"
    yield from _duplicates((((*place, "lanes", i), lane.id) for i, lane in enumerate(part.lanes)))
    for i, lane in enumerate(part.lanes):
        for j, name in enumerate(lane.movements):
            if name not in names:
                at = (*place, "lanes", i, "movements", j)
                yield at, f"{name!r} is none of the line's movements{_known(name, names)}"
        for other in part.lanes[:i]:
            if lane.share[0] < other.share[1] and other.share[0] < lane.share[1]:
                yield (
                    (*place, "lanes", i, "share"),
                    f"lies partly in lane {other.id!r}; lanes lie side by side",
                )
    if part.waiting_for is not None and part.waiting_for not in [
        name for name in line_ids if name != part.id
    ]:
        yield (
            (*place, "waiting_for"),
            f"unknown stop line {part.waiting_for!r}{_known(part.waiting_for, line_ids)}",
        )


def _stop_line_findings(place: Place, part: StopLinePart, size_px: SizePx) -> Iterator[_Finding]:
    line, direction = line_px(part.line, size_px), direction_px(part.direction, size_px)
    if min(distance_along(end, line, direction) for end in line_px(part.further_on, size_px)) <= 0.0:
        yield (
            (*place, "further_on"),
            "lies (partly) before the stop line as the arrow runs; draw it beyond the line, or turn the arrow",
        )
    angle = _angle_deg(direction_px((part.scale.start, part.scale.end), size_px), direction)
    if angle > MAX_SCALE_ANGLE_DEG:
        yield (
            (*place, "scale"),
            f"runs at {angle:.0f}° to the direction of travel; measure a length along the lane, at "
            f"{MAX_SCALE_ANGLE_DEG:.0f}° or less",
        )


def _slanted(place: Place, part: StopLinePart | GatePart, size_px: SizePx) -> Iterator[_Finding]:
    angle = _angle_deg(direction_px(part.line, size_px), direction_px(part.direction, size_px))
    if angle < MIN_ANGLE_DEG:
        yield (
            (*place, "direction"),
            f"runs along the line, at {angle:.0f}° to it; an arrow that crosses it at {MIN_ANGLE_DEG:.0f}° "
            "or more is wanted",
        )


def _angle_deg(first: Point, second: Point) -> float:
    """The angle between two unit vectors whichever way they point, 0 to 90."""
    return degrees(acos(min(1.0, abs(first[0] * second[0] + first[1] * second[1]))))


def _duplicates(named: Iterable[tuple[Place, str]]) -> Iterator[_Finding]:
    seen: dict[str, Place] = {}
    for place, name in named:
        if name in seen:
            yield (*place, "id"), f"duplicate id {name!r}, already used by {field_text(seen[name])}"
        seen.setdefault(name, place)


def _known(name: str, known: Iterable[str]) -> str:
    names = list(known)
    if not names:
        return "; none is declared"
    return did_you_mean(name, names) or f"; declared: {', '.join(names)}"
