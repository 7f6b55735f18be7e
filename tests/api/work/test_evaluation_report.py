"""The report: a picture of each miss and false alarm from the recording, on one page that asks for nothing else."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.cli.main import main
from api.work.evaluation_pictures import MOST_PICTURES
from evidence.picture import from_file
from rules.observation import LampState
from tests.builders.runs import a_finished_run
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import SIZE_PX, ScriptedPipeline, a_recording, a_site

RUNS_THE_LIGHT = a_car(1, size_px=(40, 30)).drives((120, 190), (120, 40), 1, 5)
RED = a_lamp("lamp").shows(LampState.RED, 0)


class Page(HTMLParser):
    """The tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run over ten seconds of video in which a car runs the red light at about 3 s."""
    clip = a_recording(tmp_path / "clip.mp4", 10.0)
    return a_finished_run(tmp_path / "run", ScriptedPipeline(a_site(), [RUNS_THE_LIGHT], [RED]), clip)


def report(run: Path, events: list[dict[str, Any]], tmp_path: Path) -> Page:
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"clip.mp4": {"events": events}}))
    assert (
        main(["eval", "--pred", str(run), "--truth", str(truth), "--report", str(tmp_path / "report")]) == 0
    )
    return Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8"))


def pictures(page: Page) -> list[tuple[str, np.ndarray[Any, Any]]]:
    found = []
    for tag, attributes in page.tags:
        if tag == "img":
            source = attributes["src"] or ""
            assert source.startswith("data:image/jpeg;base64,")
            found.append((attributes["alt"] or "", from_file(b64decode(source.split(",")[1]))))
    return found


MISS = {
    "rule": "red_light",
    "class": "car",
    "t": 7.0,
    "tolerance_s": 0.5,
    "at_px": [160, 96],
    "who": "a <b>ghost</b>",
}


def test_a_miss_and_a_false_alarm_have_their_pictures_and_facts(run: Path, tmp_path: Path) -> None:
    page = report(run, [MISS], tmp_path)
    (miss, ringed), (false_alarm, boxed) = pictures(page)
    assert "clip.mp4 at 7.000 s" in miss
    assert "The accused vehicle is boxed." in false_alarm
    assert "Missed (1)" in page.text
    assert "False alarms (1)" in page.text
    assert "a <b>ghost</b>" in page.text
    assert "cam1-red_light-s0-" in page.text
    for picture in (ringed, boxed):
        assert (picture.shape[1], picture.shape[0]) == SIZE_PX
    when = re.search(r"at (\d+\.\d+) s", false_alarm)
    assert when
    x1, y1, x2, y2 = RUNS_THE_LIGHT.box_at(float(when[1])) or (0, 0, 0, 0)
    edge = boxed[round(y2), round(x1) + 3 : round(x2) - 3].astype(int)
    inside = boxed[round((y1 + y2) / 2), round((x1 + x2) / 2)].astype(int)
    assert (edge[:, 2] - edge[:, 0] > 60).mean() > 0.9
    assert abs(inside[2] - inside[0]) < 30
    ring = ringed[96, 160 + 60].astype(int)
    assert ring[2] - ring[0] > 60


def test_the_page_asks_for_nothing_outside_itself(run: Path, tmp_path: Path) -> None:
    page = report(run, [MISS], tmp_path)
    assert {tag for tag, _ in page.tags}.isdisjoint(
        {"script", "link", "iframe", "object", "base", "form", "a"}
    )
    for _, attributes in page.tags:
        for name, value in attributes.items():
            assert name not in ("srcset", "poster", "background")
            assert name != "src" or (value or "").startswith("data:")
            assert "url(" not in (value or "")
    (policy,) = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policy is not None
    assert "default-src 'none'" in policy
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text


def test_a_recording_that_is_gone_is_said_on_the_page_and_to_the_caller(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.mp4").unlink()
    page = report(run, [MISS], tmp_path)
    assert not pictures(page)
    assert page.text.count("No picture: The recording cannot be read") == 2
    assert "note: The recording cannot be read" in capsys.readouterr().err


def test_observations_that_are_damaged_leave_a_cross_and_a_sentence(run: Path, tmp_path: Path) -> None:
    (run / "observations.jsonl.gz").write_bytes(b"no gzip")
    page = report(run, [], tmp_path)
    ((says, _),) = pictures(page)
    assert "Its box is not known" in says


def test_a_truth_after_the_recording_has_no_picture(run: Path, tmp_path: Path) -> None:
    page = report(run, [{**MISS, "t": 60.0}], tmp_path)
    assert "No picture: The recording ends before this moment." in page.text


def test_a_report_never_overwrites(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(run, [MISS], tmp_path)
    truth, out = tmp_path / "truth.json", tmp_path / "report"
    assert main(["eval", "--pred", str(run), "--truth", str(truth), "--report", str(out)]) == 2
    assert "is not an empty folder" in capsys.readouterr().err


def test_a_report_is_bounded_and_says_what_it_leaves_out(run: Path, tmp_path: Path) -> None:
    page = report(run, [{**MISS, "count": MOST_PICTURES + 2}], tmp_path)
    assert len(pictures(page)) == MOST_PICTURES
    assert page.text.count(f"No picture: The report holds the first {MOST_PICTURES} pictures.") == 3
    assert f"Missed ({MOST_PICTURES + 2})" in page.text
