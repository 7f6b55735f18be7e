"""Runs against the truth: what is counted, and what is said when the files do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from api.work.evaluate import EvaluationError, evaluate
from api.work.truth_file import TruthFileError, load_truth

PLATE = "浙B12345"


def an_event(t_s: float, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"cam-red_light-s0-f{round(t_s * 25):06d}-t1",
        "rule": "red_light",
        "t_s": t_s,
        "status": "asserted",
        "vehicle_class": "car",
        "at_px": [100.0, 200.0],
        "plate": None,
        **changed,
    }


def a_run(folder: Path, events: list[dict[str, Any]], passages: list[dict[str, Any]] | None = None) -> Path:
    folder.mkdir()
    source = {
        "source": "/somewhere/clip.mp4",
        "segment": 0,
        "video_s": 1800.0,
        "events": [e["id"] for e in events],
    }
    (folder / "summary.json").write_text(json.dumps({"sources": [source]}))
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (folder / "passages.jsonl").write_text("".join(json.dumps(passage) + "\n" for passage in passages or []))
    return folder


def a_truth(path: Path, clip: dict[str, Any], name: str = "clip.mp4") -> Path:
    path.write_text(json.dumps({"_about": "a note", name: clip}))
    return path


TRUE_EVENT = {"rule": "red_light", "class": "car", "t": 10.0, "tolerance_s": 1.0, "at_px": [110, 210]}


def test_found_missed_and_false_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path / "run", [an_event(10.2), an_event(50.0), an_event(70.0, status="held")])
    truth = a_truth(tmp_path / "truth.json", {"events": [TRUE_EVENT, {**TRUE_EVENT, "t": 30.0}]})
    assert main(["eval", "--pred", str(run), "--truth", str(truth), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    row = printed["rules"][0]
    assert (row["clip"], row["found"], row["missed"], row["false"], row["held"]) == ("clip.mp4", 1, 1, 1, 1)
    assert row["precision"] == row["recall"] == 0.5
    assert row["median_error_s"] == pytest.approx(0.2)
    assert printed["false_per_camera_hour"] == pytest.approx(2.0)


def test_the_table_names_clip_and_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path / "run", [an_event(10.2)])
    truth = a_truth(tmp_path / "truth.json", {"events": [TRUE_EVENT]})
    assert main(["eval", "--pred", str(run), "--truth", str(truth)]) == 0
    printed = capsys.readouterr().out
    assert "clip.mp4" in printed
    assert "red_light" in printed
    assert "0.00 false accusations per camera-hour" in printed


def test_passing_plates_count_exactly(tmp_path: Path) -> None:
    passages: list[dict[str, Any]] = [{"segment": 0, "plate": {"text": PLATE}}, {"segment": 0, "plate": None}]
    run = a_run(tmp_path / "run", [], passages)
    truth = load_truth(
        a_truth(tmp_path / "truth.json", {"events": [], "passing_plates": [PLATE, PLATE[:-1] + "6"]})
    )
    assert evaluate(run, truth)[0].passing_plates_found == (PLATE,)


def test_a_truth_without_the_replayed_clip_is_an_error(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", [])
    truth = load_truth(a_truth(tmp_path / "truth.json", {"events": []}, name="other.mp4"))
    with pytest.raises(EvaluationError, match=r"the truth has other\.mp4, and the run replayed clip\.mp4"):
        evaluate(run, truth)


def test_a_folder_without_a_run_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = a_truth(tmp_path / "truth.json", {"events": []})
    assert main(["eval", "--pred", str(tmp_path), "--truth", str(truth)]) == 4
    assert "no finished run of 'stopline replay'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (
            {**TRUE_EVENT, "rule": "red_lite"},
            r"events\[0\]: 'red_lite' is not a valid Rule; rules are red_light",
        ),
        (
            {**TRUE_EVENT, "class": "lorry"},
            r"events\[0\]: 'lorry' is not a valid ObjectClass; .* classes are any, car",
        ),
        ({**TRUE_EVENT, "t": "ten"}, r"events\[0\]: t: must be a number of seconds"),
        ({**TRUE_EVENT, "at_px": [1]}, r"events\[0\]: at_px: must be \[x, y\]"),
        ({**TRUE_EVENT, "plate": 7}, r"events\[0\]: plate: must be a text"),
        ("red", r"events\[0\]: must be an object"),
    ],
)
def test_a_wrong_truth_names_the_file_the_event_and_what_would_be_right(
    tmp_path: Path, event: Any, named: str
) -> None:
    path = a_truth(tmp_path / "truth.json", {"events": [event]})
    with pytest.raises(TruthFileError, match=rf"truth\.json: clip\.mp4: {named}"):
        load_truth(path)


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_truth_that_is_no_object_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text)
    with pytest.raises(TruthFileError, match=r"truth\.json"):
        load_truth(path)
