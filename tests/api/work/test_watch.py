"""All cameras of a server: real streams, real worker processes, real evidence; only what is seen is a script."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from api.cli.main import main
from api.errors import ConfigInvalidError, UsageError
from api.records import passages
from api.records.armed import seconds_of
from api.records.passages import PassageQuery
from api.work.camera_figures import CameraState
from api.work.live_metrics import metrics_text, unhealthy
from api.work.records_place import open_database
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from rules.observation import LampState
from tests.api.work.test_passages import NOON, passed, write
from tests.builders.live import Script, a_live_site
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import a_recording
from tests.builders.watching import watching
from tests.rtsp import Camera, serve

pytestmark = pytest.mark.timeout(300)  # processes that begin, load and connect, on a machine that may be busy

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
LAMP = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)
OFFENCE = Script(actors=(RUNNER,), lamps=(LAMP,))

Serving = Callable[..., Camera]


@pytest.fixture
def serving(absent: Callable[[str], NoReturn]) -> Iterator[Serving]:
    with ExitStack() as stack:
        yield lambda path, **options: stack.enter_context(serve(path, absent, **{"loop": True, **options}))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return a_recording(tmp_path / "camera.mp4", 20.0, codec="libx264")


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    folder = tmp_path / "sites"
    folder.mkdir()
    return folder


def publish(sites: Path, camera_id: str, address: str, **options: Any) -> None:
    """The site file appears whole, as a careful editor writes it."""
    part = sites / f".{camera_id}"
    part.write_text(a_live_site(camera_id, address, **options), encoding="utf-8")
    part.replace(sites / f"{camera_id}.yaml")


def cases(data: Path) -> list[str]:
    records = SqlRecords(data / "records.sqlite")
    try:
        return sorted(case.record.id for case in records.page(CaseFilter(), after_number=None, limit=100))
    finally:
        records.close()


def rows(data: Path, camera_id: str, name: str) -> list[dict[str, Any]]:
    files = sorted((data / "live" / camera_id).glob(f"*/{name}"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_case_is_found_built_and_delivered_while_the_camera_goes_on(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = serving(recording)
    publish(sites, "north", camera.url)
    data = tmp_path / "data"
    with watching(sites, data, {"north": OFFENCE}) as seen:
        seen.until(lambda: bool(seen.events("case_sealed")))
        seen.until(lambda: bool(cases(data)))
        assert seen.is_live("north")
        figures = seen.camera("north")
        assert figures.findings["asserted"] >= 1
        assert sum(figures.delays) >= 1
        text = metrics_text(seen.shown)
        assert 'stopline_camera_state{camera="north",state="live"} 1' in text
        assert 'stopline_findings_total{camera="north",status="asserted"} 1' in text
        assert unhealthy(seen.shown) == []
    found = cases(data)
    assert found[0].startswith("north-red_light-s1-")
    assert main(["evidence", "verify", "--all", "--data", str(data)]) in (0, 9), capsys.readouterr().out
    events = rows(data, "north", "events.jsonl")
    assert [event["id"] for event in events] == found
    (segment,) = rows(data, "north", "segments.jsonl")
    assert segment["frames"] > 50
    assert segment["unseen_before_s"] is None
    assert not list((data / "spool").iterdir())


def test_stopping_finishes_what_is_open_with_the_footage_after_it(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    publish(sites, "north", serving(recording).url)
    data = tmp_path / "data"
    with watching(sites, data, {"north": OFFENCE}, workers=1) as seen:
        seen.until(lambda: seen.camera("north").findings.get("asserted", 0) == 1)
        assert not seen.events("case_sealed")
        write(data, passed(1, camera="north"))
        seen.end()
    (case_id,) = cases(data)
    manifest = json.loads((data / "evidence" / case_id / "manifest.json").read_text(encoding="utf-8"))
    assert not any("ends at" in reason for reason in manifest["reasons"]), manifest["reasons"]
    with closing(open_database(data)) as database, database.read() as tx:
        (watched, *_) = seconds_of(tx, ["north"], first="2000-01-01", last="2200-01-01")
        kept = [one for _, one in passages.page(tx, PassageQuery(now=NOON, camera_id="north"), None, 99)]
    assert len(kept) == len(rows(data, "north", "passages.jsonl"))
    assert {one.site_id for one in kept} == {"site-north"}
    assert NOON + timedelta(seconds=1) in [one.passed_at for one in kept]
    assert watched.place_id == ""
    assert watched.watched_s > 1


def test_a_second_watch_goes_on_with_higher_segments_and_the_same_chain(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    publish(sites, "north", serving(recording).url)
    data = tmp_path / "data"
    for run in (1, 2):
        with watching(sites, data, {"north": OFFENCE}, workers=1) as seen:
            seen.until(lambda: bool(seen.events("case_sealed")))
        assert len(cases(data)) == run
    first, second = (int(case_id.split("-s")[1].split("-")[0]) for case_id in cases(data))
    assert second > first
    assert len([path for path in (data / "custody").iterdir() if path.is_dir()]) == 1


def test_one_folder_is_watched_by_one_process(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    publish(sites, "north", serving(recording).url)
    with watching(sites, tmp_path / "data", {}) as seen:
        seen.until(lambda: seen.is_live("north"))
        with pytest.raises(UsageError, match="in use"), watching(sites, tmp_path / "data", {}) as other:
            other.until(lambda: False)
        assert seen.is_live("north")


def test_published_configuration_takes_effect_and_the_others_are_not_touched(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    """A changed camera begins anew, a new one begins, a removed one ends, a wrong file changes nothing."""
    camera = serving(recording)
    publish(sites, "north", camera.url)
    publish(sites, "south", camera.url)
    with watching(sites, tmp_path / "data", {}) as seen:
        seen.until(lambda: seen.is_live("north", "south"))
        publish(sites, "south", camera.url, extra="    max_gap_s: 0.7\n")
        seen.until(
            lambda: (
                seen.events("configuration_published")[-1:]
                == [{"event": "configuration_published", "changed": ["south"]}]
            )
        )
        seen.until(lambda: seen.camera("south").fence > 1 and seen.is_live("south"))

        publish(sites, "east", camera.url)
        seen.until(lambda: seen.is_live("east"))

        (sites / "south.yaml").unlink()
        seen.until(lambda: {one.camera_id for one in seen.shown.cameras} == {"north", "east"})

        (sites / "east.yaml").write_text("site: {id: ", encoding="utf-8")
        seen.until(lambda: bool(seen.events("configuration_refused")))
        seen.until(lambda: seen.shown.configuration_problems > 0)
        frames = seen.camera("east").frames
        seen.until(lambda: seen.camera("east").frames > frames + 20)
        north = seen.camera("north")
        assert (north.connections, north.fence, north.gaps) == (1, 1, 0)
        assert "problems in site files" in " ".join(unhealthy(seen.shown))


def test_a_killed_worker_is_begun_again_and_the_other_goes_on(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    camera = serving(recording)
    publish(sites, "north", camera.url)
    publish(sites, "south", camera.url)
    with watching(sites, tmp_path / "data", {}) as seen:
        seen.until(lambda: seen.is_live("north", "south"))
        pid = next(
            int(path.name)
            for path in Path("/proc").iterdir()
            if path.name.isdigit() and _is_worker_of(path, seen.data, "worker-0")
        )
        os.kill(pid, signal.SIGKILL)
        seen.until(lambda: bool(seen.events("worker_died")))
        (lost,) = seen.events("worker_died")[0]["cameras"]
        kept = "south" if lost == "north" else "north"
        seen.until(lambda: seen.camera(lost).fence == 2 and seen.is_live(lost))
        assert (seen.camera(kept).connections, seen.camera(kept).gaps) == (1, 0)
        assert seen.shown.worker_restarts == 1


def _is_worker_of(process: Path, data: Path, name: str) -> bool:
    try:
        return any(one.readlink() == data / "workers" / f"{name}.crash" for one in (process / "fd").iterdir())
    except OSError:
        return False


def test_a_camera_that_kills_its_worker_twice_is_quarantined_and_seven_go_on(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    camera = serving(recording)
    names = [f"cam{number}" for number in range(8)]
    for name in names:
        publish(sites, name, camera.url)
    with watching(sites, tmp_path / "data", {"cam3": Script(dies_at=15)}) as seen:
        seen.until(lambda: seen.camera("cam3").state is CameraState.QUARANTINED, 120)
        others = [name for name in names if name != "cam3"]
        seen.until(lambda: seen.is_live(*others), 120)
        died = seen.events("worker_died")
        assert [one["camera"] for one in died] == ["cam3", "cam3"]
        assert died[1]["cameras"] == ["cam3"], "the second time it was alone"
        # Half of them shared the first worker with it, and began anew once; the others were not touched.
        assert sorted({seen.camera(name).fence for name in others}) == [1, 2]
        assert unhealthy(seen.shown) == ["camera cam3: quarantined (quarantined)"]

        publish(sites, "cam3", camera.url, extra="    max_gap_s: 0.7\n")
        seen.until(lambda: len(seen.events("camera_quarantined")) == 2, 120)


def test_what_cannot_be_watched_says_why_and_the_rest_goes_on(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text("right: {user: op, password: geheim1}\nwrong: {user: op, password: geheim2}\n")
    camera = serving(recording, user="op", password="geheim1")
    address = f"rtsp://127.0.0.1:{camera.port}/camera"
    small = serving(a_recording(tmp_path / "small.mp4", 5.0, size_px=(160, 96), codec="libx264"))
    sound = serving("sound")
    publish(sites, "good", address, account="right")
    publish(sites, "refused", address, account="wrong")
    publish(sites, "unknown", address, account="nobody")
    publish(sites, "lost", address + "7", account="right")
    publish(sites, "away", "rtsp://127.0.0.1:1/camera")
    publish(sites, "outside", "rtsp://192.0.2.7/camera")
    publish(sites, "small", small.url)
    publish(sites, "deaf", sound.url)
    expected = {
        "refused": "stream_unauthorised",
        "unknown": "stream_account_missing",
        "lost": "stream_not_found",
        "away": "stream_unreachable",
        "outside": "stream_outside",
        "small": "input_size",
        "deaf": "stream_no_video",
    }
    environment = {"STOPLINE_CAMERA_ACCOUNTS_FILE": str(accounts)}
    with watching(sites, tmp_path / "data", {}, environment=environment) as seen:
        seen.until(lambda: {name: seen.camera(name).code for name in expected} == expected, 120)
        seen.until(lambda: seen.is_live("good"))
        assert all(seen.camera(name).state is CameraState.UNUSABLE for name in expected)
        told = f"{seen.log} {seen.shown} {metrics_text(seen.shown)}"
    files = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert "geheim" not in told
    assert not any(b"geheim" in content for content in files)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [(None, UsageError, "nothing to watch"), ("site: {", ConfigInvalidError, "north.yaml")],
)
def test_nothing_to_watch_is_said_at_once(
    tmp_path: Path, sites: Path, content: str | None, kind: type[Exception], message: str
) -> None:
    if content is not None:
        (sites / "north.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(kind, match=message), watching(sites, tmp_path / "data", {}) as seen:
        seen.until(lambda: False)


def test_two_cameras_of_one_name_are_refused(tmp_path: Path, sites: Path) -> None:
    text = a_live_site("north", "rtsp://127.0.0.1/1")
    for name in ("a.yaml", "b.yaml"):
        (sites / name).write_text(text, encoding="utf-8")
    with (
        pytest.raises(ConfigInvalidError, match="has a camera 'north' too"),
        watching(sites, tmp_path / "data", {}) as seen,
    ):
        seen.until(lambda: False)
