"""A newcomer's first look: ``stopline demo`` on the beginning of a sample clip, and a real Chromium on the page that it serves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from playwright.sync_api import Browser, expect

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLES = CHECKOUT / "sample_videos"
CLIP, SECONDS = "junction_night", 18.0
"""Its first car runs the red at 10.8 s, and the case's clip goes on for 6 s."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A folder with the beginning of that one clip, as it was recorded."""
    folder = tmp_path / "samples"
    folder.mkdir()
    with (
        av.open(str(SAMPLES / f"{CLIP}.mp4")) as source,
        av.open(str(folder / f"{CLIP}.mp4"), "w") as target,
    ):
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.pts is not None and packet.time_base and packet.pts * packet.time_base < SECONDS:
                packet.stream = copied
                target.mux(packet)
    (folder / f"{CLIP}.yaml").write_text((SAMPLES / f"{CLIP}.yaml").read_text("utf-8"), encoding="utf-8")
    truth = json.loads((SAMPLES / "truth.json").read_text("utf-8"))
    (folder / "truth.json").write_text(json.dumps({f"{CLIP}.mp4": truth[f"{CLIP}.mp4"]}), encoding="utf-8")
    return folder


@pytest.fixture
def address(samples: Path, tmp_path: Path) -> Iterator[str]:
    """Where the page is, as soon as the command says that a case is on it."""
    environment = {**os.environ, "STOPLINE_SAMPLES": str(samples), "STOPLINE_DISPLAY": "false"}
    command = [
        *(sys.executable, "-m", "api.cli", "demo", "--no-plates", "--port", "0"),
        "--out",
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT, env=environment
    )
    assert process.stderr is not None
    said = []
    with process:
        try:
            for line in process.stderr:
                said.append(line)
                if "The first case is on the page" in line:
                    break
            found = re.search(r"first case is on the page: (http://\S+)", said[-1])
            assert found, "".join(said)
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=120)[1]
    assert process.returncode in (0, 130), rest
    assert "Traceback" not in rest


def test_the_first_case_is_on_the_page_with_its_pictures(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(address)
    row = page.locator("a.row").first
    expect(row).to_contain_text("Red light", timeout=60_000)
    expect(row).to_contain_text("junction-night", timeout=60_000)
    row.click()
    confirm = page.get_by_role("button", name="Confirm A")
    expect(confirm).to_be_enabled(timeout=60_000)  # which it is once every picture has been shown
    widths = page.evaluate(
        "[...document.images].filter((i) => i.src.includes('/scene-')).map((i) => i.naturalWidth)"
    )
    assert widths == [1280, 1280, 1280]
    page.close()
