"""``stopline account`` and ``stopline audit``, as an administrator and an auditor type them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from api.cli.exit_codes import ExitCode
from api.cli.main import main
from api.clock import SystemClock
from api.records import identities
from api.work.accounts import Accounts
from api.work.passwords import Passwords
from api.work.sign_in import SignIn, SignInRefusedError
from evidence.database import Database
from evidence.records_sql import SqlRecords

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    SqlRecords(folder / "records.sqlite").close()
    return folder


def typed(data: Path, *words: str) -> int:
    """The exit code of that command over the data folder."""
    group, command, *rest = words
    return main([group, command, "--data", str(data), *rest])


def signs_in(data: Path, name: str, *, password: str | None = None, link: str | None = None) -> bool:
    with closing(Database(data / "records.sqlite")) as database:
        sign_in = SignIn(database, Passwords(), SystemClock().now)
        try:
            if link is not None:
                sign_in.by_link(link, request_id=None)
            else:
                sign_in.by_password(name, password or "", address="", request_id=None)
        except SignInRefusedError:
            return False
    return True


def test_an_account_is_made_listed_given_another_password_and_closed(data: Path, capsys: Captured) -> None:
    assert typed(data, "account", "add", "--role", "officer", "--site", "north", "Wang") == ExitCode.OK
    first = capsys.readouterr().out.strip().removeprefix("wang: one-time password ")
    assert re.fullmatch("[a-z2-9-]{23}", first)
    assert typed(data, "account", "list") == ExitCode.OK
    assert capsys.readouterr().out == "wang: officer, north\n"
    assert signs_in(data, "wang", password=first)
    assert typed(data, "account", "reset-password", "wang") == ExitCode.OK
    second = capsys.readouterr().out.strip().removeprefix("wang: one-time password ")
    assert not signs_in(data, "wang", password=first)
    assert signs_in(data, "wang", password=second)
    assert typed(data, "account", "link", "wang") == ExitCode.OK
    link = capsys.readouterr().out.strip().removeprefix("sign-in#")
    assert [signs_in(data, "wang", link=link) for _ in range(2)] == [True, False]
    assert typed(data, "account", "close", "wang") == ExitCode.OK
    assert not signs_in(data, "wang", password=second)
    capsys.readouterr()
    typed(data, "account", "list")
    assert re.fullmatch(r"wang: officer, north, closed \d{4}-\d\d-\d\d\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "--role", "officer", "wang"], "there is an account wang already"),
        (["add", "--role", "officer", "two words"], "NAME: "),
        (["add", "--role", "officer", ""], "NAME: "),
        (["add", "--role", "officer", "--display-name", "a\x00b", "li"], "--display-name: "),
        (["add", "--role", "officer", "--site", "a/b", "li"], "--site: "),
        (["add", "--role", "king", "li"], "'king' is not one of"),
        (["add", "li"], "--role"),
        (["close", "nobody"], "there is no account nobody"),
        (["reset-password", "nobody"], "there is no account nobody"),
        (["link", "nobody"], "there is no account nobody"),
        (["close", "wang"], "last open account of an administrator"),
    ],
)
def test_what_cannot_be_is_wrong_usage(data: Path, words: list[str], said: str, capsys: Captured) -> None:
    assert typed(data, "account", "add", "--role", "administrator", "wang") == ExitCode.OK
    capsys.readouterr()
    assert typed(data, "account", *words) == ExitCode.USAGE
    assert said in capsys.readouterr().err
    typed(data, "account", "list")
    assert capsys.readouterr().out == "wang: administrator, every site\n"


def test_a_folder_without_records_is_said(tmp_path: Path, capsys: Captured) -> None:
    assert typed(tmp_path, "account", "list") != ExitCode.OK
    assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def exported(data: Path, tmp_path: Path, capsys: Captured) -> Path:
    """An audit of five lines, exported."""
    with closing(Database(data / "records.sqlite")) as database:
        accounts = Accounts(database, Passwords(), SystemClock().now)
        accounts.first_administrator()
        for _ in range(4):
            accounts.link(accounts.named("admin").id)
    assert typed(data, "audit", "export") == ExitCode.OK
    file = tmp_path / "audit.jsonl"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    return file


def head_told(capsys: Captured) -> str:
    found = re.search(r"head (\d+:[0-9a-f]{64})$", capsys.readouterr().out.strip())
    assert found
    return found[1]


def test_an_untouched_audit_verifies_here_and_far_from_its_data(
    data: Path, exported: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed(data, "audit", "verify") == ExitCode.OK
    head = head_told(capsys)
    assert head.startswith("5:")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main(["audit", "verify", "--file", str(exported), "--head", head]) == ExitCode.OK
    assert head_told(capsys) == head
    assert typed(data, "account", "link", "admin") == ExitCode.OK
    assert typed(data, "audit", "verify", "--head", head) == ExitCode.OK
    assert "6 lines" in capsys.readouterr().out


def changed(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[2].replace("account.link_made", "account.link_mode"), *lines[3:]]


def changed_and_hashed_anew(lines: list[str]) -> list[str]:
    line = json.loads(lines[2])["line"].replace("account.link_made", "account.link_mode")
    anew = json.dumps({"sha256": hashlib.sha256(line.encode()).hexdigest(), "line": line})
    return [*lines[:2], anew, *lines[3:]]


def removed(lines: list[str]) -> list[str]:
    return lines[:2] + lines[3:]


def first_removed(lines: list[str]) -> list[str]:
    return lines[1:]


def inserted(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[1], *lines[2:]]


def reordered(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[3], lines[2], lines[4]]


@pytest.mark.parametrize(
    ("touch", "line"),
    [
        (changed, 3),
        (changed_and_hashed_anew, 4),
        (removed, 3),
        (first_removed, 1),
        (inserted, 3),
        (reordered, 3),
    ],
)
def test_a_touched_audit_does_not_verify_and_the_line_is_named(
    exported: Path, touch: Callable[[list[str]], list[str]], line: int, capsys: Captured
) -> None:
    exported.write_text("\n".join(touch(exported.read_text().splitlines())))
    assert main(["audit", "verify", "--file", str(exported)]) == ExitCode.NOT_VERIFIED
    assert f"audit line {line} " in capsys.readouterr().err


@pytest.mark.parametrize("left", [0, 4])
def test_a_tail_that_was_cut_off_shows_against_the_head_from_before(
    data: Path, exported: Path, left: int, capsys: Captured
) -> None:
    typed(data, "audit", "verify")
    head = head_told(capsys)
    exported.write_text("".join(f"{line}\n" for line in exported.read_text().splitlines()[:left]))
    assert main(["audit", "verify", "--file", str(exported)]) == ExitCode.OK
    assert main(["audit", "verify", "--file", str(exported), "--head", head]) == ExitCode.NOT_VERIFIED
    assert "a part was cut off or replaced" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        "null",
        '{"sha256": 1, "line": 2}',
        '{"sha256": "a", "line": "{}"}',
        r'{"sha256": "a", "line": "{\"number\": 1, \"a\": \"\ud800\"}"}',
        "\xff",
    ],
)
def test_a_file_that_is_no_audit_is_said(tmp_path: Path, text: str, capsys: Captured) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(text.encode("latin-1"))
    assert main(["audit", "verify", "--file", str(file)]) == ExitCode.INPUT_UNREADABLE
    assert str(file) in capsys.readouterr().err


def test_a_file_that_is_not_there_and_a_head_that_is_none(tmp_path: Path, capsys: Captured) -> None:
    assert main(["audit", "verify", "--file", str(tmp_path / "no")]) == ExitCode.INPUT_UNREADABLE
    for head in ("5", "x:" + "0" * 64, "5:abc"):
        assert main(["audit", "verify", "--data", str(tmp_path), "--head", head]) == ExitCode.USAGE
    assert "12:SHA256" in capsys.readouterr().err


def test_an_account_is_linked_to_somebody_at_the_identity_provider(
    data: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed(data, "account", "add", "--role", "officer", "wang") == ExitCode.OK
    password = capsys.readouterr().out.strip().removeprefix("wang: one-time password ")
    assert typed(data, "account", "identity", "wang", "officer-7") == ExitCode.USAGE
    assert "STOPLINE_OIDC_ISSUER is not set" in capsys.readouterr().err
    monkeypatch.setenv("STOPLINE_OIDC_ISSUER", "https://id.example")
    monkeypatch.setenv("STOPLINE_OIDC_CLIENT_ID", "stopline")
    for wrong in ([], ["officer-7", "--remove"], ["\u6d59"]):
        assert typed(data, "account", "identity", "wang", *wrong) == ExitCode.USAGE
    assert signs_in(data, "wang", password=password)
    assert typed(data, "account", "identity", "wang", "officer-7") == ExitCode.OK
    assert not signs_in(data, "wang", password=password)
    with closing(Database(data / "records.sqlite")) as database, database.read() as tx:
        linked = identities.linked_account(tx, "https://id.example", "officer-7")
        assert linked is not None
    capsys.readouterr()
    assert typed(data, "account", "identity", "wang", "--remove") == ExitCode.OK
    assert capsys.readouterr().out == "wang: linked to nobody\n"
    with closing(Database(data / "records.sqlite")) as database, database.read() as tx:
        assert identities.linked_account(tx, "https://id.example", "officer-7") is None
