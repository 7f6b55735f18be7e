"""A package is whole in the store and recorded once, whatever broke on the way; what is not whole is never listed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from evidence import manifest
from evidence.case_builder import BuiltCase
from evidence.database import RecordsError
from evidence.delivery import deliver, sweep
from evidence.durable import Disk, open_after
from evidence.errors import DiskError, DiskFullError, PackageDamagedError, PackageMissingError
from evidence.records import CaseRecord, PackageState, Records
from evidence.spool import CaseIdError, Spool
from evidence.store_local import LocalStore
from ingest.packet_ring import PacketRing
from rules.finding import Rule, Status
from tests.builders.casework import Bench
from tests.builders.filmed import START, Filming, Street, frames_of, spoken


class KilledError(BaseException):
    """Stands for ``kill -9``: nothing after it happens."""


class MortalDisk(Disk):
    """A disk whose process is killed before its step number ``dies_at`` (from 0), and stays dead."""

    def __init__(self, dies_at: int) -> None:
        super().__init__()
        self.steps = 0
        self._dies_at = dies_at

    def _step(self) -> None:
        if self.steps >= self._dies_at:
            raise KilledError
        self.steps += 1

    def make_folder(self, folder: Path) -> None:
        self._step()
        super().make_folder(folder)

    def write(self, path: Path, data: bytes) -> None:
        self._step()
        if self.steps == self._dies_at:
            path.write_bytes(data[: len(data) // 2])
            raise KilledError
        super().write(path, data)

    def copy(self, source: Path, target: Path) -> None:
        self._step()
        super().copy(source, target)

    def append(self, path: Path, size: int, data: bytes) -> None:
        self._step()
        if self.steps == self._dies_at:
            super().append(path, size, data[: len(data) // 2])
            raise KilledError
        super().append(path, size, data)

    def settle(self, folder: Path) -> None:
        self._step()
        super().settle(folder)

    def seal(self, building: Path, sealed: Path) -> None:
        self._step()
        super().seal(building, sealed)

    def remove(self, folder: Path) -> None:
        self._step()
        super().remove(folder)


class NarrowFile:
    """A file that takes ``room`` bytes more, then says that the disk is full."""

    def __init__(self, file: BinaryIO, room: list[int], reason: int) -> None:
        self._file, self._room, self._reason = file, room, reason

    def write(self, data: bytes) -> int:
        fits = min(len(data), self._room[0])
        self._room[0] -= fits
        self._file.write(data[:fits])
        if fits < len(data):
            raise OSError(self._reason, os.strerror(self._reason))
        return fits

    def __enter__(self) -> NarrowFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def narrow_disk(room: int, reason: int = errno.ENOSPC) -> Disk:
    """A disk with room for so many bytes."""
    left = [room]
    return Disk(
        opener=lambda path: NarrowFile(path.open("xb"), left, reason),  # type: ignore[arg-type,return-value]
        appender=lambda path, size: NarrowFile(open_after(path, size), left, reason),  # type: ignore[arg-type,return-value]
    )


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Street, Path]:
    """Twenty-five seconds with a red-light and a parking case."""
    filming = Filming(seconds=25.0, size_px=(160, 96), fps=10)
    street = Street(filming=filming, crossing_s=5.0, red_s=2.0, arrival_s=1.0)
    return street, street.film(tmp_path_factory.mktemp("short") / "short.mp4")


@pytest.fixture
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does not wait for the disk: these tests are about what is written, in which order."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def desk(short: tuple[Street, Path], tmp_path: Path) -> Iterator[Bench]:
    with closing(
        Bench(street=short[0], film=short[1], data_dir=tmp_path / "data", allowed_stop_s=5.0)
    ) as bench:
        yield bench


@pytest.fixture(scope="module")
def undisturbed(short: tuple[Street, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """What a run without any trouble leaves."""
    bench = Bench(
        street=short[0], film=short[1], data_dir=tmp_path_factory.mktemp("good"), allowed_stop_s=5.0
    )
    bench.run()
    bench.close()
    bench.disk = None
    return bench


def assert_listed_is_whole(bench: Bench) -> int:
    """Every listed case has a package that is whole; returns how many there are."""
    store = LocalStore(bench.data_dir, Disk())
    listed = bench.listed()
    for record in listed:
        found = manifest.verified(record.id, partial(store.read, record.id))
        assert found.sha256 == record.manifest_sha256
    return len(listed)


def assert_finished(bench: Bench, good: Bench) -> None:
    """All cases stand once, byte for byte as without trouble, linked once, and nothing lies about."""
    assert bench.files() == good.files()
    assert bench.links() == {record.manifest_sha256 for record in bench.listed()}
    assert len(bench.listed()) == 2
    assert len({record.id for record in bench.listed()}) == 2
    spool = bench.data_dir / "spool"
    assert not spool.exists() or list(spool.iterdir()) == []
    assert sorted(path.name for path in (bench.data_dir / "evidence").iterdir()) == sorted(
        record.id for record in bench.listed()
    )


def resume(bench: Bench) -> list[Any]:
    """What ``--resume`` does: finish what is there, then all again from the start."""
    bench.disk = None
    bench.sweep()
    assert_listed_is_whole(bench)
    return [case.event_json for case in bench.run()]


@pytest.mark.timeout(600)
def test_killed_before_or_within_any_step_the_run_ends_as_if_nothing_had_been(
    desk: Bench, undisturbed: Bench, quick_disk: None
) -> None:
    events = resume(desk)
    assert_finished(desk, undisturbed)
    counting = MortalDisk(10_000)
    shutil.rmtree(desk.data_dir)
    desk.__post_init__()
    desk.disk = counting
    desk.run()
    assert counting.steps > 40
    for dies_at in range(counting.steps):
        desk.close()
        shutil.rmtree(desk.data_dir)
        desk.__post_init__()
        desk.disk = MortalDisk(dies_at)
        with pytest.raises(KilledError):
            desk.run()
        assert_listed_is_whole(desk)
        assert resume(desk) == events, f"killed at step {dies_at}"
        assert_finished(desk, undisturbed)


class UnwillingRecords:
    """Records that cannot be written."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add_case(self, record: CaseRecord, *link: object) -> bool:
        raise RecordsError(Path("records.sqlite"), "database or disk is full")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


def test_records_that_refuse_leave_the_sealed_package_for_later(desk: Bench, undisturbed: Bench) -> None:
    with pytest.raises(RecordsError):
        desk.run(records=UnwillingRecords(desk.records))
    assert desk.listed() == []
    report = desk.sweep()
    assert len(report.finished) == 1
    assert assert_listed_is_whole(desk) == 1
    assert desk.sweep().finished == ()
    again = desk.run()
    assert [case.is_new for case in again] == [False, True]
    assert_finished(desk, undisturbed)


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_with_what_is_missing_and_how_to_go_on(desk: Bench, reason: int) -> None:
    desk.disk = narrow_disk(3_000, reason)
    with pytest.raises(DiskFullError) as caught:
        desk.run()
    error = caught.value
    assert error.code == "disk_full" and error.retryable
    assert error.needed_bytes > 0 and error.free_bytes is not None
    assert str(error.path) in str(error)
    assert "--resume" in str(error)


@pytest.mark.timeout(600)
def test_a_disk_that_fills_up_anywhere_leaves_nothing_half_written_and_resume_completes_it(
    desk: Bench, undisturbed: Bench, quick_disk: None
) -> None:
    events = resume(desk)
    written: list[int] = []

    class Measuring(Disk):
        def write(self, path: Path, data: bytes) -> None:
            written.append(len(data))
            super().write(path, data)

        def append(self, path: Path, size: int, data: bytes) -> None:
            written.append(len(data))
            super().append(path, size, data)

    shutil.rmtree(desk.data_dir)
    desk.__post_init__()
    desk.disk = Measuring()
    desk.run()
    rooms, total = [], 0
    for size in written:
        rooms += [total, total + size - 1]
        total += size
    assert len(written) > 15
    for room in rooms:
        desk.close()
        shutil.rmtree(desk.data_dir)
        desk.__post_init__()
        desk.disk = narrow_disk(room)
        with pytest.raises(DiskFullError):
            desk.run()
        assert_listed_is_whole(desk)
        leftovers = {path.name for path in (desk.data_dir / "spool").glob("*")}
        sealed = set(Spool(desk.data_dir / "spool", Disk()).sealed_ids())
        assert leftovers == sealed, f"room for {room} bytes: the attempt takes up room"
        assert resume(desk) == events, f"room for {room} bytes"
        assert_finished(desk, undisturbed)


def test_an_abandoned_run_leaves_nothing_unfinished_and_what_was_done(
    desk: Bench, undisturbed: Bench
) -> None:
    ring = PacketRing()
    builder = desk.builder(ring)
    say = spoken(desk.findings())
    done: list[BuiltCase] = []
    for stamp in frames_of(desk.film, ring):
        done += builder.said(say(stamp), stamp)
        if stamp.media_s > 12.0:
            break
    assert (desk.data_dir / "spool" / "kept").is_dir(), "nothing was going on; the test tests nothing"
    builder.abandon()
    builder.abandon()
    assert list((desk.data_dir / "spool").iterdir()) == []
    assert assert_listed_is_whole(desk) == len(done) == 1
    assert desk.sweep().removed == ()
    desk.run()
    assert_finished(desk, undisturbed)


def test_another_refusal_of_the_disk_is_not_taken_for_a_full_one(desk: Bench) -> None:
    desk.disk = narrow_disk(3_000, errno.EIO)
    with pytest.raises(DiskError, match="Input/output error") as caught:
        desk.run()
    assert caught.value.code == "disk"


def test_a_package_is_never_built_again_for_the_same_id(desk: Bench) -> None:
    first = desk.run()
    before = desk.files()
    other = replace(desk.findings()[0], reasons=("another story",))
    again = desk.run([other])
    assert desk.files() == before
    assert again[0].is_new is False
    assert again[0].evidence == next(case.evidence for case in first if case.finding.id == other.id)
    assert len(desk.listed()) == 2


def test_a_case_whose_record_was_lost_is_recorded_from_its_package(desk: Bench, undisturbed: Bench) -> None:
    desk.run()
    records = desk.listed()
    desk.close()
    (desk.data_dir / "records.sqlite").unlink()
    desk.__post_init__()
    assert set(desk.sweep().unrecorded) == {record.id for record in records}
    assert [case.is_new for case in desk.run()] == [False, False]
    assert desk.listed() == records
    assert_finished(desk, undisturbed)


def test_a_stored_package_that_was_damaged_is_an_error_and_not_a_second_build(desk: Bench) -> None:
    desk.run()
    record = desk.listed()[0]
    path = desk.data_dir / record.evidence_path / "clip.mp4"
    path.unlink()
    path.write_bytes(b"something else")
    with pytest.raises(PackageDamagedError, match=r"clip\.mp4"):
        desk.run()


def test_a_sealed_entry_that_is_damaged_stays_and_is_said(desk: Bench) -> None:
    with pytest.raises(RecordsError):
        desk.run(records=UnwillingRecords(desk.records))
    entry = next(path for path in (desk.data_dir / "spool").iterdir() if path.name != "kept")
    scene = entry / "package" / "scene-1.jpg"
    data = scene.read_bytes()
    scene.unlink()
    scene.write_bytes(data[:-1])
    with pytest.raises(PackageDamagedError, match=r"scene-1\.jpg"):
        desk.sweep()
    assert entry.is_dir() and desk.listed() == []
    (entry / "record.json").write_bytes(b"{}")
    scene.write_bytes(data)
    with pytest.raises(PackageDamagedError, match=r"record\.json"):
        desk.sweep()
    (entry / "record.json").unlink()
    with pytest.raises(PackageMissingError, match=r"record\.json"):
        desk.sweep()


def test_a_sweep_of_an_empty_folder_finds_nothing(desk: Bench) -> None:
    report = sweep(desk.data_dir, LocalStore(desk.data_dir, Disk()), desk.custody())
    assert (report.finished, report.removed, report.unrecorded) == ((), (), ())


def a_record(case_id: str, **changes: Any) -> CaseRecord:
    values: dict[str, Any] = {
        "id": case_id, "rule": Rule.RED_LIGHT, "site_id": "s", "camera_id": "c", "place_id": "p",
        "status": Status.HELD, "t_s": 1.25, "captured_at": START,
        "time_zone": "Asia/Shanghai", "vehicle_class": "car", "plate_text": "京A12345",
        "package": PackageState.INCOMPLETE, "package_reasons": ("why", "not"),
        "evidence_path": f"evidence/{case_id}", "manifest_path": f"evidence/{case_id}/manifest.json",
        "manifest_sha256": "ab" * 32, "event_json": '{"id": 1}',
    }  # fmt: skip
    return CaseRecord(**{**values, **changes})


@pytest.mark.parametrize("changes", [{}, {"captured_at": None, "plate_text": None, "package_reasons": ()}])
def test_a_sealed_record_comes_back_as_it_was(tmp_path: Path, changes: dict[str, Any]) -> None:
    spool = Spool(tmp_path / "spool", Disk())
    record = a_record("case-1", **changes)
    spool.begin("case-1")
    spool.seal("case-1", record)
    assert spool.is_sealed("case-1")
    assert spool.sealed_ids() == ("case-1",)
    assert spool.record("case-1") == record


@pytest.mark.parametrize(
    "case_id", ["", "..", "a/b", "../a", ".hidden", "a.building", "a.incoming", "kept", "a b", "a\n"]
)
def test_an_id_that_cannot_name_a_folder_is_refused(tmp_path: Path, case_id: str) -> None:
    with pytest.raises(CaseIdError):
        Spool(tmp_path, Disk()).begin(case_id)
    with pytest.raises(CaseIdError):
        LocalStore(tmp_path, Disk()).has(case_id)


def test_beginning_again_removes_what_an_earlier_attempt_left(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", Disk())
    (spool.begin("case-1") / "scene-1.jpg").write_bytes(b"half")
    assert list(spool.begin("case-1").iterdir()) == []
    assert spool.clear_scratch() == ("case-1.building",)
    assert spool.clear_scratch() == ()


def a_package(folder: Path) -> Path:
    folder.mkdir()
    for name in ("scene-1.jpg", "manifest.json", "clip.mp4"):
        (folder / name).write_bytes(name.encode())
    return folder


def no_links(source: Path, target: Path) -> None:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


@pytest.mark.parametrize("link", [os.link, no_links], ids=["linked", "copied"])
def test_the_store_writes_the_manifest_last_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: Callable[[Path, Path], None]
) -> None:
    monkeypatch.setattr(os, "link", link)
    order: list[str] = []

    class Noting(Disk):
        def copy(self, source: Path, target: Path) -> None:
            order.append(source.name)
            super().copy(source, target)

    store = LocalStore(tmp_path, Noting())
    package = a_package(tmp_path / "package")
    assert not store.has("case-1")
    store.put("case-1", package)
    store.put("case-1", package)
    assert order == ["clip.mp4", "scene-1.jpg", "manifest.json"]
    assert store.has("case-1") and store.ids() == ("case-1",)
    assert store.read("case-1", "clip.mp4") == b"clip.mp4"
    assert store.path_of("case-1") == "evidence/case-1"
    for name in ("none.jpg", "../package/clip.mp4", ""):
        with pytest.raises(PackageMissingError):
            store.read("case-1", name)
    with pytest.raises(PackageMissingError):
        store.read("case-2", "clip.mp4")


def test_what_comes_in_is_not_in_the_store_yet(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, Disk())
    assert store.ids() == () and store.clear_scratch() == ()
    (tmp_path / "evidence").mkdir()
    a_package(tmp_path / "evidence" / "case-1.incoming")
    assert store.ids() == () and not store.has("case-1")
    assert store.clear_scratch() == ("case-1.incoming",)
    assert list((tmp_path / "evidence").iterdir()) == []


def test_delivering_twice_records_once(tmp_path: Path, desk: Bench) -> None:
    spool, store = Spool(tmp_path / "spool", Disk()), LocalStore(tmp_path, Disk())
    for is_new in (True, False):
        (spool.begin("case-1") / manifest.NAME).write_bytes(b"{}")
        spool.seal("case-1", a_record("case-1"))
        assert deliver("case-1", spool, store, desk.custody()) is is_new
        assert not spool.is_sealed("case-1")
    assert len(desk.listed()) == 1
