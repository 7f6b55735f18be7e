"""The same scene seen otherwise: mirrored, in a larger picture, with frames lost, boxes that shake and detections missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from random import Random
from typing import Any, TypeVar

from rules.observation import Box, Observation, Point
from rules.site import Site

Thing = TypeVar("Thing")

POINTS = frozenset(
    {
        "line_px",
        "further_on_px",
        "further_line_px",
        "exit_px",
        "polygon_px",
        "zone_px",
        "corners_px",
    }
)
BOXES = frozenset({"box_px"})
VECTORS = frozenset({"direction"})
LENGTHS = frozenset({"scale_px_per_m", "width_px", "height_px"})


@dataclass(frozen=True)
class Mapping:
    """What happens to a point, to a direction of unit length, and to a length; boxes follow from their corners."""

    point: Callable[[Point], Point]
    vector: Callable[[Point], Point]
    length: Callable[[float], float]

    def box(self, box: Box) -> Box:
        (x1, y1), (x2, y2) = self.point((box[0], box[1])), self.point((box[2], box[3]))
        return (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))

    def applied(self, thing: Thing) -> Thing:
        """The dataclass with every length, point, box and direction in it mapped, however deep.

        Raises TypeError for a field in pixels that nobody has told this module how to map.
        """
        changes: dict[str, Any] = {}
        for field in fields(thing):  # type: ignore[arg-type]
            value = getattr(thing, field.name)
            changes[field.name] = self._value(field.name, value)
        return replace(thing, **changes)  # type: ignore[type-var]

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name in POINTS:
            return tuple(self.point(point) for point in value)
        if name in BOXES:
            return self.box(value)
        if name in VECTORS:
            return self.vector(value)
        if name in LENGTHS:
            return type(value)(self.length(value))
        if name.endswith("_px") or "_px_" in name:
            raise TypeError(f"{name}: say in tests/builders/transforms.py how it is mapped")
        if is_dataclass(value) and not isinstance(value, type):
            return self.applied(value)
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            return tuple(self.applied(part) for part in value)
        return value


def mirror(width_px: float) -> Mapping:
    """Left is right."""
    return Mapping(
        point=lambda point: (width_px - point[0], point[1]),
        vector=lambda vector: (-vector[0], vector[1]),
        length=lambda length: length,
    )


def enlarge(factor: float) -> Mapping:
    """The same scene in a picture of other resolution."""
    return Mapping(
        point=lambda point: (point[0] * factor, point[1] * factor),
        vector=lambda vector: vector,
        length=lambda length: length * factor,
    )


def mapped(mapping: Mapping, site: Site, seen: Iterable[Observation]) -> tuple[Site, list[Observation]]:
    """Site and observations through the same mapping."""
    return mapping.applied(site), [mapping.applied(observation) for observation in seen]


def with_frames_dropped(seen: Sequence[Observation], share: float, random: Random) -> list[Observation]:
    """Each frame is lost with that probability."""
    return [observation for observation in seen if random.random() >= share]


def with_outages(seen: Sequence[Observation], every_s: float, for_s: float) -> list[Observation]:
    """No frame exists for ``for_s`` at the end of each ``every_s``."""
    return [one for one in seen if one.stamp.media_s % every_s < every_s - for_s]


def with_a_poor_detector(
    seen: Sequence[Observation], random: Random, *, jitter: float, missed: float
) -> list[Observation]:
    """Each side of each box moves by up to ``jitter`` of its width or height; the share ``missed`` of boxes is not there."""
    return [
        replace(
            observation,
            tracks=None
            if observation.tracks is None
            else tuple(
                replace(point, box_px=_shaken(point.box_px, jitter, random))
                for point in observation.tracks
                if random.random() >= missed
            ),
        )
        for observation in seen
    ]


def _shaken(box: Box, jitter: float, random: Random) -> Box:
    x1, y1, x2, y2 = box
    dx, dy = jitter * (x2 - x1), jitter * (y2 - y1)
    return (
        x1 + random.uniform(-dx, dx),
        y1 + random.uniform(-dy, dy),
        x2 + random.uniform(-dx, dx),
        y2 + random.uniform(-dy, dy),
    )
