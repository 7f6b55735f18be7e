"""Copies, stamps, exports, holds and decisions of cases whose packages are in a bucket, also one with Object Lock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import bagit
import pytest
from minio import Minio
from minio.error import S3Error

from api.clock import SystemClock
from api.work.data_folder import open_records
from api.work.package_store import open_store
from api.work.retain import RetainRequest, retain
from evidence.bucket import Bucket, LockMode
from evidence.errors import StoreUnavailableError
from evidence.records import Decision
from tests.api.cli.conftest import Stopline
from tests.api.work.test_retain import site
from tests.builders.buckets import a_bucket, objects, sdk, settings_of
from tests.builders.case_folder import fill_with_chain, held, red_light
from tests.builders.certificates import certificate_files
from tests.builders.plate_models import plate_files
from tests.builders.sealed import trust_file
from tests.builders.service import a_service, decide
from tests.builders.signing import a_signer
from tests.s3_server import S3Server
from tests.tsa_server import Authority, running

CASE, OTHER = "north-red_light-s0-f000500-t7", "north-red_light-s0-f001300-t12"
ACCUSED_PX = (360.0, 150.0, 430.0, 230.0)


def in_bucket(data: Path, bucket: Bucket) -> Path:
    """A data folder with two cases, one asserted and one held, whose packages are in the bucket."""
    short = {"clip_s": (20.0, 20.6), "accused_px": ACCUSED_PX}
    fill_with_chain(data, [red_light(CASE, **short), held(OTHER, **short)])
    packages = data.parent / "sealed"
    (data / "evidence").rename(packages)
    store = open_store(data, bucket, SystemClock().now, create=True)
    for case_id in (CASE, OTHER):
        store.put(case_id, packages / case_id)
    return data


def named(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """The environment names the bucket."""
    for name, value in {**settings_of(bucket), **more}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    bucket = a_bucket(s3_server)
    named(bucket, monkeypatch)
    return bucket


@pytest.fixture
def data(tmp_path: Path, bucket: Bucket) -> Path:
    return in_bucket(tmp_path / "data", bucket)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    with running(tmp_path / "authority") as ours:
        yield ours


def derived(bucket: Bucket, case_id: str) -> set[str]:
    """The names below ``derived/`` of the case in the bucket."""
    mark = f"/{case_id}/derived/"
    return {name.partition(mark)[2] for name in objects(bucket) if mark in name}


def test_a_case_in_a_bucket_gets_every_kind_of_copy_and_verifies_and_is_exported(
    stopline: Stopline,
    data: Path,
    bucket: Bucket,
    authority: Authority,
    tmp_path: Path,
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("c2pa", reason="needs the extra [c2pa]")
    plate_files(cache_dir)
    monkeypatch.setenv("STOPLINE_CACHE", str(cache_dir))
    monkeypatch.setenv("STOPLINE_TIMESTAMP_URL", authority.url)
    chain, key, root = certificate_files(tmp_path)
    keys = tmp_path / "keys"
    assert stopline("keys", "generate", "--keys", keys, "--label", "office").code == 0
    monkeypatch.setenv("STOPLINE_KEYS", str(keys))
    assert stopline("keys", "publish", "--keys", keys, "--out", tmp_path / "office.json").code == 0
    before = objects(bucket)
    signed = ("--certificates", chain, "--key", key)
    for command, told in (
        (("copy", "--data", data), f"copied {CASE}\ncopied {OTHER}\n"),
        (("stamp", CASE, "--data", data), f"stamped {CASE}\n"),
        (("stamp", "--all", "--data", data), f"stamped {OTHER}\n"),
        (("credentials", CASE, "--data", data, *signed), "made clip.c2pa.mp4\n"),
        (("redact", CASE, "--data", data), f"{CASE}: 6 files in evidence/{CASE}/derived of the bucket\n"),
    ):
        ran = stopline("evidence", *command)
        assert (ran.code, ran.err) == (0, ""), command
        assert told in ran.out
    assert stopline("evidence", "redact", CASE, "--data", data, "--again").code == 0
    assert derived(bucket, CASE) == {
        *("list.json", "clip-h264.mp4", "manifest.tsr", "clip.c2pa.mp4", "lamp.c2pa.jpg", "plate.c2pa.jpg"),
        *(f"scene-{number}.c2pa.jpg" for number in (1, 2, 3)),
        *(f"redacted-scene-{number}.jpg" for number in (1, 2, 3)),
        *("redacted-plate.jpg", "redacted-clip.mp4", "redaction.json"),
    }
    after = objects(bucket)
    assert {name: after[name] for name in before} == before, "the originals stay as they are"
    sealer = trust_file(tmp_path / "sealer.json", 1)
    trust = ("--trust", sealer, "--trust", tmp_path / "office.json")
    roots = ("--authority", authority.root, "--authority", root)
    ran = stopline("evidence", "verify", "--all", "--data", data, *trust, *roots)
    assert ran.code == 0, ran.out
    assert "ok      derived/redacted-clip.mp4 (listed, size, hash): redacted" in ran.out
    assert ran.out.count("(time stamp): the manifest was there on 2") == 2
    ran = stopline(
        *("evidence", "export", CASE, "--data", data, "--out", tmp_path / "out", "--redacted"),
        *("--keys", sealer, *signed),
    )
    assert (ran.code, ran.err) == (0, "")
    bag = bagit.Bag(str(tmp_path / "out" / CASE))
    bag.validate()
    entries = {name.removeprefix("data/") for name in bag.payload_entries()}
    assert {f"copies/{CASE}/clip.c2pa.mp4", f"copies/{CASE}/redacted-scene-1.c2pa.jpg"} <= entries
    assert f"evidence/{CASE}/derived/redacted-clip.mp4" in entries
    folder = tmp_path / "out" / CASE / "data" / "evidence" / CASE
    assert stopline("evidence", "verify", folder, *trust, *roots).code == 0


def test_what_is_wrong_below_derived_in_the_bucket_is_found(
    stopline: Stopline, data: Path, bucket: Bucket, tmp_path: Path
) -> None:
    assert stopline("evidence", "copy", "--data", data).code == 0
    trust = ("--trust", trust_file(tmp_path / "sealer.json", 1))
    verify = ("evidence", "verify", CASE, "--data", data, *trust)
    assert stopline(*verify).code == 9, "the folder's demo key signed the list"
    client = sdk(bucket)
    start = next(name for name in objects(bucket) if name.endswith(f"{CASE}/derived/list.json"))
    start = f"{bucket.prefix}{start.removesuffix('list.json')}"
    client.fput_object(bucket.name, f"{start}more.jpg", str(data / "store.json"))
    ran = stopline(*verify)
    assert ran.code == 8
    assert "FAILED  derived/more.jpg (listed): the list does not name it" in ran.out
    client.remove_object(bucket.name, f"{start}more.jpg")
    client.fput_object(bucket.name, f"{start}deep/more.jpg", str(data / "store.json"))
    assert "FAILED  derived/deep/more.jpg (listed): it is no file of a package" in stopline(*verify).out
    client.remove_object(bucket.name, f"{start}deep/more.jpg")
    client.fput_object(bucket.name, f"{start}clip-h264.mp4", str(data / "store.json"))
    ran = stopline(*verify)
    assert ran.code == 8
    assert "FAILED  derived/clip-h264.mp4 (listed, size)" in ran.out


def test_a_package_that_changes_in_the_bucket_gets_no_copy(
    stopline: Stopline, data: Path, bucket: Bucket, tmp_path: Path
) -> None:
    clip = next(name for name in objects(bucket) if name.endswith(f"{CASE}/clip.mp4"))
    sdk(bucket).fput_object(bucket.name, bucket.prefix + clip, str(data / "store.json"))
    for command in (("redact",), ("export", "--out", tmp_path / "out")):
        ran = stopline("evidence", *command, CASE, "--data", data)
        assert ran.code == 8
        assert "so nothing is made from it" in ran.err
    assert derived(bucket, CASE) == set()
    assert not (tmp_path / "out").exists()


@pytest.fixture
def locked(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket with Object Lock that the environment names: 1 day from writing, 30 from a confirmation."""
    bucket = a_bucket(s3_server, has_lock=True)
    days = {"STOPLINE_STORE_LOCK_DAYS": "1", "STOPLINE_STORE_LOCK_CONFIRMED_DAYS": "30"}
    named(bucket, monkeypatch, STOPLINE_STORE_LOCK="governance", **days)
    day = timedelta(days=1)
    return replace(bucket, lock=LockMode.GOVERNANCE, keep=day, keep_confirmed=30 * day)


def locks(bucket: Bucket, case_id: str) -> set[tuple[datetime, bool]]:
    """Until when the objects of the case are locked, and whether they are held."""
    client = sdk(bucket)
    found = set()
    for each in client.list_objects(bucket.name, bucket.prefix, recursive=True):
        name = str(each.object_name)
        if f"/{case_id}/" in name:
            kept = client.get_object_retention(bucket.name, name)
            assert kept is not None
            found.add((kept.retain_until_date, _is_held(client, bucket.name, name)))
    return found


def _is_held(client: Minio, bucket: str, name: str) -> bool:
    try:
        return client.is_object_legal_hold_enabled(bucket, name)
    except S3Error as exc:
        if exc.code != "NoSuchObjectLegalHold":  # so SeaweedFS says that an object never was held
            raise
        return False


def test_confirming_extends_the_lock_and_rejecting_does_not(locked: Bucket, tmp_path: Path) -> None:
    now = SystemClock().now
    data = in_bucket(tmp_path / "data", locked)
    ((first, _),) = locks(locked, OTHER)
    with closing(open_records(data)) as records:
        service = a_service(data, records, now, open_store(data, locked, now))
        before = now().replace(microsecond=0)
        decide(service, CASE)
        decide(service, OTHER, code="stopped")
        case = records.case(CASE)
        assert case is not None and case.decision is Decision.CONFIRMED
    ((confirmed, _),) = locks(locked, CASE)
    assert timedelta(days=30) <= confirmed - before <= timedelta(days=30, seconds=60)
    assert locks(locked, OTHER) == {(first, False)}


def test_nothing_is_confirmed_whose_lock_cannot_be_extended(locked: Bucket, tmp_path: Path) -> None:
    now = SystemClock().now
    data = in_bucket(tmp_path / "data", locked)
    store = open_store(data, locked, now)

    def away(case_id: str, at: datetime) -> None:
        raise StoreUnavailableError("the bucket", "away")

    with closing(open_records(data)) as records, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "confirmed", away)
        with pytest.raises(StoreUnavailableError):
            decide(a_service(data, records, now, store), CASE)
        case = records.case(CASE)
        assert case is not None and case.decision is Decision.OPEN


def test_a_legal_hold_is_placed_on_the_objects_too(
    stopline: Stopline, locked: Bucket, tmp_path: Path
) -> None:
    data = in_bucket(tmp_path / "data", locked)
    place = ("evidence", "hold", CASE, "--data", data, "--by", "court", "--reason", "appeal")
    assert stopline(*place).code == 0
    assert {is_held for _, is_held in locks(locked, CASE)} == {True}
    assert {is_held for _, is_held in locks(locked, OTHER)} == {False}
    assert stopline("evidence", "release", CASE, "--data", data, "--by", "court").code == 0
    assert {is_held for _, is_held in locks(locked, CASE)} == {False}


def test_retention_waits_for_the_lock_and_then_nothing_is_left(locked: Bucket, tmp_path: Path) -> None:
    """The periods run by a handed-in clock, the server's lock by the server's own."""
    real = SystemClock().now
    brief = replace(locked, keep=timedelta(seconds=12))
    data = in_bucket(tmp_path / "data", brief)
    ends = max(until for case_id in (CASE, OTHER) for until, _ in locks(brief, case_id))
    periods = (
        "retention: {open: {at_least_days: 1, at_most_days: 2}, held: {at_least_days: 1, at_most_days: 2}}"
    )
    site_file = site(
        f"site: {{id: crossroads, name: x, time_zone: UTC}}\n{periods}\ncameras: [{{id: north, size_px: [640, 360]}}]\n"
    )
    request = RetainRequest(data=data, sites=(site_file,))
    store = open_store(data, brief, real)

    def later() -> datetime:
        return real() + timedelta(days=900)

    found = retain(request, a_signer(), later, store)
    assert not found.is_done and found.removals is not None
    assert {case_id for case_id, _ in found.removals.refused} == {CASE, OTHER}
    assert all("AccessDenied" in why for _, why in found.removals.refused)
    assert set(store.ids()) == {CASE, OTHER}
    while real() <= ends:
        time.sleep(0.2)  # a server's lock runs by the server's clock, which nobody can hand in
    again = retain(request, a_signer(), later, store)
    assert again.is_done
    assert store.ids() == ()
    left = sdk(brief).list_objects(brief.name, brief.prefix, recursive=True, include_version=True)
    assert list(left) == []
    with closing(open_records(data)) as records:
        case = records.case(CASE)
        assert case is not None and case.removal is not None and case.record.plate_text is None
