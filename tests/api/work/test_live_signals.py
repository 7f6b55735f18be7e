"""What live cameras are told of their heads: by controllers over a real broker, and by another camera of the site."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from paho.mqtt.client import Client

from api.work.live_metrics import metrics_text, unhealthy
from api.work.live_signals import (
    DOUBT_S,
    REPEAT_S,
    LiveWitness,
    judged_heads,
    listeners,
    witnesses,
)
from rules.finding import DisarmCause, Disarmed
from rules.observation import FrameStamp, LampSample, LampState, Observation, SignalReport
from tests.broker import PASSWORD, USER, serve_broker
from tests.builders.live import Script
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import SITE, a_recording, a_site
from tests.builders.watching import watching
from tests.rtsp import Camera, serve

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 8.0, 20.0)
"""Slow, so that both cameras' clocks are surer than the time from the stop line to the line beyond it."""

START = datetime(2026, 5, 1, tzinfo=UTC)
STATES = {"g": LampState.GREEN, "r": LampState.RED, "?": LampState.UNKNOWN}
STEP_S = 0.25

EYE = """\
  - id: eye
    size_px: [320, 192]
"""
TWO = SITE.partition("    gates:")[0].replace("camera: cam1", "camera: eye") + EYE


@pytest.fixture
def camera(tmp_path: Path, absent: Callable[[str], NoReturn]) -> Iterator[Camera]:
    with ExitStack() as stack:
        film = a_recording(tmp_path / "camera.mp4", 25.0, codec="libx264")
        yield stack.enter_context(serve(film, absent, loop=True))


def test_who_depends_on_whose_heads_stands_in_the_site_file() -> None:
    alone, two = a_site().site, a_site(TWO).site
    assert judged_heads(alone.camera("cam1")) == {"lamp"}
    assert judged_heads(two.camera("eye")) == frozenset()
    assert (witnesses(alone, "cam1"), listeners(alone, "cam1")) == (frozenset(), ())
    assert witnesses(two, "cam1") == {"eye"}
    assert listeners(two, "eye") == ("cam1",)
    assert (witnesses(two, "eye"), listeners(two, "cam1")) == (frozenset(), ())


class Told:
    """A witness that was shown a head each quarter of a second, and what it told: a letter for each report, at its time."""

    def __init__(self) -> None:
        self.reports: list[SignalReport] = []
        self.witness = LiveWitness(0.5, self.reports.extend)
        self.shown = 0

    def sees(self, letters: str) -> None:
        for letter in letters:
            at_s = STEP_S * self.shown
            stamp = FrameStamp(
                camera_id="eye",
                segment=1,
                index=self.shown,
                media_s=at_s,
                captured_at=START + timedelta(seconds=at_s),
            )
            lamp = LampSample(head_id="lamp", state=STATES[letter], confidence=0.9)
            self.witness.observed(Observation(stamp=stamp, tracks=None, lamps=(lamp,)))
            self.shown += 1

    @property
    def told(self) -> list[tuple[float, str]]:
        letters = {state: letter for letter, state in STATES.items()}
        return [((one.at - START).total_seconds(), letters[one.state]) for one in self.reports]


def test_a_change_is_told_once_it_is_sure_and_what_lasts_again_and_again() -> None:
    told = Told()
    told.sees("ggggrrrrr")
    assert told.told == [(0.0, "g")]  # of what was seen two seconds ago or more
    told.sees("rrrr")
    assert told.told == [(0.0, "g"), (REPEAT_S, "g"), (1.0, "r")]
    assert told.reports[-1].source == "camera eye"


def test_what_was_seen_in_doubt_is_unknown_also_where_the_doubt_comes_later() -> None:
    told = Told()
    told.sees("rrrrrrrr")
    moved = Disarmed(
        camera_id="eye",
        place_id=None,
        cause=DisarmCause.CAMERA_MOVED,
        reason="it moved",
        from_s=0.5,
        to_s=None,
    )
    told.witness.disarmed(replace(moved, place_id="ahead", from_s=0.0))
    told.witness.disarmed(moved)
    told.sees("rrrrrrrr")
    assert told.told == [(0.0, "r"), (0.5, "?"), (1.0, "?"), (1.5, "?")]
    told.witness.disarmed(replace(moved, to_s=2.0))
    told.sees("rrrr")
    assert told.told[4:] == [(2.0, "?"), (2.25, "r"), (2.75, "r")]


def test_at_the_end_nobody_knows_any_more() -> None:
    told = Told()
    told.sees("rrrrrrrrr")
    told.witness.ended()
    last_s = STEP_S * (told.shown - 1)
    assert [letter for at_s, letter in told.told if at_s > last_s - DOUBT_S] == ["?"] * 9
    assert told.told[0] == (0.0, "r")
    assert told.told[-1][0] == pytest.approx(last_s, abs=1e-3)
    told.witness.ended()
    told.sees("rr")
    assert len(told.told) == 10


def test_frames_without_a_wall_clock_tell_nothing() -> None:
    told = Told()
    stamp = FrameStamp(camera_id="eye", segment=1, index=0, media_s=0.0)
    lamp = LampSample(head_id="lamp", state=LampState.RED, confidence=0.9)
    for _ in range(20):
        told.witness.observed(Observation(stamp=stamp, tracks=None, lamps=(lamp,)))
    told.witness.ended()
    assert told.reports == []


@contextmanager
def saying_red(controller: Client) -> Iterator[None]:
    """The controller says twice a second that the lamp is red."""
    done = threading.Event()

    def say() -> None:
        while not done.wait(0.5):
            message = {"head": "lamp", "state": "red", "at": datetime.now(UTC).isoformat()}
            controller.publish("junction/7", json.dumps(message), qos=1)

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def published(sites: Path, text: str, *addressed: tuple[str, str]) -> Path:
    """A folder of one site file, whose cameras have these streams."""
    for camera_id, address in addressed:
        size = f"  - id: {camera_id}\n    size_px: [320, 192]\n"
        assert size in text
        text = text.replace(size, f"{size}    stream: {{address: '{address}'}}\n")
    sites.mkdir()
    (sites / "site.yaml").write_text(text, encoding="utf-8")
    return sites


@pytest.mark.timeout(300)
def test_a_controllers_feed_tells_a_watched_camera_what_its_head_shows(
    tmp_path: Path, camera: Camera
) -> None:
    """A broker that is not there yet ends nothing: the camera is live, says that the feed is away, and takes it up."""
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    with serve_broker(tmp_path) as broker:
        port = broker.port
    feed = f"time_zone: Asia/Shanghai, signal_feeds: ['mqtt://{USER}@127.0.0.1:{port}/junction/#']}}"
    text = SITE.replace("time_zone: Asia/Shanghai}", feed)
    sites = published(tmp_path / "sites", text, ("cam1", camera.url))
    environment = {"STOPLINE_MQTT_PASSWORD_FILE": str(secret)}
    scripts = {"cam1": Script(actors=(RUNNER,))}
    with watching(sites, tmp_path / "data", scripts, workers=1, environment=environment) as seen:
        seen.until(lambda: seen.is_live("cam1") and len(seen.camera("cam1").feeds_away) == 1)
        (unwell,) = unhealthy(seen.shown)
        assert unwell.startswith("camera cam1: mqtt://") and "cannot be reached" in unwell
        assert 'stopline_signal_feeds_away{camera="cam1"} 1' in metrics_text(seen.shown)
        with (
            serve_broker(tmp_path, port) as broker,
            broker.controller() as controller,
            saying_red(controller),
        ):
            seen.until(lambda: seen.camera("cam1").feeds_away == ())
            seen.until(lambda: seen.camera("cam1").findings.get("asserted", 0) >= 1)
            seen.end()
    (row,) = segments(tmp_path / "data", "cam1")
    (counts,) = row["signals"]
    assert counts["source"].startswith("mqtt://") and PASSWORD not in json.dumps(row)
    assert counts["messages"] > 5
    assert counts["malformed"] == 0


@pytest.mark.timeout(300)
def test_a_head_that_another_camera_of_the_site_sees_counts_for_this_one(
    tmp_path: Path, camera: Camera
) -> None:
    sites = published(tmp_path / "sites", TWO, ("cam1", camera.url), ("eye", camera.url))
    red = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)
    scripts = {"cam1": Script(actors=(RUNNER,)), "eye": Script(lamps=(red,))}
    with watching(sites, tmp_path / "data", scripts) as seen:
        seen.until(lambda: seen.camera("cam1").findings.get("asserted", 0) >= 1)
        told, eye = seen.camera("cam1"), seen.camera("eye")
        seen.end()
    assert told.analysed == told.frames, "who is to be watched is known too late to look at some frames only"
    assert eye.analysed < eye.frames, "nobody is watched there"
    (row,) = segments(tmp_path / "data", "cam1")
    (counts,) = row["signals"]
    assert counts["source"] == "other cameras"
    assert counts["messages"] > 5
    assert segments(tmp_path / "data", "eye")[0]["signals"] == []


def segments(data: Path, camera_id: str) -> list[dict[str, Any]]:
    (file,) = (data / "live" / camera_id).glob("*/segments.jsonl")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
