"""``make bench`` at small size: decoding, Stopline and, where they are installed, the peers, on a short clip; and its report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import onnxruntime
import pytest

from api.bootstrap import default_detector
from api.settings import load_settings
from api.work.truth_file import ClipTruth
from benchmarks.bench import CONTENDERS, Compared, Field, compare, peers_python, write_results
from benchmarks.bench_clips import bench_clips, bench_truth, f1, scored
from benchmarks.bench_figures import (
    BEST,
    DECODING,
    EVERY,
    OPENVINO,
    STOPLINE,
    SUPERVISION,
    ULTRALYTICS,
    Figures,
    figures_of,
    targets,
)
from benchmarks.bench_task import (
    BenchClip,
    ClipRun,
    Kerb,
    RedLine,
    Run,
    Said,
    Task,
    read_run,
    read_task,
    write,
)
from benchmarks.clips import cut, sample_clips
from benchmarks.peer_rules import Classes, KerbTimer, RedLineCheck, Tracked
from benchmarks.peer_weights import convert
from detector.postprocess import Decoder
from detector.weights import load_weights
from rules.geometry import point_in_polygon
from rules.observation import VEHICLE_CLASSES

CLIP, UPTO_S = "junction_rain", 18.0
"""Two riders soon run a red light in it."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> BenchClip:
    """The beginning of that clip, its packets as they are."""
    (whole,) = bench_clips([CLIP])
    path = tmp_path_factory.mktemp("bench") / f"{CLIP}.mp4"
    with av.open(whole.path) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.pts is None or packet.pts * packet.time_base >= UPTO_S:
                continue
            packet.stream = copied
            target.mux(packet)
    return replace(whole, path=str(path), seconds=UPTO_S)


@pytest.fixture(scope="module")
def truth() -> Mapping[str, ClipTruth]:
    whole = next(one for one in sample_clips() if one.name == CLIP)
    return {CLIP: cut(whole, UPTO_S).truth}


@pytest.fixture
def field(tmp_path: Path, clip: BenchClip, truth: Mapping[str, ClipTruth]) -> Field:
    return Field(tmp_path, [clip], truth, peers_python())


def of(compared: Compared, name: str, how: str = EVERY) -> Figures:
    return next(one for looks, one in compared.rows if one.name == name and looks == how)


def test_stopline_finds_what_happens_and_the_report_tells_it(field: Field, tmp_path: Path) -> None:
    contenders = [one for one in CONTENDERS if one.name in (DECODING, STOPLINE, OPENVINO)]
    compared = compare(field, contenders, rounds=1)
    decoding, stopline = of(compared, DECODING), of(compared, STOPLINE)
    assert (stopline.found, stopline.missed, stopline.false, stopline.f1) == (2, 0, 0, 1.0)
    assert 0.0 < decoding.cpu_s_per_camera_minute < stopline.cpu_s_per_camera_minute
    assert stopline.said_after_s is not None
    assert 0.0 < stopline.said_after_s < 5.0
    write_results(compared, field, "make bench", 1, tmp_path, datetime(2026, 1, 1, tzinfo=UTC))
    facts = json.loads((tmp_path / "results.json").read_text())
    assert [one["name"] for one in facts["contenders"]] == [DECODING, STOPLINE, OPENVINO]
    assert facts["events"] == 2
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| Stopline, as it watches live cameras | what it needs |" in text
    assert "| times the throughput of ultralytics, every picture | 6 | not run | does not hold |" in text


@pytest.mark.parametrize("name", [ULTRALYTICS, SUPERVISION])
def test_a_peer_runs_with_the_same_network(name: str, field: Field) -> None:
    if field.peers is None:
        pytest.skip("the peers' environment is not there; 'make bench' makes it")
    run = field.run(next(one for one in CONTENDERS if one.name == name), stride=3)
    assert field.figures(next(one for one in CONTENDERS if one.name == name), 3, [run]).found >= 1
    assert name in run.versions


def test_a_peer_without_its_environment_is_left_out(
    tmp_path: Path, clip: BenchClip, truth: Mapping[str, ClipTruth]
) -> None:
    field = Field(tmp_path, [clip], truth, None)
    compared = compare(field, [one for one in CONTENDERS if one.is_peer], rounds=1)
    assert not compared.rows
    why = "its environment is not there; 'make bench' makes it"
    assert compared.skipped == {ULTRALYTICS: why, SUPERVISION: why}


def test_the_converted_network_gives_the_same_boxes(tmp_path: Path) -> None:
    weights = load_weights(default_detector(load_settings()))
    size = (weights.width_px, weights.height_px)
    target = tmp_path / "peer.onnx"
    convert(weights.path, target, size, weights.classes.names)
    bgr = np.random.default_rng(7).integers(0, 256, (1, 3, size[1], size[0])).astype(np.float32)
    own = Decoder(weights.layout, *size, weights.classes.columns)(weights.run(bgr), 0.0)
    session = onnxruntime.InferenceSession(str(target))
    (rows,) = session.run(None, {session.get_inputs()[0].name: bgr[:, ::-1] / np.float32(255)})
    assert rows.shape == (1, 4 + len(weights.classes.names), len(own.boxes))
    centres, halves = rows[0, :2].T, rows[0, 2:4].T / 2
    assert np.allclose(np.hstack((centres - halves, centres + halves)), own.boxes, rtol=1e-3, atol=1e-2)
    assert np.allclose(rows[0, 4:].max(axis=0), own.scores, atol=1e-4)
    assert session.get_modelmeta().custom_metadata_map["task"] == "detect"


LINE = RedLine(line_px=((0.0, 100.0), (200.0, 100.0)), direction=(0.0, -1.0), red_s=((10.0, 20.0),))


def crossed(*at: tuple[float, float, float], track: int = 1) -> list[Said]:
    """What the check says of a track that is at (x, y) at those times."""
    check, classes, said = RedLineCheck(LINE), Classes(), list[Said]()
    for t_s, x, y in at:
        one = Tracked(track=track, object_class="car", at_px=(x, y))
        said += check.step(t_s, [(one, classes.of(one))])
    return said


def test_a_crossing_on_red_is_said_once_at_its_moment_and_place() -> None:
    (one,) = crossed((10.0, 50, 150), (12.0, 50, 110), (13.0, 50, 90), (14.0, 50, 110), (15.0, 50, 90))
    assert (one.rule, one.object_class) == ("red_light", "car")
    assert one.t_s == pytest.approx(12.5)
    assert one.said_s == 13.0
    assert one.at_px == pytest.approx((50, 100))


@pytest.mark.parametrize(
    "at",
    [
        [(5.0, 50, 110), (6.0, 50, 90)],  # on green
        [(9.9, 50, 110), (10.5, 50, 90)],  # within the grace
        [(12.0, 50, 90), (13.0, 50, 110)],  # the other way
        [(12.0, 250, 110), (13.0, 250, 90)],  # beside the line
        [(12.0, 50, 110), (13.0, 50, 105)],  # before it
    ],
)
def test_what_is_no_crossing_on_red_is_not_said(at: list[tuple[float, float, float]]) -> None:
    assert crossed(*at) == []


def test_a_kerb_timer_runs_while_a_track_is_inside() -> None:
    square = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    timer = KerbTimer(Kerb(polygon_px=square, allowed_stop_s=5.0))
    said = list[Said]()
    for t_s, x in ((0.0, 5), (3.0, 15), (4.0, 5), (8.0, 5), (9.0, 5), (20.0, 5)):
        one = Tracked(track=1, object_class="bus", at_px=(x, 5))
        said += timer.step(t_s, [(one, "bus")], [point_in_polygon(one.at_px, square)])
    assert [(one.rule, one.t_s, one.said_s) for one in said] == [("no_parking", 9.0, 9.0)]


def test_the_class_is_the_one_seen_most_often() -> None:
    classes = Classes()
    seen = [Tracked(track=1, object_class=name, at_px=(0, 0)) for name in ("car", "truck", "car")]
    assert [classes.of(one) for one in seen] == ["car", "car", "car"]


def a_run(cpu_s: float, *said: Said) -> Run:
    clip = ClipRun(
        clip="junction_red_departing",
        frames=1100,
        cpu_s=cpu_s,
        wall_s=cpu_s,
        said=said,
        frame_ms=(1.0, 2.0, 30.0),
        finding_ms=(30.0,) if said else (),
    )
    return Run(clips=(clip,), peak_memory_mb=100.0, versions={"numpy": "2"})


def test_figures_are_of_all_rounds_and_targets_are_judged_by_them() -> None:
    clips = bench_clips(["junction_red_departing"])
    truth = bench_truth()
    event = next(one for one in truth["junction_red_departing"].events if one.required)
    assert event.object_class is not None
    assert event.at_px is not None
    hit = Said(
        rule=event.rule.value,
        object_class=event.object_class.value,
        t_s=event.t_s + 0.1,
        said_s=event.t_s + 0.5,
        at_px=event.at_px,
    )
    wrong = replace(hit, t_s=30.0, said_s=30.2)

    def figures(name: str, stride: int, *runs: Run) -> Figures:
        return figures_of(name, stride, runs, clips, truth, cores=2)

    own = figures(STOPLINE, 1, a_run(20.0, hit), a_run(24.0, hit, wrong))
    assert own.rounds_cpu_s == (27.27, 32.73)
    assert own.cpu_s_per_camera_minute == 30.0
    assert own.cameras_sustained == 4.0
    assert (own.found, own.missed, own.false) == (2, 8, 1)
    assert own.f1 == f1(2, 8, 1) == pytest.approx(4 / 13, abs=1e-4)
    assert own.said_after_s == pytest.approx(0.5)
    assert (own.frame_ms_median, own.finding_ms_median) == (2.0, 30.0)
    peers = {
        (ULTRALYTICS, EVERY): figures(ULTRALYTICS, 1, a_run(132.0)),
        (ULTRALYTICS, BEST): figures(ULTRALYTICS, 5, a_run(43.0)),
        (DECODING, EVERY): figures(DECODING, 1, a_run(22.0)),
    }
    goals = targets({(STOPLINE, EVERY): own, **peers})
    assert [(goal.reached, goal.holds) for goal in goals] == [
        (6.0, True),
        (1.95, False),
        (None, False),
        (None, False),
        (1.0, True),
    ]


def test_nothing_found_is_an_f1_of_zero(truth: Mapping[str, ClipTruth]) -> None:
    run = Run(clips=(replace(a_run(1.0).clips[0], clip=CLIP),), peak_memory_mb=1.0)
    assert len(scored(run, truth)[CLIP].missed) == 2
    assert f1(0, 2, 0) == 0.0


def test_tasks_and_runs_survive_their_files(tmp_path: Path) -> None:
    task = Task(
        clips=bench_clips(["junction_red_departing", "parking_all_day"]),
        weights="w.onnx",
        input_px=(416, 416),
        class_names=("car",),
        vehicles=tuple(one.value for one in VEHICLE_CLASSES),
        stride=3,
        options=("watch",),
    )
    write(tmp_path / "task.json", task)
    assert read_task(tmp_path / "task.json") == task
    run = a_run(1.0, Said(rule="red_light", object_class="car", t_s=1.0, said_s=2.0, at_px=(3.0, 4.0)))
    write(tmp_path / "run.json", run)
    assert read_run(tmp_path / "run.json") == run
