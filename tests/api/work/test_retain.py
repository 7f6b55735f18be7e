"""Retention over a data folder: what a run tells goes with its cases and dates; a dry run changes nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.errors import UsageError
from api.records.outbox import tell, told_after
from api.site_file import SiteFile, parse_site_file
from api.work.data_folder import DataFolderError
from api.work.expiry import LineDamagedError
from api.work.retain import Retained, RetainRequest, as_fields, as_lines, lift_hold, place_hold, retain
from api.work.run_folder import FolderInUseError, locked
from evidence.canonical import moment
from evidence.chain import read_checkpoint
from evidence.records_sql import SqlRecords
from tests.builders.dying import Deadline, DyingDisk, KilledError
from tests.builders.sealed import a_sealed_folder, chain_of
from tests.builders.signing import BEGIN, Ticking, a_signer

DAY = timedelta(days=1)
SITE = """
site: {id: s, name: s, time_zone: Asia/Shanghai, passage_days: 30}
retention: {held: {at_least_days: 10, at_most_days: 20}}
cameras: [{id: c, size_px: [640, 360]}]
"""


def site(text: str = SITE) -> SiteFile:
    return parse_site_file(text.encode(), "s.yaml")


def event(case_id: str) -> dict[str, Any]:
    return {
        "id": case_id, "camera": "c", "t_s": 1.0, "plate": {"text": "京A12345"}, "reasons": ["exempt: 京A12345"],
        "evidence": f"evidence/{case_id}", "manifest": f"evidence/{case_id}/manifest.json", "manifest_sha256": "ab",
    }  # fmt: skip


def passage(track: int, expires_at: datetime | None, picture: str | None = None) -> dict[str, Any]:
    return {
        "camera": "c", "segment": 0, "gate": "g", "direction": "forward", "track": track, "t_s": 1.0,
        "plate": {"text": "沪A00001"}, "picture": picture,
        "expires_at": None if expires_at is None else moment(expires_at),
    }  # fmt: skip


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three cases, four passages (two are over on the eleventh day, one has no date), observations of the first day."""
    folder = a_sealed_folder(tmp_path / "data")
    write_lines(folder / "events.jsonl", [event(f"case-{number}") for number in (1, 2, 3)])
    (folder / "passages").mkdir()
    for track in (1, 3):
        (folder / "passages" / f"{track}.jpg").write_bytes(b"a picture")
    write_lines(
        folder / "passages.jsonl",
        [
            passage(1, BEGIN + 5 * DAY, "passages/1.jpg"),
            passage(2, BEGIN + 11 * DAY),
            passage(3, BEGIN + 12 * DAY, "passages/3.jpg"),
            passage(4, None),
        ],
    )
    (folder / "run.json").write_text('{"camera": "c"}', encoding="utf-8")
    with gzip.open(folder / "observations.jsonl.gz", "wt", encoding="utf-8") as lines:
        for second in range(3):
            lines.write(json.dumps({"captured_at": (BEGIN + timedelta(seconds=second)).isoformat()}) + "\n")
    return folder


def run(data: Path, days: float, *sites: SiteFile, dry_run: bool = False, **changes: Any) -> Retained:
    request = RetainRequest(data=data, sites=sites or (site(),), dry_run=dry_run)
    return retain(request, changes.pop("signer", a_signer()), Ticking(BEGIN + days * DAY), **changes)


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("records.sqlite-")
    }


def test_a_dry_run_says_what_would_go_and_changes_nothing(data: Path) -> None:
    before = digest(data)
    found = run(data, 11, dry_run=True, signer=None)
    assert digest(data) == before
    assert list(as_lines(found)) == [
        "would go case-1 (held)",
        "would go case-2 (held)",
        "would go case-3 (held)",
        "2 passages would go, 1 of them with a picture",
        "1 passages have no date (no wall clock): they stay",
        "0 cases wait for their time",
    ]
    assert as_fields(found)["dry_run"] is True
    assert [each["late"] for each in as_fields(run(data, 21, dry_run=True))["due"]] == [True] * 3


def test_what_may_go_goes_and_what_may_not_stays(data: Path) -> None:
    place_hold(data, "case-2", reason="appeal", by="court", now=Ticking())
    found = run(data, 11)
    assert list(as_lines(found)) == [
        "removed  case-1 (held)",
        "removed  case-3 (held)",
        "held     case-2: its time is over, its legal hold keeps it",
        "2 passages went, 1 of them with a picture",
        "1 passages have no date (no wall clock): they stay",
        "0 cases wait for their time",
    ]
    assert found.is_done
    one, two, three = read_lines(data / "events.jsonl")
    assert two == event("case-2")
    nameless: dict[str, Any] = {"plate": None, "reasons": [], "evidence": None, "manifest": None}
    assert (one, three) == ({**event("case-1"), **nameless}, {**event("case-3"), **nameless})
    assert [row["track"] for row in read_lines(data / "passages.jsonl")] == [3, 4]
    assert [path.name for path in (data / "passages").iterdir()] == ["3.jpg"]
    last = (chain_of(data) / "checkpoints.jsonl").read_bytes().splitlines()[-1]
    assert read_checkpoint(last).count == 5, "the tombstones are below a checkpoint"
    assert as_fields(found)["removed"] == ["case-1", "case-3"]
    lift_hold(data, "case-2", by="court", now=Ticking())
    assert next(as_lines(run(data, 11.5))) == "removed  case-2 (held)"


def test_a_run_that_is_not_finished_forgets_too(data: Path) -> None:
    (data / "checkpoint").mkdir()
    record = {
        "segment": 0,
        "events": [event("case-1"), event("other")],
        "passages": [passage(1, BEGIN + 5 * DAY, "passages/1.jpg"), passage(3, BEGIN + 12 * DAY)],
    }
    path = data / "checkpoint" / "source-0000.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    for name in ("events.jsonl", "passages.jsonl"):
        (data / name).unlink()
    found = run(data, 11)
    assert (found.passages.passages, found.passages.pictures) == (1, 1)
    left = json.loads(path.read_text(encoding="utf-8"))
    assert [row["plate"] is None for row in left["events"]] == [True, False]
    assert [row["track"] for row in left["passages"]] == [3]
    assert not (data / "passages" / "1.jpg").exists()


@pytest.mark.parametrize(("days", "go"), [(29.9, False), (30.1, True)])
def test_observations_go_when_passages_of_their_last_frame_would(data: Path, days: float, go: bool) -> None:
    assert run(data, days).observations is go
    assert (data / "observations.jsonl.gz").exists() is not go


def test_observations_stay_while_a_case_is_held_or_nobody_knows_their_date(data: Path) -> None:
    place_hold(data, "case-2", reason="appeal", by="court", now=Ticking())
    assert not run(data, 100).observations
    lift_hold(data, "case-2", by="court", now=Ticking())
    other = site(SITE.replace("id: c", "id: d"))
    assert not run(data, 100, other).observations, "its camera is of no given site"
    with gzip.open(data / "observations.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.write('{"captured_at": null}\n')
    assert not run(data, 100).observations
    (data / "observations.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(LineDamagedError, match=r"observations.jsonl.gz:0: is no line of ours"):
        run(data, 100)


def test_a_crash_while_passages_go_leaves_no_picture_without_a_line(data: Path) -> None:
    for step in range(60):
        try:
            run(data, 11, disk=DyingDisk(Deadline(step)))
        except KilledError:
            tracks = {row["track"] for row in read_lines(data / "passages.jsonl")}
            pictures = {int(path.stem) for path in (data / "passages").iterdir()}
            assert pictures <= tracks
            continue
        assert step > 3
        break
    assert [row["track"] for row in read_lines(data / "passages.jsonl")] == [3, 4]
    with closing(SqlRecords(data / "records.sqlite")) as records:
        assert records.half_removed() == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("events.jsonl", "{"),
        ("passages.jsonl", "[]"),
        ("passages.jsonl", json.dumps({"camera": "c"})),
        ("passages.jsonl", json.dumps(passage(1, BEGIN, "../records.sqlite"))),
        ("passages.jsonl", json.dumps(passage(1, BEGIN, "passages/.."))),
    ],
)
def test_a_damaged_line_is_named_and_nothing_of_its_file_is_changed(data: Path, name: str, line: str) -> None:
    with (data / name).open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")
    before = (data / name).read_bytes()
    with pytest.raises(LineDamagedError, match=name):
        run(data, 11)
    assert (data / name).read_bytes() == before
    assert len(list((data / "evidence").iterdir())) == 3, "the cases do not go either"
    assert (data / "records.sqlite").exists()


def test_what_stays_for_want_of_a_period_is_said(data: Path) -> None:
    text = SITE.replace("held:", "open:")
    assert next(as_lines(run(data, 11, site(text)))) == (
        "stays    3 held of site s: its site file gives no period (retention: held)"
    )
    other = site(SITE.replace("id: s", "id: t"))
    assert next(as_lines(run(data, 11, other))) == "stays    3 of site s: give its site file with --site"
    with pytest.raises(UsageError, match="site s has other periods here than in another --site"):
        run(data, 11, site(), site(text))


def test_tombstones_need_the_key_that_signs_here(data: Path) -> None:
    before = digest(data)
    with pytest.raises(UsageError, match="each deletion needs a signed tombstone; set STOPLINE_KEYS"):
        run(data, 11, signer=None)
    assert digest(data) == before
    run(data, 9, signer=None)


def test_a_folder_in_use_or_without_records_is_refused(data: Path, tmp_path: Path) -> None:
    with locked(data), pytest.raises(FolderInUseError):
        run(data, 11)
    with pytest.raises(DataFolderError):
        run(tmp_path, 11)
    with pytest.raises(UsageError, match="has no case nobody"):
        place_hold(data, "nobody", reason="x", by="court", now=Ticking())
    with pytest.raises(UsageError, match="has no case nobody"):
        lift_hold(data, "nobody", by="court", now=Ticking())


def test_events_are_forgotten_after_thirty_days(data: Path) -> None:
    with closing(SqlRecords(data / "records.sqlite")) as records, records.database.write() as tx:
        for days in (0, 5):
            tell(tx, kind="case.changed", subject=f"day-{days}", site_id=None, at=BEGIN + days * DAY)
    run(data, 31)
    with closing(SqlRecords(data / "records.sqlite")) as records, records.database.read() as tx:
        assert [event.subject for event in told_after(tx, 0, 9)] == ["day-5"]
