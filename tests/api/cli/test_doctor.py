"""``stopline doctor`` as an operator reads it: what is well, what wants a look, what is ill and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.exit_codes import ExitCode
from api.cli.main import main
from evidence.records_sql import SqlRecords


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    SqlRecords(folder / "records.sqlite").close()
    return folder


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    """Verdict and detail by what was looked at."""
    found = {}
    for line in capsys.readouterr().out.splitlines():
        if not line.startswith(" "):
            verdict, _, rest = line.partition(" ")
            what, _, detail = rest.strip().partition(": ")
            found[what] = (verdict, detail)
    return found


def test_a_sound_folder_is_well(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in data.iterdir())
    assert main(["doctor", "--data", str(data)]) == ExitCode.OK
    found = told(capsys)
    assert found["records"] == ("well", "in SQLite, with this version's tables")
    assert found["evidence store"][0] == "well"
    assert found["python"][0] == "well"
    assert found["model default-detector"][0] == "well"
    assert found["signing key"][0] == "look"
    assert sorted(path.name for path in data.iterdir()) == before, "nothing was changed"


def test_records_that_broke_are_ill_and_the_way_on_is_said(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "records.sqlite").write_bytes(b"no database" * 999)
    assert main(["doctor", "--data", str(data)]) == ExitCode.CONFIG_INVALID
    out = capsys.readouterr().out
    assert "ill   records:" in out
    assert "→ restore them from a backup" in out


def test_a_database_that_is_away_is_ill(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "database.json").write_text(
        '{"format": "stopline-database/1", "address": "postgresql://u@127.0.0.1:1/n"}'
    )
    assert main(["doctor", "--data", str(data)]) == ExitCode.CONFIG_INVALID
    assert "does not answer" in told(capsys)["records"][1]


def test_a_folder_that_is_none_is_ill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--data", str(tmp_path / "nowhere")]) == ExitCode.CONFIG_INVALID
    assert told(capsys)["data folder"][0] == "ill"


def test_models_and_keys_that_are_wrong_are_ill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOPLINE_MODELS", str(tmp_path))
    monkeypatch.setenv("STOPLINE_KEYS", str(tmp_path / "keys"))
    assert main(["doctor"]) == ExitCode.CONFIG_INVALID
    found = told(capsys)
    assert found["models"][0] == "ill"
    assert found["signing key"][0] == "ill"


def test_a_key_that_ends_soon_wants_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = str(tmp_path / "keys")
    assert main(["keys", "generate", "--keys", keys, "--label", "Test", "--valid-days", "9"]) == ExitCode.OK
    capsys.readouterr()
    monkeypatch.setenv("STOPLINE_KEYS", keys)
    assert main(["doctor"]) == ExitCode.OK
    assert told(capsys)["signing key"][0] == "look"
