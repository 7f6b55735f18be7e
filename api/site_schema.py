"""The site file as pydantic models: what an engineer may write, in which unit, and why each default is what it is."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from api.site_fields import (
    Id,
    Jurisdiction,
    LocalDate,
    NonEmpty,
    NormLine,
    PlateProfile,
    Seconds,
    Share,
    SitePart,
    SizePx,
    not_empty,
)
from api.site_parking import CrosswalkPart, NoParkingPart
from api.site_retention import RetentionPart
from api.site_signals import FeedAddress, HeadPart, StopLinePart
from api.site_stream import StreamPart
from rules.site import Pictures, PlatePolicy


class ExemptPlatePart(SitePart):
    """A plate that is recorded as exempt and not accused: emergency vehicles, permits."""

    plate: str = Field(min_length=1, max_length=20, description="The plate as it is read, without spaces.")
    why: str = Field(
        min_length=1,
        max_length=200,
        description="Why, as the officer reads it: ambulance, resident's permit.",
    )
    first: LocalDate | None = Field(
        default=None,
        alias="from",
        description="First local date on which it is exempt, YYYY-MM-DD. Default none: since ever.",
    )
    last: LocalDate | None = Field(
        default=None,
        alias="to",
        description="Last local date on which it is exempt, YYYY-MM-DD. Default none: without an end.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first is not None and self.last is not None and self.last < self.first:
            raise PydanticCustomError("period", "to lies before from; give the first and the last date")
        return self


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
    holidays: tuple[LocalDate, ...] = Field(
        default=(),
        description="Local dates, YYYY-MM-DD, on which zones with holiday_windows hold by those. Default none: "
        "the holidays differ from place to place and from year to year.",
    )
    exempt_plates: tuple[ExemptPlatePart, ...] = Field(
        default=(),
        description="Plates that are recorded as exempt. Default none: nobody is exempt unasked.",
    )
    jurisdiction: Jurisdiction = Field(
        default="generic",
        description="Whose violation codes are proposed to the officer: mainland_china or generic. Default generic: "
        "names of the rules, no points; a code of the wrong country misleads.",
    )
    signal_feeds: tuple[FeedAddress, ...] = Field(
        default=(),
        description="Addresses of signal controllers' live feeds, mqtt://[USER@]HOST[:PORT]/TOPIC or mqtts://, that 'stopline "
        "watch' listens to; the password is in the file that STOPLINE_MQTT_PASSWORD_FILE names. Default none: cameras see the "
        "heads.",
    )
    feed_silence_s: Seconds = Field(
        default=5.0,
        description="Seconds for which the last message of a signal controller holds. Default 5.0: feeds repeat their "
        "state every second; one that sends changes only wants more than its longest phase.",
    )
    passage_days: int = Field(
        default=30,
        strict=True,
        ge=1,
        le=3650,
        description="Days after which passages and their pictures are to be deleted. Default 30: rules on public video ask "
        "for 30 at least, and for deletion once the purpose is met.",
    )
    plate_profile: PlateProfile = Field(
        default="ga36",
        description="The grammar a reading must fit to count as a plate: ga36 (mainland China), latin, or none "
        "(any reading counts). Default ga36: the plate models in use were trained on Chinese plates.",
    )


class GatePart(SitePart):
    """A line across the road at which passing vehicles are recorded."""

    id: Id = Field(description="Short name of the gate, unique among the places of its camera.")
    line: NormLine = Field(description="The line from end to end, [[x, y], [x, y]] in shares (0 to 1).")
    direction: NormLine = Field(
        description="An arrow the way that is called forward, [[x, y] of its tail, [x, y] of its head] in "
        "shares (0 to 1)."
    )
    lanes: tuple[Share, ...] = Field(
        default=(),
        description="Where one lane ends and the next begins, as rising shares (0 to 1) of the line from its "
        "first end. Default none: passages name no lane.",
    )
    pictures: Pictures = Field(
        default=Pictures.NONE,
        description="Of whom a picture is kept with the passage, windows and riders made unrecognisable: none, forward, "
        "backward (the way that shows fronts) or both. Default none: a counting line needs no picture.",
    )


class CameraPart(SitePart):
    """One fixed view of the site."""

    id: Id = Field(description="Short name of the camera, unique within the site.")
    size_px: tuple[SizePx, SizePx] = Field(
        description="[width, height] of the picture in pixels, as recorded; a recording of another size is refused."
    )
    stream: StreamPart | None = Field(
        default=None,
        description="Where its live pictures come from, for 'stopline watch'. Default none: only its recordings are looked at.",
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
    crosswalks: tuple[CrosswalkPart, ...] = Field(
        default=(), description="Crosswalks of the pilot. Default none: nobody on foot is watched unasked."
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
    retention: RetentionPart = Field(
        default=RetentionPart(),
        description="How long its cases are kept. Default: until a period is given; nothing is deleted unasked.",
    )
    detector: DetectorPart = Field(
        default=DetectorPart(),
        description="How the pictures are looked at. Default: as the weights were made for.",
    )
