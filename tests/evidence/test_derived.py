"""What is made from a package later stands in a signed list of its own, which the verifier checks like the package."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.canonical import sha256_hex
from evidence.derived import (
    FOLDER,
    LIST,
    DerivedCopies,
    DerivedDamagedError,
    DerivedExistsError,
    DerivedKind,
    read_list,
)
from evidence.derived_local import LocalDerivedFiles
from evidence.durable import Disk
from evidence.errors import DiskFullError
from evidence.keys import PublishedKey
from evidence.manifest import NAME
from evidence.verification import Result, State, Trust, Verification
from evidence.verify_folder import verify_data_folder
from tests.builders.sealed import a_sealed_folder
from tests.builders.signing import Ticking, a_signer
from tests.evidence.test_delivery import narrow_disk

TRUST = Trust([PublishedKey(key=a_signer().public, label="office")])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return a_sealed_folder(tmp_path / "data", cases=2)


def copies(data: Path, *, case: str = "case-1", signer: int = 1, disk: Disk | None = None) -> DerivedCopies:
    package = data / "evidence" / case
    sha256 = sha256_hex((package / NAME).read_bytes())
    files = LocalDerivedFiles(package, disk or Disk())
    return DerivedCopies(case, sha256, files, a_signer(signer), Ticking())


def failed(found: Verification) -> str:
    checks = [check for part in found.parts for check in part.checks if check.state is State.FAILED]
    return "\n".join(f"{check.subject}: {check.says}" for check in checks)


def test_what_was_added_is_there_listed_and_verified(data: Path) -> None:
    mine = copies(data)
    assert mine.listed() == ()
    made = mine.add(DerivedKind.REDACTED, {"redacted-2.jpg": b"two", "redacted-1.jpg": b"one"})
    mine.add(DerivedKind.REVIEW_COPY, {"review.mp4": b"film"})
    assert [file.name for file in made] == ["redacted-1.jpg", "redacted-2.jpg"]
    assert [(file.name, file.kind.value) for file in mine.listed()] == [
        ("redacted-1.jpg", "redacted"),
        ("redacted-2.jpg", "redacted"),
        ("review.mp4", "review_copy"),
    ]
    assert mine.of_kind(DerivedKind.REVIEW_COPY) == {"review.mp4": b"film"}
    found = verify_data_folder(data, TRUST)
    assert found.result is Result.VERIFIED
    checks = {check.subject: check for part in found.parts for check in part.checks}
    assert checks[f"{FOLDER}/{LIST}"].says == f"signed by {a_signer().public.id} (office)"
    assert checks[f"{FOLDER}/review.mp4"].says == "review_copy, 4 bytes"
    assert verify_data_folder(data, Trust()).result is Result.UNKNOWN_SIGNER


def test_a_second_of_a_kind_needs_to_be_asked_for(data: Path) -> None:
    mine = copies(data)
    mine.add(DerivedKind.REDACTED, {"redacted-1.jpg": b"one", "redacted-2.jpg": b"two"})
    mine.add(DerivedKind.TIME_STAMP, {"manifest.tsr": b"token"})
    with pytest.raises(DerivedExistsError, match=r"its redacted already \(redacted-1.jpg, redacted-2.jpg\)"):
        mine.add(DerivedKind.REDACTED, {"redacted-1.jpg": b"other"})
    with pytest.raises(DerivedExistsError, match=r"time stamp already \(manifest.tsr\)"):
        mine.add(DerivedKind.REDACTED, {"manifest.tsr": b"other"}, again=True)
    mine.add(DerivedKind.REDACTED, {"redacted-1.jpg": b"other"}, again=True)
    assert mine.of_kind(DerivedKind.REDACTED) == {"redacted-1.jpg": b"other"}
    assert not (data / "evidence" / "case-1" / FOLDER / "redacted-2.jpg").exists()
    assert verify_data_folder(data, TRUST).result is Result.VERIFIED


@pytest.mark.parametrize("name", ["../x", "a/b", ".x", LIST, ""])
def test_a_name_that_leads_elsewhere_is_refused(data: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        copies(data).add(DerivedKind.REDACTED, {name: b""})
    assert verify_data_folder(data, TRUST).result is Result.VERIFIED


Change = Callable[[Path], object]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda at: (at / "a.jpg").write_bytes(b"twO"), "derived/a.jpg: its SHA-256 is"),
        (lambda at: (at / "a.jpg").write_bytes(b""), "derived/a.jpg: it has 0 bytes, and the list says 3"),
        (lambda at: (at / "a.jpg").unlink(), "derived/a.jpg: it is missing"),
        (lambda at: (at / "c.jpg").touch(), "derived/c.jpg: the list does not name it: it was added"),
        (lambda at: (at / "c").mkdir(), "derived/c: it is no file"),
        (lambda at: (at / "c").symlink_to("a.jpg"), "derived/c: it is no file"),
        (lambda at: (at / LIST).unlink(), "derived/list.json: it is missing"),
        (lambda at: (at / LIST).write_bytes(b"{}"), "derived/list.json: it is no list of derived files"),
        (
            lambda at: (at / LIST).write_bytes((at / LIST).read_bytes().replace(b'"size":3', b'"size":2')),
            "derived/list.json: the signature does not fit",
        ),
        (
            lambda at: (at / LIST).write_bytes(
                (at.parents[1] / "case-2" / FOLDER / LIST).read_bytes()
            ),
            "derived/list.json: it belongs to the manifest",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_the_verifier_and_stops_who_would_add(
    data: Path, change: Change, words: str
) -> None:
    copies(data).add(DerivedKind.REDACTED, {"a.jpg": b"two"})
    copies(data, case="case-2").add(DerivedKind.REDACTED, {"a.jpg": b"two"})
    change(data / "evidence" / "case-1" / FOLDER)
    found = verify_data_folder(data, TRUST)
    assert found.result is Result.NOT_VERIFIED
    assert words in failed(found)
    if "list" in words and "missing" not in words and "name it" not in words and "the list says" not in words:
        with pytest.raises(DerivedDamagedError, match="remove its folder derived and make the copies again"):
            copies(data).add(DerivedKind.TIME_STAMP, {"b": b""})


def test_a_changed_copy_is_not_handed_out(data: Path) -> None:
    mine = copies(data)
    mine.add(DerivedKind.REDACTED, {"a.jpg": b"two"})
    (data / "evidence" / "case-1" / FOLDER / "a.jpg").write_bytes(b"twO")
    with pytest.raises(DerivedDamagedError, match=r"derived/a.jpg of case case-1 is not what was signed"):
        mine.of_kind(DerivedKind.REDACTED)


def test_a_full_disk_leaves_the_list_as_it_was_and_the_same_call_puts_it_right(data: Path) -> None:
    mine = copies(data)
    mine.add(DerivedKind.TIME_STAMP, {"manifest.tsr": b"token"})
    before = mine.listed()
    with pytest.raises(DiskFullError, match=r"b\.jpg"):
        copies(data, disk=narrow_disk(10)).add(
            DerivedKind.REDACTED, {"a.jpg": b"1234567", "b.jpg": b"1234567"}
        )
    assert mine.listed() == before
    assert "derived/a.jpg: the list does not name it" in failed(verify_data_folder(data, TRUST))
    mine.add(DerivedKind.REDACTED, {"a.jpg": b"1234567", "b.jpg": b"1234567"})
    assert verify_data_folder(data, TRUST).result is Result.VERIFIED


def test_who_adds_at_the_same_time_waits(data: Path) -> None:
    names = [f"{number}.mp4" for number in range(4)]
    kinds = list(DerivedKind)
    threads = [
        threading.Thread(target=copies(data).add, args=(kind, {name: name.encode()}))
        for kind, name in zip(kinds, names, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [file.name for file in copies(data).listed()] == names
    assert verify_data_folder(data, TRUST).result is Result.VERIFIED


def test_another_key_signs_the_whole_list_anew(data: Path) -> None:
    copies(data).add(DerivedKind.REDACTED, {"a.jpg": b"two"})
    copies(data, signer=2).add(DerivedKind.TIME_STAMP, {"manifest.tsr": b"token"})
    found = read_list((data / "evidence" / "case-1" / FOLDER / LIST).read_bytes())
    assert found.signature.key == a_signer(2).public
    assert len(found.files) == 2 and found.signature.fits(found.message)
