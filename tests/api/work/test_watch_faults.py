"""Cameras that die, freeze, come back, change their picture: each is seen within 5 s of its return, and the others go on."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from api.work.camera_figures import CameraState
from tests.builders.live import a_live_site
from tests.builders.scripted import a_recording
from tests.builders.watching import Watching, watching
from tests.rtsp import Camera, serve
from tests.rtsp_relay import relayed

pytestmark = pytest.mark.timeout(300)

RECOVERY_S = 5.0

Serving = Callable[..., Camera]


@pytest.fixture
def serving(absent: Callable[[str], NoReturn]) -> Iterator[Serving]:
    with ExitStack() as stack:
        yield lambda path, **options: stack.enter_context(serve(path, absent, loop=True, **options))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return a_recording(tmp_path / "camera.mp4", 20.0, codec="libx264")


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    folder = tmp_path / "sites"
    folder.mkdir()
    return folder


def publish(sites: Path, **ports: int) -> None:
    for camera_id, port in ports.items():
        text = a_live_site(camera_id, f"rtsp://127.0.0.1:{port}/camera")
        (sites / f"{camera_id}.yaml").write_text(text, encoding="utf-8")


def is_away(seen: Watching, camera_id: str) -> bool:
    return seen.camera(camera_id).state is not CameraState.LIVE


def recovered_s(seen: Watching, camera_id: str, back_at: datetime) -> float:
    """Seconds from its return until it was live again, by the worker's own clock."""

    def is_back() -> bool:
        figures = seen.camera(camera_id)
        return figures.state is CameraState.LIVE and figures.since is not None and figures.since > back_at

    seen.until(is_back)
    since = seen.camera(camera_id).since
    assert since is not None
    return (since - back_at).total_seconds()


def segments(seen: Watching, camera_id: str) -> list[dict[str, Any]]:
    files = sorted((seen.data / "live" / camera_id).glob("*/segments.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_killed_and_restarted_frozen_and_thawed(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving, figure: Callable[[str, object], None]
) -> None:
    steady, shaky = serving(recording), serving(recording)
    publish(sites, steady=steady.port, shaky=shaky.port)
    with watching(sites, tmp_path / "data", {}) as seen:
        seen.until(lambda: seen.is_live("steady", "shaky"))

        shaky.process.kill()
        shaky.process.wait()
        seen.until(lambda: is_away(seen, "shaky"))
        time.sleep(4.0)  # so long that the waits between attempts have grown
        again = serving(recording, port=shaky.port)
        after_kill_s = recovered_s(seen, "shaky", datetime.now(UTC))

        again.process.send_signal(signal.SIGSTOP)
        seen.until(lambda: is_away(seen, "shaky"))
        time.sleep(4.0)
        thawed_at = datetime.now(UTC)
        again.process.send_signal(signal.SIGCONT)
        after_freeze_s = recovered_s(seen, "shaky", thawed_at)

        other = seen.camera("steady")
        assert (other.connections, other.gaps) == (1, 0)
    figure("seconds to recover from a killed, a frozen server", f"{after_kill_s:.1f}, {after_freeze_s:.1f}")
    assert after_kill_s < RECOVERY_S
    assert after_freeze_s < RECOVERY_S
    damages = [one["damage"] for one in segments(seen, "shaky")[:2]]
    assert "ended the stream" in damages[0] or "connection failed" in damages[0]
    assert "fell silent" in damages[1]
    unseen_s = [one["unseen_before_s"] for one in segments(seen, "shaky")]
    assert unseen_s[0] is None
    assert all(seconds > 3.0 for seconds in unseen_s[1:])


def test_another_size_of_picture_is_told_and_its_return_in_another_codec_is_seen(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    camera = serving(recording)
    small = a_recording(tmp_path / "small.mp4", 20.0, size_px=(160, 96), codec="libx264")
    publish(sites, north=camera.port)
    with watching(sites, tmp_path / "data", {}, workers=1) as seen:
        seen.until(lambda: seen.is_live("north"))
        camera.process.kill()
        camera.process.wait()
        changed = serving(small, port=camera.port)
        seen.until(lambda: seen.camera("north").code == "input_size")
        assert "160x96" in (seen.camera("north").message or "")
        changed.process.kill()
        changed.process.wait()
        serving(a_recording(tmp_path / "h265.mp4", 20.0, codec="libx265"), port=camera.port)
        assert recovered_s(seen, "north", datetime.now(UTC)) < RECOVERY_S
        frames = seen.camera("north").frames
        seen.until(lambda: seen.camera("north").frames > frames + 20)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_losses_are_counted_and_the_camera_stays(
    tmp_path: Path, sites: Path, serving: Serving, transport: str
) -> None:
    path = a_recording(tmp_path / "camera.mp4", 20.0, codec="libx264")
    camera = serving(path)
    with relayed(camera.port) as relay:
        text = a_live_site("north", f"rtsp://127.0.0.1:{relay.port}/camera")
        text = text.replace("/camera'}", f"/camera', transport: {transport}}}")
        (sites / "north.yaml").write_text(text, encoding="utf-8")
        with watching(sites, tmp_path / "data", {}, workers=1) as seen:
            seen.until(lambda: seen.is_live("north"))
            relay.faults.lost = 0.05
            damaged = ("packets_damaged", "frames_damaged", "frames_doubtful")
            seen.until(lambda: sum(seen.camera("north").drops.get(cause, 0) for cause in damaged) > 3)
            assert seen.camera("north").connections == 1


def test_a_camera_clock_that_jumps_disarms(
    tmp_path: Path, recording: Path, sites: Path, serving: Serving
) -> None:
    camera = serving(recording)
    with relayed(camera.port) as relay:
        publish(sites, north=relay.port)
        with watching(sites, tmp_path / "data", {}, workers=1) as seen:
            seen.until(
                lambda: seen.camera("north").clock_source == "rtcp" and seen.camera("north").armed_s > 1
            )
            assert seen.camera("north").disarmed_s == 0
            relay.faults.clock_s = 3600.0
            seen.until(lambda: seen.camera("north").connections == 2)
            seen.until(lambda: seen.camera("north").disarmed_s > 1)
            assert seen.camera("north").clock_error_s == pytest.approx(3600, abs=10)
    assert "clock jumped by +3600" in segments(seen, "north")[0]["damage"]
    files = sorted((seen.data / "live" / "north").glob("*/lost.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert any(row["kind"] == "disarmed" and row["cause"] == "clock" for row in rows)
