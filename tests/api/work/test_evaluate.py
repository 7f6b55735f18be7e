"""Runs against the truth: what is counted, and what is said when the files do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from api.work.evaluate import ClipEvaluation, EvaluationError, evaluate, slices
from api.work.truth_file import TruthFileError, load_truth
from rules.figures import RuleScore, figures

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
    (folder / "summary.json").write_text(json.dumps({"camera": "cam", "sources": [source]}))
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
    assert evaluate(run, truth).clips[0].passing_plates_found == (PLATE,)


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
        (
            {**TRUE_EVENT, "at_radius_px": 0},
            r"events\[0\]: at_radius_px: must be a number of pixels above 0, not 0",
        ),
        ({**TRUE_EVENT, "plate": 7}, r"events\[0\]: plate: must be a text"),
        ({**TRUE_EVENT, "time_into_red_s": "long"}, r"events\[0\]: time_into_red_s: must be a number"),
        ({**TRUE_EVENT, "lane": 2}, r"events\[0\]: lane: must be a text, not 2"),
        ({**TRUE_EVENT, "conditions": "night"}, r"events\[0\]: conditions: must be a list of words"),
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


def a_slice(clips: Sequence[ClipEvaluation], kind: str, value: str) -> Sequence[RuleScore]:
    (rules,) = [one.rules for one in slices(clips) if (one.kind, one.value) == (kind, value)]
    return rules


def test_slices_follow_the_conditions_of_clip_and_event_the_camera_and_the_lane(tmp_path: Path) -> None:
    run = a_run(
        tmp_path / "run",
        [an_event(10.0, place="left"), an_event(30.0, place="left"), an_event(50.0, place="right")],
    )
    truth = a_truth(
        tmp_path / "truth.json",
        {
            "camera": "cam",
            "conditions": ["rain"],
            "light": "night",
            "events": [
                {**TRUE_EVENT, "line": "left"},
                {**TRUE_EVENT, "t": 30.0, "lane": "left", "conditions": ["hidden"]},
                {**TRUE_EVENT, "t": 70.0, "lane": "right", "conditions": ["hidden"]},
            ],
        },
    )
    clips = evaluate(run, load_truth(truth)).clips
    for kind, value in (("condition", "rain"), ("condition", "night"), ("camera", "cam")):
        (part,) = a_slice(clips, kind, value)
        assert (part.found, part.missed, part.false) == (2, 1, 1)
    (hidden,) = a_slice(clips, "condition", "hidden")
    assert (hidden.found, hidden.missed, hidden.false) == (1, 1, 0)
    (left,) = a_slice(clips, "lane", "left")
    assert (left.found, left.missed, left.false) == (2, 0, 0)
    (right,) = a_slice(clips, "lane", "right")
    assert (right.found, right.missed, right.false) == (0, 1, 1)
    assert [(one.kind, one.value) for one in slices(clips)] == [
        ("condition", "hidden"),
        ("condition", "night"),
        ("condition", "rain"),
        ("camera", "cam"),
        ("lane", "left"),
        ("lane", "right"),
    ]


@pytest.mark.parametrize("name", ["time_into_red_s", "into_red_s"])
def test_the_time_into_red_is_compared_with_the_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    event = an_event(10.0, time_into_red_s=4.0, time_into_red_min_s=3.9, time_into_red_max_s=4.1)
    run = a_run(tmp_path / "run", [event])
    truth = a_truth(tmp_path / "truth.json", {"events": [{**TRUE_EVENT, name: 4.06}]})
    assert main(["eval", "--pred", str(run), "--truth", str(truth), "--format", "json"]) == 0
    row = json.loads(capsys.readouterr().out)["rules"][0]
    assert row["median_red_error_s"] == pytest.approx(0.06)
    assert row["red_inside_share"] == 1.0
    assert row["red_width_90_s"] == pytest.approx(0.2)


def test_bounds_of_a_run_that_did_not_write_the_upper_one_prove_nothing(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", [an_event(10.0, time_into_red_s=4.0, time_into_red_min_s=3.9)])
    truth = a_truth(tmp_path / "truth.json", {"events": [{**TRUE_EVENT, "time_into_red_s": 99.0}]})
    (part,) = figures(clip.score for clip in evaluate(run, load_truth(truth)).clips)
    assert part.red_inside_share is None
    assert part.median_red_error_s == pytest.approx(95.0)


def test_what_was_taken_for_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path / "run", [an_event(10.2, rule="stopped_past_line"), an_event(30.0, status="held")])
    truth = a_truth(tmp_path / "truth.json", {"events": [TRUE_EVENT, {**TRUE_EVENT, "t": 30.0}]})
    assert main(["eval", "--pred", str(run), "--truth", str(truth), "--slices"]) == 0
    printed = capsys.readouterr().out
    assert "1 red_light taken for stopped_past_line" in printed
    assert "1 of the missed were held" in printed
    assert "camera cam" in printed
    assert main(["eval", "--pred", str(run), "--truth", str(truth), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["confusion"] == [
        {"truth": "red_light", "said": "stopped_past_line", "count": 1},
        {"truth": "red_light", "said": None, "count": 1},
    ]


def test_a_truth_of_another_camera_is_an_error(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", [])
    truth = load_truth(a_truth(tmp_path / "truth.json", {"camera": "north", "events": []}))
    with pytest.raises(
        EvaluationError,
        match=r"truth\.json: clip\.mp4: camera: is 'north', and the run .* replayed it as camera 'cam'",
    ):
        evaluate(run, truth)


def changed_summary(run: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    summary = json.loads((run / "summary.json").read_text())
    change(summary["sources"])
    (run / "summary.json").write_text(json.dumps(summary))


def test_a_source_that_the_truth_does_not_know_is_said_to_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path / "run", [an_event(10.0)])
    changed_summary(run, lambda sources: sources.append({**sources[0], "source": "b.mp4", "events": []}))
    truth = a_truth(tmp_path / "truth.json", {"events": [TRUE_EVENT]})
    assert main(["eval", "--pred", str(run), "--truth", str(truth)]) == 0
    assert "b.mp4 is left out, the truth says nothing of it" in capsys.readouterr().err


def test_a_source_that_failed_is_no_clip_in_which_nothing_was_found(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", [])
    failed = {"source": "clip.mp4", "error": "file_missing", "message": "there is no such file"}
    changed_summary(run, lambda sources: sources.__setitem__(0, failed))
    truth = load_truth(a_truth(tmp_path / "truth.json", {"events": [TRUE_EVENT]}))
    with pytest.raises(EvaluationError, match=r"could not be replayed \(there is no such file\)"):
        evaluate(run, truth)


@pytest.mark.parametrize(
    ("clip", "named"),
    [
        ({"camera": 5}, "camera: must be a text, not 5"),
        ({"conditions": [1]}, "conditions: must be a list of words"),
    ],
)
def test_a_wrong_clip_names_its_field(tmp_path: Path, clip: dict[str, Any], named: str) -> None:
    with pytest.raises(TruthFileError, match=rf"clip\.mp4: {named}"):
        load_truth(a_truth(tmp_path / "truth.json", clip))
