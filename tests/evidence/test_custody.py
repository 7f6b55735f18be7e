"""A chain has every case once, in order, in the records and in its file, whatever broke; checkpoints say how far it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidence.chain import NO_LINK, LinkKind, read_checkpoint, read_link
from evidence.chain_file import CHECKPOINTS, LINKS
from evidence.custody import ChainForkedError, Custody, TombstoneError
from evidence.database import RecordsError
from evidence.durable import Disk
from evidence.records import CaseRecord
from evidence.records_sql import SqlRecords
from evidence.signing import SignedFormError
from tests.builders.signing import BEGIN, Ticking, a_custody, a_signer
from tests.evidence.test_delivery import a_record, narrow_disk


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecords]:
    with closing(SqlRecords(tmp_path / "records.sqlite")) as made:
        yield made


def record(number: int, camera_id: str = "c") -> CaseRecord:
    return a_record(f"case-{number}", manifest_sha256=f"{number:064x}", camera_id=camera_id)


def the_chain(folder: Path) -> Path:
    (found,) = (folder / "custody").iterdir()
    return found


def lines_of(folder: Path, name: str = LINKS) -> list[bytes]:
    return (the_chain(folder) / name).read_bytes().splitlines()


def test_each_case_has_one_link_that_names_the_one_before(tmp_path: Path, records: SqlRecords) -> None:
    custody = a_custody(tmp_path, records)
    assert [custody.add_case(record(number)) for number in (1, 2, 2, 3, 1)] == [
        True,
        True,
        False,
        True,
        False,
    ]
    links = [read_link(line) for line in lines_of(tmp_path)]
    assert [(link.number, link.kind, link.manifest_sha256) for link in links] == [
        (number, LinkKind.CASE, f"{number:064x}") for number in (1, 2, 3)
    ]
    assert [link.previous_sha256 for link in links] == [NO_LINK, links[0].sha256, links[1].sha256]
    assert all(link.signed.is_genuine and link.signed.signature.key == a_signer().public for link in links)
    assert links[0].at < links[1].at and links[0].at >= BEGIN
    assert list(records.links(links[0].chain_id)) == links
    assert b"case-1" not in (the_chain(tmp_path) / LINKS).read_bytes(), "a link names no case"


def test_each_camera_has_its_own_chain_also_after_reopening(tmp_path: Path, records: SqlRecords) -> None:
    for number, camera in enumerate(("a", "a-0123456789abcdef", "b", "a")):
        a_custody(tmp_path, records).add_case(record(number, camera))
    folders = sorted((tmp_path / "custody").iterdir())
    counts = {path.name[:-17]: len((path / LINKS).read_bytes().splitlines()) for path in folders}
    assert counts == {"a": 2, "a-0123456789abcdef": 1, "b": 1}
    assert records.chain_ids() == tuple(path.name for path in folders)


def test_record_and_link_are_one_transaction(tmp_path: Path, records: SqlRecords) -> None:
    def no_link(head: object) -> object:
        raise RuntimeError("died while signing")

    with pytest.raises(RuntimeError):
        records.add_case(record(1), "chain", no_link)  # type: ignore[arg-type]
    assert records.case("case-1") is None
    assert records.chain_ids() == ()


def test_a_case_that_stands_with_another_manifest_gets_no_link(tmp_path: Path, records: SqlRecords) -> None:
    custody = a_custody(tmp_path, records)
    custody.add_case(record(1))
    assert not custody.add_case(replace(record(1), manifest_sha256="ab" * 32))
    assert len(lines_of(tmp_path)) == 1


@pytest.mark.parametrize("left", [0, 1, 40, 10_000])
def test_what_a_crash_left_of_the_last_line_is_written_again(
    tmp_path: Path, records: SqlRecords, left: int
) -> None:
    custody = a_custody(tmp_path, records)
    custody.add_case(record(1))
    custody.add_case(record(2))
    path = the_chain(tmp_path) / LINKS
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: min(first + left, len(whole) - 1)])
    a_custody(tmp_path, records).add_case(record(2))
    assert path.read_bytes() == whole
    path.unlink()
    a_custody(tmp_path, records).add_case(record(3))
    assert path.read_bytes().startswith(whole) and len(lines_of(tmp_path)) == 3


def test_lost_records_get_the_links_of_the_file(tmp_path: Path) -> None:
    with closing(SqlRecords(tmp_path / "records.sqlite")) as records:
        custody = a_custody(tmp_path, records)
        custody.add_case(record(1))
        custody.add_case(record(2))
    before = (the_chain(tmp_path) / LINKS).read_bytes()
    with closing(SqlRecords(tmp_path / "new.sqlite")) as records:
        assert a_custody(tmp_path, records).add_case(record(2))
        assert (the_chain(tmp_path) / LINKS).read_bytes() == before, "no second link for the same package"
        assert len(records.links(the_chain(tmp_path).name)) == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: [lines[1], lines[0]], "link 1 of chain .*: the file has another one than the records"),
        (lambda lines: [lines[0], lines[1].replace(b"000Z", b"001Z")], "link 2"),
    ],
)
def test_a_file_that_contradicts_the_records_stops_everything(
    tmp_path: Path, records: SqlRecords, change: object, why: str
) -> None:
    clock = Ticking(BEGIN - timedelta(milliseconds=1))
    custody = Custody(tmp_path, records, a_signer(), clock)
    for number in (1, 2):
        clock.at = BEGIN - timedelta(milliseconds=1)
        custody.add_case(record(number))
    path = the_chain(tmp_path) / LINKS
    changed = b"".join(line + b"\n" for line in change(lines_of(tmp_path)))  # type: ignore[operator]
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(ChainForkedError, match=why):
        a_custody(tmp_path, records).add_case(record(3))
    assert path.read_bytes() == changed and records.case("case-3") is None


def test_lost_records_take_no_link_that_does_not_follow(tmp_path: Path) -> None:
    with closing(SqlRecords(tmp_path / "records.sqlite")) as records:
        for number in (1, 2, 3):
            a_custody(tmp_path, records).add_case(record(number))
    path, (first, second, third) = the_chain(tmp_path) / LINKS, lines_of(tmp_path)
    forged = json.loads(second)
    forged["manifest_sha256"] = "ab" * 32
    forged_line = json.dumps(forged, sort_keys=True, separators=(",", ":")).encode()
    for lines, why in (
        ([first, third], "link 2 .* does not follow"),
        ([first, forged_line], "link 2 .* signature does not fit"),
        ([b"{}"], "link 1 .* cannot be read"),
    ):
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        with closing(SqlRecords(tmp_path / "new.sqlite")) as records:
            with pytest.raises(ChainForkedError, match=why):
                a_custody(tmp_path, records).add_case(record(4))
            assert records.chain_ids() == ()


def test_a_full_disk_leaves_the_link_for_later(tmp_path: Path, records: SqlRecords) -> None:
    a_custody(tmp_path, records).add_case(record(1))
    before = (the_chain(tmp_path) / LINKS).read_bytes()
    with pytest.raises(Exception, match="disk is full"):
        a_custody(tmp_path, records, narrow_disk(100)).add_case(record(2))
    assert records.case("case-2") is not None
    a_custody(tmp_path, records).add_case(record(2))
    assert (the_chain(tmp_path) / LINKS).read_bytes().startswith(before)
    assert [read_link(line).number for line in lines_of(tmp_path)] == [1, 2]


def test_a_tombstone_follows_its_case_once(tmp_path: Path, records: SqlRecords) -> None:
    custody = a_custody(tmp_path, records)
    custody.add_case(record(1))
    link = custody.add_tombstone("c", f"{1:064x}")
    assert (link.number, link.kind) == (2, LinkKind.TOMBSTONE)
    assert custody.add_tombstone("c", f"{1:064x}") == link
    assert [read_link(line) for line in lines_of(tmp_path)][1:] == [link]
    assert not custody.add_case(record(1)), "the case keeps its one link"
    assert len(lines_of(tmp_path)) == 2
    with pytest.raises(TombstoneError):
        custody.add_tombstone("c", "ab" * 32)


def test_checkpoints_say_how_far_the_chain_is(tmp_path: Path, records: SqlRecords) -> None:
    custody = a_custody(tmp_path, records)
    none = custody.checkpoint("c")
    assert (none.count, none.head_sha256) == (0, NO_LINK)
    custody.add_case(record(1))
    one = custody.checkpoint("c")
    assert one.signed.is_genuine and one.chain_id == the_chain(tmp_path).name
    assert (one.count, one.head_sha256) == (1, read_link(lines_of(tmp_path)[0]).sha256)
    assert [read_checkpoint(line) for line in lines_of(tmp_path, CHECKPOINTS)] == [none, one]


def test_a_checkpoint_is_made_at_least_daily_also_where_nothing_happens(
    tmp_path: Path, records: SqlRecords
) -> None:
    clock = Ticking()
    custody = Custody(tmp_path, records, a_signer(), clock)
    custody.advance("c")
    for hours in range(1, 73):
        clock.at = BEGIN + timedelta(hours=hours)
        custody.advance("c")
    times = [read_checkpoint(line).at for line in lines_of(tmp_path, CHECKPOINTS)]
    assert len(times) == 3
    gaps = [after - before for before, after in zip([BEGIN, *times], times, strict=False)]
    assert max(gaps) <= timedelta(hours=24, seconds=1)
    clock.at = BEGIN + timedelta(hours=80)
    again = Custody(tmp_path, records, a_signer(), clock)
    again.advance("c")
    assert len(lines_of(tmp_path, CHECKPOINTS)) == 3, "reopened, it knows when the last one was made"
    clock.at = BEGIN + timedelta(hours=97)
    again.advance("c")
    assert len(lines_of(tmp_path, CHECKPOINTS)) == 4


def test_records_that_refuse_leave_the_file_as_it_was(tmp_path: Path, records: SqlRecords) -> None:
    custody = a_custody(tmp_path, records)
    custody.add_case(record(1))
    before = (the_chain(tmp_path) / LINKS).read_bytes()
    link = records.links(the_chain(tmp_path).name)[0]
    with pytest.raises(RecordsError):
        records.keep_links([link])
    assert (the_chain(tmp_path) / LINKS).read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": True},
        {"number": "1"},
        {"kind": "other"},
        {"at": "2026-03-02T08:00:00Z"},
        {"at": None},
        {"manifest_sha256": "AB" * 32},
        {"previous_sha256": 1},
        {"chain": 1},
        {"extra": 1},
        {"format": "stopline-link/2"},
        {"public_key": "ab"},
        {"signature": "zz" * 64},
    ],
)
def test_a_line_that_is_no_link_is_refused(
    tmp_path: Path, records: SqlRecords, change: dict[str, object]
) -> None:
    a_custody(tmp_path, records).add_case(record(1))
    fields = json.loads(lines_of(tmp_path)[0])
    line = json.dumps({**fields, **change}, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(SignedFormError):
        read_link(line)
    read_link(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


def test_appending_counts_only_what_is_whole(tmp_path: Path) -> None:
    disk = Disk()
    path = tmp_path / "file"
    disk.append(path, 0, b"one\n")
    path.write_bytes(b"one\nhalf")
    disk.append(path, 4, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
