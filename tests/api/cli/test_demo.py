"""``stopline demo`` on the command line: what it says, its exit codes, its port, its browser, and an end by Ctrl-C."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from api.bootstrap import PLATE_MODELS
from api.cli import demo as demo_module
from tests.api.cli.conftest import Stopline
from tests.builders.scripted import SITE, a_recording

CHECKOUT = Path(__file__).resolve().parents[3]
RAN = {"rule": "red_light", "class": "car", "t": 0.5, "tolerance_s": 0.5}
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two drawn clips in which nothing is to be seen, and nothing should be."""
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, seconds in (("one", 1.0), ("two", 8.0)):
        a_recording(folder / f"{name}.mp4", seconds)
        (folder / f"{name}.yaml").write_text(SITE.replace("cam1", name))
    tell(folder, one=[], two=[])
    monkeypatch.setenv("STOPLINE_SAMPLES", str(folder))
    for name in SCREENS:
        monkeypatch.delenv(name, raising=False)
    return folder


def tell(folder: Path, **events: list[dict[str, Any]]) -> None:
    (folder / "truth.json").write_text(
        json.dumps({f"{name}.mp4": {"events": found} for name, found in events.items()})
    )


@contextmanager
def started(
    *arguments: object, environment: Mapping[str, str] = os.environ
) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which is gone at the end."""
    command = [sys.executable, "-m", "api.cli", "demo", "--no-plates", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env=dict(environment),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(stream: IO[str] | None, said: str) -> str:
    """All lines up to the one that holds it; the test fails where none does."""
    assert stream is not None
    lines = []
    for line in stream:
        lines.append(line)
        if said in line:
            return "".join(lines)
    raise AssertionError(f"{said!r} was not said:\n{''.join(lines)}")


def test_for_scripts_it_ends_with_6_where_something_was_missed(
    stopline: Stopline, samples: Path, tmp_path: Path
) -> None:
    arguments = ("demo", "one", "--no-serve", "--no-plates", "--out", tmp_path / "out")
    fine = stopline(*arguments)
    assert fine.code == 0
    assert "nobody was accused wrongly" in fine.out
    assert "nothing to find, and nobody accused: one.mp4" in fine.out
    assert "not tried, no clip here shows it: red_light, stopped_past_line" in fine.out
    assert "1 sample clip; all are rendered" in fine.err
    assert "default-detector (Apache-2.0)" in fine.err
    assert "http" not in fine.err

    tell(samples, one=[RAN], two=[])
    missed = stopline(*arguments)
    assert missed.code == 6
    assert "1 sample clip, 1 done before" in missed.err
    assert "below 1.0: red_light: 1 missed (0 of them held), 0 false" in missed.out
    (row,) = (line.split() for line in missed.out.splitlines() if line.startswith("one.mp4"))
    assert row[:6] == ["one.mp4", "red_light", "0", "1", "0", "0"]


def test_a_clip_that_cannot_be_read_is_said_and_the_others_stand(
    stopline: Stopline, samples: Path, tmp_path: Path
) -> None:
    (samples / "two.mp4").write_bytes(b"no video")
    ran = stopline("demo", "--no-serve", "--no-plates", "--out", tmp_path / "out")
    assert ran.code == 5
    assert "not scored, it could not be replayed" in ran.out
    assert "nobody accused: one.mp4" in ran.out
    assert "two.mp4" in ran.err


def test_without_samples_it_says_where_they_come_from(
    stopline: Stopline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOPLINE_SAMPLES", str(tmp_path))
    ran = stopline("demo", "--out", tmp_path / "out")
    assert ran.code == 4
    assert "holds no sample clips" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_given_detector_is_named_with_its_licence(
    stopline: Stopline, samples: Path, weights: Path, tmp_path: Path
) -> None:
    shared = stopline(
        "demo", "one", "--no-serve", "--no-plates", "--weights", weights, "--out", tmp_path / "a"
    )
    assert "Detector: yolox_nano.onnx (yolox-nano, Apache-2.0)" in shared.err
    missing = stopline(
        "demo", "one", "--no-serve", "--weights", tmp_path / "no.onnx", "--out", tmp_path / "b"
    )
    assert missing.code == 3
    assert "no.onnx" in missing.err


def test_the_page_is_there_while_clips_are_replayed_and_ctrl_c_keeps_what_is_done(
    samples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with started("--out", out, "--port", "0", "--progress", "json") as process:
        read_until(process.stderr, "Review page: http://127.0.0.1:")
        read_until(process.stderr, '"progress": "begun", "source": "two", "number": 2')
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=120)[1]
        assert process.returncode == 130, rest
        assert "interrupted in two; the clips before it are kept in" in rest
        assert "the same command goes on there" in rest
    with started("--out", out, "--port", "0", "--progress", "json") as process:
        said = read_until(process.stderr, "The page stays at http://127.0.0.1:")
        assert "2 sample clips, 1 done before" in said
        assert '"source": "one"' not in said
        process.send_signal(signal.SIGINT)
        table = process.communicate(timeout=60)[0]
        assert process.returncode == 0
        assert "nobody was accused wrongly" in table


def test_without_a_display_the_address_is_said_and_with_one_a_browser_opens(
    samples: Path, tmp_path: Path
) -> None:
    out, seen = tmp_path / "out", tmp_path / "seen"
    with started("one", "--out", out, "--port", "0") as process:
        said = read_until(process.stderr, "The page stays")
        assert "There is no display to open a browser on: open that address yourself." in said
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    with started(
        "one", "--out", out, "--port", "0", environment={**os.environ, "BROWSER": f"{browser} %s"}
    ) as process:
        said = read_until(process.stderr, "The page stays")
        assert "no display" not in said
        assert seen.read_text().strip() in said
        assert seen.read_text().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    with started(
        "one", "--out", out, "--port", "0", environment={**os.environ, "BROWSER": str(tmp_path / "none")}
    ) as process:
        said = read_until(process.stderr, "The page stays")
        assert "No browser could be opened" in said
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_a_taken_port(
    stopline: Stopline, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was asked for ends it; the usual one is replaced by another, and that is said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = stopline("demo", "one", "--no-plates", "--port", port, "--out", tmp_path / "out")
        assert ran.code == 7
        assert f"port {port} on 127.0.0.1: another program listens there" in ran.err
        monkeypatch.setattr(demo_module, "PORT", port)
        with demo_module._listener(None) as listening:
            assert listening.getsockname()[1] != port


def test_plate_models_that_no_index_has_are_said_and_can_be_left_out(
    stopline: Stopline, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/simple"
    models, cache = tmp_path / "models", tmp_path / "cache"
    wheel = plate_models(models)
    for name, value in {
        "STOPLINE_MODELS": models,
        "STOPLINE_CACHE": cache,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": closed,
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
    }.items():
        monkeypatch.setenv(name, str(value))
    arguments = ("demo", "one", "--no-serve", "--out", tmp_path / "out")
    ran = stopline(*arguments)
    assert ran.code == 7
    assert "Fetching the models that read plates" in ran.err
    assert "--no-plates shows everything but the plates" in ran.err
    assert f"put the file at {cache / 'models' / 'wheels' / wheel.name}" in ran.err

    place = cache / "models" / "wheels" / wheel.name
    place.parent.mkdir(parents=True, exist_ok=True)
    half = wheel.read_bytes()[: wheel.stat().st_size // 2]
    place.write_bytes(half)
    assert stopline(*arguments).code == 7, "half a wheel is none"
    shutil.copy(wheel, place)
    again = stopline(*arguments)
    assert "Fetching" in again.err
    assert "plates-1.0" not in again.err


def plate_models(folder: Path) -> Path:
    """A manifest with the real detector and plate models out of a wheel of ours; returns the wheel."""
    shutil.copytree(
        CHECKOUT / "models", folder, ignore=shutil.ignore_patterns("training", "__pycache__", "*.py")
    )
    wheel = folder.parent / "plates-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in PLATE_MODELS:
            archive.writestr(f"plates/{name}", name * 100)
    text = (folder / "manifest.toml").read_text("utf-8").partition("[wheels.")[0]
    text += f"""
        [wheels.plates]
        file = "{wheel.name}"
        requirement = "plates==1.0"
        sha256 = "{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    """
    for name in PLATE_MODELS:
        digest = hashlib.sha256((name * 100).encode()).hexdigest()
        text += f"""
        [models.{name}]
        kind = "wheel"
        wheel = "plates"
        member = "plates/{name}"
        sha256 = "{digest}"
        licence = "Apache-2.0"
        input = "none"
        classes = []
        figures = []
        """
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    return wheel
