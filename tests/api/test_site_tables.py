"""The tables of sites go down and up with data, are in a backup, and are found by their indexes, on both databases."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, inspect

from api.records import jobs, registers, sites, statistics
from api.records.armed import ArmedSeconds, add_seconds, seconds_of
from api.records.jobs import JobKind
from api.work.register import Register
from evidence.database import Database, migrate
from evidence.records_backup import restore_backup, write_backup
from tests.api.work.test_register import document, picture
from tests.api.work.test_statistics import SINCE, UNTIL
from tests.builders.sites import NOON, SITE_FILE, a_configuration, engineer, publish

TABLES = {"sites", "site_versions", "site_places", "registers", "sign_photos", "armed_days", "jobs"}


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    is_file = request.param == "sqlite"
    found: Path | str = (
        tmp_path / "records.sqlite" if is_file else request.getfixturevalue("postgresql_address")
    )
    return found


def fill(database: Database, folder: Path) -> None:
    """A row in each table."""
    wu = engineer()
    publish(a_configuration(database, folder / "sites"))
    register = Register(database, lambda: NOON, folder / "register")
    register.put(wu, "crossing", document(), looked_at=0)
    register.put_photo(wu, "crossing", "s1", picture(40, 30))
    with database.write() as tx:
        add_seconds(
            tx, "2026-03-02", [ArmedSeconds(camera_id="north", place_id="", watched_s=60.0, off_s=1.5)]
        )
        jobs.add_job(
            tx, job_id="j", kind=JobKind.RUN, site_id="crossing", account_id="a", request="{}", at=NOON
        )


def check(database: Database) -> None:
    """What ``fill`` wrote is there."""
    with database.read() as tx:
        found = sites.version(tx, "crossing", 1)
        assert found is not None
        assert (found.text, found.published_at) == (SITE_FILE, NOON)
        entry = registers.entry(tx, "crossing")
        assert entry is not None
        assert entry.published_on == document().published_on
        assert registers.photographed(tx, "crossing") == {"s1"}
        (seconds,) = seconds_of(tx, ["north"], first="2026-03-02", last="2026-03-02")
        assert (seconds.watched_s, seconds.off_s) == (60.0, 1.5)
        job = jobs.job_of(tx, "j")
        assert job is not None
        assert job.ordered_at == NOON


def test_down_and_up_again_with_data(address: Path | str, tmp_path: Path) -> None:
    with closing(Database(address)) as database:
        fill(database, tmp_path)
        check(database)
    migrate(address, "0009")
    with closing(Database(address, upgrade=False)) as database, database.read() as tx:
        assert TABLES & set(inspect(tx).get_table_names()) == set()
    with closing(Database(address)) as database:
        fill(database, tmp_path)
        check(database)


def test_a_backup_has_them(address: Path | str, tmp_path: Path) -> None:
    with closing(Database(address)) as database:
        fill(database, tmp_path)
        write_backup(database, tmp_path / "backup.gz")
    restore_backup(tmp_path / "backup.gz", tmp_path / "restored.sqlite")
    with closing(Database(tmp_path / "restored.sqlite")) as database:
        check(database)
        with database.write() as tx:
            made = jobs.add_job(
                tx, job_id="k", kind=JobKind.RUN, site_id="crossing", account_id="a", request="{}", at=NOON
            )
        assert made.number == 2


def test_statistics_walk_the_index_of_moments(tmp_path: Path) -> None:
    period = statistics.Period(since=SINCE, until=UNTIL, site_ids=None)
    plans: list[str] = []

    def explain(connection: Any, _: Any, statement: str, values: Any, *rest: Any) -> None:
        cursor = connection.connection.cursor()
        plans.append(str(cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()))

    with closing(Database(tmp_path / "records.sqlite")) as database, database.read() as tx:
        event.listen(tx, "before_cursor_execute", explain)
        for ask in (statistics.places, statistics.quarters, statistics.rejections, statistics.reviewers):
            ask(tx, period)
    assert len(plans) == 4
    assert [plan for plan in plans if "ix_cases_captured" not in plan] == []
