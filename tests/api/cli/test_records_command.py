"""``stopline records``: backup, restore and the move to PostgreSQL, as an operator types them."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from api.cli.exit_codes import ExitCode
from api.cli.main import main
from api.work.data_folder import open_records
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from tests.evidence.test_records_sql import CONFIRMED, RECORD


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    with closing(SqlRecords(folder / "records.sqlite")) as records:
        records.add_case(RECORD)
        records.decide("c1", CONFIRMED)
    return folder


def decided(folder: Path) -> list[tuple[str, str]]:
    with closing(open_records(folder)) as records:
        page = records.page(CaseFilter(), after_number=None, limit=9)
        return [(case.record.id, case.decision.value) for case in page]


def test_what_was_backed_up_is_restored_elsewhere(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, new = tmp_path / "backup.gz", tmp_path / "new"
    assert main(["records", "backup", "--data", str(data), str(file)]) == ExitCode.OK
    assert main(["records", "restore", "--data", str(new), str(file)]) == ExitCode.OK
    written, restored = capsys.readouterr().out.splitlines()
    rows = written.partition(" ")[0]
    assert int(rows) >= 2, "the case and its review"
    assert restored.startswith(f"{rows} rows of records restored")
    assert decided(new) == [("c1", "confirmed")]
    assert main(["records", "restore", "--data", str(new), str(file)]) == ExitCode.INPUT_UNREADABLE
    assert "is not new" in capsys.readouterr().err


def test_a_backup_of_nothing_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["records", "backup", "--data", str(tmp_path), str(tmp_path / "b")]) == ExitCode.USAGE
    assert "holds no records" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_a_damaged_backup_makes_no_records(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, new = tmp_path / "backup.gz", tmp_path / "new"
    main(["records", "backup", "--data", str(data), str(file)])
    file.write_bytes(file.read_bytes()[:-20])
    assert main(["records", "restore", "--data", str(new), str(file)]) == ExitCode.INPUT_UNREADABLE
    assert str(file) in capsys.readouterr().err
    assert not (new / "records.sqlite").exists()


def test_moved_records_are_in_the_database_from_then_on(
    data: Path, postgresql_address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["records", "move", "--data", str(data), postgresql_address]) == ExitCode.OK
    assert re.match(r"[0-9]+ rows of records moved", capsys.readouterr().out)
    assert not (data / "records.sqlite").exists()
    assert (data / "moved-records.sqlite").is_file()
    assert decided(data) == [("c1", "confirmed")]
    assert main(["records", "move", "--data", str(data), postgresql_address]) == ExitCode.USAGE
    assert "already" in capsys.readouterr().err


def test_a_password_is_never_written_down(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "postgresql://u:secret@127.0.0.1:1/n"
    assert main(["records", "move", "--data", str(data), address]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert "secret" not in told.out + told.err
    assert decided(data) == [("c1", "confirmed")]


def test_a_database_that_does_not_answer_changes_nothing(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["records", "move", "--data", str(data), "postgresql://u@127.0.0.1:1/n"]) == ExitCode.SERVER
    assert "does not answer" in capsys.readouterr().err
    assert decided(data) == [("c1", "confirmed")]
