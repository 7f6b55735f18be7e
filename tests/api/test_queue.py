"""The queue: each filter, in order, over sites, and by an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import TextClause, insert
from sqlalchemy.dialects import sqlite

from api.records import workflow
from api.records.queue import RARE, Place, QueueFilter, queue_page, queue_query
from api.records.workflow import Claim
from evidence.database import Database
from evidence.records import Decision, PackageState, Review, Stage
from evidence.records_rows import record_row
from evidence.records_sql import SqlRecords
from evidence.records_tables import CASES
from evidence.workflow_tables import PLATE_GRAMS
from rules.finding import Rule, Status
from tests.evidence.test_records_sql import RECORD

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLATES = ("浙A12345", "浙A8254S", None, "沪B12399", "浙AD12345")


@pytest.fixture
def filled(database: Database) -> Database:
    records = SqlRecords(database)
    for number, plate in enumerate(PLATES):
        records.add_case(
            replace(
                RECORD,
                id=f"c{number}",
                manifest_sha256=f"{number:064x}",
                plate_text=plate,
                site_id="north" if number % 2 else "south",
                camera_id=f"cam{number}",
                rule=Rule.NO_PARKING if number == 3 else Rule.RED_LIGHT,
                status=Status.HELD if number == 4 else Status.ASSERTED,
                package=PackageState.COMPLETE if number == 1 else PackageState.INCOMPLETE,
            )
        )
    records.decide(
        "c2", Review(decision=Decision.CONFIRMED, code=None, note="", reviewer="Li", decided_at=NOON)
    )
    with database.write() as tx:
        claim = Claim(
            number=1, account_id="a-Li", name="Li", claimed_at=NOON, expires_at=NOON + timedelta(minutes=10)
        )
        workflow.put_claim(tx, 4, claim)
        for number, age_days in ((1, 9), (2, 11), (4, 12), (5, 12)):
            workflow.start_clock(tx, number, NOON - timedelta(days=age_days))
    return database


def ids(database: Database, wanted: QueueFilter, after: Place | None = None, limit: int = 50) -> list[str]:
    with database.read() as tx:
        return [case.record.id for case in queue_page(tx, wanted, after, limit)]


OVERDUE = NOON - timedelta(days=10)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (QueueFilter(), ["c0", "c1", "c2", "c3", "c4"]),
        (QueueFilter(site_id="north"), ["c1", "c3"]),
        (QueueFilter(site_ids=("south", "north")), ["c0", "c1", "c2", "c3", "c4"]),
        (QueueFilter(site_ids=("south",)), ["c0", "c2", "c4"]),
        (QueueFilter(site_ids=()), []),
        (QueueFilter(site_ids=("south",), site_id="north"), []),
        (QueueFilter(rule=Rule.NO_PARKING), ["c3"]),
        (QueueFilter(status=Status.HELD), ["c4"]),
        (QueueFilter(stage=Stage.CLOSED), ["c2"]),
        (QueueFilter(decision=Decision.OPEN, site_ids=("south", "north")), ["c0", "c1", "c3", "c4"]),
        (QueueFilter(camera_id="cam1"), ["c1"]),
        (QueueFilter(package=PackageState.COMPLETE), ["c1"]),
        (QueueFilter(plate_part="A"), ["c0", "c1", "c4"]),
        (QueueFilter(plate_part="12"), ["c0", "c3", "c4"]),
        (QueueFilter(plate_part="A12345"), ["c0"]),
        (QueueFilter(plate_part="12345", site_ids=("south", "north")), ["c0", "c4"]),
        (QueueFilter(plate_part="%"), []),
        (QueueFilter(plate_part="_2345"), []),
        (QueueFilter(held_by="a-Li", now=NOON), ["c3"]),
        (QueueFilter(held_by="a-Li", now=NOON + timedelta(minutes=10)), []),
        (QueueFilter(due_before=OVERDUE), ["c3", "c4", "c1"]),
        (QueueFilter(due_before=OVERDUE, site_ids=("south", "north")), ["c3", "c4", "c1"]),
    ],
)
def test_each_filter_lists_its_cases_in_order_page_by_page(
    filled: Database, wanted: QueueFilter, found: Sequence[str]
) -> None:
    assert ids(filled, wanted) == found
    paged: list[str] = []
    after: Place | None = None
    while True:
        with filled.read() as tx:
            page = queue_page(tx, wanted, after, 1)
        if not page:
            break
        paged.append(page[0].record.id)
        after = Place(number=page[0].number, due_from=page[0].due_from)
    assert paged == found


FILTERS = {
    "none": (QueueFilter(), "INTEGER PRIMARY KEY (rowid>?)", 1),
    "status": (QueueFilter(status=Status.HELD), "ix_cases_status (status=? AND number>?)", 1),
    "rule": (
        QueueFilter(rule=Rule.NO_PARKING, status=Status.HELD),
        "ix_cases_queue (status=? AND decision=? AND rule=? AND number>?)",
        len(Decision),
    ),
    "decision": (
        QueueFilter(decision=Decision.OPEN),
        "ix_cases_queue (status=? AND decision=? AND rule=? AND number>?)",
        len(Rule) * len(Status),
    ),
    "stage": (
        QueueFilter(stage=Stage.REVIEW),
        "ix_cases_stage (status=? AND stage=? AND number>?)",
        len(Status),
    ),
    "stage and status": (
        QueueFilter(stage=Stage.REVIEW, status=Status.HELD, decision=Decision.OPEN, rule=Rule.RED_LIGHT),
        "ix_cases_stage (status=? AND stage=? AND number>?)",
        1,
    ),
    "package": (
        QueueFilter(package=PackageState.COMPLETE, status=Status.ASSERTED),
        "ix_cases_package (status=? AND package=? AND number>?)",
        1,
    ),
    "site": (
        QueueFilter(site_id="north", status=Status.ASSERTED, stage=Stage.REVIEW, decision=Decision.OPEN),
        "ix_cases_site (site_id=? AND status=? AND number>?)",
        1,
    ),
    "sites": (
        QueueFilter(site_ids=("north", "south")),
        "ix_cases_site (site_id=? AND status=? AND number>?)",
        2 * len(Status),
    ),
    "many sites": (
        QueueFilter(
            site_ids=tuple(f"site-{n}" for n in range(200)), status=Status.HELD, rule=Rule.NO_PARKING
        ),
        "ix_cases_queue (status=? AND decision=? AND rule=? AND number>?)",
        len(Decision),
    ),
    "camera": (
        QueueFilter(camera_id="cam1", status=Status.HELD, decision=Decision.OPEN),
        "ix_cases_camera (camera_id=? AND number>?)",
        1,
    ),
    "mine": (
        QueueFilter(held_by="a-Li", now=NOON, status=Status.ASSERTED),
        "ix_claims_account (account_id=? AND case_number>?)",
        1,
    ),
    "due": (QueueFilter(due_before=OVERDUE), "ix_cases_due (due_from>? AND due_from<?)", 1),
}


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_walks_an_index_in_its_order(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    wanted, index, walks = FILTERS[name]
    database = Database(tmp_path_factory.mktemp("queue") / "records.sqlite")
    place = Place(number=1, due_from=OVERDUE - timedelta(days=1) if name == "due" else None)
    plan = plan_of(database, queue_query(wanted, place, 50, dialect="sqlite"))
    assert sum(index in step for step in plan) == walks, plan
    assert not any(step == "SCAN cases" for step in plan), plan
    if walks == 1 and name != "mine":  # pages of several walks are merged; one person holds a handful
        assert not any("TEMP B-TREE" in step for step in plan), plan


def test_a_part_of_a_plate_leads_to_its_cases_unless_many_have_it(database: Database, tmp_path: Path) -> None:
    records = SqlRecords(database)
    for number in range(3):
        records.add_case(
            replace(RECORD, id=f"c{number}", manifest_sha256=f"{number:064x}", plate_text="浙A8254S")
        )
    with database.write() as tx:
        tx.execute(
            insert(CASES),
            [
                {**record_row(RECORD), "id": f"b{n}", "number": 10 + n, "plate_text": "浙A8888B"}
                for n in range(RARE)
            ],
        )
        tx.execute(insert(PLATE_GRAMS), [{"gram": "888", "case_number": 10 + n} for n in range(RARE)])
    assert ids(database, QueueFilter(plate_part="254"), limit=9) == ["c0", "c1", "c2"]
    assert ids(database, QueueFilter(plate_part="8888"), limit=2) == ["b0", "b1"]
    assert ids(database, QueueFilter(plate_part="8888"), Place(number=10 + RARE - 2)) == [f"b{RARE - 1}"]
    assert ids(database, QueueFilter(plate_part="888B", status=Status.HELD)) == []
    rare = plan_of(
        Database(tmp_path / "other.sqlite"),
        queue_query(QueueFilter(plate_part="254"), None, 9, dialect="sqlite", by_plate=True),
    )
    assert any("plate_grams" in step and "gram=?" in step for step in rare), rare


def plan_of(database: Database, query: TextClause) -> list[str]:
    statement = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with database.read() as tx:
        plan = [str(row[3]) for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    database.close()
    return plan
