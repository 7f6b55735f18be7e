"""What an engineer may write about kerbs and crossings: hours, holidays, uses, queues, and who may enter on red."""

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
    Seconds,
    SitePart,
    TimeOfDay,
    VehicleClass,
    not_empty,
)
from rules.site import UseKind


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


class UsePart(SitePart):
    """What some classes may do in a zone: stop at a bus stop, wait at a taxi rank, load."""

    use: UseKind = Field(description="bus_stop, taxi_rank or loading.")
    classes: Annotated[tuple[VehicleClass, ...], AfterValidator(not_empty), NonEmpty] = Field(
        description="The classes that may: car bus truck motorcycle bicycle. A taxi is seen as a car."
    )
    allowed_stop_s: Seconds | None = Field(
        default=None,
        description="Seconds that they may stand. Default none: as long as they like, as at a bus stop.",
    )
    windows: tuple[WindowPart, ...] = Field(
        default=(), description="When they may. Default none: at all hours, and no wall clock is needed."
    )


class QueueLanePart(SitePart):
    """Says that the zone is a running lane, in which a queue may stand."""

    direction: NormLine = Field(
        description="An arrow along the lane as traffic drives, [[x, y] of its tail, [x, y] of its head] in "
        "shares (0 to 1)."
    )
    heads: tuple[Id, ...] = Field(
        default=(),
        description="Ids of the signal heads ahead: while one stops traffic, who stands waits. Default none: "
        "no signal is near, and only standing neighbours make a queue.",
    )
    longest_s: Seconds = Field(
        default=180.0,
        description="Seconds after which nobody stands in a queue any more, but parks. Default 180: longer "
        "than a signal cycle.",
    )


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
    holiday_windows: tuple[WindowPart, ...] | None = Field(
        default=None,
        description="When the zone holds on the site's holidays; an empty list frees them. Default none: as on "
        "other days.",
    )
    exceptions: tuple[WindowPart, ...] = Field(
        default=(),
        description="When the zone does not hold although its windows do. Default none: most signs have none.",
    )
    uses: tuple[UsePart, ...] = Field(
        default=(),
        description="What some classes may do in the zone: a bus at its stop, a taxi at its rank, loading. "
        "Default none: likewise.",
    )
    queue: QueueLanePart | None = Field(
        default=None,
        description="The running lane that the zone lies in. Default none: a kerb, where nobody queues.",
    )
    reenforce_s: Seconds = Field(
        default=3600.0,
        description="Seconds after which a vehicle that still stands is reported again. Default 3600: local "
        "practice differs.",
    )


class CrosswalkPart(SitePart):
    """A crossing whose red those on foot and on bicycles may not enter: a pilot, which warns and identifies nobody."""

    id: Id = Field(description="Short name of the crossing, unique among the places of its camera.")
    zone: NormPolygon = Field(
        description="Corners of the crossing on the road, kerb to kerb, in the order of a walk around it, "
        "[[x, y], …] in shares (0 to 1), at least 3."
    )
    heads: Annotated[tuple[Id, ...], AfterValidator(not_empty), NonEmpty] = Field(
        description="Ids of the crossing's own heads, or of the motor heads of the same direction where it has "
        "none; all of them must be red."
    )
    grace_s: Seconds = Field(
        default=1.0,
        description="Seconds of red that pass before entering is counted. Default 1.0: the last step off the "
        "kerb began on green.",
    )
