"""The site file as pydantic models: what an engineer may write, in which unit, and why each default is what it is."""

from __future__ import annotations

import re
from math import hypot
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rules.geometry import polygon_area, self_crossing
from rules.site import HeadKind, PlatePolicy, View

_Items = TypeVar("_Items", bound=tuple[object, ...])
_NonEmpty = Field(json_schema_extra={"minItems": 1})

ID_PATTERN = r"^[A-Za-z0-9_-]{1,40}$"
_TIME_PATTERN = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])$")
_PICTURE = "x and y are shares of the picture's width and height, from 0 to 1"


class SitePart(BaseModel):
    """A part of the site file: frozen, and closed to fields it doesn't know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _not_empty(items: _Items) -> _Items:
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


def _has_length(line: tuple[NormPoint, NormPoint]) -> tuple[NormPoint, NormPoint]:
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


Id = Annotated[str, Field(pattern=ID_PATTERN)]
Share = Annotated[
    float, Field(strict=True, allow_inf_nan=False, json_schema_extra={"minimum": 0.0, "maximum": 1.0})
]
NormPoint = Annotated[tuple[Share, Share], AfterValidator(_inside_picture)]
NormLine = Annotated[tuple[NormPoint, NormPoint], AfterValidator(_has_length)]
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


class SiteHeading(SitePart):
    """The junction or kerb section as a whole."""

    id: Id = Field(
        description="Short name of the site in paths and records: letters, digits, - and _, up to 40."
    )
    name: str = Field(
        min_length=1, max_length=200, description="The site's name as officers read it on photos and pages."
    )
    time_zone: str = Field(
        description="IANA name of the local time zone, such as Asia/Shanghai: for windows and for display."
    )
    plate_profile: PlateProfile = Field(
        default="ga36",
        description="The grammar a reading must fit to count as a plate: ga36 (mainland China), latin, or none "
        "(any reading counts). Default ga36: the plate models in use were trained on Chinese plates.",
    )


class HeadPart(SitePart):
    """One signal head of the site."""

    id: Id = Field(description="Short name of the head, unique within the site.")
    camera: Id | None = Field(
        default=None,
        description="The camera that sees the head. Default none: no camera of the site sees it, its state is "
        "unknown, and an unknown signal accuses nobody.",
    )
    box: NormBox | None = Field(
        default=None,
        description="[left, top, right, bottom] of the head's housing, all its lamps, in shares (0 to 1) of the "
        "picture. Default none: goes with camera, give both or neither.",
    )

    kind: HeadKind = Field(
        default=HeadKind.ROUND,
        description="The shape of its lenses: round, arrow_left, arrow_straight, arrow_right or arrow_u_turn. An "
        "arrow may be off and then controls nothing; a round head that is off has failed. Default round: most "
        "heads are.",
    )

    @model_validator(mode="after")
    def _camera_and_box(self) -> Self:
        if (self.camera is None) != (self.box is None):
            missing = "camera" if self.camera is None else "box"
            raise PydanticCustomError(
                "half_a_place",
                f"{missing} is missing: give camera and box, or neither for a head that no camera sees",
            )
        return self


class ScalePart(SitePart):
    """A length on the ground that somebody measured, beside the lane and near the stop line."""

    start: NormPoint = Field(
        alias="from", description="One end of the measured length, [x, y] in shares (0 to 1)."
    )
    end: NormPoint = Field(alias="to", description="Its other end, [x, y] in shares (0 to 1).")
    length_m: float = Field(
        strict=True,
        allow_inf_nan=False,
        gt=0.0,
        le=200.0,
        description="The length between them on the ground, in metres.",
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        _has_length((self.start, self.end))
        return self


class StopLinePart(SitePart):
    """The stop line of one movement, with the heads that allow the movement."""

    id: Id = Field(description="Short name of the line, unique among the places of its camera.")
    movement: Movement = Field(
        description="Where traffic over this line goes: left, straight, right or u_turn."
    )
    line: NormLine = Field(
        description="The painted line from end to end, [[x, y], [x, y]] in shares (0 to 1)."
    )
    further_on: NormLine = Field(
        description="A line beyond the stop line that only a vehicle crosses which really drove on, "
        "[[x, y], [x, y]] in shares (0 to 1)."
    )
    direction: NormLine = Field(
        description="An arrow along the lane as traffic drives, [[x, y] of its tail, [x, y] of its head] "
        "in shares (0 to 1)."
    )
    view: View = Field(
        description="Which end of the vehicles the camera sees: approaching (fronts) or departing (rears)."
    )
    scale: ScalePart = Field(
        description="A known length along the lane near the line: turns pixels into metres."
    )
    heads: Annotated[tuple[Id, ...], AfterValidator(_not_empty), _NonEmpty] = Field(
        description="Ids of the heads that allow the movement; all of them must be red."
    )
    grace_s: Seconds = Field(
        default=0.3,
        description="Seconds of red that pass before crossing is accused. Default 0.3: published values run "
        "from 0.1 to 0.5.",
    )
    standing_s: Seconds = Field(
        default=3.0,
        description="Seconds of standing over the line on red before it is stopped_past_line. Default 3.0: "
        "longer than a vehicle needs to stop and roll back or drive on.",
    )
    min_amber_s: Seconds = Field(
        default=3.0,
        description="Seconds that the amber before a red must last at least; after a shorter one nobody is accused "
        "until the next red. Default 3.0: the shortest that published rules allow.",
    )


class WindowPart(SitePart):
    """A weekly window of local time."""

    days: Annotated[tuple[Day, ...], AfterValidator(_not_empty), _NonEmpty] = Field(
        default=DAYS,
        description="The days on which the window starts: mon tue wed thu fri sat sun. Default every day: "
        "most signs name hours only.",
    )
    start: TimeOfDay = Field(
        alias="from", description="Local time at which the window starts, HH:MM in quotes."
    )
    end: TimeOfDay = Field(
        alias="to",
        description="Local time at which it ends, HH:MM up to 24:00; earlier than from means on the next day.",
    )

    @model_validator(mode="after")
    def _has_duration(self) -> Self:
        if self.start == 24 * 60:
            raise PydanticCustomError(
                "window", "a window cannot start at 24:00; write 00:00 and the next day"
            )
        if self.start == self.end:
            raise PydanticCustomError(
                "window", "from and to are the same time; a window of a whole day is from 00:00 to 24:00"
            )
        return self


class NoParkingPart(SitePart):
    """A zone where standing longer than the allowed stop is an offence."""

    id: Id = Field(description="Short name of the zone, unique among the places of its camera.")
    zone: NormPolygon = Field(
        description="Corners of the zone on the ground, in the order of a walk around it, [[x, y], …] in "
        "shares (0 to 1), at least 3."
    )
    allowed_stop_s: Seconds = Field(description="Seconds that a vehicle may stand in the zone.")
    windows: tuple[WindowPart, ...] = Field(
        default=(),
        description="When the zone holds. Default none: it holds all day and needs no wall clock.",
    )
    exempt: tuple[VehicleClass, ...] = Field(
        default=(),
        description="Classes that may stand here: car bus truck motorcycle bicycle. Default none: a sign "
        "exempts nobody unless it says so.",
    )
    max_unseen_share: float = Field(
        default=0.2,
        strict=True,
        ge=0.0,
        le=1.0,
        description="Share (0 to 1) of a dwell that may pass unseen, behind other traffic. Default 0.2: more "
        "would rest the case on what nobody saw.",
    )


class GatePart(SitePart):
    """A line across the road at which passing vehicles are recorded."""

    id: Id = Field(description="Short name of the gate, unique among the places of its camera.")
    line: NormLine = Field(description="The line from end to end, [[x, y], [x, y]] in shares (0 to 1).")
    direction: NormLine = Field(
        description="An arrow the way that is called forward, [[x, y] of its tail, [x, y] of its head] in "
        "shares (0 to 1)."
    )


class CameraPart(SitePart):
    """One fixed view of the site."""

    id: Id = Field(description="Short name of the camera, unique within the site.")
    size_px: tuple[SizePx, SizePx] = Field(
        description="[width, height] of the picture in pixels, as recorded; a recording of another size is refused."
    )
    stop_lines: tuple[StopLinePart, ...] = Field(
        default=(),
        description="Stop lines this camera watches. Default none: a camera may watch other things.",
    )
    no_parking: tuple[NoParkingPart, ...] = Field(
        default=(), description="No-parking zones it watches. Default none: likewise."
    )
    gates: tuple[GatePart, ...] = Field(
        default=(), description="Gates it watches. Default none: passing vehicles are not recorded unasked."
    )
    plates: PlatePolicy = Field(
        default=PlatePolicy.CANDIDATES,
        description="Whose plates are read: off, candidates (vehicles a rule watches) or all (every vehicle that "
        "passes). Default candidates: nobody else's plate is needed.",
    )
    max_gap_s: float = Field(
        default=0.5,
        strict=True,
        allow_inf_nan=False,
        gt=0.0,
        le=10.0,
        description="Seconds between two frames above which nothing is inferred across the gap. Default 0.5: "
        "a car at 50 km/h drives 7 m in it, no more than its own length and a half.",
    )


class DetectorPart(SitePart):
    """How the pictures are looked at."""

    input_size: tuple[SizePx, SizePx] | None = Field(
        default=None,
        description="[width, height] in pixels at which the detector looks at the picture, multiples of 32. "
        "Default none: the size the weights were made for.",
    )


class SiteDocument(SitePart):
    """A Stopline site file: one junction or kerb section with its signal heads and cameras."""

    site: SiteHeading = Field(description="The junction or kerb section as a whole.")
    heads: tuple[HeadPart, ...] = Field(
        default=(), description="Signal heads of the site. Default none: a kerb section has no signal."
    )
    cameras: Annotated[tuple[CameraPart, ...], AfterValidator(_not_empty), _NonEmpty] = Field(
        description="The cameras of the site, at least one."
    )
    detector: DetectorPart = Field(
        default=DetectorPart(),
        description="How the pictures are looked at. Default: as the weights were made for.",
    )
