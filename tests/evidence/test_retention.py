"""A case goes when its time is over: tombstone first, then the package, then what names a person; never early, never under hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from evidence.chain import LinkKind, read_link
from evidence.custody import Custody
from evidence.delivery import sweep
from evidence.durable import Disk
from evidence.errors import StoreRefusedError
from evidence.records import (
    Case,
    CaseFilter,
    CaseRemovedError,
    Decision,
    KeptCase,
    LegalHold,
    LegalHoldError,
    Review,
)
from evidence.records_sql import SqlRecords
from evidence.removal import Removals, due_cases, remove_cases
from evidence.retention import Period, Periods, Standing, Term, standing_of, term_of
from evidence.spool import Spool
from evidence.store_local import LocalStore
from evidence.verification import Result, State, Trust
from evidence.verify_folder import verify_data_folder
from rules.finding import Status
from tests.builders.dying import Deadline, DyingDisk, KilledError
from tests.builders.sealed import a_sealed_folder, chain_of
from tests.builders.signing import BEGIN, Ticking, a_signer
from tests.evidence.test_delivery import a_record

DAY = timedelta(days=1)
PERIODS = {"s": Periods(held=Period(at_least_days=10, at_most_days=20))}
REJECTED = Review(
    decision=Decision.REJECTED, code="other", note="京A12345", reviewer="o", decided_at=BEGIN + 5 * DAY
)
HOLD = LegalHold(reason="appeal of 京A12345", placed_by="court", placed_at=BEGIN)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return a_sealed_folder(tmp_path / "data")


@pytest.fixture
def records(data: Path) -> Iterator[SqlRecords]:
    with closing(SqlRecords(data / "records.sqlite")) as opened:
        yield opened


def due_ids(records: SqlRecords, days: float, periods: Mapping[str, Periods] = PERIODS) -> list[str]:
    return [each.case.record.id for each in due_cases(records, periods, BEGIN + days * DAY).due]


def remove(
    data: Path, records: SqlRecords, days: float, disk: Disk | None = None, forgotten: list[str] | None = None
) -> Removals:
    now = Ticking(BEGIN + days * DAY)
    disk = Disk() if disk is None else disk

    def forget(case_ids: Sequence[str]) -> None:
        if forgotten is not None:
            forgotten.extend(case_ids)

    custody = Custody(data, records, a_signer(), now, disk)
    due = due_cases(records, PERIODS, now()).due
    return remove_cases(due, custody, LocalStore(data, disk), now, forget)


def seen(records: SqlRecords, case_id: str) -> Case:
    case = records.case(case_id)
    assert case is not None
    return case


@pytest.mark.parametrize(
    ("status", "decision", "standing"),
    [
        (Status.ASSERTED, Decision.OPEN, Standing.OPEN),
        (Status.HELD, Decision.OPEN, Standing.HELD),
        (Status.EXEMPT, Decision.OPEN, Standing.EXEMPT),
        (Status.HELD, Decision.REJECTED, Standing.REJECTED),
        (Status.ASSERTED, Decision.CONFIRMED, Standing.CONFIRMED),
    ],
)
def test_what_was_decided_counts_before_what_the_rules_said(
    status: Status, decision: Decision, standing: Standing
) -> None:
    case = Case(number=1, record=a_record("a", status=status), decision=decision, reviews=())
    assert standing_of(case) is standing
    own = Period(at_least_days=1, at_most_days=2)
    for name in Standing:
        periods = Periods(**{name.value: own})
        assert periods.of(standing) == (own if name is standing else None)


def test_the_term_counts_from_the_decision_else_from_the_recording() -> None:
    period = Period(at_least_days=3, at_most_days=4)
    case = Case(number=1, record=a_record("a", captured_at=None), decision=Decision.OPEN, reviews=())
    assert term_of(KeptCase(case=case, recorded_at=BEGIN), period) == Term(
        may_go=BEGIN + 3 * DAY, must_go=BEGIN + 4 * DAY
    )
    decided = Case(number=1, record=case.record, decision=Decision.REJECTED, reviews=(REJECTED,))
    assert term_of(KeptCase(case=decided, recorded_at=BEGIN), period) == Term(
        may_go=BEGIN + 8 * DAY, must_go=BEGIN + 9 * DAY
    )
    assert term_of(KeptCase(case=decided, recorded_at=None), period) is None


def test_a_case_is_due_at_its_time_and_late_after_it(records: SqlRecords) -> None:
    assert due_ids(records, 10) == [], "recorded some milliseconds after the beginning"
    assert due_ids(records, 10.001) == ["case-1", "case-2", "case-3"]
    assert [each.is_late for each in due_cases(records, PERIODS, BEGIN + 20 * DAY).due] == [False] * 3
    assert [each.is_late for each in due_cases(records, PERIODS, BEGIN + 20.001 * DAY).due] == [True] * 3


def test_what_stays_is_counted_with_its_reason(records: SqlRecords) -> None:
    records.add_case(a_record("old", manifest_sha256="cd" * 32))  # of a build without chains
    records.add_case(a_record("elsewhere", site_id="t", manifest_sha256="ce" * 32))
    records.decide("case-1", REJECTED)
    records.place_hold("case-2", HOLD)
    found = due_cases(records, PERIODS, BEGIN + 9 * DAY)
    assert (found.waiting, found.held, found.due) == (2, (), ())
    assert found.next_at is not None
    assert abs(found.next_at - BEGIN - 10 * DAY) < timedelta(seconds=1)
    found = due_cases(records, PERIODS, BEGIN + 11 * DAY)
    assert found.without_period == (("s", Standing.REJECTED, 1),)
    assert found.unknown_sites == (("t", 1),)
    assert found.held == ("case-2",)
    assert found.unlinked == ("old",)
    assert [each.case.record.id for each in found.due] == ["case-3"]
    assert (found.waiting, found.next_at, found.begun) == (0, None, ())


def test_a_removed_case_leaves_a_tombstone_and_nothing_that_names_anybody(
    data: Path, records: SqlRecords
) -> None:
    records.decide("case-1", REJECTED)
    records.place_hold("case-2", HOLD)
    records.lift_hold("case-2", "court", BEGIN)
    forgotten: list[str] = []
    done = remove(data, records, 11, forgotten=forgotten)
    assert done == Removals(removed=("case-2", "case-3"), finished=(), refused=())
    assert forgotten == ["case-2", "case-3"]
    assert [path.name for path in (data / "evidence").iterdir()] == ["case-1"]
    links = [read_link(line) for line in (chain_of(data) / "links.jsonl").read_bytes().splitlines()]
    assert [link.kind for link in links] == [LinkKind.CASE] * 3 + [LinkKind.TOMBSTONE] * 2
    gone = seen(records, "case-2")
    assert gone.removal is not None
    assert gone.removal.ended_at is not None
    assert gone.removal.begun_at > BEGIN + 11 * DAY
    assert (gone.record.plate_text, gone.record.event_json, gone.record.package_reasons) == (None, "{}", ())
    assert [case.record.id for case in records.page(CaseFilter(), after_number=None, limit=9)] == ["case-1"]
    with pytest.raises(CaseRemovedError, match=r"case-2 was removed on 2026-03-13"):
        records.decide("case-2", REJECTED)
    with pytest.raises(CaseRemovedError):
        records.place_hold("case-2", HOLD)
    assert verify_data_folder(data, Trust()).result is Result.UNKNOWN_SIGNER
    assert remove(data, records, 12) == Removals(removed=(), finished=(), refused=())


def test_the_file_of_the_records_forgets_too(data: Path, records: SqlRecords) -> None:
    for case_id in ("case-1", "case-2", "case-3"):
        records.place_hold(case_id, HOLD)
        records.lift_hold(case_id, "court", BEGIN)
    remove(data, records, 11)
    records.forget()
    left = b"".join(path.read_bytes() for path in data.glob("records.sqlite*"))
    assert "京A12345".encode() not in left
    assert b"case-2" in left


def test_a_hold_keeps_a_case_until_it_is_lifted(data: Path, records: SqlRecords) -> None:
    assert records.place_hold("case-2", HOLD).hold == HOLD
    assert records.any_hold()
    assert seen(records, "case-2").hold == HOLD
    with pytest.raises(LegalHoldError, match="held already, by court"):
        records.place_hold("case-2", HOLD)
    assert remove(data, records, 400).removed == ("case-1", "case-3")
    assert records.lift_hold("case-2", "court", BEGIN).hold is None
    with pytest.raises(LegalHoldError, match="is not held"):
        records.lift_hold("case-2", "court", BEGIN)
    assert not records.any_hold()
    assert remove(data, records, 400).removed == ("case-2",)
    with pytest.raises(KeyError):
        records.place_hold("nobody", HOLD)
    with pytest.raises(KeyError):
        records.lift_hold("nobody", "court", BEGIN)


@pytest.mark.parametrize("event", ["hold", "decision"])
def test_who_holds_or_decides_while_it_is_being_removed_wins(
    data: Path, records: SqlRecords, event: str
) -> None:
    due = due_cases(records, PERIODS, BEGIN + 11 * DAY).due
    if event == "hold":
        records.place_hold("case-1", HOLD)
    else:
        records.decide("case-1", REJECTED)
    now = Ticking(BEGIN + 11 * DAY)
    done = remove_cases(
        due, Custody(data, records, a_signer(), now), LocalStore(data, Disk()), now, lambda gone: None
    )
    assert done.removed == ("case-2", "case-3")
    assert seen(records, "case-1").removal is None
    assert (data / "evidence" / "case-1" / "clip.mp4").is_file()


def test_a_crash_at_any_step_is_finished_by_the_next_run(tmp_path: Path) -> None:
    for step in range(100):
        data = a_sealed_folder(tmp_path / str(step), cases=2)
        with closing(SqlRecords(data / "records.sqlite")) as records:
            with suppress(KilledError):
                remove(data, records, 11, DyingDisk(Deadline(step)))
                assert step > 8, "it was killed nowhere"
                return
            between = verify_data_folder(data, Trust())
            bad = {
                check.subject
                for part in between.parts
                for check in part.checks
                if check.state is State.FAILED
            }
            assert bad <= {"evidence/case-1.removing", "evidence/case-2.removing", "link 3", "link 4"}, bad
        with closing(SqlRecords(data / "records.sqlite")) as records:
            before = ended(records)
            done = remove(data, records, 12)
            assert sorted((*before, *done.removed, *done.finished)) == ["case-1", "case-2"]
            assert records.half_removed() == []
            assert [seen(records, f"case-{n}").record.plate_text for n in (1, 2)] == [None, None]
        assert list((data / "evidence").iterdir()) == []
        assert verify_data_folder(data, Trust()).count(State.FAILED) == 0
    pytest.fail("it never came to its end")


def ended(records: SqlRecords) -> list[str]:
    """The cases that are removed wholly."""
    cases = [seen(records, f"case-{number}") for number in (1, 2)]
    return [
        case.record.id for case in cases if case.removal is not None and case.removal.ended_at is not None
    ]


class LockedStore(LocalStore):
    """A store that protects its packages."""

    def remove(self, case_id: str) -> None:
        raise StoreRefusedError("the bucket", "AccessDenied", "locked")


def test_what_the_store_refuses_is_told_and_tried_again(data: Path, records: SqlRecords) -> None:
    now = Ticking(BEGIN + 11 * DAY)
    custody = Custody(data, records, a_signer(), now)
    due = due_cases(records, PERIODS, now()).due
    done = remove_cases(due, custody, LockedStore(data, Disk()), now, lambda gone: None)
    assert (done.removed, [case_id for case_id, _ in done.refused]) == ((), ["case-1", "case-2", "case-3"])
    assert "locked" in done.refused[0][1]
    assert seen(records, "case-1").record.plate_text == "京A12345", "its package is there, so its record is"
    assert due_cases(records, PERIODS, now()).begun == ("case-1", "case-2", "case-3")
    assert remove(data, records, 12).finished == ("case-1", "case-2", "case-3")


def test_a_case_that_no_chain_has_is_never_deleted(data: Path, records: SqlRecords) -> None:
    due = due_cases(records, PERIODS, BEGIN + 11 * DAY).due
    (data / "evidence" / "old").mkdir()
    records.add_case(a_record("old", manifest_sha256="cd" * 32))
    forged = type(due[0])(case=seen(records, "old"), standing=Standing.HELD, must_go=BEGIN, is_late=True)
    now = Ticking(BEGIN + 11 * DAY)
    done = remove_cases(
        [forged], Custody(data, records, a_signer(), now), LocalStore(data, Disk()), now, lambda gone: None
    )
    assert done.removed == ()
    assert "has no package with the manifest" in done.refused[0][1]
    assert (data / "evidence" / "old").is_dir()


def test_a_case_that_is_gone_does_not_come_back_from_the_spool(data: Path, records: SqlRecords) -> None:
    spool = Spool(data / "spool", Disk())
    for name in ("clip.mp4", "manifest.json", "manifest.sig", "scene-1.jpg", "trace.json"):
        folder = data / "spool" / "case-1.building" / "package"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((data / "evidence" / "case-1" / name).read_bytes())
    spool.seal("case-1", seen(records, "case-1").record)
    remove(data, records, 11)
    custody = Custody(data, records, a_signer(), Ticking(BEGIN + 12 * DAY))
    sweep(data, LocalStore(data, Disk()), custody)
    assert not (data / "evidence" / "case-1").exists()
    assert spool.sealed_ids() == ()
