"""Passages: taken from journals once, searched for a purpose that is audited first, and gone when their time is over."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects import sqlite

from api.records import audit, passages
from api.records.passages import PASSAGES, PassagePlace, PassageQuery, StoredPassage, page_query
from api.work.access import Role
from api.work.case_sight import Actor
from api.work.event_lines import passage_fields
from api.work.live_journal import FOLDER, LiveJournal
from api.work.live_journal import PASSAGES as FILE
from api.work.passage_journals import PassageJournals
from api.work.passage_search import (
    PassagePictureGoneError,
    PassageSearch,
    PassageUnknownError,
    Purpose,
    Reason,
)
from api.work.plate_key import PlateKey
from evidence.canonical import sha256_hex
from evidence.database import Database, migrate
from evidence.passage_file import PassagePicture
from evidence.records_backup import restore_backup, write_backup
from rules.finding import Passage, PlateResult
from rules.observation import ClockSource, FrameStamp, ObjectClass
from tests.api.work.test_casework import person

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WHY = Reason(purpose=Purpose.STOLEN_VEHICLE, reference="2026/118-3")
PLATE = "浙A8254S"
LI = person("Li")
SITES = {"gate-1": "north-entry", "gate-2": "south-entry"}


def passed(number: int, *, camera: str = "gate-1", plate: str | None = PLATE, dated: bool = True) -> Passage:
    """The vehicle of that track, which passed so many seconds after noon."""
    stamp = FrameStamp(
        camera_id=camera,
        segment=1,
        index=number * 25,
        media_s=float(number),
        captured_at=NOON + timedelta(seconds=number) if dated else None,
        clock_source=ClockSource.DECLARED if dated else ClockSource.NONE,
        error_s=0.5,
    )
    return Passage(
        camera_id=camera,
        track_id=number,
        object_class=ObjectClass.CAR,
        gate_id="gate",
        direction="forward",
        lane=2,
        t_s=float(number),
        at_px=(10.0, 20.0),
        plate=None if plate is None else read(plate, stamp),
        snapshot=None,
        stamp=stamp,
    )


def read(text: str, stamp: FrameStamp) -> PlateResult:
    return PlateResult(
        text=text,
        confidence=0.9,
        char_confidences=(0.9,) * len(text),
        alternatives=(),
        readings=1,
        stamp=stamp,
        corners_px=((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0)),
    )


def write(data: Path, *found: Passage, keep_days: int = 30, picture: PassagePicture | None = None) -> None:
    for one in found:
        journal = LiveJournal(data, one.camera_id, lambda: NOON, lambda lines: None)
        journal.add(FILE, passage_fields(one, keep_days, picture))


def journals(data: Path, database: Database) -> PassageJournals:
    return PassageJournals(data, database, SITES.get)


def count(database: Database) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(PASSAGES)).scalar_one())


def a_search(data: Path, database: Database, now: Callable[[], datetime] = lambda: NOON) -> PassageSearch:
    return PassageSearch(data, database, PlateKey(data), now)


def found(search: PassageSearch, by: Actor = LI, **wanted: Any) -> list[str]:
    page = search.page(by, WHY, PassageQuery(now=NOON, **wanted), None, 50)
    return [f"{one.camera_id} {one.id.split('-t')[1].split('-')[0]}" for _, one in page]


def last_line(database: Database) -> dict[str, Any]:
    with database.read() as tx:
        line: dict[str, Any] = json.loads(list(audit.lines(tx))[-1].line)
    return line


def test_each_line_is_taken_once_whoever_takes_it_and_whenever(tmp_path: Path, database: Database) -> None:
    taker = journals(tmp_path, database)
    assert taker.keep(), "there is no journal yet"
    write(tmp_path, passed(1), passed(2))
    assert taker.keep() and taker.keep()
    assert count(database) == 2
    write(tmp_path, passed(3), passed(4, camera="gate-2"), passed(5, camera="gone"))
    assert journals(tmp_path, database).keep(), "another watch goes on where the last one was"
    assert count(database) == 4, "nobody knows the site of a camera that is not published"
    with database.write() as tx:
        tx.execute(passages.PASSAGE_FILES.delete())
    assert journals(tmp_path, database).keep()
    assert count(database) == 4, "a line that is read twice is one passage"


def test_a_line_that_is_being_written_waits_and_one_that_a_crash_cut_is_passed_over(
    tmp_path: Path, database: Database
) -> None:
    write(tmp_path, passed(1))
    path = tmp_path / FOLDER / "gate-1" / "2026-03-02" / FILE
    whole = path.read_text("utf-8")
    path.write_text(whole + whole.replace('"track": 1', '"track": 2')[:40], encoding="utf-8")
    taker = journals(tmp_path, database)
    assert not taker.keep()
    assert count(database) == 1
    with path.open("a", encoding="utf-8") as file:
        file.write("\n[1]\n")
    write(tmp_path, passed(3), passed(4, dated=False))
    assert taker.keep()
    assert found(a_search(tmp_path, database)) == ["gate-1 3", "gate-1 1"]


def test_while_the_records_are_away_the_journal_waits(tmp_path: Path) -> None:
    database = Database(tmp_path / "records.sqlite")
    taker = journals(tmp_path, database)
    write(tmp_path, passed(1))
    away = tmp_path / "away"
    database.close()
    (tmp_path / "records.sqlite").rename(away)
    (tmp_path / "records.sqlite").mkdir()
    assert not taker.keep()
    (tmp_path / "records.sqlite").rmdir()
    away.rename(tmp_path / "records.sqlite")
    assert taker.keep()
    assert count(database) == 1
    database.close()


@pytest.fixture
def searched(tmp_path: Path, database: Database) -> PassageSearch:
    write(
        tmp_path,
        passed(1),
        passed(2, plate="沪B12399"),
        passed(3, plate=None),
        passed(4, camera="gate-2"),
        passed(5, camera="gate-2", plate="沪B12399"),
    )
    assert journals(tmp_path, database).keep()
    return a_search(tmp_path, database)


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ({}, ["gate-2 5", "gate-2 4", "gate-1 3", "gate-1 2", "gate-1 1"]),
        ({"plate": PLATE}, ["gate-2 4", "gate-1 1"]),
        ({"plate": PLATE[:-1]}, []),
        ({"site_id": "north-entry"}, ["gate-1 3", "gate-1 2", "gate-1 1"]),
        ({"camera_id": "gate-2"}, ["gate-2 5", "gate-2 4"]),
        ({"gate_id": "other"}, []),
        ({"direction": "backward"}, []),
        ({"direction": "forward", "site_id": "south-entry"}, ["gate-2 5", "gate-2 4"]),
        (
            {"since": NOON + timedelta(seconds=2), "until": NOON + timedelta(seconds=4)},
            ["gate-1 3", "gate-1 2"],
        ),
    ],
)
def test_each_filter_lists_its_passages_the_latest_first_page_by_page(
    searched: PassageSearch, wanted: dict[str, Any], there: list[str]
) -> None:
    assert found(searched, **wanted) == there
    for who in (LI, person("Sun", sites=("north-entry", "south-entry"))):
        before, paged = None, []
        while page := searched.page(who, WHY, PassageQuery(now=NOON, **wanted), before, 1):
            ((number, one),) = page
            paged.append(f"{one.camera_id} {one.id.split('-t')[1].split('-')[0]}")
            before = PassagePlace(passed_at=one.passed_at, number=number)
        assert paged == there


def test_an_account_sees_its_sites_only(searched: PassageSearch) -> None:
    south = person("Sun", sites=("south-entry",))
    assert found(searched, south) == ["gate-2 5", "gate-2 4"]
    assert found(searched, south, plate=PLATE) == ["gate-2 4"]
    assert found(searched, south, camera_id="gate-1") == []
    assert found(searched, south, site_id="north-entry") == []
    assert found(searched, person("Nobody", sites=())) == []


def test_a_search_stands_in_the_audit_with_its_purpose_and_no_plate(
    searched: PassageSearch, database: Database, tmp_path: Path
) -> None:
    found(searched, plate=PLATE, camera_id="gate-1", since=NOON)
    line = last_line(database)
    assert (line["action"], line["actor_id"], line["outcome"]) == ("passages.searched", "a-Li", "done")
    first = line["facts"].pop("plate_hash")
    assert line["facts"] == {
        "purpose": "stolen_vehicle",
        "reference": "2026/118-3",
        "count": "1",
        "camera": "gate-1",
        "since": NOON.isoformat(),
    }
    found(a_search(tmp_path, database), plate=PLATE)
    assert last_line(database)["facts"]["plate_hash"] == first, "two searches for one plate can be told"
    found(searched, plate="沪B12399")
    assert last_line(database)["facts"]["plate_hash"] != first
    key = tmp_path / "audit.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert PlateKey(tmp_path / "..").hash(PLATE) != first, "another folder has another key"
    with database.read() as tx:
        assert not [text for text in audit.lines(tx) if PLATE in text.line]


def test_the_picture_is_given_after_its_audit_line_and_only_if_it_is_the_one(
    tmp_path: Path, database: Database
) -> None:
    content = b"a front"
    folder = tmp_path / FOLDER / "gate-1" / "2026-03-02"
    write(tmp_path, passed(1), picture=PassagePicture(path="passages/p.jpg", sha256=sha256_hex(content)))
    write(tmp_path, passed(2))
    assert journals(tmp_path, database).keep()
    search = a_search(tmp_path, database)
    (_, bare), (_, shown) = search.page(LI, WHY, PassageQuery(now=NOON), None, 9)
    (folder / "passages").mkdir()
    (folder / "passages" / "p.jpg").write_bytes(content)
    assert search.picture(LI, WHY, shown.id).content == content
    line = last_line(database)
    assert (line["action"], line["target"], line["site_id"]) == (
        "passage.viewed",
        f"passage:{shown.id}",
        "north-entry",
    )
    with pytest.raises(PassageUnknownError):
        search.picture(person("Sun", Role.OFFICER, ("south-entry",)), WHY, shown.id)
    assert last_line(database)["outcome"] == "refused"
    with pytest.raises(PassageUnknownError):
        search.picture(LI, WHY, "nothing")
    with pytest.raises(PassagePictureGoneError):
        search.picture(LI, WHY, bare.id)
    (folder / "passages" / "p.jpg").write_bytes(b"another")
    with pytest.raises(PassagePictureGoneError):
        search.picture(LI, WHY, shown.id)
    (folder / "passages" / "p.jpg").unlink()
    with pytest.raises(PassagePictureGoneError):
        search.picture(LI, WHY, shown.id)


def test_what_is_over_is_neither_listed_nor_shown_and_then_gone(tmp_path: Path, database: Database) -> None:
    write(tmp_path, passed(1), keep_days=1)
    write(tmp_path, passed(2), keep_days=30)
    assert journals(tmp_path, database).keep()
    (_, _), (_, first) = a_search(tmp_path, database).page(LI, WHY, PassageQuery(now=NOON), None, 9)
    later = NOON + timedelta(days=1, seconds=1)
    search = a_search(tmp_path, database, lambda: later)
    assert found(search) == ["gate-1 2"]
    with pytest.raises(PassageUnknownError):
        search.picture(LI, WHY, first.id)
    with database.write() as tx:
        assert passages.forget(tx, later) == 1
    assert count(database) == 1


STORED = StoredPassage(
    id="p",
    site_id="north-entry",
    camera_id="gate-1",
    gate_id="gate",
    direction="forward",
    lane=1,
    vehicle_class="car",
    plate_text=PLATE,
    plate_confidence=0.5,
    passed_at=NOON,
    expires_at=NOON + timedelta(days=30),
    picture_path=None,
    picture_sha256=None,
)


@pytest.mark.parametrize(
    ("wanted", "sites", "index"),
    [
        ({}, None, "ix_passages_time"),
        ({}, ("north-entry",), "ix_passages_site"),
        ({"camera_id": "gate-1", "direction": "forward"}, None, "ix_passages_camera"),
        ({"plate": PLATE, "direction": "forward"}, ("a", "b"), "ix_passages_plate"),
        ({"since": NOON}, ("north-entry",), "ix_passages_site"),
    ],
)
def test_a_page_walks_an_index_in_its_order(
    tmp_path: Path, wanted: dict[str, Any], sites: tuple[str, ...] | None, index: str
) -> None:
    query = page_query(
        PassageQuery(now=NOON, **wanted), sites, PassagePlace(passed_at=NOON, number=9), 50
    ).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with closing(Database(tmp_path / "records.sqlite")) as database, database.read() as tx:
        plan = [str(row[3]) for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert len(plan) == 1 and index in plan[0], plan


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_down_and_up_again_with_data_and_in_a_backup(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = (
        tmp_path / "records.sqlite" if kind == "sqlite" else request.getfixturevalue("postgresql_address")
    )

    def fill(database: Database) -> None:
        with database.write() as tx:
            passages.take(tx, "gate-1", "2026-03-02", 10, [STORED, replace(STORED, id="q", plate_text=None)])

    with closing(Database(address)) as database:
        fill(database)
        write_backup(database, tmp_path / "backup.gz")
    migrate(address, "0012")
    with closing(Database(address)) as database:
        assert count(database) == 0, "the journals have them"
        fill(database)
        assert count(database) == 2
    restore_backup(tmp_path / "backup.gz", tmp_path / "restored.sqlite")
    with closing(Database(tmp_path / "restored.sqlite")) as database, database.read() as tx:
        assert passages.passage_of(tx, "p") == STORED
        assert passages.taken(tx, "gate-1", "2026-03-02") == 10
