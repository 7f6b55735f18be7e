"""Coverage: what is enforced of what could be, and how long rules were armed, kept day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from api.work.armed_minutes import ArmedMinutes
from api.work.camera_figures import CameraFigures
from api.work.coverage import CoverageDesk, Share, coverage_of
from api.work.register import Register
from evidence.database import Database
from tests.api.work.test_register import document
from tests.builders.sites import NOON, a_configuration, engineer, publish, site_file

WU = engineer("Wu")
TODAY = date(2026, 3, 2)
BOTH = frozenset({"line", "kerb"})


def rates(*shares: Share) -> list[tuple[str, int, int]]:
    return [(share.name, share.covered, share.total) for share in shares]


def test_what_counts_as_covered() -> None:
    none = frozenset[str]()
    bare = document(
        sections=[{**section, "place_ids": []} for section in document().model_dump(mode="json")["sections"]]
    )
    found = coverage_of(
        [
            (document(), BOTH),
            (document(area="New town"), none),
            (document(area="New town", published_on="2026-03-03"), BOTH),
            (document(area="New town", signs=[]), BOTH),
            (bare, BOTH),
        ],
        TODAY,
    )
    assert rates(found.directions) == [("all", 2, 5)]
    assert found.directions.rate == pytest.approx(0.4)
    assert rates(*found.by_direction) == [("s", 2, 5)]
    assert rates(*found.by_area) == [("New town", 1, 6), ("Old town", 2, 4)]
    assert found.priority_areas.rate is None, "there are none, which is no 0 %"


def test_priority_areas_are_covered_by_their_priority_sites() -> None:
    found = coverage_of(
        [
            (document(area="A", is_priority=True), BOTH),
            (document(area="B", is_priority=True), frozenset()),
            (document(area="B"), BOTH),
            (document(area="C", is_priority=True, sections=[], signs=[]), frozenset()),
            (document(area="D"), BOTH),
        ],
        TODAY,
    )
    assert rates(found.priority_areas) == [("priority areas", 1, 3)]


def test_coverage_of_what_is_published(database: Database, tmp_path: Path) -> None:
    configuration = a_configuration(database, tmp_path / "sites")
    register = Register(database, lambda: NOON, tmp_path / "register")
    desk = CoverageDesk(database, lambda: NOON)
    publish(configuration)
    configuration.add(WU, "kerbside", "no equipment")
    for site_id in ("crossing", "kerbside"):
        register.put(WU, site_id, document(), looked_at=0)
    assert rates(desk.coverage(WU.principal).directions) == [("all", 1, 2)]
    assert rates(desk.coverage(engineer("He", ("kerbside",)).principal).directions) == [("all", 0, 1)]
    publish(configuration, site_file().replace("id: line", "id: other"))
    assert rates(desk.coverage(WU.principal).directions) == [("all", 0, 2)], "its line is watched no more"


class Clock:
    at = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


def test_armed_minutes_are_kept_by_day_and_place(database: Database, tmp_path: Path) -> None:
    publish(a_configuration(database, tmp_path / "sites"))
    clock = Clock()
    minutes = ArmedMinutes(database, clock)
    figures = CameraFigures(
        camera_id="north", frames=100, armed_s=120.0, disarmed_s=60.0, off_s={"kerb": 60.0}
    )
    minutes.take([figures])
    assert minutes.keep()
    clock.at += timedelta(minutes=2)
    figures = replace(figures, frames=200, armed_s=180.0, disarmed_s=120.0, off_s={"kerb": 60.0, "": 60.0})
    minutes.take([figures])
    minutes.take([figures])
    assert minutes.keep()
    minutes.take([CameraFigures(camera_id="north", frames=10, armed_s=60.0)])  # its worker began anew
    assert minutes.keep()
    assert minutes.keep(), "nothing is added twice"
    desk = CoverageDesk(database, lambda: NOON)

    def told(first: date, last: date) -> list[tuple[str, float, float]]:
        (camera,) = desk.minutes(WU.principal, first=first, last=last, after_id="", limit=9)
        places = [(place.place_id, place.watched_min, place.armed_min) for place in camera.places]
        return [("", camera.watched_min, camera.armed_min), *places]

    assert told(date(2026, 3, 1), date(2026, 3, 1)) == [("", 3, 3), ("kerb", 3, 2), ("line", 3, 3)]
    assert told(date(2026, 3, 1), TODAY) == [("", 6, 5), ("kerb", 6, 4), ("line", 6, 5)]
    assert told(date(2026, 3, 3), date(2026, 3, 9)) == [("", 0, 0), ("kerb", 0, 0), ("line", 0, 0)]
    stranger = engineer("He", ("kerbside",)).principal
    assert desk.minutes(stranger, first=TODAY, last=TODAY, after_id="", limit=9) == []


def test_minutes_wait_while_the_records_are_away(tmp_path: Path) -> None:
    database = Database(tmp_path / "records.sqlite")
    publish(a_configuration(database, tmp_path / "sites"))
    other = Database(tmp_path / "records.sqlite")
    minutes = ArmedMinutes(other, lambda: NOON)
    minutes.take([CameraFigures(camera_id="north", frames=1, armed_s=60.0)])
    with database.write():
        assert not minutes.keep(), "somebody else writes for longer than it waits"
    assert minutes.keep()
    (camera,) = CoverageDesk(database, lambda: NOON).minutes(
        WU.principal, first=TODAY, last=TODAY, after_id="", limit=9
    )
    assert camera.armed_min == 1
    other.close()
    database.close()
