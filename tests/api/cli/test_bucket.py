"""The commands over a data folder whose packages are in a bucket: replay, fold, verify, sweep, and what the API serves."""

from __future__ import annotations

import io
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.clock import SystemClock
from api.http.app import create_app
from api.http.server import address_of, listener, served
from api.work.access import Role
from api.work.data_folder import open_records
from api.work.package_store import open_store
from evidence.bucket import Bucket
from evidence.courier import Pace
from evidence.database import RecordsError
from evidence.records import Decision
from evidence.records_sql import SqlRecords
from rules.observation import LampState
from tests.api.cli.conftest import Ran, Stopline
from tests.api.http.conftest import assert_problem
from tests.builders.buckets import a_bucket, objects, sdk, settings_of
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import SITE, ScriptedPipeline, a_recording, a_site
from tests.builders.service import a_service, token
from tests.s3_server import S3Server

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
PARKED = a_car(2, (60.0, 40.0)).stands_at((270, 150), 0.0, 24.0)
LAMP = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)

Replay = Callable[..., Ran]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_recording(tmp_path_factory.mktemp("clip") / "clip.mp4", 24.0)


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket that the environment names."""
    bucket = a_bucket(s3_server)
    for name, value in settings_of(bucket).items():
        monkeypatch.setenv(name, value)
    return bucket


@pytest.fixture
def replay(stopline: Stopline, tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """``stopline replay`` of the clip into ``out``, with a scripted detector."""
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    pipeline = ScriptedPipeline(a_site(), (RUNNER, PARKED), (LAMP,))
    monkeypatch.setattr("api.cli.replay.build_pipeline", lambda *_, **__: pipeline)
    monkeypatch.setattr("api.cli.replay.default_detector", lambda _: Path("none.onnx"))

    def run(*more: object, out: Path = tmp_path / "out") -> Ran:
        return stopline(
            "replay", clip, "--site", tmp_path / "site.yaml", "--out", out, "--progress", "none", *more
        )

    return run


@pytest.fixture
def out(tmp_path: Path, replay: Replay, bucket: Bucket) -> Path:
    """A finished run whose packages are in the bucket."""
    ran = replay()
    assert ran.code == 0, ran.err
    return tmp_path / "out"


def ids(out: Path) -> list[str]:
    return [str(json.loads(line)["id"]) for line in (out / "events.jsonl").read_text().splitlines()]


def test_packages_go_into_the_bucket_and_nowhere_else(out: Path, bucket: Bucket) -> None:
    assert len(ids(out)) == 2
    assert not (out / "evidence").exists()
    assert list((out / "spool").iterdir()) == []
    place = json.loads((out / "store.json").read_text())["place"]
    stored = objects(bucket)
    assert {name.split("/")[:3][2] for name in stored} == set(ids(out))
    assert all(name.startswith(f"{place}/evidence/") for name in stored)
    assert sum(name.endswith("/manifest.json") for name in stored) == 2
    with closing(open_records(out)) as records:
        assert all(records.case(case_id) is not None for case_id in ids(out))


def test_a_run_in_a_bucket_folds_to_the_same_bytes_and_its_evidence_verifies(
    stopline: Stopline, out: Path, tmp_path: Path
) -> None:
    folded = stopline("fold", out, "--site", tmp_path / "site.yaml", "--out", tmp_path / "folded")
    assert folded.code == 0, folded.err
    assert (tmp_path / "folded" / "events.jsonl").read_bytes() == (out / "events.jsonl").read_bytes()
    ran = stopline("evidence", "verify", "--all", "--data", out)
    assert ran.code == 9, "everything fits, and a demo key signed"
    assert all(f"package {case_id}" in ran.out for case_id in ids(out))
    one = stopline("evidence", "verify", ids(out)[0], "--data", out)
    assert one.code == 9
    assert "complete up to number 2" in one.out
    missing = stopline("evidence", "verify", "nobody", "--data", out)
    assert missing.code == 2
    assert "no case of that id in the bucket of" in missing.err


def test_what_is_changed_added_or_taken_away_in_the_bucket_is_found(
    stopline: Stopline, out: Path, bucket: Bucket
) -> None:
    client = sdk(bucket)
    stored = objects(bucket)
    clip = next(name for name in stored if name.endswith("clip.mp4"))

    def put(name: str, data: bytes) -> None:
        client.put_object(bucket.name, bucket.prefix + name, io.BytesIO(data), len(data))

    put(clip, stored[clip][:-1] + bytes([stored[clip][-1] ^ 1]))
    changed = stopline("evidence", "verify", "--all", "--data", out)
    assert changed.code == 8
    assert "FAILED  clip.mp4 (listed, size, hash): its SHA-256 is" in changed.out
    put(clip, stored[clip])
    assert stopline("evidence", "verify", "--all", "--data", out).code == 9
    folder = clip.rpartition("/")[0]
    for strange in ("more.jpg", "deep/more.jpg"):
        put(f"{folder}/{strange}", b"x")
        added = stopline("evidence", "verify", "--all", "--data", out)
        assert added.code == 8
        assert f"FAILED  {strange}" in added.out
        client.remove_object(bucket.name, f"{bucket.prefix}{folder}/{strange}")
    client.remove_object(bucket.name, f"{bucket.prefix}{folder}/manifest.json")
    gone = stopline("evidence", "verify", "--all", "--data", out)
    assert gone.code == 8
    assert "no package here has its manifest" in gone.out


@contextmanager
def api(out: Path, bucket: Bucket) -> Iterator[httpx.Client]:
    """The API over the folder, through a real server on loopback."""
    now = SystemClock().now
    with closing(open_records(out)) as records, listener("127.0.0.1", 0) as listening:
        service = a_service(out, records, now, open_store(out, bucket, now))
        headers = {"Authorization": token(service, Role.OFFICER, f"li-{uuid.uuid4().hex}")}
        with (
            served(create_app(service), listening),
            httpx.Client(base_url=address_of(listening), trust_env=False, headers=headers) as client,
        ):
            yield client


def test_the_api_serves_what_is_in_the_bucket_as_sealed(out: Path, bucket: Bucket) -> None:
    case_id = ids(out)[0]
    stored = {
        name.rpartition("/")[2]: data for name, data in objects(bucket).items() if f"/{case_id}/" in name
    }
    with api(out, bucket) as client:
        listed = client.get("/api/v1/violations").json()["items"]
        assert {item["id"] for item in listed} == set(ids(out))
        assert all(item["thumbnail"] for item in listed)
        case = client.get(f"/api/v1/violations/{case_id}").json()
        assert case["missing"] == []
        clip = client.get(f"/api/v1/violations/{case_id}/clip", headers={"Range": "bytes=10-19"})
        assert (clip.status_code, clip.content) == (206, stored["clip.mp4"][10:20])
        picture = client.get(f"/api/v1/violations/{case_id}/pictures/scene-1.jpg")
        assert (picture.status_code, picture.content) == (200, stored["scene-1.jpg"])


def test_while_the_bucket_is_away_the_queue_is_listed_and_nothing_is_confirmed(
    out: Path, bucket: Bucket
) -> None:
    case_id = ids(out)[0]
    with api(out, replace(bucket, endpoint="http://127.0.0.1:9")) as client:
        listed = client.get("/api/v1/violations").json()["items"]
        assert {item["id"] for item in listed} == set(ids(out))
        path = f"/api/v1/violations/{case_id}"
        claimed = client.put(f"{path}/claim")
        confirm = {"decision": "confirm", "claim": claimed.json()["number"]}
        looked_at = {"If-Match": claimed.headers["etag"], "Idempotency-Key": "once"}
        for answer in (
            client.get(path),
            client.get(f"{path}/clip"),
            client.post(f"{path}/reviews", json=confirm, headers=looked_at),
        ):
            assert_problem(answer, 503, "store_unavailable", "does not answer")
            assert answer.headers["retry-after"] == "1"
    with api(out, replace(bucket, secret_key="wrong")) as client:
        assert_problem(
            client.get(f"/api/v1/violations/{case_id}/clip"), 502, "store_refused", "the secret key is wrong"
        )
    with closing(open_records(out)) as records:
        case = records.case(case_id)
        assert case is not None
        assert case.decision is Decision.OPEN


def test_a_folder_remembers_its_bucket_and_says_what_to_set(
    stopline: Stopline,
    out: Path,
    bucket: Bucket,
    replay: Replay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert replay("--resume").code == 0
    refused = replay("--overwrite")
    assert refused.code == 2
    assert "give a new --out" in refused.err
    monkeypatch.setenv("STOPLINE_STORE", "s3://elsewhere")
    other = stopline("evidence", "verify", "--all", "--data", out)
    assert other.code == 3
    assert f"s3://evidence/{bucket.prefix}" in other.err
    assert "s3://elsewhere/" in other.err
    for name in settings_of(bucket):
        monkeypatch.delenv(name)
    for command in (
        ("evidence", "verify", "--all", "--data", out),
        ("evidence", "sweep", "--data", out),
        ("fold", out, "--site", tmp_path / "site.yaml", "--out", tmp_path / "f"),
        ("serve", "--data", out),
    ):
        ran = stopline(*command)
        assert ran.code == 3
        assert "set STOPLINE_STORE" in ran.err
    (out / "store.json").write_text("{}")
    broken = stopline("evidence", "verify", "--all", "--data", out)
    assert broken.code == 3
    assert "store.json does not say where" in broken.err


def test_a_folder_that_holds_its_packages_keeps_them(
    stopline: Stopline, bucket: Bucket, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        for name in settings_of(bucket):
            without.delenv(name)
        assert replay().code == 0
        (tmp_path / "out" / "summary.json").unlink()
    (tmp_path / "out" / "checkpoint").mkdir(exist_ok=True)
    ran = replay("--resume")
    assert ran.code == 3
    assert "its packages are in the folder itself" in ran.err
    assert stopline("evidence", "verify", "--all", "--data", tmp_path / "out").code == 9
    assert objects(bucket) == {}


def test_two_folders_in_one_bucket_do_not_meet(
    out: Path, replay: Replay, bucket: Bucket, tmp_path: Path
) -> None:
    assert replay(out=tmp_path / "second").code == 0
    assert ids(tmp_path / "second") == ids(out)
    assert len({name.split("/")[0] for name in objects(bucket)}) == 2


@pytest.mark.parametrize("where", ["folder", "s3"])
def test_a_sweep_finishes_what_a_crash_left(
    stopline: Stopline,
    s3_server: S3Server,
    replay: Replay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    bucket = a_bucket(s3_server)
    for name, value in settings_of(bucket).items() if where == "s3" else ():
        monkeypatch.setenv(name, value)
    out = tmp_path / "out"

    def away(*_: object) -> bool:
        raise RecordsError(out / "records.sqlite", "database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SqlRecords, "add_case", away)
        broken.setattr("api.work.run_evidence.PACE", Pace(first_s=0.05, end_s=0.1))
        ran = replay()
        assert ran.code == 7
        assert "2 sealed packages wait in" in ran.err
        assert "database or disk is full" in ran.err
        assert f"'stopline evidence sweep --data {out}' delivers them" in ran.err
        assert (out / "summary.json").exists()
    sealed = [path.name for path in (out / "spool").iterdir()]
    assert sealed
    (out / "spool" / "other.building").mkdir()
    if where == "s3":
        place = json.loads((out / "store.json").read_text())["place"]
        half = f"{bucket.prefix}{place}/evidence/half/clip.mp4"
        sdk(bucket).put_object(bucket.name, half, io.BytesIO(b"x"), 1)
    else:
        (out / "evidence" / "half.incoming").mkdir(parents=True, exist_ok=True)
    ran = stopline("evidence", "sweep", "--data", out)
    assert ran.code == 0, ran.err
    assert all(f"finished: {case_id}" in ran.out for case_id in sealed)
    assert ran.out.splitlines()[-1] == f"{len(sealed)} finished, 2 removed, 0 not recorded"
    assert list((out / "spool").iterdir()) == []
    with closing(open_records(out)) as records:
        assert all(records.case(case_id) is not None for case_id in sealed)
    assert stopline("evidence", "verify", "--all", "--data", out).code == 9
    again = stopline("evidence", "sweep", "--data", out)
    assert again.out == "0 finished, 0 removed, 0 not recorded\n"


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        ({"STOPLINE_STORE_SECRET_KEY": "wrong-secret"}, 3, "the secret key is wrong"),
        ({"STOPLINE_STORE": "s3://no-such-bucket"}, 3, "there is no such bucket; make it, or name another"),
        ({"STOPLINE_STORE_LOCK": "governance"}, 3, "make one with Object Lock"),
    ],
)
def test_a_store_that_is_set_up_wrongly_ends_the_command_before_anything_is_done(
    bucket: Bucket,
    replay: Replay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, str],
    code: int,
    told: str,
) -> None:
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.DEBUG):
        ran = replay()
    assert ran.code == code
    assert told in ran.err
    assert not (tmp_path / "out" / "summary.json").exists()
    for secret in (bucket.secret_key, "wrong-secret"):
        assert secret not in ran.err + ran.out + caplog.text


def test_a_link_gives_one_file_to_whoever_has_it(
    stopline: Stopline, out: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case_id = ids(out)[0]
    public = bucket.endpoint.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("STOPLINE_STORE_PUBLIC_ENDPOINT", public)
    ran = stopline("evidence", "link", case_id, "clip.mp4", "--data", out)
    assert ran.code == 0, ran.err
    address = ran.out.strip()
    assert address.startswith(public)
    assert "X-Amz-Expires=3600" in address
    clip = next(data for name, data in objects(bucket).items() if name.endswith(f"{case_id}/clip.mp4"))
    assert httpx.get(address, trust_env=False).content == clip
    for arguments, told in (
        ((case_id, "more.jpg"), "it has clip.mp4"),
        (("nobody", "clip.mp4"), "there is no package of that id"),
        (("a/b", "clip.mp4"), "cannot name a package"),
    ):
        refused = stopline("evidence", "link", *arguments, "--data", out)
        assert refused.code == 2
        assert told in refused.err
    refused = stopline("evidence", "link", case_id, "clip.mp4", "--data", tmp_path)
    assert refused.code == 2
    assert "links are for those in a bucket" in refused.err


def test_a_run_that_goes_on_finishes_the_copies_of_one_that_was_killed(
    stopline: Stopline, out: Path, bucket: Bucket, replay: Replay
) -> None:
    lists = [name for name in objects(bucket) if name.endswith("/derived/list.json")]
    assert len(lists) == 2, "no browser plays these clips"
    sdk(bucket).remove_object(bucket.name, bucket.prefix + lists[0])
    assert stopline("evidence", "verify", "--all", "--data", out).code == 8, "a copy that no list names"
    (out / "summary.json").unlink()
    (out / "checkpoint").mkdir()
    assert replay("--resume").code == 0
    assert stopline("evidence", "verify", "--all", "--data", out).code == 9
