"""An export holds all that is needed to check its cases, is a valid bag, and is refused when anything is missing."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import bagit
import pytest

from api.errors import UsageError
from api.records.exports import ExportContents
from api.work.case_package import PackageUnverifiedError
from api.work.export import ExportError, ExportRequest, export
from evidence.bag import PAYLOAD, BagError, validate_bag
from evidence.canonical import sha256_hex
from evidence.derived import DerivedCopies, DerivedKind
from evidence.derived_local import LocalDerivedFiles
from evidence.durable import Disk
from evidence.errors import DiskFullError
from evidence.keys import PublishedKey, read_published
from evidence.manifest import NAME
from evidence.records import Decision, Review
from evidence.records_sql import SqlRecords
from evidence.store_local import LocalStore
from evidence.verification import Result, Trust
from evidence.verify_folder import verify_one
from tests.builders.case_folder import fill_with_chain, parking, red_light
from tests.builders.sealed import chain_of
from tests.builders.signing import Ticking, a_signer
from tests.evidence.test_delivery import narrow_disk

KEYS = (PublishedKey(key=a_signer().public, label="office"),)
CASE, OTHER = "north-red_light-s0-f000500-t7", "north-no_parking-s0-f001000-t3"
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("filled") / "data"
    short = {"clip_s": (14.0, 15.0)}
    fill_with_chain(data, [red_light(CASE, **short), parking(OTHER, camera_id="north", clip_s=(24.0, 25.0))])
    return data


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    """A folder of the test's own; of packages, which nobody changes in place, it has links."""

    def copied(source: str, target: str) -> None:
        (shutil.copy2 if Path(source).name.startswith("records.sqlite") else os.link)(source, target)

    return Path(shutil.copytree(filled, tmp_path / "data", copy_function=copied))


def exported(
    data: Path,
    out: Path,
    *cases: str,
    keys: tuple[PublishedKey, ...] = KEYS,
    disk: Disk | None = None,
    contents: ExportContents = ExportContents.ORIGINAL,
    zipped: bool = False,
) -> Path:
    request = ExportRequest(cases=cases, data=data, out=out, contents=contents, zipped=zipped)
    with closing(SqlRecords(data / "records.sqlite")) as records:
        return export(request, LocalStore(data, Disk()), keys, records, lambda: NOW, disk)


def replaced(path: Path, content: bytes) -> None:
    path.unlink()  # the fixture's files are links
    path.write_bytes(content)


def test_a_batch_is_one_valid_bag_whose_cases_verify_with_nothing_else(data: Path, tmp_path: Path) -> None:
    with closing(SqlRecords(data / "records.sqlite")) as records:
        review = Review(
            decision=Decision.CONFIRMED, code=None, note="clear", reviewer="officer 7", decided_at=NOW
        )
        records.decide(CASE, review)
    made = exported(data, tmp_path / "out", CASE, OTHER, CASE)
    assert made.name.startswith("2-cases-") and list((tmp_path / "out").iterdir()) == [made]
    bag = bagit.Bag(str(made))
    bag.validate()
    assert bag.info["External-Identifier"] == f"{CASE}, {OTHER}"
    chain = chain_of(data).name
    package = {path.name for path in (data / "evidence" / CASE).iterdir()}
    assert {name.removeprefix(f"{PAYLOAD}/") for name in bag.payload_entries()} >= {
        *(f"evidence/{CASE}/{name}" for name in package),
        f"custody/{chain}/links.jsonl",
        f"custody/{chain}/checkpoints.jsonl",
        "keys.json",
        f"summary-{CASE}.pdf",
        f"summary-{OTHER}.pdf",
    }
    trust = Trust(read_published(made / PAYLOAD / "keys.json"))
    for case_id in (CASE, OTHER):
        folder = made / PAYLOAD / "evidence" / case_id
        assert verify_one(folder, trust).result is Result.VERIFIED
        for path in folder.iterdir():
            assert path.read_bytes() == (data / "evidence" / case_id / path.name).read_bytes()
    paper = (made / PAYLOAD / f"summary-{CASE}.pdf").read_bytes()
    assert paper.startswith(b"%PDF-") and b"/FontFile3" in paper, "its font is embedded"
    assert paper.count(b"/Subtype /Image") == 5, "three photos, lamp and plate"


def test_each_file_of_the_package_missing_in_turn_fails_it(data: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in (data / "evidence" / CASE).iterdir())
    assert {"clip.mp4", "lamp.jpg", "manifest.json", "manifest.sig", "scene-1.jpg", "trace.json"} < set(names)
    for name in names:
        path = data / "evidence" / CASE / name
        path.rename(tmp_path / name)
        with pytest.raises(PackageUnverifiedError, match=f"{CASE} does not verify.*{name}: it is missing"):
            exported(data, tmp_path / "out", CASE, OTHER)
        assert not (tmp_path / "out").exists()
        (tmp_path / name).rename(path)


def test_each_file_of_the_bag_missing_or_changed_is_found(data: Path, tmp_path: Path) -> None:
    made = exported(data, tmp_path / "out", CASE)
    wanted = {
        str(path.relative_to(made)): sha256_hex(path.read_bytes())
        for path in (made / PAYLOAD).rglob("*")
        if path.is_file()
    }
    validate_bag(made, wanted)
    for path in [path for path in made.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(BagError):
            validate_bag(made, wanted)
        middle = len(content) // 3
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(BagError):
            validate_bag(made, wanted)
        path.write_bytes(content)
    validate_bag(made, wanted)
    with pytest.raises(BagError, match=r"other files than were put in: data/x"):
        validate_bag(made, {**wanted, "data/x": "0"})


def test_what_does_not_verify_is_never_exported(data: Path, tmp_path: Path) -> None:
    replaced(data / "evidence" / CASE / "clip.mp4", b"x")
    with pytest.raises(PackageUnverifiedError, match=r"clip\.mp4: it has 1 bytes.*put back what was sealed"):
        exported(data, tmp_path / "out", OTHER, CASE)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda chain: (chain / "checkpoints.jsonl").unlink(), "checkpoints.jsonl is missing"),
        (lambda chain: shutil.rmtree(chain), "has its link: give the data folder that it was made in"),
    ],
)
def test_without_its_chain_a_case_is_not_exported(
    data: Path, tmp_path: Path, spoil: object, words: str
) -> None:
    spoil(chain_of(data))  # type: ignore[operator]
    with pytest.raises((ExportError, PackageUnverifiedError), match=f"{words}|no chain here"):
        exported(data, tmp_path / "out", CASE)
    assert not list((tmp_path / "out").glob("*"))


def test_the_office_whose_key_signed_must_be_known(data: Path, tmp_path: Path) -> None:
    other = (PublishedKey(key=a_signer(2).public, label="another office"),)
    with pytest.raises(
        ExportError, match=f"signed by key {a_signer().public.id}, which is not among.*--keys"
    ):
        exported(data, tmp_path / "out", CASE, keys=other)
    assert not list((tmp_path / "out").iterdir())


def test_unknown_cases_and_targets_that_exist_are_said(data: Path, tmp_path: Path) -> None:
    for case_id in ("north-nobody", "../evidence", ""):
        with pytest.raises(UsageError, match=r"no case of that id in .*evidence; give"):
            exported(data, tmp_path / "out", case_id)
    (tmp_path / "out" / CASE).mkdir(parents=True)
    with pytest.raises(UsageError, match=f"{CASE}: exists already, and an export never changes one; move it"):
        exported(data, tmp_path / "out", CASE)
    (tmp_path / "out" / f"{CASE}.zip").touch()
    with pytest.raises(UsageError, match=r"\.zip: exists already"):
        exported(data, tmp_path / "out", CASE, zipped=True)


def test_a_full_disk_leaves_nothing(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match=r"the disk is full.*make room and run the same command again"):
        exported(data, tmp_path / "out", CASE, disk=narrow_disk(30_000))
    assert list((tmp_path / "out").iterdir()) == []


def test_who_appeals_gets_the_redacted_copy_and_nothing_else(data: Path, tmp_path: Path) -> None:
    package = data / "evidence" / CASE
    sha256 = sha256_hex((package / NAME).read_bytes())
    copies = DerivedCopies(CASE, sha256, LocalDerivedFiles(package, Disk()), a_signer(), Ticking())
    mosaic = (package / "scene-1.jpg").read_bytes()
    copies.add(DerivedKind.REDACTED, {"redacted-scene-1.jpg": mosaic, "redacted-clip.mp4": b"film"})
    copies.add(DerivedKind.TIME_STAMP, {"manifest.tsr": b"token"})
    summaries = {}
    for who in ("officer 7", "officer 9"):
        other = Path(shutil.copytree(data, tmp_path / who))
        with closing(SqlRecords(other / "records.sqlite")) as records:
            records.decide(
                CASE,
                Review(
                    decision=Decision.CONFIRMED, code=None, note=f"by {who}", reviewer=who, decided_at=NOW
                ),
            )
        made = exported(other, tmp_path / f"to {who}", CASE, contents=ExportContents.REDACTED)
        at = f"{PAYLOAD}/evidence/{CASE}/derived"
        bag = bagit.Bag(str(made))
        bag.validate()
        assert sorted(bag.payload_files()) == [
            f"{at}/list.json",
            f"{at}/redacted-clip.mp4",
            f"{at}/redacted-scene-1.jpg",
            f"{PAYLOAD}/keys.json",
            f"{PAYLOAD}/summary-{CASE}.pdf",
        ]
        whole = exported(other, tmp_path / f"all of {who}", CASE)
        summaries[who] = [(made / PAYLOAD / f"summary-{CASE}.pdf").read_bytes() for made in (made, whole)]
    (told, told_whole), (told_too, told_whole_too) = summaries.values()
    assert told_whole != told_whole_too, "who decided, and why, stands in what a court gets"
    assert told == told_too, "and nowhere in what leaves for the one who appeals"


def test_a_redacted_copy_goes_along_where_asked_and_must_be_there(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no redacted copy yet: make one with 'stopline evidence redact'"):
        exported(data, tmp_path / "out", CASE, contents=ExportContents.WITH_REDACTED)
    package = data / "evidence" / CASE
    sha256 = sha256_hex((package / NAME).read_bytes())
    copies = DerivedCopies(CASE, sha256, LocalDerivedFiles(package, Disk()), a_signer(), Ticking())
    copies.add(DerivedKind.REDACTED, {"redacted-scene-1.jpg": b"mosaic"})
    copies.add(DerivedKind.TIME_STAMP, {"manifest.tsr": b"token"})
    made = exported(data, tmp_path / "with", CASE, contents=ExportContents.WITH_REDACTED)
    folder = made / PAYLOAD / "evidence" / CASE
    assert (folder / "derived" / "redacted-scene-1.jpg").read_bytes() == b"mosaic"
    assert verify_one(folder, Trust(KEYS)).result is Result.VERIFIED
    zipped = exported(data, tmp_path / "without", CASE, zipped=True)
    assert zipped.name == f"{CASE}.zip" and list((tmp_path / "without").iterdir()) == [zipped]
    with ZipFile(zipped) as file:
        file.extractall(tmp_path / "unpacked")
    bagit.Bag(str(tmp_path / "unpacked" / CASE)).validate()
    folder = tmp_path / "unpacked" / CASE / PAYLOAD / "evidence" / CASE
    assert not (folder / "derived").exists() and verify_one(folder, Trust(KEYS)).result is Result.VERIFIED
