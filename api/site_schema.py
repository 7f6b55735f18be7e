"""The site file as pydantic models: what an engineer may write, in which unit, and why each default is what it is."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from api.site_fields import (
    DAYS,
    Day,
    Id,
    NonEmpty,
    NormLine,
    NormPolygon,
    PlateProfile,
    Seconds,
    SitePart,
    SizePx,
    TimeOfDay,
    VehicleClass,
    not_empty,
)
from api.site_signals import HeadPart, StopLinePart
from rules.site import PlatePolicy


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


class WindowPart(SitePart):
    """A weekly window of local time."""

    days: Annotated[tuple[Day, ...], AfterValidator(not_empty), NonEmpty] = Field(
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
    cameras: Annotated[tuple[CameraPart, ...], AfterValidator(not_empty), NonEmpty] = Field(
        description="The cameras of the site, at least one."
    )
    detector: DetectorPart = Field(
        default=DetectorPart(),
        description="How the pictures are looked at. Default: as the weights were made for.",
    )
