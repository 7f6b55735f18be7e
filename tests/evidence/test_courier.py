"""Sealed packages reach store and records in the end, whatever was away meanwhile; what has no room is counted."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evidence import manifest
from evidence.budget import Budget, SpoolFullError
from evidence.case_builder import BuiltCase
from evidence.courier import Courier, Pace
from evidence.custody import ChainForkedError
from evidence.durable import Disk, open_new
from evidence.errors import (
    DiskFullError,
    PackageDamagedError,
    StoreConflictError,
    StoreRefusedError,
    StoreUnavailableError,
)
from evidence.holding_disk import HoldingDisk
from evidence.spool import Spool
from evidence.store_local import LocalStore
from ingest.packet_ring import PacketRing
from rules.finding import DisarmCause, Rule
from tests.builders.casework import Bench
from tests.builders.filmed import Filming, Street, frames_of, spoken
from tests.evidence.test_delivery import a_record

QUICK = Pace(first_s=0.01, most_s=0.02, end_s=0.1)
PATIENT = Pace(first_s=0.01, most_s=0.02, end_s=30.0)


class MoodyStore:
    """A store that raises as told: ``mood`` gives what the next ``put`` of that case raises, or None."""

    def __init__(self, store: LocalStore, mood: Callable[[str], Exception | None]) -> None:
        self._store, self.mood = store, mood
        self.asked: list[str] = []

    def put(self, case_id: str, folder: Path) -> None:
        self.asked.append(case_id)
        error = self.mood(case_id)
        if error is not None:
            raise error
        self._store.put(case_id, folder)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def away(_: str) -> Exception:
    return StoreUnavailableError("http://store", "ConnectTimeout")


def willing(_: str) -> None:
    return None


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Street, Path]:
    """Twenty-five seconds with a red-light and a parking case."""
    street = Street(
        filming=Filming(seconds=25.0, size_px=(160, 96), fps=10), crossing_s=5.0, red_s=2.0, arrival_s=1.0
    )
    return street, street.film(tmp_path_factory.mktemp("short") / "short.mp4")


@pytest.fixture
def bench(short: tuple[Street, Path], data: Path) -> Iterator[Bench]:
    with closing(Bench(street=short[0], film=short[1], data_dir=data, allowed_stop_s=5.0)) as made:
        yield made


@pytest.fixture
def store(data: Path) -> MoodyStore:
    return MoodyStore(LocalStore(data, Disk()), willing)


def seal(data: Path, case_id: str, size: int = 10) -> None:
    """A sealed entry of that many bytes."""
    spool = Spool(data / "spool", Disk())
    package = spool.begin(case_id)
    (package / "clip.mp4").write_bytes(b"x" * (size - 2))
    (package / manifest.NAME).write_bytes(b"{}")
    spool.seal(case_id, a_record(case_id, camera_id="north"))


def ids(bench: Bench) -> list[str]:
    return [record.id for record in bench.listed()]


def until(true: Callable[[], object]) -> None:
    """Returns when it holds; a test that never gets there fails."""
    for _ in range(2_000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it never came true")


def test_what_was_sealed_while_the_store_was_away_is_delivered_in_order(
    bench: Bench, data: Path, store: MoodyStore
) -> None:
    store.mood = away
    with Courier(data, store, bench.custody(), pace=PATIENT) as courier:
        for number in range(3):
            seal(data, f"case-{number}")
            courier.take(f"case-{number}")
        until(lambda: len(store.asked) > 3)
        assert (courier.waiting, ids(bench)) == (("case-0", "case-1", "case-2"), [])
        assert courier.trouble is not None and "ConnectTimeout" in courier.trouble
        store.mood = willing
        until(lambda: not courier.waiting)
        first, second = courier.news()
        assert "does not answer (ConnectTimeout)" in first
        assert "answer again" in second
        assert courier.news() == ()
    assert ids(bench) == ["case-0", "case-1", "case-2"] == list(store.ids())
    assert list((data / "spool").iterdir()) == []
    assert len(bench.links()) == 1, "these records all name one manifest"


@pytest.mark.parametrize(
    "error", [away(""), StoreRefusedError("s", "AccessDenied", "x"), DiskFullError(Path("d"), 1, 0)]
)
def test_the_end_of_a_run_does_not_wait_for_ever_and_what_waits_stays_for_the_next(
    bench: Bench, data: Path, store: MoodyStore, error: Exception
) -> None:
    bench.run()
    recorded = bench.listed()
    bench.close()
    (data / "records.sqlite").unlink()
    bench.__post_init__()
    spool = Spool(data / "spool", Disk())
    for record in recorded:
        package = spool.begin(record.id)
        for name in store.names(record.id):
            (package / name).write_bytes(store.read(record.id, name))
        spool.seal(record.id, record)
    store.mood = lambda _: error
    with Courier(data, store, bench.custody(), pace=QUICK) as courier:
        assert len(courier.waiting) == 2
    assert courier.waiting == spool.sealed_ids() == tuple(sorted(record.id for record in recorded))
    store.mood = willing
    with Courier(data, store, bench.custody(), pace=QUICK) as courier:
        pass
    assert (courier.waiting, spool.sealed_ids()) == ((), ())
    assert sorted(ids(bench)) == sorted(record.id for record in recorded)


def test_an_entry_that_no_attempt_can_heal_stays_and_the_others_go_on(
    bench: Bench, data: Path, store: MoodyStore
) -> None:
    store.mood = lambda case_id: (
        StoreConflictError(case_id, "clip.mp4", "aa" * 32, "bb" * 32) if case_id == "case-0" else None
    )
    with Courier(data, store, bench.custody(), pace=QUICK) as courier:
        for number in range(2):
            seal(data, f"case-{number}")
            courier.take(f"case-{number}")
    assert ids(bench) == ["case-1"]
    assert courier.waiting == ("case-0",) == Spool(data / "spool", Disk()).sealed_ids()
    assert courier.trouble is not None
    assert "aa" * 32 in courier.trouble and "bb" * 32 in courier.trouble


def test_an_entry_that_was_damaged_since_it_was_sealed_is_said_at_the_start(
    bench: Bench, data: Path, store: MoodyStore
) -> None:
    seal(data, "case-0")
    with pytest.raises(PackageDamagedError), Courier(data, store, bench.custody(), pace=QUICK):
        pass
    assert Spool(data / "spool", Disk()).sealed_ids() == ("case-0",)


def test_an_alarm_is_told_before_the_budget_is_used_up_and_then_there_is_no_room(
    bench: Bench, data: Path, store: MoodyStore
) -> None:
    store.mood = away
    with Courier(data, store, bench.custody(), budget=Budget(spool_bytes=100), pace=QUICK) as courier:
        for number in range(7):
            seal(data, f"case-{number}")
            courier.take(f"case-{number}")
        assert courier.full() is None
        assert not any("alarm" in text for text in courier.news())
        for number in range(7, 10):
            seal(data, f"case-{number}")
            courier.take(f"case-{number}")
        (alarm,) = [text for text in courier.news() if "alarm" in text]
        assert "of the spool are used" in alarm
        why = courier.wait_for_room()
        assert why is not None
        assert why == courier.full()
        assert "10 packages" in why and "ConnectTimeout" in why
        store.mood = willing
        until(lambda: courier.full() is None)
        assert courier.wait_for_room() is None
    assert len(ids(bench)) == 10


@pytest.mark.parametrize("error", [ZeroDivisionError(), ChainForkedError("north-1", 2, "it was changed")])
def test_a_mistake_of_ours_and_a_forked_chain_end_the_run(
    bench: Bench, data: Path, store: MoodyStore, error: Exception
) -> None:
    store.mood = lambda _: error
    with pytest.raises(type(error)), Courier(data, store, bench.custody(), pace=QUICK) as courier:
        _until_advance_raises(data, courier)
    assert Spool(data / "spool", Disk()).sealed_ids() == ("case-0",)


def _until_advance_raises(data: Path, courier: Courier) -> None:
    seal(data, "case-0")
    courier.take("case-0")
    until(lambda: courier.advance("north"))


def test_the_cases_of_a_recording_wait_for_nothing_but_a_full_spool(
    bench: Bench, data: Path, store: MoodyStore
) -> None:
    store.mood = away
    with Courier(data, store, bench.custody(), budget=Budget(spool_bytes=1), pace=QUICK) as courier:
        bench.delivery = courier
        with pytest.raises(SpoolFullError, match="--resume"):
            bench.run()
    assert len(Spool(data / "spool", Disk()).sealed_ids()) == 1
    store.mood = willing
    with Courier(data, store, bench.custody(), pace=QUICK) as courier:
        bench.delivery = courier
        bench.run()
    assert len(ids(bench)) == len(set(ids(bench))) == len(store.ids()) == 2


def test_a_camera_goes_on_without_room_and_each_finding_is_named(
    bench: Bench, data: Path, store: MoodyStore
) -> None:
    store.mood = away
    budget = Budget(spool_bytes=1)
    bench.going_on = budget
    with Courier(data, store, bench.custody(), budget=budget, pace=QUICK) as courier:
        bench.delivery = courier
        ring = PacketRing()
        built: list[BuiltCase] = []
        builder = bench.builder(ring)
        say = spoken(bench.findings())
        for stamp in frames_of(bench.film, ring):
            built += builder.said(say(stamp), stamp)
        built += builder.finish()
        store.mood = willing
    (one,) = builder.unkept
    other = next(finding for finding in bench.findings() if finding.id == one.finding_id)
    assert (one.rule, one.track_id, one.t_s) == (other.rule, other.track_id, other.t_s)
    assert "the spool is full: 1 packages" in one.why
    assert [case.finding.id for case in built] == ids(bench) != [one.finding_id]
    (spell,) = builder.disarmed
    assert spell.cause is DisarmCause.STORAGE
    assert spell.to_s is not None and spell.from_s < spell.to_s
    assert one.rule in (Rule.RED_LIGHT, Rule.NO_PARKING)


class Narrow(Disk):
    """A disk that can be full."""

    def __init__(self) -> None:
        super().__init__(opener=self._opened)
        self.is_full = True

    def _opened(self, path: Path) -> Any:
        if not self.is_full:
            return open_new(path)
        open_new(path).close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_files_are_held_while_the_disk_is_full_and_written_before_their_folder_is_sealed(
    tmp_path: Path,
) -> None:
    inner = Narrow()
    disk = HoldingDisk(inner, 10)
    building, sealed = tmp_path / "a.building", tmp_path / "a"
    disk.make_folder(building)
    disk.write(building / "one", b"123")
    disk.write(building / "two", b"4567")
    assert disk.held_bytes == 7
    assert list(building.iterdir()) == [], "nothing half-written is left"
    assert disk.read(building / "one") == b"123"
    disk.settle(building)
    with pytest.raises(DiskFullError):
        disk.write(building / "three", b"8901")
    with pytest.raises(DiskFullError):
        disk.seal(building, sealed)
    assert not sealed.exists()
    inner.is_full = False
    disk.seal(building, sealed)
    assert {path.name: path.read_bytes() for path in sealed.iterdir()} == {"one": b"123", "two": b"4567"}
    assert disk.held_bytes == 0


def test_what_is_removed_is_no_longer_held(tmp_path: Path) -> None:
    disk = HoldingDisk(Narrow(), 10)
    disk.make_folder(tmp_path / "a")
    disk.write(tmp_path / "a" / "one", b"123")
    disk.write(tmp_path / "a" / "two", b"123")
    disk.unlink(tmp_path / "a" / "one")
    assert disk.held_bytes == 3
    disk.remove(tmp_path / "a")
    assert disk.held_bytes == 0
    assert not (tmp_path / "a").exists()
