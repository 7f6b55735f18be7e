"""Time stamps: asked of a real authority, kept beside the package, checked offline; every kind of tampering is found."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import urllib3

from api.cli.exit_codes import ExitCode
from evidence.canonical import sha256_hex
from evidence.derived import FOLDER, DerivedCopies, DerivedKind
from evidence.derived_local import LocalDerivedFiles
from evidence.durable import Disk
from evidence.errors import ExtraMissingError
from evidence.time_stamp import (
    TOKEN,
    AuthorityUnavailableError,
    TimeStampError,
    read_authorities,
    request_time_stamp,
    verify_time_stamp,
)
from tests import tsa_server
from tests.api.cli.conftest import Stopline, stopline
from tests.builders.sealed import a_sealed_folder, trust_file
from tests.builders.signing import Ticking, a_signer
from tests.tsa_server import Authority

pytest.importorskip("rfc3161_client", reason="needs the extra [timestamp]")
__all__ = ["stopline"]
MANIFEST = b'{"a manifest": 1}\n'


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, absent: Callable[[str], NoReturn]
) -> Iterator[Authority]:
    if shutil.which("openssl") is None:
        absent("needs the command openssl")
    with tsa_server.running(tmp_path_factory.mktemp("tsa") / "authority") as authority:
        yield authority


@pytest.fixture
def authority(running: Authority) -> Authority:
    running.fault = ""
    running.asked.clear()
    return running


@pytest.fixture
def http() -> urllib3.PoolManager:
    return urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=20), retries=False)


def test_a_stamp_is_granted_and_verified_offline(authority: Authority, http: urllib3.PoolManager) -> None:
    token = request_time_stamp(MANIFEST, authority.url, http)
    assert MANIFEST not in authority.asked[0], "only the hash is sent"
    assert bytes.fromhex(sha256_hex(MANIFEST)) in authority.asked[0]
    said = verify_time_stamp(token, sha256_hex(MANIFEST), read_authorities(authority.root))
    assert said.at.tzinfo is not None
    assert said.serial > 0


def test_openssl_agrees(authority: Authority, http: urllib3.PoolManager, tmp_path: Path) -> None:
    (tmp_path / "manifest.tsr").write_bytes(request_time_stamp(MANIFEST, authority.url, http))
    for data, code in ((MANIFEST, 0), (MANIFEST + b" ", 1)):
        (tmp_path / "manifest.json").write_bytes(data)
        files = (
            "-in",
            tmp_path / "manifest.tsr",
            "-data",
            tmp_path / "manifest.json",
            "-CAfile",
            authority.root,
        )
        command = ["openssl", "ts", "-verify", *map(str, files)]
        assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == code


def test_what_was_tampered_with_does_not_verify(authority: Authority, http: urllib3.PoolManager) -> None:
    token = request_time_stamp(MANIFEST, authority.url, http)
    trusted = read_authorities(authority.root)
    with pytest.raises(TimeStampError, match="it is of another manifest"):
        verify_time_stamp(token, sha256_hex(MANIFEST + b" "), trusted)
    found = 0
    for place in range(0, len(token), 7):
        changed = token[:place] + bytes([token[place] ^ 0x10]) + token[place + 1 :]
        try:
            verify_time_stamp(changed, sha256_hex(MANIFEST), trusted)
        except TimeStampError:
            found += 1
        else:  # what is not signed may differ: then it must say the same
            assert verify_time_stamp(changed, sha256_hex(MANIFEST), trusted) == verify_time_stamp(
                token, sha256_hex(MANIFEST), trusted
            )
    assert found > len(token) / 7 * 0.5


def test_an_authority_that_nobody_trusts_is_unknown_not_wrong(
    authority: Authority, http: urllib3.PoolManager, tmp_path: Path
) -> None:
    token = request_time_stamp(MANIFEST, authority.url, http)
    with tsa_server.running(tmp_path / "other") as other:
        others = read_authorities(other.root)
    with pytest.raises(TimeStampError, match="whose certificates were not given") as caught:
        verify_time_stamp(token, sha256_hex(MANIFEST), others)
    assert caught.value.is_unknown


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("busy", AuthorityUnavailableError, "is not there .HTTP 503"),
        ("refuses", TimeStampError, "refuses .HTTP 403"),
        ("page", TimeStampError, "it is no time stamp"),
        ("endless", TimeStampError, "longer than any time stamp"),
        ("denies", TimeStampError, "did not grant it .rejection"),
        ("repeats", TimeStampError, "is to another question"),
    ],
)
def test_an_authority_that_does_something_else_is_an_error(
    authority: Authority, http: urllib3.PoolManager, fault: str, error: type[TimeStampError], says: str
) -> None:
    request_time_stamp(MANIFEST, authority.url, http)
    authority.fault = fault
    with pytest.raises(error, match=says):
        request_time_stamp(MANIFEST, authority.url, http)


def test_an_authority_that_is_away_is_an_error(http: urllib3.PoolManager) -> None:
    with pytest.raises(AuthorityUnavailableError, match="does not answer") as caught:
        request_time_stamp(MANIFEST, "http://127.0.0.1:9/", http)
    assert caught.value.retryable


def test_certificates_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(TimeStampError, match=r"none.pem: cannot be read"):
        read_authorities(tmp_path / "none.pem")
    (tmp_path / "text.pem").write_bytes(b"text")
    with pytest.raises(TimeStampError, match=r"text.pem: holds no certificates in PEM"):
        read_authorities(tmp_path / "text.pem")


def test_without_its_package_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, http: urllib3.PoolManager
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "rfc3161_client":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ExtraMissingError, match=r"pip install -e '.\[timestamp\]'"):
        request_time_stamp(MANIFEST, "http://127.0.0.1:9/", http)


def test_the_command_stamps_each_case_once_and_verify_checks_it(
    stopline: Stopline, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = a_sealed_folder(tmp_path / "data")
    keys, trust = tmp_path / "keys", tmp_path / "trust.json"
    assert stopline("keys", "generate", "--keys", keys, "--label", "office").code == 0
    monkeypatch.setenv("STOPLINE_KEYS", str(keys))
    missing = stopline("evidence", "stamp", "case-1", "--data", data)
    assert missing.code == int(ExitCode.CONFIG_INVALID)
    assert "STOPLINE_TIMESTAMP_URL: is missing" in missing.err
    monkeypatch.setenv("STOPLINE_TIMESTAMP_URL", authority.url)
    assert stopline("evidence", "stamp", "case-2", "--data", data).out == "stamped case-2\n"
    assert stopline("evidence", "stamp", "--all", "--data", data).out == "stamped case-1\nstamped case-3\n"
    assert stopline("evidence", "stamp", "--all", "--data", data).out == "nothing to stamp\n"
    assert stopline("keys", "publish", "--keys", keys, "--out", tmp_path / "office.json").code == 0
    trust_file(trust, 1)
    verify = (
        "evidence",
        "verify",
        "--all",
        "--data",
        data,
        "--trust",
        trust,
        "--trust",
        tmp_path / "office.json",
    )
    assert "note    derived/manifest.tsr (time stamp): who stamped it" in stopline(*verify).out
    ran = stopline(*verify, "--authority", authority.root)
    assert ran.code == 0
    assert ran.out.count("ok      derived/manifest.tsr (time stamp): the manifest was there on 2") == 3
    # A token of another case, properly listed.
    token = (data / "evidence" / "case-2" / FOLDER / TOKEN).read_bytes()
    package = data / "evidence" / "case-1"
    manifest = (package / "manifest.json").read_bytes()
    files = LocalDerivedFiles(package, Disk())
    copies = DerivedCopies("case-1", sha256_hex(manifest), files, a_signer(), Ticking())
    copies.add(DerivedKind.TIME_STAMP, {TOKEN: token}, again=True)
    ran = stopline(*verify, "--authority", authority.root)
    assert ran.code == int(ExitCode.NOT_VERIFIED)
    assert "FAILED  derived/manifest.tsr (time stamp): it is of another manifest" in ran.out
    assert stopline("evidence", "stamp", "--data", data).code == int(ExitCode.USAGE)
    authority.fault = "busy"
    shutil.rmtree(data / "evidence" / "case-3" / FOLDER)
    assert stopline("evidence", "stamp", "case-3", "--data", data).code == int(ExitCode.SERVER)
    assert not (data / "evidence" / "case-3" / FOLDER).exists()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://a/b", "write it like"),
        ("a.example", "write it like"),
        ("https://me:pw@a/b", "holds an account"),
    ],
)
def test_an_address_that_cannot_be_asked_is_named(
    stopline: Stopline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, says: str
) -> None:
    data = a_sealed_folder(tmp_path / "data")
    monkeypatch.setenv("STOPLINE_TIMESTAMP_URL", address)
    ran = stopline("evidence", "stamp", "--all", "--data", data)
    assert ran.code == int(ExitCode.CONFIG_INVALID)
    assert says in ran.err
    assert "pw" not in ran.err
