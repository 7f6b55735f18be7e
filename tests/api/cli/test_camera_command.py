"""``stopline camera``: what an engineer learns of a camera, and a picture of it; accounts come from a file only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import cv2
import pytest

from api.cli.main import main
from tests.builders.scripted import SITE, a_recording
from tests.rtsp import Camera, serve

SECRET = "hunter2/x"


@pytest.fixture
def camera(
    tmp_path: Path, absent: Callable[[str], NoReturn], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Camera]:
    recording = a_recording(tmp_path / "camera.mp4", 60.0, codec="libx264")
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(f"gate: {{user: operator, password: {SECRET}}}\n", encoding="utf-8")
    monkeypatch.setenv("STOPLINE_CAMERA_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("STOPLINE_CAMERA_ACCOUNTS_FILE", str(accounts))
    with serve(recording, absent, user="operator", password=SECRET, loop=True) as serving:
        yield serving


def bare(camera: Camera) -> str:
    return f"rtsp://127.0.0.1:{camera.port}/camera"


def test_a_test_says_what_the_camera_sends(camera: Camera, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["camera", "test", bare(camera), "--account", "gate", "--seconds", "2.5"]) == 0
    told = capsys.readouterr().out
    assert "h264, 320x192 px, 10.0 pictures a second" in told
    assert re.search(r"a keyframe every 0\.\d s", told)  # the encoder puts more than one a second into it
    assert "its time: by " in told
    assert "hunter2" not in told


def test_a_snapshot_is_a_picture_of_the_cameras_size(
    camera: Camera, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.yaml"
    stream = f"stream: {{address: '{bare(camera)}', account: gate, transport: udp}}"
    site.write_text(SITE.replace("    stop_lines:", f"    {stream}\n    stop_lines:"), encoding="utf-8")
    out = tmp_path / "picture.jpg"
    command = ["camera", "snapshot", "--site", str(site), "--camera", "cam1", "--out", str(out)]
    assert main(command) == 0
    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape == (192, 320, 3)
    assert main(command) == 2
    assert "exists" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["{address}"], 4, "refuses this account"),
        (
            ["{address}", "--account", "gat"],
            3,
            "no account 'gat' in the file of camera accounts (it has: gate)",
        ),
        (["{address}7", "--account", "gate"], 4, "no stream of that path"),
        ([], 2, "give the ADDRESS"),
        (["rtsp://8.8.8.8/1"], 4, "lies outside the networks in which cameras may stand (127.0.0.0/8)"),
    ],
)
def test_what_is_wrong_is_said(
    camera: Camera, arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(address=bare(camera)) for argument in arguments]
    assert main(["camera", "test", *given]) == code
    shown = capsys.readouterr().err
    assert told in shown
    assert "hunter2" not in shown


def test_a_camera_of_a_site_file_without_a_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    assert main(["camera", "test", "--site", str(site)]) == 2
    assert "gives camera cam1 no stream" in capsys.readouterr().err
