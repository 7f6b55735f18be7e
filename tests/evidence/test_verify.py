"""What the verifier says: each file and what was checked of it, where a chain breaks, and what it cannot know."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidence.canonical import Json, json_bytes, json_line
from evidence.chain import checkpoint_of, read_link
from evidence.chain_file import CHECKPOINTS, LINKS
from evidence.custody import Custody
from evidence.keys import PublishedKey
from evidence.manifest import NAME, SIGNATURE
from evidence.records_sql import SqlRecords
from evidence.signing import signature_file
from evidence.verification import Check, Result, State, Trust, Verification
from evidence.verify_folder import NothingToVerifyError, verify_data_folder, verify_one
from tests.builders.sealed import a_sealed_folder, chain_of
from tests.builders.signing import BEGIN, Ticking, a_signer

TRUST = Trust([PublishedKey(key=a_signer().public, label="office")])
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_sealed_folder(tmp_path_factory.mktemp("sealed") / "data")


@pytest.fixture
def data(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "data"))


def checks(found: Verification, *states: State) -> list[str]:
    """'part: subject: says' of every check that ended so."""
    return [
        f"{part.name}: {check.subject}: {check.says}"
        for part in found.parts
        for check in part.checks
        if check.state in states
    ]


def failed(found: Verification) -> str:
    return "\n".join(checks(found, State.FAILED))


def test_every_file_is_named_with_what_was_checked(data: Path) -> None:
    found = verify_data_folder(data, TRUST)
    assert found.result is Result.VERIFIED
    kinds = [(part.kind, part.name) for part in found.parts]
    assert kinds == [
        *(("package", f"case-{number}") for number in (1, 2, 3)),
        ("chain", chain_of(data).name),
    ]
    key = a_signer().public.id
    fit = f"of chain {chain_of(data).name}: it fits link 1 and 3"
    assert found.parts[1].checks == (
        Check(subject=SIGNATURE, checked=("signature",), state=State.OK,
              says=f"of manifest.json: signed by {key} (office)"),
        Check(subject=NAME, checked=("format", "case"), state=State.OK,
              says=f"{(data / 'evidence' / 'case-2' / NAME).stat().st_size} bytes"),
        *(Check(subject=name, checked=("listed", "size", "hash"), state=State.OK,
                says=f"{len(name) + 5} bytes") for name in ("clip.mp4", "scene-1.jpg", "trace.json")),
        Check(subject="link 2", checked=("manifest hash", "link", "neighbours"), state=State.OK, says=fit),
    )  # fmt: skip
    chain = found.parts[3].checks
    assert [(check.subject, check.state) for check in chain] == [
        ("links", State.OK),
        ("checkpoint 1", State.OK),
        ("completeness", State.NOTE),
    ]
    assert chain[0].says == "3 in an unbroken row"
    assert chain[2].says == "complete up to number 3, later ones cannot be judged"


def test_trust_comes_from_the_verifier_only(data: Path) -> None:
    found = verify_data_folder(data, Trust())
    assert found.result is Result.UNKNOWN_SIGNER
    assert failed(found) == ""
    unknown = checks(found, State.UNKNOWN_SIGNER)
    assert any("3 of 3 signed by" in line and "not among the trusted keys" in line for line in unknown)
    other = Trust([PublishedKey(key=a_signer(2).public, label="somebody else")])
    assert verify_data_folder(data, other).result is Result.UNKNOWN_SIGNER


@pytest.mark.parametrize(
    ("key", "result", "words"),
    [
        ({"valid_from": BEGIN, "valid_until": BEGIN + timedelta(hours=1)}, Result.VERIFIED, ""),
        ({"valid_until": BEGIN}, Result.NOT_VERIFIED, "was not valid when this was signed"),
        ({"valid_from": BEGIN + timedelta(hours=1)}, Result.NOT_VERIFIED, "was not valid yet at its time"),
    ],
)
def test_a_key_counts_while_it_is_valid(
    data: Path, key: dict[str, object], result: Result, words: str
) -> None:
    trust = Trust([PublishedKey(key=a_signer().public, label="office", **key)])  # type: ignore[arg-type]
    found = verify_data_folder(data, trust)
    assert found.result is result
    assert words in failed(found)


def rewrite(path: Path, **changes: Json) -> None:
    path.write_bytes(json_bytes({**json.loads(path.read_bytes()), **changes}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda at: (at / "clip.mp4").write_bytes(b"clip.mp4 of 9"), "clip.mp4: its SHA-256 is"),
        (lambda at: (at / "clip.mp4").write_bytes(b""), "clip.mp4: it has 0 bytes, and the manifest says 13"),
        (lambda at: (at / "clip.mp4").unlink(), "clip.mp4: it is missing"),
        (lambda at: (at / "x").touch(), "x: the manifest does not list it"),
        (lambda at: (at / "clip.mp4").rename(at / "film.mp4"), "film.mp4: the manifest does not list it"),
        (lambda at: (at / "derived").mkdir(), "derived/list.json: it is missing"),
        (lambda at: (at / "b.json").symlink_to("trace.json"), "b.json: it is a link"),
        (lambda at: (at / NAME).unlink(), "manifest.json: it is missing"),
        (lambda at: (at / NAME).write_bytes(b"{"), "manifest.json: it is no manifest"),
        (lambda at: (at / NAME).write_bytes(b"[" * 100_000), "manifest.json: it is no manifest"),
        (lambda at: (at / SIGNATURE).unlink(), "manifest.sig: it is missing"),
        (lambda at: (at / SIGNATURE).write_bytes(b"x"), "manifest.sig: it is no signature"),
        (
            lambda at: rewrite(at / NAME, format="stopline-package/2"),
            "its format is 'stopline-package/2', and this version reads 'stopline-package/1'; if a newer Stopline "
            "wrote it, use that one",
        ),
        (lambda at: rewrite(at / NAME, case={"id": "case-7"}), "it is of case case-7, and the folder"),
        (lambda at: rewrite(at / NAME, case=None), "it is of case None"),
        (
            lambda at: rewrite(at / NAME, files=[{"name": "../x", "sha256": "0", "size": 1}]),
            "../x: it is missing",
        ),
        (
            lambda at: rewrite(at / NAME, files=2 * json.loads((at / NAME).read_bytes())["files"]),
            "clip.mp4: the manifest lists it twice",
        ),
        (lambda at: (at.parent / "stray.txt").touch(), "evidence/stray.txt: it is no package's folder"),
        (lambda at: (at.parent / "c.incoming").mkdir(), "c.incoming: an interrupted run left it"),
    ],
)
def test_what_is_wrong_with_a_package_is_said(
    data: Path, change: Callable[[Path], object], words: str
) -> None:
    change(data / "evidence" / "case-2")
    found = verify_data_folder(data, TRUST)
    assert found.result is Result.NOT_VERIFIED
    assert words in failed(found)


def edited(data: Path, edit: Callable[[list[str]], list[str]]) -> None:
    path = chain_of(data) / LINKS
    lines = edit(path.read_text(encoding="utf-8").splitlines())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda lines: lines[1:], "link 1: it has the number 2"),
        (lambda lines: [lines[0], lines[2]], "link 2: it has the number 3: links were dropped, added or moved"),
        (lambda lines: [*lines, lines[0]], "link 4: it has the number 1"),
        (lambda lines: [lines[0], "{}", lines[2]], "link 2: it cannot be read"),
        (
            lambda lines: [lines[0], lines[1].replace('"number":2', '"number": 2'), lines[2]],
            "link 2: it cannot be read: it is not written as it was signed",
        ),
        (
            lambda lines: [lines[0], lines[1].replace("link/1", "link/2"), lines[2]],
            "if a newer Stopline wrote it, verify it with that one",
        ),
        (
            lambda lines: [lines[0], json_line({**json.loads(lines[1]), "at": "2026-01-01T00:00:00.000Z"}), lines[2]],
            "link 3: the link before it is another one than when it was made",
        ),
        (lambda lines: lines[:2], "the end was cut off"),
    ],
)  # fmt: skip
def test_where_a_chain_breaks_is_said(data: Path, edit: Callable[[list[str]], list[str]], words: str) -> None:
    edited(data, edit)
    found = verify_data_folder(data, TRUST)
    assert found.result is Result.NOT_VERIFIED
    assert words in failed(found)
    assert "complete up to" not in "".join(checks(found, State.NOTE)), (
        "a broken chain is complete up to nothing"
    )


def test_a_package_taken_away_is_missed_and_one_put_there_is_seen(data: Path) -> None:
    sha256 = json.loads((chain_of(data) / LINKS).read_bytes().splitlines()[1])["manifest_sha256"]
    shutil.rmtree(data / "evidence" / "case-2")
    found = verify_data_folder(data, TRUST)
    assert f"link 2: no package here has its manifest {sha256}" in failed(found)
    added = data / "evidence" / "case-9"
    shutil.copytree(data / "evidence" / "case-1", added)
    rewrite(added / NAME, case={"id": "case-9"})
    (added / SIGNATURE).write_bytes(signature_file(a_signer(), (added / NAME).read_bytes()))
    assert "case-9: link: no chain here has this manifest" in failed(verify_data_folder(data, TRUST))


def test_a_deleted_package_has_its_tombstone(data: Path) -> None:
    sha256 = json.loads((chain_of(data) / LINKS).read_bytes().splitlines()[1])["manifest_sha256"]
    with closing(SqlRecords(data / "records.sqlite")) as records:
        Custody(data, records, a_signer(), Ticking()).add_tombstone("c", sha256)
    found = verify_data_folder(data, TRUST)
    assert found.result is Result.VERIFIED
    assert any("it says that this package was deleted" in line for line in checks(found, State.NOTE))
    shutil.rmtree(data / "evidence" / "case-2")
    found = verify_data_folder(data, TRUST)
    assert found.result is Result.VERIFIED
    assert found.parts[-1].checks[0].says == "4 in an unbroken row"
    edited(data, lambda lines: [lines[3], *lines[:3]])
    assert "link 1" in failed(verify_data_folder(data, TRUST))


def given(data: Path, path: Path, count: int) -> Path:
    """A checkpoint of the chain's first ``count`` links, kept elsewhere."""
    lines = (chain_of(data) / LINKS).read_bytes().splitlines()
    made = checkpoint_of(
        read_link(lines[count - 1]), chain_id=chain_of(data).name, at=BEGIN, signer=a_signer()
    )
    path.write_text(f"{made.line}\n", encoding="utf-8")
    return path


def test_a_checkpoint_from_elsewhere_says_how_far_all_is_there(data: Path, tmp_path: Path) -> None:
    checkpoint = given(data, tmp_path / "given.jsonl", 2)
    found = verify_data_folder(data, TRUST, checkpoint)
    assert found.result is Result.VERIFIED
    assert found.parts[-1].checks[-1].says == (
        "complete up to number 2, as of 2026-03-02 08:00:00 UTC; numbers 3 to 3 came later, later ones cannot be judged"
    )
    (chain_of(data) / CHECKPOINTS).unlink()
    edited(data, lambda lines: lines[:2])
    shutil.rmtree(data / "evidence" / "case-3")
    assert verify_data_folder(data, TRUST, checkpoint).result is Result.VERIFIED, "more was not promised"
    edited(data, lambda lines: lines[:1])
    shutil.rmtree(data / "evidence" / "case-2")
    assert verify_data_folder(data, TRUST).result is Result.VERIFIED
    assert "2 links on 2026-03-02T08:00:00.000Z, and there are 1: the end was cut off" in failed(
        verify_data_folder(data, TRUST, checkpoint)
    )


def test_a_checkpoint_of_another_chain_is_said(data: Path, tmp_path: Path) -> None:
    other = a_sealed_folder(tmp_path / "other")
    found = verify_data_folder(data, TRUST, given(other, tmp_path / "given.jsonl", 2))
    assert found.result is Result.NOT_VERIFIED
    assert f"it is of chain {chain_of(other).name}, and here is {chain_of(data).name}: give the" in failed(
        found
    )


@pytest.mark.parametrize("content", [b"", b"\n", b"hello\n", b"\xff", b"{}\n"])
def test_a_checkpoint_file_that_holds_none_is_said(data: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.jsonl"
    path.write_bytes(content)
    assert "given.jsonl line 1: it is no checkpoint" in failed(verify_data_folder(data, TRUST, path))
    with pytest.raises(NothingToVerifyError, match="the checkpoint cannot be read"):
        verify_data_folder(data, TRUST, tmp_path / "none.jsonl")


def test_one_package_is_verified_with_its_place_in_the_chain(data: Path, tmp_path: Path) -> None:
    found = verify_one(data / "evidence" / "case-2", TRUST)
    assert found.result is Result.VERIFIED
    assert [part.kind for part in found.parts] == ["package", "chain"]
    assert found.parts[1].checks[0].says == "3 in an unbroken row; signatures of 1, 2, 3"
    alone = Path(shutil.copytree(data / "evidence" / "case-2", tmp_path / "case-2"))
    found = verify_one(alone, TRUST)
    assert found.result is Result.VERIFIED
    assert any("no chain is here" in line for line in checks(found, State.NOTE))
    links = Path(shutil.copy(chain_of(data) / LINKS, tmp_path / "links.jsonl"))
    checkpoint = given(data, tmp_path / "given.jsonl", 3)
    assert verify_one(alone, TRUST, checkpoint, links).result is Result.VERIFIED
    other = a_sealed_folder(tmp_path / "other", cases=1)
    found = verify_one(other / "evidence" / "case-1", TRUST, links=links)
    assert found.result is Result.VERIFIED, "equal packages have equal manifests"
    edited(data, lambda lines: [lines[0], lines[2]])
    assert "no chain here has this manifest" in failed(verify_one(data / "evidence" / "case-2", TRUST))


def test_where_there_is_nothing_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(NothingToVerifyError, match=r"holds neither evidence/ nor custody/; give a package"):
        verify_data_folder(tmp_path, TRUST)
    with pytest.raises(NothingToVerifyError, match="is no folder that holds anything"):
        verify_one(tmp_path, TRUST)
    (tmp_path / "x").touch()
    with pytest.raises(NothingToVerifyError, match="is no file of links"):
        verify_one(tmp_path, TRUST, links=tmp_path / "none")


def test_the_verifier_needs_no_database() -> None:
    code = "import sys, evidence.verify_folder; print([name for name in sys.modules if 'sqla' in name or 'sqlite' in name])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_openssl_agrees(data: Path, tmp_path: Path, absent: Callable[[str], NoReturn]) -> None:
    """A signature is one of the file as it lies there: whoever doesn't trust our code can check it without."""
    if shutil.which("openssl") is None:
        absent("needs the command openssl")
    package = data / "evidence" / "case-1"
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(a_signer().public.hex))
    key = tmp_path / "office.pem"
    key.write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signature = tmp_path / "signature"
    signature.write_bytes(bytes.fromhex(json.loads((package / SIGNATURE).read_bytes())["signature"]))
    command = [
        *("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin"),
        *("-in", str(package / NAME), "-sigfile", str(signature)),
    ]
    assert subprocess.run(command, capture_output=True).returncode == 0
    rewrite(package / NAME, reasons=["changed"])
    assert subprocess.run(command, capture_output=True).returncode != 0
