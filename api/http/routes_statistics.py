"""The routes of coverage and statistics."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.body import Body
from api.http.case_routes import actor
from api.http.cursor import decode_name, encode_name
from api.http.models import PREFIX
from api.http.routes_sites import Limit, NameCursor
from api.http.workflow_models import SiteId
from api.work.access import Permission, Principal
from api.work.coverage import DIRECTIONS_AIM, DIRECTIONS_BEFORE, PRIORITY_AIM, CameraMinutes, Share
from api.work.statistics import Outcomes, Place, Statistics
from rules.errors import StoplineError

router = APIRouter(prefix=PREFIX, tags=["coverage and statistics"])
Reader = Annotated[Principal, permitted(Permission.READ_STATISTICS)]
LONGEST = 92
"""Days: a quarter. A longer period is asked for in parts, so that no question holds the records up."""


class PeriodRefusedError(StoplineError):
    """A period that ends before it begins, or is too long."""

    code = "period_refused"

    def __init__(self) -> None:
        super().__init__(
            f"'last' must not lie before 'first', and a period has at most {LONGEST} days: ask for a longer one in parts"
        )


Day = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2200, 1, 1))]


def _period(first: Day, last: Day) -> tuple[date, date]:
    if not timedelta(0) <= last - first < timedelta(days=LONGEST):
        raise PeriodRefusedError
    return first, last


Period = Annotated[tuple[date, date], Depends(_period)]
"""The days (UTC), both included."""


class ShareModel(Body):
    """How many of a group are enforced."""

    name: str
    covered: int
    total: int
    rate: float | None = Field(description="Covered of total; null where there is nothing to enforce.")

    @classmethod
    def of(cls, share: Share) -> ShareModel:
        """The share as sent."""
        return cls(name=share.name, covered=share.covered, total=share.total, rate=share.rate)


class CoverageModel(Body):
    """How much is enforced."""

    on: date = Field(description="As of that date (UTC).")
    directions: ShareModel = Field(description="Approaches of junctions.")
    directions_before: float = Field(description="The rate with which the programme began.")
    directions_aim: float = Field(description="The rate that it wants.")
    by_direction: list[ShareModel]
    by_area: list[ShareModel] = Field(description="Approaches and kerbs of each area.")
    priority_areas: ShareModel = Field(
        description="Areas with a priority site; covered once a section of such a site is."
    )
    priority_aim: float


class PlaceMinutesModel(Body):
    """A stop line or zone."""

    place_id: str
    kind: str
    watched_min: float
    armed_min: float = Field(description="Of those, in which its rules trusted themselves.")


class CameraMinutesModel(Body):
    """A camera."""

    camera_id: str
    site_id: str
    watched_min: float = Field(description="Minutes of pictures that were judged.")
    armed_min: float = Field(description="Of those, in which not all of its rules distrusted themselves.")
    places: list[PlaceMinutesModel]

    @classmethod
    def of(cls, found: CameraMinutes) -> CameraMinutesModel:
        """The minutes as sent."""
        return cls(
            camera_id=found.camera_id,
            site_id=found.site_id,
            watched_min=found.watched_min,
            armed_min=found.armed_min,
            places=[
                PlaceMinutesModel(
                    place_id=place.place_id,
                    kind=place.kind,
                    watched_min=place.watched_min,
                    armed_min=place.armed_min,
                )
                for place in found.places
            ],
        )


class MinutesPage(Body):
    """Some cameras, by id."""

    items: list[CameraMinutesModel]
    next_cursor: str | None = Field(description="Send it as 'cursor' for what follows; null: that was all.")


class OutcomesModel(Body):
    """How many cases there are of each outcome."""

    open: int = Field(description="Nobody's decision stands yet, whoever has looked at them.")
    confirmed: int
    rejected: int
    void: int
    held: int = Field(description="They accuse nobody, and count in no approval.")
    exempt: int
    approval: float | None = Field(
        description="Confirmed of confirmed and rejected; null where there are none."
    )

    @classmethod
    def of(cls, found: Outcomes) -> OutcomesModel:
        """The outcomes as sent."""
        return cls(
            open=found.open,
            confirmed=found.confirmed,
            rejected=found.rejected,
            void=found.void,
            held=found.held,
            exempt=found.exempt,
            approval=found.approval,
        )


class GroupModel(Body):
    """A rule, a site or a reviewer."""

    name: str
    outcomes: OutcomesModel

    @classmethod
    def each(cls, groups: tuple[tuple[str, Outcomes], ...]) -> list[GroupModel]:
        """The groups as sent."""
        return [cls(name=name, outcomes=OutcomesModel.of(outcomes)) for name, outcomes in groups]


class ReasonModel(Body):
    """A reason for rejection."""

    code: str
    count: int

    @classmethod
    def each(cls, reasons: tuple[tuple[str, int], ...]) -> list[ReasonModel]:
        """The reasons as sent, the commonest first."""
        return [cls(code=code, count=count) for code, count in reasons]


class PlaceModel(Body):
    """A line or zone, for who can mend it."""

    site_id: str
    camera_id: str
    place_id: str
    rule: str
    outcomes: OutcomesModel
    rejections: list[ReasonModel]

    @classmethod
    def of(cls, place: Place) -> PlaceModel:
        """The place as sent."""
        return cls(
            site_id=place.site_id,
            camera_id=place.camera_id,
            place_id=place.place_id,
            rule=place.rule,
            outcomes=OutcomesModel.of(place.outcomes),
            rejections=ReasonModel.each(place.rejections),
        )


class StatisticsModel(Body):
    """What became of the cases of a period."""

    total: OutcomesModel
    by_rule: list[GroupModel]
    by_site: list[GroupModel]
    places: list[PlaceModel]
    hours: list[list[int]] = Field(description="Seven rows from Monday on, of 24 local hours each.")
    rejections: list[ReasonModel]
    reviewers: list[GroupModel] | None = Field(
        description="Decisions by who made them; null: your role does not see that."
    )

    @classmethod
    def of(cls, found: Statistics) -> StatisticsModel:
        """The statistics as sent."""
        return cls(
            total=OutcomesModel.of(found.total),
            by_rule=GroupModel.each(found.by_rule),
            by_site=GroupModel.each(found.by_site),
            places=[PlaceModel.of(place) for place in found.places],
            hours=[list(row) for row in found.hours],
            rejections=ReasonModel.each(found.rejections),
            reviewers=None if found.reviewers is None else GroupModel.each(found.reviewers),
        )


@router.get("/coverage", summary="How much is enforced", responses=problems())
def coverage(service: ServiceOf, by: Reader) -> CoverageModel:
    """Of the sites of your account: approaches and kerbs, with and without equipment, against the programme's aims."""
    found = service.coverage.coverage(by)
    return CoverageModel(
        on=found.on,
        directions=ShareModel.of(found.directions),
        directions_before=DIRECTIONS_BEFORE,
        directions_aim=DIRECTIONS_AIM,
        by_direction=[ShareModel.of(share) for share in found.by_direction],
        by_area=[ShareModel.of(share) for share in found.by_area],
        priority_areas=ShareModel.of(found.priority_areas),
        priority_aim=PRIORITY_AIM,
    )


@router.get("/coverage/armed-minutes", summary="How long rules were armed", responses=problems(400, 422))
def armed_minutes(
    service: ServiceOf, by: Reader, period: Period, cursor: NameCursor = None, limit: Limit = 50
) -> MinutesPage:
    """Per camera and place of your sites, over days (UTC) of which none is missing before the last minute."""
    after = "" if cursor is None else decode_name(cursor)
    found = service.coverage.minutes(by, first=period[0], last=period[1], after_id=after, limit=limit + 1)
    return MinutesPage(
        items=[CameraMinutesModel.of(one) for one in found[:limit]],
        next_cursor=encode_name(found[limit - 1].camera_id) if len(found) > limit else None,
    )


@router.get("/statistics", summary="What became of cases", responses=problems(404, 422))
def statistics(
    service: ServiceOf,
    by: Reader,
    request: Request,
    period: Period,
    site: Annotated[SiteId | None, Query(description="Only that one.")] = None,
) -> StatisticsModel:
    """Counts of cases that happened on those days (UTC), where the moment is known; withdrawn ones are left out.

    A case counts as decided once nobody has to look at it any more.
    """
    found = service.statistics.statistics(
        actor(by, request),
        since=datetime.combine(period[0], time(), UTC),
        until=datetime.combine(period[1] + timedelta(days=1), time(), UTC),
        site_id=site,
    )
    return StatisticsModel.of(found)
