"""Loads a site file: from YAML on disk to the site as the rules see it, or every problem with its line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from api.errors import ConfigInvalidError, Problem
from api.site_checks import site_problems
from api.site_fields import DAYS
from api.site_parking import NoParkingPart, WindowPart
from api.site_pixels import SizePx, direction_px, line_px, point_px, scale_px_per_m
from api.site_problems import problems_of
from api.site_schema import CameraPart, GatePart, SiteDocument
from api.site_signals import HeadPart, MovementPart, StopLinePart
from api.yaml_text import parse_yaml
from rules.observation import ObjectClass
from rules.site import (
    Camera,
    Crosswalk,
    ExemptPlate,
    Gate,
    Head,
    NoParkingZone,
    QueueLane,
    Site,
    StopLine,
    Use,
    Window,
)
from rules.site_movement import Lane, Movement


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """A site file that is in order: its name, the SHA-256 of its bytes (hex), what it says, and the site itself."""

    file: str
    sha256: str
    document: SiteDocument
    site: Site


def load_site_file(path: Path) -> SiteFile:
    """The site file at ``path``. Raises ConfigInvalidError with every problem found, also where it can't be read."""
    try:
        data = path.read_bytes()
    except OSError as exc:
        problem = Problem(file=str(path), line=None, field="", message=f"cannot be read: {exc.strerror}")
        raise ConfigInvalidError([problem]) from exc
    return parse_site_file(data, str(path))


def parse_site_file(data: bytes, file: str) -> SiteFile:
    """The site file of those bytes; ``file`` is the name that errors give. Raises ConfigInvalidError."""
    yaml = parse_yaml(data, file)
    try:
        document = SiteDocument.model_validate(yaml.value)
    except ValidationError as exc:
        raise ConfigInvalidError(problems_of(exc, yaml, SiteDocument)) from exc
    problems = site_problems(document, yaml)
    if problems:
        raise ConfigInvalidError(problems)
    return SiteFile(file=file, sha256=sha256(data).hexdigest(), document=document, site=site_of(document))


def site_schema_text() -> str:
    """The JSON Schema of a site file, indented, ending in a newline."""
    return json.dumps(SiteDocument.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def site_of(document: SiteDocument) -> Site:
    """The site in pixels of each camera's picture.

    A head that no camera sees is in no ``Site.heads``; stop lines still name it, so that its state stays unknown.
    """
    sizes_px = {camera.id: camera.size_px for camera in document.cameras}
    return Site(
        site_id=document.site.id,
        name=document.site.name,
        time_zone=document.site.time_zone,
        plate_profile=document.site.plate_profile,
        jurisdiction=document.site.jurisdiction,
        feed_silence_s=document.site.feed_silence_s,
        passage_days=document.site.passage_days,
        heads=tuple(head for part in document.heads if (head := _head(part, sizes_px)) is not None),
        cameras=tuple(_camera(camera, frozenset(document.site.holidays)) for camera in document.cameras),
        exempt_plates=tuple(
            ExemptPlate(text=part.plate, why=part.why, first=part.first, last=part.last)
            for part in document.site.exempt_plates
        ),
    )


def _head(part: HeadPart, sizes_px: Mapping[str, SizePx]) -> Head | None:
    if part.camera is None or part.box is None:
        return None
    x1, y1 = point_px((part.box[0], part.box[1]), sizes_px[part.camera])
    x2, y2 = point_px((part.box[2], part.box[3]), sizes_px[part.camera])
    return Head(head_id=part.id, camera_id=part.camera, box_px=(x1, y1, x2, y2), kind=part.kind)


def _camera(part: CameraPart, holidays: frozenset[date]) -> Camera:
    return Camera(
        camera_id=part.id,
        width_px=part.size_px[0],
        height_px=part.size_px[1],
        stop_lines=tuple(_stop_line(line, part.size_px) for line in part.stop_lines),
        no_parking=tuple(_zone(zone, part.size_px, holidays) for zone in part.no_parking),
        gates=tuple(_gate(gate, part.size_px) for gate in part.gates),
        crosswalks=tuple(
            Crosswalk(
                crosswalk_id=crossing.id,
                polygon_px=tuple(point_px(corner, part.size_px) for corner in crossing.zone),
                head_ids=crossing.heads,
                grace_s=crossing.grace_s,
            )
            for crossing in part.crosswalks
        ),
        plates=part.plates,
        max_gap_s=part.max_gap_s,
    )


def _stop_line(part: StopLinePart, size_px: SizePx) -> StopLine:
    direction = direction_px(part.direction, size_px)
    movements = tuple(_movement(movement, size_px) for movement in part.movements)
    named = [head_id for movement in movements for head_id in movement.head_ids]
    return StopLine(
        line_id=part.id,
        movement=part.movement or "+".join(movement.name for movement in movements),
        line_px=line_px(part.line, size_px),
        further_on_px=line_px(part.further_on, size_px),
        direction=direction,
        view=part.view,
        scale_px_per_m=scale_px_per_m(part.scale, direction, size_px),
        head_ids=part.heads or tuple(dict.fromkeys(named)),
        movements=movements,
        lanes=tuple(Lane(lane_id=lane.id, share=lane.share, movements=lane.movements) for lane in part.lanes),
        waiting_for=part.waiting_for,
        grace_s=part.grace_s,
        standing_s=part.standing_s,
        min_amber_s=part.min_amber_s,
    )


def _movement(part: MovementPart, size_px: SizePx) -> Movement:
    return Movement(
        name=part.movement,
        head_ids=part.heads,
        on_red=part.on_red,
        exit_px=None if part.exit is None else line_px(part.exit, size_px),
    )


def _zone(part: NoParkingPart, size_px: SizePx, holidays: frozenset[date]) -> NoParkingZone:
    return NoParkingZone(
        zone_id=part.id,
        polygon_px=tuple(point_px(corner, size_px) for corner in part.zone),
        allowed_stop_s=part.allowed_stop_s,
        windows=_windows(part.windows),
        exempt_classes=frozenset(ObjectClass(name) for name in part.exempt),
        max_unseen_share=part.max_unseen_share,
        holidays=holidays,
        holiday_windows=None if part.holiday_windows is None else _windows(part.holiday_windows),
        exceptions=_windows(part.exceptions),
        uses=tuple(
            Use(
                kind=use.use,
                classes=frozenset(ObjectClass(name) for name in use.classes),
                allowed_stop_s=use.allowed_stop_s,
                windows=_windows(use.windows),
            )
            for use in part.uses
        ),
        queue=None
        if part.queue is None
        else QueueLane(
            direction=direction_px(part.queue.direction, size_px),
            head_ids=part.queue.heads,
            longest_s=part.queue.longest_s,
        ),
        reenforce_s=part.reenforce_s,
    )


def _windows(parts: Sequence[WindowPart]) -> tuple[Window, ...]:
    return tuple(
        Window(days=frozenset(DAYS.index(day) for day in part.days), start_min=part.start, end_min=part.end)
        for part in parts
    )


def _gate(part: GatePart, size_px: SizePx) -> Gate:
    return Gate(
        gate_id=part.id,
        line_px=line_px(part.line, size_px),
        direction=direction_px(part.direction, size_px),
        lane_shares=part.lanes,
        pictures=part.pictures,
    )
