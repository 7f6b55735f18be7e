"""What the fields of a site file are made of: points, lines and zones in shares of the picture, times and names."""

from __future__ import annotations

import re
from datetime import date
from math import hypot
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from rules.geometry import polygon_area, self_crossing

Items = TypeVar("Items", bound=tuple[object, ...])
NonEmpty = Field(json_schema_extra={"minItems": 1})

ID_PATTERN = r"^[A-Za-z0-9_-]{1,40}$"
_TIME_PATTERN = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])$")
_PICTURE = "x and y are shares of the picture's width and height, from 0 to 1"


class SitePart(BaseModel):
    """A part of the site file: frozen, and closed to fields it doesn't know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def not_empty(items: Items) -> Items:
    # Not pydantic's own min_length: it counts only the items that are right, and so adds an error that isn't one.
    if not items:
        raise PydanticCustomError("empty_list", "the list is empty; at least one is wanted")
    return items


def _inside_picture(point: tuple[float, float]) -> tuple[float, float]:
    if not all(0.0 <= share <= 1.0 for share in point):
        raise PydanticCustomError(
            "outside_picture", f"[{point[0]}, {point[1]}] lies outside the picture: {_PICTURE}"
        )
    return point


def has_length(line: tuple[NormPoint, NormPoint]) -> tuple[NormPoint, NormPoint]:
    if hypot(line[1][0] - line[0][0], line[1][1] - line[0][1]) < 1e-6:
        raise PydanticCustomError("no_length", "both ends are the same point; give two different ones")
    return line


def _simple_polygon(polygon: tuple[NormPoint, ...]) -> tuple[NormPoint, ...]:
    if len(polygon) < 3:
        raise PydanticCustomError("few_corners", f"{len(polygon)} corners; a zone needs at least 3")
    if polygon[0] == polygon[-1]:
        raise PydanticCustomError(
            "closed_twice", "the last corner repeats the first; leave it out, a zone closes by itself"
        )
    crossing = self_crossing(polygon)
    if crossing is not None:
        first, second = (f"{edge + 1}–{(edge + 1) % len(polygon) + 1}" for edge in crossing)
        raise PydanticCustomError(
            "self_crossing",
            f"the edge between corners {first} crosses or touches the edge between corners {second}; "
            "give the corners in the order in which one walks around the zone",
        )
    if polygon_area(polygon) < 1e-5:
        raise PydanticCustomError("no_area", "the zone is thinner than a pixel; a zone needs an area")
    return polygon


def _proper_box(box: tuple[Share, Share, Share, Share]) -> tuple[Share, Share, Share, Share]:
    if not all(0.0 <= share <= 1.0 for share in box):
        raise PydanticCustomError("outside_picture", f"{list(box)} lies outside the picture: {_PICTURE}")
    if box[0] >= box[2] or box[1] >= box[3]:
        raise PydanticCustomError(
            "box_order", "a box is [left, top, right, bottom]: left less than right, top less than bottom"
        )
    return box


def _minutes(value: object) -> object:
    """Minutes since midnight of ``HH:MM``, 00:00 to 24:00."""
    if value == "24:00":
        return 24 * 60
    match = _TIME_PATTERN.match(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError(
            "time_of_day", f"{value!r} is not a time of day; write HH:MM, 00:00 to 24:00"
        )
    return int(match[1]) * 60 + int(match[2])


def _iso_date(value: object) -> object:
    """The date of ``YYYY-MM-DD``."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("local_date", f"{value!r} is not a date; write YYYY-MM-DD")


LocalDate = Annotated[date, BeforeValidator(_iso_date)]
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Share = Annotated[
    float, Field(strict=True, allow_inf_nan=False, json_schema_extra={"minimum": 0.0, "maximum": 1.0})
]
NormPoint = Annotated[tuple[Share, Share], AfterValidator(_inside_picture)]
NormLine = Annotated[tuple[NormPoint, NormPoint], AfterValidator(has_length)]
NormBox = Annotated[tuple[Share, Share, Share, Share], AfterValidator(_proper_box)]
NormPolygon = Annotated[
    tuple[NormPoint, ...], AfterValidator(_simple_polygon), Field(json_schema_extra={"minItems": 3})
]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0.0, le=86_400.0)]
SizePx = Annotated[int, Field(strict=True, ge=16, le=16_384)]
TimeOfDay = Annotated[
    int,
    BeforeValidator(
        _minutes, json_schema_input_type=Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
    ),
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VehicleClass = Literal["car", "bus", "truck", "motorcycle", "bicycle"]
Movement = Literal["left", "straight", "right", "u_turn"]
PlateProfile = Literal["ga36", "latin", "none"]
Jurisdiction = Literal["generic", "mainland_china"]
