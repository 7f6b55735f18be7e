"""The tables of the workflow go down and up with data, on both databases: what was decided stays, void is rejected."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from api.work.supervision import Supervision
from evidence.database import Database, migrate
from evidence.records import Decision, Stage
from tests.api.work.test_casework import ASK, CHEN, LI, NOON, SUN, Office
from tests.api.work.test_supervision import sent
from tests.evidence.test_records_sql import RECORD

TABLES = {
    "idempotency",
    "review_policies",
    "suspensions",
    "appeals",
    "plate_grams",
    "claims",
    "plate_readings",
    "steps",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    is_file = request.param == "sqlite"
    found: Path | str = (
        tmp_path / "records.sqlite" if is_file else request.getfixturevalue("postgresql_address")
    )
    return found


def fill(database: Database) -> None:
    """Of five cases: one void, one under appeal, one with an opinion asked, one whose plate was corrected, one claimed."""
    office = Office(database, [replace(RECORD, id=f"c{n}", manifest_sha256=f"{n:064x}") for n in range(1, 6)])
    supervision = Supervision(office.work)
    office.correct(LI, "浙A8254S")
    office.decide(LI, case_id="c1")
    office.decide(LI, case_id="c2")
    supervision.void(CHEN, "c2", reason="broken lamp", submitted=sent("void", office.see(CHEN, "c2").version))
    office.decide(LI, case_id="c3")
    supervision.take_appeal(
        SUN, "c3", reason="not me", submitted=sent("appeal", office.see(SUN, "c3").version)
    )
    office.decide(LI, ASK, case_id="c4")
    office.work.claim(LI, "c5")
    office.policy(second_review=True)
    supervision.suspend(
        CHEN,
        site_id="elsewhere",
        rule=RECORD.rule,
        from_at=NOON,
        to_at=None,
        reason="works on the road",
        submitted=sent("suspension"),
    )


def test_down_and_up_again_with_data(address: Path | str) -> None:
    with closing(Database(address)) as database:
        fill(database)
        with database.read() as tx:
            empty = [name for name in sorted(TABLES) if tx.scalar(text(f"SELECT count(*) FROM {name}")) == 0]
        assert empty == []

    migrate(address, "0006")
    with closing(Database(address, upgrade=False)) as database, database.read() as tx:
        assert TABLES & set(inspect(tx).get_table_names()) == set()
        found = tx.execute(text("SELECT id, decision FROM cases ORDER BY number")).all()
        assert [tuple(row) for row in found] == [
            ("c1", "confirmed"),
            ("c2", "rejected"),
            ("c3", "confirmed"),
            ("c4", "open"),
            ("c5", "open"),
        ]

    with closing(Database(address)) as database:
        office = Office(database, [])
        assert [(office.case(f"c{n}").stage, office.case(f"c{n}").decision) for n in (1, 2, 3, 4, 5)] == [
            (Stage.CLOSED, Decision.CONFIRMED),
            (Stage.CLOSED, Decision.REJECTED),
            (Stage.CLOSED, Decision.CONFIRMED),
            (Stage.REVIEW, Decision.OPEN),
            (Stage.REVIEW, Decision.OPEN),
        ]
        assert office.see(LI, "c5").claim is None
        office.decide(SUN, case_id="c5")
        assert office.case("c5").decision is Decision.CONFIRMED
