"""Truth files: what a person saw in a clip, read with a clear error for each thing that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from rules.errors import StoplineError
from rules.finding import Rule
from rules.observation import ObjectClass
from rules.scoring import AT_RADIUS_PX, TruthEvent

RED_NAMES = ("time_into_red_s", "into_red_s")
LANE_NAMES = ("lane", "line", "zone", "crosswalk")


class TruthFileError(StoplineError):
    """A truth file that cannot be used; the text names the file, the clip and the field."""

    code = "config_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTruth:
    """What happens in one clip, and the plates of the vehicles that pass where somebody noted them.

    ``camera`` is the one that recorded it, None where the file does not say. ``conditions`` are words such as
    day, night, rain. ``started_at`` is when its first frame was taken, with its offset from UTC, None where nobody noted it.
    ``where`` is the place in the file, for errors.
    """

    clip: str
    events: tuple[TruthEvent, ...]
    passing_plates: tuple[str, ...]
    camera: str | None = None
    conditions: tuple[str, ...] = ()
    started_at: datetime | None = None
    where: str = ""


def load_truth(path: Path) -> Mapping[str, ClipTruth]:
    """The truth by clip: the file holds one object per clip under the clip's file name; ``_``-names are comments.

    Of a clip are read ``events passing_plates camera conditions started_at`` and ``light`` (one more condition); of an
    event ``rule class t tolerance_s required count at_px at_radius_px plate conditions who``, the time into red as
    ``time_into_red_s`` or ``into_red_s``, and the lane as the first of ``lane line zone crosswalk``. Raises
    TruthFileError.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise TruthFileError(f"{path}: cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise TruthFileError(f"{path}: not JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise TruthFileError(f"{path}: must be an object with one member per clip, named as the clip's file")
    return {
        clip: _clip(f"{path}: {clip}", clip, part)
        for clip, part in document.items()
        if not clip.startswith("_")
    }


def _clip(where: str, clip: str, part: Any) -> ClipTruth:
    if not isinstance(part, dict):
        raise TruthFileError(f"{where}: must be an object")
    events = part.get("events", [])
    plates = part.get("passing_plates", [])
    if not isinstance(events, list):
        raise TruthFileError(f"{where}: events: must be a list")
    if not isinstance(plates, list) or not all(isinstance(plate, str) for plate in plates):
        raise TruthFileError(f"{where}: passing_plates: must be a list of texts")
    light = _text(where, part, "light")
    return ClipTruth(
        clip=clip,
        events=tuple(_event(f"{where}: events[{i}]", event) for i, event in enumerate(events)),
        passing_plates=tuple(plates),
        camera=_text(where, part, "camera"),
        conditions=tuple(dict.fromkeys((*_conditions(where, part), *([] if light is None else [light])))),
        started_at=_moment(where, part, "started_at"),
        where=where,
    )


def _event(where: str, event: Any) -> TruthEvent:
    if not isinstance(event, dict):
        raise TruthFileError(f"{where}: must be an object")
    kind = event.get("class", "any")
    plate = event.get("plate")
    if plate is not None and not isinstance(plate, str):
        raise TruthFileError(f"{where}: plate: must be a text, or null where it cannot be read")
    try:
        return TruthEvent(
            rule=Rule(event.get("rule", "")),
            t_s=_number(where, event, "t"),
            tolerance_s=_number(where, event, "tolerance_s"),
            required=bool(event.get("required", True)),
            object_class=None if kind == "any" else ObjectClass(kind),
            at_px=_place(where, event.get("at_px")),
            at_radius_px=_radius(where, event.get("at_radius_px", AT_RADIUS_PX)),
            count=int(event.get("count", 1)),
            plate=plate,
            plate_stated="plate" in event,
            time_into_red_s=_first(_seconds(where, event, name) for name in RED_NAMES),
            lane=_first(_text(where, event, name) for name in LANE_NAMES),
            conditions=_conditions(where, event),
            who=_text(where, event, "who"),
        )
    except ValueError as exc:
        rules = ", ".join(rule.value for rule in Rule)
        classes = ", ".join(each.value for each in ObjectClass)
        raise TruthFileError(f"{where}: {exc}; rules are {rules}; classes are any, {classes}") from exc


def _number(where: str, event: Mapping[str, Any], name: str) -> float:
    value = event.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TruthFileError(f"{where}: {name}: must be a number of seconds, not {value!r}")
    return float(value)


def _seconds(where: str, event: Mapping[str, Any], name: str) -> float | None:
    return None if event.get(name) is None else _number(where, event, name)


def _text(where: str, part: Mapping[str, Any], name: str) -> str | None:
    value = part.get(name)
    if value is not None and not isinstance(value, str):
        raise TruthFileError(f"{where}: {name}: must be a text, not {value!r}")
    return value


def _moment(where: str, part: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(where, part, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise TruthFileError(
            f"{where}: {name}: {text!r} is no time with its offset from UTC, such as 2024-05-01T08:30:00+08:00"
        )
    return moment


def _conditions(where: str, part: Mapping[str, Any]) -> tuple[str, ...]:
    value = part.get("conditions", [])
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise TruthFileError(f'{where}: conditions: must be a list of words such as ["night", "rain"]')
    return tuple(value)


Given = TypeVar("Given")


def _first(values: Iterable[Given | None]) -> Given | None:
    return next((value for value in values if value is not None), None)


def _radius(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise TruthFileError(f"{where}: at_radius_px: must be a number of pixels above 0, not {value!r}")
    return float(value)


def _place(where: str, value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    numbers = isinstance(value, list) and all(isinstance(part, int | float) for part in value)
    if not numbers or len(value) != 2:
        raise TruthFileError(f"{where}: at_px: must be [x, y] in pixels")
    return (float(value[0]), float(value[1]))
