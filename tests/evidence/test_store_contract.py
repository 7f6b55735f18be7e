"""Both stores keep the same promises: the folder and a bucket of a real S3 server.

A bucket elsewhere joins in where the environment names it: ``TEST_S3_ENDPOINT``, ``TEST_S3_BUCKET``,
``TEST_S3_ACCESS_KEY`` and ``TEST_S3_SECRET_KEY``; tests write below a prefix of their own there.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import urllib3

from evidence.bucket import Bucket, BucketObjects, LockMode
from evidence.durable import Disk
from evidence.errors import (
    DiskError,
    PackageMissingError,
    StoreConflictError,
    StoreRefusedError,
    StoreUnavailableError,
)
from evidence.spool import CaseIdError
from evidence.store import PackageStore
from evidence.store_local import LocalStore
from evidence.store_s3 import S3Store
from tests.builders.buckets import a_bucket, sdk
from tests.relay import Relay, relayed
from tests.s3_server import S3Server

CASE = "north-1.red_light.12"
FILES = {"scene-1.jpg": b"\xff\xd8 one", "clip.mp4": bytes(range(256)) * 40, "trace.json": b"{}"}


def now() -> datetime:
    """The real clock: a server refuses requests that are signed by another."""
    return datetime.now(UTC)


@pytest.fixture(params=["folder", "s3", *(["named"] if "TEST_S3_ENDPOINT" in os.environ else [])])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> PackageStore:
    """A store with nothing in it."""
    if request.param == "folder":
        return LocalStore(tmp_path / "data", Disk())
    if request.param == "s3":
        return S3Store(a_bucket(request.getfixturevalue("s3_server")), now, Disk())
    bucket = Bucket(
        endpoint=os.environ["TEST_S3_ENDPOINT"],
        name=os.environ["TEST_S3_BUCKET"],
        access_key=os.environ["TEST_S3_ACCESS_KEY"],
        secret_key=os.environ["TEST_S3_SECRET_KEY"],
        prefix=f"stopline-test-{uuid.uuid4().hex}/",
    )
    return S3Store(bucket, now, Disk())


@pytest.fixture
def a_package(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder as the spool has it: files, and a manifest that lists them."""

    def make(**changed: bytes) -> Path:
        folder = tmp_path / f"package-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        files = {**FILES, **{name.replace("_", "."): data for name, data in changed.items()}}
        for name, data in files.items():
            (folder / name).write_bytes(data)
        listed = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        (folder / "manifest.json").write_text(json.dumps(listed))
        return folder

    return make


def test_what_was_put_is_read_back_byte_for_byte(store: PackageStore, a_package: Callable[..., Path]) -> None:
    store.put(CASE, a_package())
    assert store.has(CASE)
    assert {name: store.read(CASE, name) for name in FILES} == FILES
    assert store.ids() == (CASE,)
    assert store.path_of(CASE) == f"evidence/{CASE}"


def test_another_package_under_the_same_id_is_an_error_that_names_both_hashes(
    store: PackageStore, a_package: Callable[..., Path]
) -> None:
    first, other = a_package(), a_package(trace_json=b"[]")
    store.put(CASE, first)
    with pytest.raises(StoreConflictError) as conflict:
        store.put(CASE, other)
    before, after = (json.loads((package / "manifest.json").read_text()) for package in (first, other))
    named = {"manifest.json": [hashlib.sha256(each.read_bytes()).hexdigest() for each in (
        first / "manifest.json", other / "manifest.json")],
        "trace.json": [before["trace.json"], after["trace.json"]]}  # fmt: skip
    assert all(sha256 in str(conflict.value) for sha256 in named[conflict.value.name])
    assert store.read(CASE, "trace.json") == FILES["trace.json"]


def test_all_files_of_a_package_are_named_listed_in_its_manifest_or_not(
    store: PackageStore, a_package: Callable[..., Path]
) -> None:
    assert store.names(CASE) == ()
    store.put(CASE, a_package())
    assert store.names(CASE) == tuple(sorted([*FILES, "manifest.json"]))
    assert store.unfinished() == ()
    store.check()


def test_a_package_is_written_once(store: PackageStore, a_package: Callable[..., Path]) -> None:
    store.put(CASE, a_package())
    store.put(CASE, a_package())
    assert store.read(CASE, "clip.mp4") == FILES["clip.mp4"]
    assert store.ids() == (CASE,)


def test_what_is_not_there_is_missing_not_empty(store: PackageStore, a_package: Callable[..., Path]) -> None:
    assert not store.has(CASE)
    assert store.ids() == ()
    with pytest.raises(PackageMissingError):
        store.read(CASE, "clip.mp4")
    store.put(CASE, a_package())
    with pytest.raises(PackageMissingError):
        store.read(CASE, "scene-9.jpg")
    with pytest.raises(PackageMissingError):
        store.read(CASE, "../x/manifest.json")


def test_a_package_whose_manifest_never_came_does_not_exist(
    store: PackageStore, a_package: Callable[..., Path]
) -> None:
    half = a_package()
    (half / "manifest.json").rename(half.with_suffix(".json"))
    with pytest.raises(DiskError):
        store.put(CASE, half)
    assert not store.has(CASE)
    assert store.ids() == ()
    half.with_suffix(".json").rename(half / "manifest.json")
    store.clear_scratch()
    store.put(CASE, half)
    assert store.ids() == (CASE,)


def test_an_id_that_could_leave_its_place_is_refused(
    store: PackageStore, a_package: Callable[..., Path]
) -> None:
    with pytest.raises(CaseIdError):
        store.put("../outside", a_package())
    with pytest.raises(CaseIdError):
        store.has("a/b")


def test_a_package_that_is_removed_is_gone_and_the_others_stay(
    store: PackageStore, a_package: Callable[..., Path]
) -> None:
    store.put(CASE, a_package())
    store.put("other", a_package())
    store.remove(CASE)
    store.remove(CASE)
    assert not store.has(CASE)
    assert store.ids() == ("other",)
    with pytest.raises(PackageMissingError):
        store.read(CASE, "clip.mp4")


@pytest.fixture
def bucket(s3_server: S3Server) -> Bucket:
    """A bucket without lock."""
    return a_bucket(s3_server)


def test_files_that_a_crash_left_in_the_bucket_are_taken_over(
    bucket: Bucket, a_package: Callable[..., Path]
) -> None:
    package = a_package()
    sdk(bucket).fput_object(
        bucket.name, f"{bucket.prefix}evidence/{CASE}/clip.mp4", str(package / "clip.mp4")
    )
    store = S3Store(bucket, now, Disk())
    assert not store.has(CASE)
    store.put(CASE, package)
    assert store.ids() == (CASE,)


def test_a_crash_without_its_spool_leaves_nothing_listed_and_is_cleared(
    bucket: Bucket, a_package: Callable[..., Path]
) -> None:
    key = f"{bucket.prefix}evidence/{CASE}/clip.mp4"
    sdk(bucket).fput_object(bucket.name, key, str(a_package() / "clip.mp4"))
    store = S3Store(bucket, now, Disk())
    assert store.ids() == ()
    assert store.unfinished() == (CASE,)
    assert store.clear_scratch() == (CASE,)
    assert not list(sdk(bucket).list_objects(bucket.name, bucket.prefix, recursive=True))


def test_other_content_under_the_same_name_is_an_error_that_names_both_hashes(
    bucket: Bucket, a_package: Callable[..., Path]
) -> None:
    store = S3Store(bucket, now, Disk())
    store.put(CASE, a_package())
    with pytest.raises(StoreConflictError) as conflict:
        store.put(CASE, a_package(clip_mp4=b"another clip"))
    assert conflict.value.theirs == hashlib.sha256(FILES["clip.mp4"]).hexdigest()
    assert conflict.value.ours == hashlib.sha256(b"another clip").hexdigest()
    assert conflict.value.theirs in str(conflict.value)
    assert conflict.value.ours in str(conflict.value)
    assert store.read(CASE, "clip.mp4") == FILES["clip.mp4"]


def test_a_long_clip_goes_in_parts_and_comes_back_whole(
    bucket: Bucket, a_package: Callable[..., Path]
) -> None:
    store = S3Store(replace(bucket, parts_from_bytes=6_000_000), now, Disk())
    clip = os.urandom(1000) * 6_001
    package = a_package(clip_mp4=clip)
    store.put(CASE, package)
    found = sdk(bucket).stat_object(bucket.name, f"{bucket.prefix}evidence/{CASE}/clip.mp4")
    assert "-" in (found.etag or ""), "an object that was sent in parts has the number of parts in its tag"
    assert hashlib.sha256(store.read(CASE, "clip.mp4")).digest() == hashlib.sha256(clip).digest()
    (package / "manifest.json").write_text("another")
    (package / "clip.mp4").write_bytes(clip[:-1] + b"?")
    with pytest.raises(StoreConflictError):
        store.put(CASE, package)


@pytest.mark.parametrize("parts_from_bytes", [1_000, 64_000_000])
def test_the_server_encrypts_each_object_where_that_is_asked_for(
    bucket: Bucket, a_package: Callable[..., Path], parts_from_bytes: int
) -> None:
    store = S3Store(replace(bucket, encrypted=True, parts_from_bytes=parts_from_bytes), now, Disk())
    store.put(CASE, a_package())
    assert {name: store.read(CASE, name) for name in FILES} == FILES
    store.derived(CASE, nullcontext).write("list.json", b"[]")
    for name in (*FILES, "manifest.json", "derived/list.json"):
        found = sdk(bucket).stat_object(bucket.name, f"{bucket.prefix}evidence/{CASE}/{name}")
        assert found.metadata is not None
        assert found.metadata["x-amz-server-side-encryption"] == "AES256"


def test_a_link_gives_one_file_for_a_while_and_nothing_else(
    bucket: Bucket, a_package: Callable[..., Path]
) -> None:
    public = replace(bucket, public_endpoint=bucket.endpoint.replace("127.0.0.1", "localhost"))
    store = S3Store(public, now, Disk())
    store.put(CASE, a_package())
    link = store.link(CASE, "clip.mp4", timedelta(minutes=5))
    assert link.startswith(str(public.public_endpoint))
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == FILES["clip.mp4"]
    for wrong in (link.replace("clip.mp4", "trace.json"), link.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(wrong, timeout=10).close()
    late = S3Store(public, lambda: now() - timedelta(minutes=6), Disk()).link(
        CASE, "clip.mp4", timedelta(minutes=5)
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(late, timeout=10).close()


@pytest.fixture
def locked(s3_server: S3Server) -> Bucket:
    """A bucket with Object Lock, in which every package is kept for an hour."""
    return replace(a_bucket(s3_server, has_lock=True), lock=LockMode.GOVERNANCE, keep=timedelta(hours=1))


@pytest.mark.parametrize("parts_from_bytes", [1_000, 64_000_000])
def test_what_is_locked_cannot_be_removed(
    locked: Bucket, a_package: Callable[..., Path], parts_from_bytes: int
) -> None:
    store = S3Store(replace(locked, parts_from_bytes=parts_from_bytes), now, Disk())
    store.check()
    store.put(CASE, a_package())
    with pytest.raises(StoreRefusedError, match="AccessDenied"):
        store.remove(CASE)
    assert store.read(CASE, "clip.mp4") == FILES["clip.mp4"]


def test_a_lock_is_extended_and_never_shortened(locked: Bucket, a_package: Callable[..., Path]) -> None:
    store = S3Store(locked, now, Disk())
    store.put(CASE, a_package())
    later = (now() + timedelta(days=2)).replace(microsecond=0)
    store.keep_until(CASE, later)
    store.keep_until(CASE, now() + timedelta(minutes=1))
    for name in (*FILES, "manifest.json"):
        kept = sdk(locked).get_object_retention(locked.name, f"{locked.prefix}evidence/{CASE}/{name}")
        assert kept is not None
        assert kept.retain_until_date == later


def test_a_legal_hold_protects_after_the_lock_has_run_out(
    locked: Bucket, a_package: Callable[..., Path]
) -> None:
    store = S3Store(replace(locked, keep=timedelta(seconds=1)), now, Disk())
    store.put(CASE, a_package())
    store.hold(CASE, is_held=True)
    ends = now() + timedelta(seconds=2)
    while now() < ends:
        with pytest.raises(StoreRefusedError):
            store.remove(CASE)
    with pytest.raises(StoreRefusedError):
        store.remove(CASE)
    store.hold(CASE, is_held=False)
    store.remove(CASE)
    assert store.ids() == ()


def test_what_cannot_lock_leaves_holds_and_confirmed_cases_to_the_records(
    store: PackageStore, a_package: Callable[..., Path]
) -> None:
    store.put(CASE, a_package())
    store.hold(CASE, is_held=True)
    store.confirmed(CASE, now())
    store.remove(CASE)
    assert store.ids() == ()


def test_a_bucket_without_lock_locks_until_no_time(bucket: Bucket, a_package: Callable[..., Path]) -> None:
    store = S3Store(bucket, now, Disk())
    store.put(CASE, a_package())
    with pytest.raises(StoreRefusedError, match="without Object Lock"):
        store.keep_until(CASE, now())


def until(locked: Bucket, name: str) -> datetime:
    """Until when the file of the case is locked."""
    kept = sdk(locked).get_object_retention(locked.name, f"{locked.prefix}evidence/{CASE}/{name}")
    assert kept is not None
    return kept.retain_until_date


def test_a_confirmed_case_is_locked_from_its_confirmation_on_and_never_shorter(
    locked: Bucket, a_package: Callable[..., Path]
) -> None:
    store = S3Store(replace(locked, keep_confirmed=timedelta(days=30)), now, Disk())
    store.put(CASE, a_package())
    at = now().replace(microsecond=0)
    store.confirmed(CASE, at)
    assert {until(locked, name) for name in (*FILES, "manifest.json")} == {at + timedelta(days=30)}
    S3Store(replace(locked, keep_confirmed=timedelta(days=1)), now, Disk()).confirmed(CASE, at)
    assert until(locked, "clip.mp4") == at + timedelta(days=30)


def test_what_is_derived_is_locked_as_long_as_its_package_and_goes_with_it(
    locked: Bucket, a_package: Callable[..., Path]
) -> None:
    store = S3Store(replace(locked, keep=timedelta(seconds=3)), now, Disk())
    store.put(CASE, a_package())
    ends = until(locked, "manifest.json")
    files = store.derived(CASE, nullcontext)
    assert files.read("list.json") is None
    files.write("list.json", b"one")
    files.write("list.json", b"two")
    assert (files.read("list.json"), store.read(CASE, "derived/list.json")) == (b"two", b"two")
    assert until(locked, "derived/list.json") == ends
    with pytest.raises(StoreRefusedError, match="AccessDenied"):
        store.remove(CASE)
    assert store.ids() == (CASE,)
    while now() <= ends:
        time.sleep(0.2)  # a server's lock runs by the server's clock, which nobody can hand in
    files.write("late.jpg", b"x")
    files.remove("late.jpg")
    assert files.read("late.jpg") is None
    store.remove(CASE)
    versions = sdk(locked).list_objects(locked.name, locked.prefix, recursive=True, include_version=True)
    assert list(versions) == []


@pytest.fixture
def relay(s3_server: S3Server) -> Iterator[Relay]:
    """In front of the server; as a server that does not know conditional requests."""
    with relayed(s3_server.endpoint) as relay:
        relay.knows_condition = False
        yield relay


def test_a_server_without_conditions_keeps_the_same_promises(
    relay: Relay, a_package: Callable[..., Path]
) -> None:
    store = S3Store(a_bucket(relay), now, Disk())
    puts: list[None] = []
    relay.before_put = lambda: puts.append(None)
    store.put(CASE, a_package())
    store.put(CASE, a_package())
    assert {name: store.read(CASE, name) for name in FILES} == FILES
    assert len(puts) == len(FILES) + 1, "what is there is not sent again"
    with pytest.raises(StoreConflictError):
        store.put(CASE, a_package(clip_mp4=b"another clip"))
    assert store.read(CASE, "clip.mp4") == FILES["clip.mp4"]


def test_a_server_without_conditions_on_which_another_writes_meanwhile(
    relay: Relay, a_package: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands afterwards is compared: a second writer, which the lease forbids, is at least told."""
    bucket = a_bucket(relay)
    store = S3Store(bucket, now, Disk())
    key = f"{bucket.prefix}evidence/{CASE}/clip.mp4"
    reads = BucketObjects.read

    def overwritten(objects: BucketObjects, asked: str) -> bytes:
        if asked == key:
            sdk(bucket).put_object(bucket.name, key, BytesIO(b"theirs"), 6)
        return reads(objects, asked)

    monkeypatch.setattr(BucketObjects, "read", overwritten)
    with pytest.raises(StoreConflictError) as conflict:
        store.put(CASE, a_package())
    assert conflict.value.theirs == hashlib.sha256(b"theirs").hexdigest()
    assert not store.has(CASE), "the manifest comes last"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"secret_key": "wrong"}, "the secret key is wrong"),
        ({"access_key": "nobody"}, "the server does not know the access key"),
        ({"name": "no-such-bucket"}, "there is no such bucket"),
        ({"lock": LockMode.GOVERNANCE}, "Object Lock is asked for and the bucket was made without it"),
    ],
)
def test_a_store_that_is_set_up_wrongly_says_what_to_do(
    bucket: Bucket, change: dict[str, str], told: str
) -> None:
    with pytest.raises(StoreRefusedError, match=told) as refused:
        S3Store(replace(bucket, **change), now, Disk()).check()  # type: ignore[arg-type]
    assert bucket.endpoint in str(refused.value)
    assert bucket.secret_key not in str(refused.value)


def test_a_wrong_clock_is_called_a_wrong_clock(
    bucket: Bucket, a_package: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "this machine's clock and the server's differ by more than 15 minutes; set the clock"
    store = S3Store(bucket, lambda: now() - timedelta(hours=1), Disk())
    with pytest.raises(StoreRefusedError, match=wrong):
        store.put(CASE, a_package())
    monkeypatch.setattr("minio.api.time.utcnow", lambda: now() - timedelta(hours=1))  # the SDK's own clock
    with pytest.raises(StoreRefusedError, match=wrong):
        store.check()
    with pytest.raises(StoreRefusedError, match="its key or this machine's clock is wrong"):
        store.has(CASE)


def test_a_server_that_is_away_may_be_asked_again(bucket: Bucket, a_package: Callable[..., Path]) -> None:
    away = replace(bucket, endpoint="http://127.0.0.1:9")
    store = S3Store(away, now, Disk(), urllib3.PoolManager(timeout=1.0, retries=False))
    with pytest.raises(StoreUnavailableError) as error:
        store.put(CASE, a_package())
    assert error.value.retryable
    with pytest.raises(StoreUnavailableError):
        store.check()


def test_keys_stay_out_of_what_is_printed(bucket: Bucket) -> None:
    assert bucket.secret_key not in repr(bucket)
    assert bucket.access_key not in repr(bucket)
