"""``stopline evidence redact`` and ``export``: what they make, exit codes, and what they say about wrong arguments and files."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import bagit
import pytest

from evidence.canonical import sha256_hex
from evidence.credentials import CredentialsError, verify_credentials
from tests.api.cli.conftest import Stopline
from tests.builders.case_folder import fill_with_chain, red_light
from tests.builders.certificates import certificate_files
from tests.builders.plate_models import plate_files
from tests.builders.sealed import a_sealed_folder, trust_file

CASE = "north-red_light-s0-f000500-t7"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A case whose manifest says where the accused vehicle is, as one of a replay does."""
    data = tmp_path / "data"
    box = (360.0, 150.0, 430.0, 230.0)
    fill_with_chain(data, [red_light(CASE, clip_s=(20.0, 20.6), accused_px=box)])
    return data


def test_redact_makes_a_copy_beside_the_original_and_export_takes_it_along(
    stopline: Stopline, data: Path, tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate_files(cache_dir)
    monkeypatch.setenv("STOPLINE_CACHE", str(cache_dir))
    package = data / "evidence" / CASE
    before = {path.name: path.read_bytes() for path in package.iterdir()}
    # The demo key of the folder signs the copies; another key signed the package.
    ran = stopline("evidence", "redact", CASE, "--data", data)
    assert (ran.code, ran.err) == (0, "")
    derived = package / "derived"
    assert ran.out == f"{CASE}: 6 files in {derived}\n"
    assert {path.name for path in derived.iterdir()} == {
        *(f"redacted-scene-{number}.jpg" for number in (1, 2, 3)),
        *("redacted-plate.jpg", "redacted-clip.mp4", "redaction.json", "list.json"),
    }
    told = json.loads((derived / "redaction.json").read_bytes())
    assert told["blocks"] == {"photos": 6, "clip": 4} and "lamp.jpg" in told["left_out"]
    assert len(told["of"]["scene-1.jpg"]["hidden_px"]) >= 1
    assert {path.name: path.read_bytes() for path in package.iterdir() if path.is_file()} == before
    assert stopline("evidence", "verify", CASE, "--data", data).code == 9, "nobody was said to be trusted"
    ran = stopline("evidence", "redact", CASE, "--data", data)
    assert ran.code == 2 and "has its redacted already" in ran.err
    ran = stopline("evidence", "export", CASE, "--data", data, "--out", tmp_path / "out", "--redacted")
    assert ran.code == 2 and "which is not among the published keys" in ran.err


def test_export_prints_where_the_bag_is(stopline: Stopline, data: Path, tmp_path: Path) -> None:
    keys = trust_file(tmp_path / "keys.json", 1)
    ran = stopline("evidence", "export", CASE, "--data", data, "--out", tmp_path / "out", "--keys", keys)
    assert (ran.code, ran.out, ran.err) == (0, f"{tmp_path / 'out' / CASE}\n", "")
    bagit.Bag(str(tmp_path / "out" / CASE)).validate()


def test_an_export_holds_copies_with_content_credentials_or_says_that_they_were_left_out(
    stopline: Stopline, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("c2pa", reason="needs the extra [c2pa]")
    keys = trust_file(tmp_path / "keys.json", 1)
    chain, key, root = certificate_files(tmp_path)
    export = ("evidence", "export", CASE, "--data", data, "--keys", keys, "--certificates", chain)
    ran = stopline(*export, "--out", tmp_path / "half")
    assert ran.code == 2 and "both, --certificates and the --key" in ran.err
    assert stopline(*export, "--key", key, "--out", tmp_path / "with").err == ""
    copies = tmp_path / "with" / CASE / "data" / "copies" / CASE
    names = {"clip.mp4", "lamp.jpg", "plate.jpg", "scene-1.jpg", "scene-2.jpg", "scene-3.jpg"}
    assert {path.name.replace(".c2pa", "") for path in copies.iterdir()} == names
    for name in names:
        copy = copies / name.replace(".", ".c2pa.")
        said = verify_credentials(copy.name, copy.read_bytes(), root.read_bytes())
        original = (data / "evidence" / CASE / name).read_bytes()
        assert (said.case_id, said.original_sha256) == (CASE, sha256_hex(original))
        changed = copy.read_bytes()[:-200] + bytes([copy.read_bytes()[-200] ^ 1]) + copy.read_bytes()[-199:]
        with pytest.raises(CredentialsError):
            verify_credentials(copy.name, changed, root.read_bytes())
    bagit.Bag(str(tmp_path / "with" / CASE)).validate()
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "c2pa":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    ran = stopline(*export, "--key", key, "--out", tmp_path / "without")
    assert ran.code == 0
    assert "left out: copies with content credentials (C2PA)" in ran.err and "'.[c2pa]'" in ran.err
    assert not (tmp_path / "without" / CASE / "data" / "copies").exists()


def test_unknown_and_damaged_cases(stopline: Stopline, data: Path, tmp_path: Path) -> None:
    for command in (("redact",), ("export", "--out", tmp_path / "out")):
        ran = stopline("evidence", *command, "nobody", "--data", data)
        assert ran.code == 2 and "nobody: there is no such folder, and no case of that id in" in ran.err
    (data / "evidence" / CASE / "clip.mp4").write_bytes(b"x")
    for command in (("redact",), ("export", "--out", tmp_path / "out")):
        ran = stopline("evidence", *command, CASE, "--data", data)
        assert ran.code == 8 and "clip.mp4: it has 1 bytes" in ran.err
        assert "so nothing is made from it" in ran.err
    assert not (data / "evidence" / CASE / "derived").exists() and not (tmp_path / "out").exists()


def test_missing_plate_models_are_said_before_anything_is_made(
    stopline: Stopline, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOPLINE_CACHE", str(tmp_path / "empty"))
    ran = stopline("evidence", "redact", CASE, "--data", data)
    assert ran.code == 3 and "model 'plate-detector'" in ran.err and "run 'stopline models pull'" in ran.err
    assert not (data / "evidence" / CASE / "derived").exists()


def test_a_package_that_does_not_say_where_the_accused_is(
    stopline: Stopline, tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate_files(cache_dir)
    monkeypatch.setenv("STOPLINE_CACHE", str(cache_dir))
    data = a_sealed_folder(tmp_path / "data", cases=1)
    ran = stopline("evidence", "redact", "case-1", "--data", data)
    assert ran.code == 2 and "no redacted copy of manifest.json can be made" in ran.err
