"""``stopline evidence`` and ``stopline keys``: outputs, exit codes, and what they say about wrong arguments and files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from api.cli.exit_codes import ExitCode
from evidence.chain_file import LINKS
from evidence.manifest import NAME
from tests.api.cli.conftest import Stopline
from tests.builders.sealed import a_sealed_folder, chain_of, trust_file
from tests.builders.signing import a_signer


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return a_sealed_folder(tmp_path / "data")


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    return trust_file(tmp_path / "trust.json", 1)


def test_what_verifies_ends_with_0(stopline: Stopline, data: Path, trust: Path) -> None:
    ran = stopline("evidence", "verify", "--all", "--data", data, "--trust", trust)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    key = a_signer().public.id
    assert lines[:3] == [
        "package case-1",
        f"  ok      manifest.sig (signature): of manifest.json: signed by {key} (office 1)",
        f"  ok      manifest.json (format, case): {(data / 'evidence/case-1' / NAME).stat().st_size} bytes",
    ]
    assert "  ok      clip.mp4 (listed, size, hash): 13 bytes" in lines
    assert lines[-2] == "  note    completeness: complete up to number 3, later ones cannot be judged"
    assert lines[-1] == "result: verified (20 in order)"
    assert stopline("evidence", "verify", data, "--trust", trust).out == ran.out, "the path of a data folder"


def test_what_does_not_verify_ends_with_8(stopline: Stopline, data: Path, trust: Path) -> None:
    (data / "evidence" / "case-2" / "clip.mp4").write_bytes(b"clip.mp4 of 3")
    ran = stopline("evidence", "verify", "--all", "--data", data, "--trust", trust)
    assert ran.code == int(ExitCode.NOT_VERIFIED) == 8
    assert "  FAILED  clip.mp4 (listed, size, hash): its SHA-256 is" in ran.out
    assert ran.out.splitlines()[-1] == "result: NOT VERIFIED (19 in order, 1 failed)"
    assert stopline("evidence", "verify", data / "evidence" / "case-2", "--trust", trust).code == 8
    assert stopline("evidence", "verify", "case-1", "--data", data, "--trust", trust).code == 0


def test_an_unknown_signer_ends_with_9(stopline: Stopline, data: Path, tmp_path: Path) -> None:
    for more in ((), ("--trust", trust_file(tmp_path / "other.json", 2))):
        ran = stopline("evidence", "verify", "--all", "--data", data, *more)
        assert ran.code == int(ExitCode.SIGNER_UNKNOWN) == 9
        assert "SIGNER UNKNOWN: everything fits together" in ran.out
    (data / "evidence" / "case-2" / "clip.mp4").unlink()
    assert stopline("evidence", "verify", "--all", "--data", data).code == 8


def test_json_says_the_same(stopline: Stopline, data: Path, trust: Path) -> None:
    ran = stopline("evidence", "verify", "case-3", "--data", data, "--trust", trust, "--json")
    document = json.loads(ran.out)
    assert (document["format"], document["result"]) == ("stopline-verification/1", "verified")
    assert document["checks"] == {"ok": 7, "failed": 0, "unknown_signer": 0, "note": 1}
    assert document["parts"][0]["checks"][2] == {
        "subject": "clip.mp4",
        "checked": ["listed", "size", "hash"],
        "state": "ok",
        "says": "13 bytes",
    }


def test_a_package_alone_is_verified_with_links_and_checkpoint(
    stopline: Stopline, data: Path, trust: Path, tmp_path: Path
) -> None:
    alone = shutil.copytree(data / "evidence" / "case-2", tmp_path / "out" / "case-2")
    links = shutil.copy(chain_of(data) / LINKS, tmp_path / "links.jsonl")
    checkpoint = shutil.copy(chain_of(data) / "checkpoints.jsonl", tmp_path / "checkpoint.jsonl")
    ran = stopline("evidence", "verify", alone, "--trust", trust)
    assert ran.code == 0 and "no chain is here" in ran.out
    ran = stopline(
        "evidence", "verify", alone, "--trust", trust, "--chain", links, "--checkpoint", checkpoint
    )
    assert ran.code == 0 and "link 2 (manifest hash, link, neighbours)" in ran.out
    assert "complete up to number 3, as of" in ran.out
    shutil.rmtree(alone)
    alone.mkdir()
    ran = stopline("evidence", "verify", alone)
    assert ran.code == ExitCode.INPUT_UNREADABLE and "give a package's folder" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), ExitCode.USAGE, "say what to verify"),
        (("nothing",), ExitCode.USAGE, "no case of that id"),
        (("../x",), ExitCode.USAGE, "no case of that id"),
        (("--all", "--data", "nowhere"), ExitCode.INPUT_UNREADABLE, "holds neither evidence/ nor custody/"),
        (("--all", "--trust", "nokeys"), ExitCode.CONFIG_INVALID, "nokeys: cannot be read"),
        (("case-1", "--chain", "nolinks"), ExitCode.INPUT_UNREADABLE, "is no file of links"),
        (("--all", "--checkpoint", "none"), ExitCode.INPUT_UNREADABLE, "the checkpoint cannot be read"),
    ],
)
def test_wrong_arguments_are_named(
    stopline: Stopline,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: ExitCode,
    words: str,
) -> None:
    monkeypatch.chdir(data)
    ran = stopline("evidence", "verify", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err


def test_keys_are_made_changed_listed_and_published(
    stopline: Stopline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, out = tmp_path / "keys", tmp_path / "trust.json"
    made = stopline("keys", "generate", "--keys", keys, "--label", "District 3")
    assert made.code == 0 and "STOPLINE_KEYS=" in made.err
    first = made.out.split()[0]
    monkeypatch.setenv("STOPLINE_KEYS", str(keys))
    assert stopline("keys", "generate", "--label", "again").code == ExitCode.CONFIG_INVALID
    second = stopline("keys", "rotate", "--valid-days", 30).out.split()[0]
    table = stopline("keys", "list").out.splitlines()
    assert [line.split()[:2] for line in table] == [[first, "past"], [second, "signs"]]
    rows = [json.loads(line) for line in stopline("keys", "list", "--format", "jsonl").out.splitlines()]
    assert [(row["id"], row["signs"], row["label"]) for row in rows] == [
        (first, False, "District 3"),
        (second, True, "District 3"),
    ]
    assert rows[1]["valid_until"] is not None
    printed = stopline("keys", "publish").out
    for _ in range(2):
        assert stopline("keys", "publish", "--out", out).code == 0
    assert out.read_text() == printed and "PRIVATE" not in printed


def test_keys_need_a_folder(stopline: Stopline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOPLINE_KEYS", raising=False)
    ran = stopline("keys", "list")
    assert ran.code == ExitCode.USAGE and "--keys DIR, or set STOPLINE_KEYS" in ran.err
    ran = stopline("keys", "publish", "--keys", tmp_path)
    assert ran.code == ExitCode.USAGE and "holds no key yet" in ran.err
    ran = stopline("keys", "rotate", "--keys", tmp_path)
    assert ran.code == ExitCode.CONFIG_INVALID and "keys generate" in ran.err


def test_the_passphrase_comes_from_a_file_that_is_named(
    stopline: Stopline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n", encoding="utf-8")
    monkeypatch.setenv("STOPLINE_SIGNING_PASSPHRASE_FILE", str(secret))
    assert stopline("keys", "generate", "--keys", tmp_path / "keys", "--label", "x").code == 0
    (pem,) = (tmp_path / "keys").glob("*.pem")
    assert b"ENCRYPTED" in pem.read_bytes()


SITE = """
site: {id: s, name: s, time_zone: Asia/Shanghai}
retention: {held: {at_least_days: 0, at_most_days: 3}}
cameras: [{id: c, size_px: [640, 360]}]
"""


def test_a_case_under_hold_stays_and_goes_when_it_is_released(
    stopline: Stopline, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    assert stopline("keys", "generate", "--keys", keys, "--label", "office").code == 0
    monkeypatch.setenv("STOPLINE_KEYS", str(keys))
    site = tmp_path / "s.yaml"
    site.write_text(SITE, encoding="utf-8")
    held = stopline("evidence", "hold", "case-2", "--data", data, "--by", "court", "--reason", "appeal")
    assert (held.code, held.out) == (0, "case-2 is under legal hold\n")
    again = stopline("evidence", "hold", "case-2", "--data", data, "--by", "court", "--reason", "appeal")
    assert again.code == int(ExitCode.USAGE)
    assert "case-2 is held already, by court" in again.err
    dry = stopline("evidence", "retain", "--data", data, "--site", site, "--dry-run")
    assert dry.code == 0
    assert "would go case-1 (held, late" in dry.out
    assert (data / "evidence" / "case-1").is_dir()
    ran = stopline("evidence", "retain", "--data", data, "--site", site, "--json")
    assert ran.code == 0
    said = json.loads(ran.out)
    assert (said["removed"], said["held"]) == (["case-1", "case-3"], ["case-2"])
    assert stopline("evidence", "verify", "--all", "--data", data).code == int(ExitCode.SIGNER_UNKNOWN)
    assert stopline("evidence", "release", "case-2", "--data", data, "--by", "court").code == 0
    ran = stopline("evidence", "retain", "--data", data, "--site", site)
    assert "removed  case-2" in ran.out
    gone = stopline("evidence", "hold", "case-2", "--data", data, "--by", "court", "--reason", "appeal")
    assert gone.code == int(ExitCode.USAGE)
    assert "case case-2 was removed on" in gone.err


def test_retention_that_cannot_be_done_says_why(stopline: Stopline, data: Path, tmp_path: Path) -> None:
    site = tmp_path / "s.yaml"
    site.write_text(SITE.replace("at_most_days: 3", "at_most_days: -1"), encoding="utf-8")
    ran = stopline("evidence", "retain", "--data", data, "--site", site)
    assert ran.code == int(ExitCode.CONFIG_INVALID)
    assert "s.yaml:3: retention.held.at_most_days: -1:" in ran.err
    assert stopline("evidence", "retain", "--data", data).code == int(ExitCode.USAGE)
    site.write_text(SITE, encoding="utf-8")
    without_key = stopline("evidence", "retain", "--data", data, "--site", site)
    assert without_key.code == int(ExitCode.USAGE)
    assert "set STOPLINE_KEYS" in without_key.err
