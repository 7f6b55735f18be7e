"""Statistics: counts by rule, site, place, local hour, reason and reviewer; what is not decided yet counts nowhere as decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.records import workflow
from api.work.access import Role
from api.work.case_sight import Actor
from api.work.site_errors import SiteUnknownError
from api.work.statistics import Outcomes, Statistics, StatisticsDesk
from evidence.database import Database
from evidence.records import CaseRecord, Stage
from rules.finding import Rule, Status
from tests.api.work.test_casework import CONFIRM, LI, NOON, REJECT, SUN, WANG, Office
from tests.builders.sites import engineer
from tests.evidence.test_records_sql import RECORD

WU = engineer("Wu")
SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def case(number: int, **changes: object) -> CaseRecord:
    made = replace(RECORD, id=f"c{number}", manifest_sha256=f"{number:064x}", captured_at=NOON)
    return replace(made, **changes)  # type: ignore[arg-type]


def seen(database: Database, who: Actor = SUN, site_id: str | None = None) -> Statistics:
    desk = StatisticsDesk(database, lambda: NOON)
    return desk.statistics(who, since=SINCE, until=UNTIL, site_id=site_id)


def office_of(database: Database) -> Office:
    office = Office(
        database,
        [
            case(1),
            case(2),
            case(3),
            case(4, site_id="kerb", camera_id="k", place_id="zone", rule=Rule.NO_PARKING),
            case(5, status=Status.EXEMPT),
            case(6, captured_at=SINCE.replace(year=2025)),
            case(7, captured_at=None),
            case(8, captured_at=datetime(2026, 3, 7, 20, 40, tzinfo=UTC), time_zone="Asia/Kolkata"),
        ],
    )
    office.decide(LI, CONFIRM, "c1")
    office.decide(LI, REJECT, "c2")
    office.decide(WANG, REJECT, "c4")
    return office


def test_counts_by_rule_site_and_place(database: Database) -> None:
    office_of(database)
    found = seen(database)
    assert found.total == Outcomes(open=2, confirmed=1, rejected=2, exempt=1)
    assert found.total.approval == pytest.approx(1 / 3)
    assert dict(found.by_rule)["no_parking"] == Outcomes(rejected=1)
    assert dict(found.by_site) == {
        "site": Outcomes(open=2, confirmed=1, rejected=1, exempt=1),
        "kerb": Outcomes(rejected=1),
    }
    assert [(place.place_id, place.rejections) for place in found.places] == [
        ("zone", (("too-close", 1),)),
        ("line-1", (("too-close", 1),)),
    ]
    assert found.rejections == (("too-close", 2),)
    assert Outcomes(open=3).approval is None


def test_hours_are_the_sites(database: Database) -> None:
    office_of(database)
    hours = seen(database).hours
    assert hours[0][20] == 5, "noon UTC of a Monday in Shanghai"
    assert hours[6][2] == 1, "20:40 UTC of a Saturday in Kolkata is 02:10 on Sunday"
    assert sum(map(sum, hours)) == 6


def test_reviewers_are_for_who_supervises(database: Database) -> None:
    office = office_of(database)
    before = len(office.audit())
    assert seen(database).reviewers == (
        ("Li", Outcomes(confirmed=1, rejected=1)),
        ("Wang", Outcomes(rejected=1)),
    )
    assert '"statistics.viewed"' in office.audit()[before]
    assert seen(database, WU).reviewers is None
    assert seen(database, engineer("An", role=Role.AUDITOR)).reviewers is None


def test_other_sites_count_nowhere(database: Database) -> None:
    office = office_of(database)
    own = replace(SUN, principal=replace(SUN.principal, site_ids=("kerb",)))
    assert seen(database, own).total == Outcomes(rejected=1)
    assert seen(database, own).reviewers == (("Wang", Outcomes(rejected=1)),)
    assert seen(database, SUN, "kerb").total == Outcomes(rejected=1)
    with pytest.raises(SiteUnknownError):
        seen(database, own, "site")
    assert '"refused"' in office.audit()[-1]


def test_a_pending_second_review_counts_nowhere(database: Database) -> None:
    office = Office(database, [case(1), case(2)])
    with database.write() as tx:
        workflow.add_policy(
            tx, site_id="site", rule=None, from_at=SINCE, second_review=True, set_by="a-Sun", set_at=SINCE
        )
    untouched = seen(database)
    office.decide(LI, CONFIRM, "c1")
    office.decide(LI, REJECT, "c2")
    assert office.case("c1").stage is office.case("c2").stage is Stage.SECOND_REVIEW
    assert seen(database) == untouched
    office.decide(WANG, CONFIRM, "c1")
    office.decide(WANG, CONFIRM, "c2")
    assert seen(database).total == Outcomes(open=1, confirmed=1), "they disagree about the other"
    office.decide(SUN, CONFIRM, "c2")
    found = seen(database)
    assert found.total == Outcomes(confirmed=2)
    assert found.rejections == ()
    assert found.reviewers is not None
    assert dict(found.reviewers)["Li"] == Outcomes(confirmed=1, rejected=1)


def test_withdrawn_cases_are_left_out(database: Database) -> None:
    office = office_of(database)
    with database.write() as tx:
        workflow.move(tx, office.case("c3").number, stage=Stage.WITHDRAWN, phase=Stage.REVIEW)
    assert seen(database).total.open == 1
