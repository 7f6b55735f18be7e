"""What became of cases, for those who supervise and for the engineer who can mend a place: counts, and no plate."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from api.records import audit, statistics
from api.records.statistics import PlaceCount, QuarterCount, RejectionCount, ReviewerCount
from api.time_zone import UnknownTimeZoneError, time_zone
from api.work.access import Permission
from api.work.case_sight import Actor
from api.work.site_errors import SiteUnknownError
from evidence.database import Database
from rules.finding import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How many cases there are of each decision. ``approval`` is the share of confirmed among confirmed and rejected.

    Held and exempt cases are told apart: they accuse nobody, and count in no approval.
    """

    open: int = 0
    confirmed: int = 0
    rejected: int = 0
    void: int = 0
    held: int = 0
    exempt: int = 0

    @property
    def approval(self) -> float | None:
        decided = self.confirmed + self.rejected
        return self.confirmed / decided if decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place of a camera, which an engineer can mend, and why its cases were rejected."""

    site_id: str
    camera_id: str
    place_id: str
    rule: str
    outcomes: Outcomes
    rejections: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What became of the cases of a period.

    ``hours`` counts them by weekday (0 is Monday) and local hour; ``reviewers`` is None where it is not for who asked.
    """

    total: Outcomes
    by_rule: tuple[tuple[str, Outcomes], ...]
    by_site: tuple[tuple[str, Outcomes], ...]
    places: tuple[Place, ...]
    hours: tuple[tuple[int, ...], ...]
    rejections: tuple[tuple[str, int], ...]
    reviewers: tuple[tuple[str, Outcomes], ...] | None


class StatisticsDesk:
    """Counts the cases of ``database``."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def statistics(
        self, actor: Actor, *, since: datetime, until: datetime, site_id: str | None
    ) -> Statistics:
        """Of cases that happened from ``since`` until before ``until``, at that site or at all that the account is for.

        Who decided what is told to who supervises only, and that it was is audited. Raises SiteUnknownError.
        """
        by = actor.principal
        if site_id is not None and not by.sees(site_id):
            self._note(actor, f"site:{site_id}", site_id, audit.Outcome.REFUSED)
            raise SiteUnknownError(site_id)
        supervises = by.may(Permission.SUPERVISE)
        if supervises:
            self._note(actor, "statistics", site_id, audit.Outcome.DONE)
        period = statistics.Period(
            since=since, until=until, site_ids=by.site_ids if site_id is None else (site_id,)
        )
        with self._database.read() as tx:
            places = statistics.places(tx, period)
            quarters = statistics.quarters(tx, period)
            rejections = statistics.rejections(tx, period)
            reviewers = statistics.reviewers(tx, period) if supervises else None
        return _statistics(places, quarters, rejections, reviewers)

    def _note(self, actor: Actor, target: str, site_id: str | None, outcome: audit.Outcome) -> None:
        entry = audit.AuditEntry(
            at=self._now(),
            actor_id=actor.principal.account_id,
            action="statistics.viewed",
            target=target,
            site_id=site_id,
            request_id=actor.request_id,
            outcome=outcome,
        )
        with self._database.write() as tx:
            audit.append(tx, entry)


def _statistics(
    places: list[PlaceCount],
    quarters: list[QuarterCount],
    rejections: list[RejectionCount],
    reviewers: list[ReviewerCount] | None,
) -> Statistics:
    reasons: dict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
    for one in rejections:
        reasons[one.site_id, one.camera_id, one.place_id, one.rule.value][one.code] += one.count
    by_place: dict[tuple[str, str, str, str], list[PlaceCount]] = defaultdict(list)
    for count in places:
        by_place[count.site_id, count.camera_id, count.place_id, count.rule.value].append(count)
    return Statistics(
        total=_outcomes(places),
        by_rule=_grouped(places, lambda count: count.rule.value),
        by_site=_grouped(places, lambda count: count.site_id),
        places=tuple(
            Place(
                site_id=key[0],
                camera_id=key[1],
                place_id=key[2],
                rule=key[3],
                outcomes=_outcomes(by_place[key]),
                rejections=_most_first(reasons[key]),
            )
            for key in sorted(by_place)
        ),
        hours=_hours(quarters),
        rejections=_most_first(sum(reasons.values(), Counter())),
        reviewers=None if reviewers is None else _by_reviewer(reviewers),
    )


def _grouped(
    counts: Iterable[PlaceCount], key: Callable[[PlaceCount], str]
) -> tuple[tuple[str, Outcomes], ...]:
    groups: dict[str, list[PlaceCount]] = defaultdict(list)
    for count in counts:
        groups[key(count)].append(count)
    return tuple((name, _outcomes(groups[name])) for name in sorted(groups))


def _outcomes(counts: Iterable[PlaceCount]) -> Outcomes:
    found: Counter[str] = Counter()
    for count in counts:
        apart = count.status is not Status.ASSERTED
        found[count.status.value if apart else count.decision.value] += count.count
    return Outcomes(**found)


def _by_reviewer(reviewers: Iterable[ReviewerCount]) -> tuple[tuple[str, Outcomes], ...]:
    found: dict[str, Outcomes] = {}
    for one in reviewers:
        name = one.decision.value
        before = found.get(one.reviewer, Outcomes())
        found[one.reviewer] = replace(before, **{name: getattr(before, name) + one.count})
    return tuple((name, found[name]) for name in sorted(found))


def _hours(quarters: Iterable[QuarterCount]) -> tuple[tuple[int, ...], ...]:
    grid = [[0] * 24 for _ in range(7)]
    zones = {}
    for one in quarters:
        if one.time_zone not in zones:
            try:
                zones[one.time_zone] = time_zone(one.time_zone)
            except UnknownTimeZoneError:
                zones[one.time_zone] = time_zone("UTC")
        local = datetime.fromtimestamp(one.at_s, UTC).astimezone(zones[one.time_zone])
        grid[local.weekday()][local.hour] += one.count
    return tuple(tuple(row) for row in grid)


def _most_first(reasons: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
