"""The records keep cases and decisions durably: paging, filters, one decision a case, threads, processes and damage."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from evidence.database import RecordsBusyError, RecordsError
from evidence.records import (
    AlreadyDecidedError,
    CaseFilter,
    CaseRecord,
    Decision,
    PackageState,
    Records,
    Review,
)
from evidence.records_sql import SqlRecords, page_query
from rules.finding import Rule, Status

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)

RECORD = CaseRecord(
    id="c1",
    rule=Rule.RED_LIGHT,
    site_id="site",
    camera_id="north",
    place_id="line-1",
    status=Status.ASSERTED,
    t_s=12.34,
    captured_at=NOON,
    time_zone="Asia/Shanghai",
    vehicle_class="car",
    plate_text="浙A12345",
    package=PackageState.INCOMPLETE,
    package_reasons=("the plate cannot be read", 'a "quoted" reason'),
    evidence_path="evidence/c1",
    manifest_path="evidence/c1/manifest.json",
    manifest_sha256="0" * 64,
    event_json='{"id":"c1"}',
)
CONFIRMED = Review(decision=Decision.CONFIRMED, code=None, note="", reviewer="Li", decided_at=NOON)
REJECTED = Review(
    decision=Decision.REJECTED, code="too-close", note="看不清", reviewer="Wang", decided_at=NOON
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecords]:
    kept = SqlRecords(tmp_path / "records.sqlite")
    yield kept
    kept.close()


def test_a_case_comes_back_as_it_went_in_also_from_a_new_process(records: SqlRecords, tmp_path: Path) -> None:
    as_contract: Records = records
    assert as_contract.add_case(RECORD)
    again = SqlRecords(tmp_path / "records.sqlite", create=False)
    case = again.case("c1")
    again.close()
    assert case is not None
    assert case.record == RECORD
    assert (case.decision, case.reviews) == (Decision.OPEN, ())
    assert records.case("c2") is None


def test_a_case_of_the_same_id_changes_nothing(records: SqlRecords) -> None:
    assert records.add_case(RECORD)
    records.decide("c1", CONFIRMED)
    assert not records.add_case(replace(RECORD, plate_text="other"))
    (case,) = records.page(CaseFilter(), after_number=None, limit=9)
    assert case.record == RECORD
    assert case.decision is Decision.CONFIRMED


def test_moments_are_utc_whatever_their_offset_and_a_naive_one_is_refused(records: SqlRecords) -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    records.add_case(replace(RECORD, captured_at=shanghai))
    case = records.case("c1")
    assert case is not None
    assert case.record.captured_at == NOON
    assert case.record.captured_at.utcoffset() == timedelta(0)
    with pytest.raises(Exception, match="aware"):
        records.add_case(replace(RECORD, id="c2", captured_at=NOON.replace(tzinfo=None)))
    assert records.case("c2") is None


def test_pages_run_in_order_of_recording_and_a_case_added_meanwhile_comes_last(records: SqlRecords) -> None:
    for i in range(7):
        records.add_case(replace(RECORD, id=f"c{9 - i}"))
    first = records.page(CaseFilter(), after_number=None, limit=4)
    records.add_case(replace(RECORD, id="a-late-one"))
    second = records.page(CaseFilter(), after_number=first[-1].number, limit=4)
    third = records.page(CaseFilter(), after_number=second[-1].number, limit=4)
    assert [case.record.id for case in (*first, *second)] == [
        *("c9", "c8", "c7", "c6", "c5", "c4", "c3"),
        "a-late-one",
    ]
    assert third == []


def test_each_filter_keeps_what_it_names(records: SqlRecords) -> None:
    records.add_case(RECORD)
    records.add_case(replace(RECORD, id="held", status=Status.HELD))
    records.add_case(replace(RECORD, id="south", camera_id="south"))

    def ids(wanted: CaseFilter) -> list[str]:
        return [case.record.id for case in records.page(wanted, after_number=None, limit=50)]

    assert ids(CaseFilter(status=Status.HELD)) == ["held"]
    assert ids(CaseFilter(camera_id="south")) == ["south"]
    assert ids(CaseFilter(status=Status.HELD, camera_id="south")) == []
    assert len(ids(CaseFilter())) == 3


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (CaseFilter(), "INTEGER PRIMARY KEY (rowid>?)"),
        (CaseFilter(status=Status.ASSERTED), "ix_cases_status"),
        (CaseFilter(camera_id="north"), "ix_cases_camera"),
    ],
)
def test_a_page_is_found_by_an_index_and_never_sorted(
    records: SqlRecords, tmp_path: Path, wanted: CaseFilter, index: str
) -> None:
    statement = page_query(wanted, 1000, 50).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    connection = sqlite3.connect(tmp_path / "records.sqlite")
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    connection.close()
    assert len(plan) == 1
    assert plan[0].startswith("SEARCH cases")
    assert index in plan[0]


def test_a_decision_is_kept_with_its_review(records: SqlRecords) -> None:
    records.add_case(RECORD)
    decided = records.decide("c1", REJECTED)
    assert decided == records.case("c1")
    assert (decided.decision, decided.reviews) == (Decision.REJECTED, (REJECTED,))


def test_a_second_decision_is_refused_and_changes_nothing(records: SqlRecords) -> None:
    records.add_case(RECORD)
    records.decide("c1", REJECTED)
    with pytest.raises(AlreadyDecidedError) as refused:
        records.decide("c1", CONFIRMED)
    assert refused.value.decision is Decision.REJECTED
    case = records.case("c1")
    assert case is not None
    assert case.reviews == (REJECTED,)


def test_an_unknown_case_cannot_be_decided(records: SqlRecords) -> None:
    with pytest.raises(KeyError):
        records.decide("nobody", CONFIRMED)


def test_open_is_no_decision(records: SqlRecords) -> None:
    records.add_case(RECORD)
    with pytest.raises(ValueError, match="no decision"):
        records.decide("c1", replace(CONFIRMED, decision=Decision.OPEN))


def test_a_rejection_without_its_code_is_not_kept_and_the_case_stays_open(records: SqlRecords) -> None:
    records.add_case(RECORD)
    with pytest.raises(RecordsError, match="ck_reviews_code"):
        records.decide("c1", replace(REJECTED, code=None))
    case = records.case("c1")
    assert case is not None
    assert case.decision is Decision.OPEN


def test_of_racing_deciders_exactly_one_wins(records: SqlRecords, tmp_path: Path) -> None:
    """Two record objects on one file stand for two processes; ten cases, four deciders each."""
    other = SqlRecords(tmp_path / "records.sqlite")
    for i in range(10):
        records.add_case(replace(RECORD, id=f"c{i}"))
    outcomes: dict[str, list[str]] = {f"c{i}": [] for i in range(10)}
    start = threading.Barrier(4)

    def decide(who: int) -> None:
        mine = records if who % 2 else other
        for case_id in outcomes:
            start.wait(timeout=30)
            try:
                mine.decide(case_id, replace(CONFIRMED, reviewer=str(who)))
            except AlreadyDecidedError:
                outcomes[case_id].append("refused")
            else:
                outcomes[case_id].append(f"won by {who}")

    threads = [threading.Thread(target=decide, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    other.close()
    for case_id, said in outcomes.items():
        (winner,) = [word for word in said if word != "refused"]
        assert said.count("refused") == 3
        case = records.case(case_id)
        assert case is not None
        assert [f"won by {review.reviewer}" for review in case.reviews] == [winner]


def test_a_reader_sees_the_last_committed_state_while_a_writer_is_at_work(
    records: SqlRecords, tmp_path: Path
) -> None:
    records.add_case(RECORD)
    writer = sqlite3.connect(tmp_path / "records.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE cases SET plate_text = 'half done'")
    case = records.case("c1")
    writer.execute("ROLLBACK")
    writer.close()
    assert case is not None
    assert case.record.plate_text == RECORD.plate_text


def test_a_file_that_stays_locked_is_busy_and_may_be_tried_again(
    records: SqlRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidence.database.BUSY_TIMEOUT_MS", 20)
    impatient = SqlRecords(tmp_path / "records.sqlite")
    writer = sqlite3.connect(tmp_path / "records.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordsBusyError) as busy:
        impatient.add_case(RECORD)
    assert busy.value.retryable
    writer.execute("ROLLBACK")
    writer.close()
    assert impatient.add_case(RECORD)
    impatient.close()


def test_reviews_hold_on_to_their_case(records: SqlRecords, tmp_path: Path) -> None:
    records.add_case(RECORD)
    records.decide("c1", CONFIRMED)
    connection = sqlite3.connect(tmp_path / "records.sqlite")
    connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        connection.execute("DELETE FROM cases")
    connection.close()


def test_a_missing_file_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="no such records file"):
        SqlRecords(tmp_path / "records.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    path.write_bytes(b"this is no database, and it is long enough to be looked at" * 20)
    before = path.read_bytes()
    with pytest.raises(RecordsError, match=r"records\.sqlite: file is not a database"):
        SqlRecords(path)
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name)")
    connection.commit()
    connection.close()
    with pytest.raises(RecordsError, match=r"something else .* recipes"):
        SqlRecords(path)
    connection = sqlite3.connect(path)
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["recipes"]
    connection.close()


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="unable to open"):
        SqlRecords(tmp_path / "nowhere" / "records.sqlite")


def test_a_path_with_odd_characters_is_only_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "a ?b=c #50% é"
    folder.mkdir()
    kept = SqlRecords(folder / "records.sqlite")
    kept.add_case(RECORD)
    kept.close()
    assert (folder / "records.sqlite").is_file()
