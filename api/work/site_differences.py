"""What differs between two versions of a site for one camera, as sentences by the place that they concern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from rules.site import Camera, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDifference:
    """One thing that differs. ``place`` is the id of the line, zone, gate or head; None for camera and site."""

    place: str | None
    says: str


def site_differences(old: Site, new: Site, camera_id: str) -> tuple[SiteDifference, ...]:
    """The differences that the rules of that camera can see, in the order of the site's fields.

    Both sites have the camera. Other cameras and the site's name are left out.
    """
    found = [
        SiteDifference(place=None, says=f"site: {says}")
        for says in _fields(old, new, leave_out=("heads", "cameras", "name", "site_id"))
    ]
    found += _places("head", old.heads, new.heads)
    was, now = old.camera(camera_id), new.camera(camera_id)
    places = tuple(name for name in _names(Camera) if _holds_places(getattr(was, name), getattr(now, name)))
    found += [
        SiteDifference(place=None, says=f"camera {camera_id}: {says}")
        for says in _fields(was, now, leave_out=places)
    ]
    for name in places:
        kind = name.removesuffix("s").replace("_", " ")
        found += _places(kind, getattr(was, name), getattr(now, name))
    return tuple(found)


def concerning(
    place: str | None, differences: Iterable[SiteDifference], new: Site, camera_id: str
) -> tuple[str, ...]:
    """The sentences that may explain what changed at a place: its own, its heads', the camera's and the site's."""
    camera = new.camera(camera_id)
    heads = {
        head_id
        for name in _names(Camera)
        if _holds_places(getattr(camera, name))
        for one in getattr(camera, name)
        if _id(one) == place
        for head_id in getattr(one, "head_ids", ())
    }
    return tuple(
        one.says for one in differences if one.place is None or one.place == place or one.place in heads
    )


def _holds_places(*values: Any) -> bool:
    """Whether one of these is a tuple of things with fields: they are told apart by their id."""
    return any(isinstance(value, tuple) and value and is_dataclass(value[0]) for value in values)


def _places(kind: str, old: Iterable[Any], new: Iterable[Any]) -> Iterator[SiteDifference]:
    was, now = ({_id(place): place for place in side} for side in (old, new))
    for name in dict.fromkeys((*was, *now)):
        if name not in now:
            yield SiteDifference(place=name, says=f"{kind} {name} is gone")
        elif name not in was:
            yield SiteDifference(place=name, says=f"{kind} {name} is new")
        else:
            for says in _fields(was[name], now[name]):
                yield SiteDifference(place=name, says=f"{kind} {name}: {says}")


def _id(place: Any) -> str:
    """By the first field, which in the site's types is the id."""
    return str(getattr(place, _names(type(place))[0]))


def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _fields(old: Any, new: Any, leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    for name in _names(type(new)):
        was, now = getattr(old, name), getattr(new, name)
        if name not in leave_out and was != now:
            yield f"{name} {_text(was)} → {_text(now)}"


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | frozenset):
        parts = sorted(value) if isinstance(value, frozenset) else value
        return f"[{', '.join(_text(part) for part in parts)}]"
    if is_dataclass(value):
        return f"({', '.join(f'{name} {_text(getattr(value, name))}' for name in _names(value))})"
    return "none" if value is None else str(value)
