"""Whatever is wrong with recordings, weights, site file or folder: its exit code, and a text that says what would be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.api.cli.conftest import Ran, Stopline
from tests.builders.scripted import SITE, a_recording

Replay = Callable[..., Ran]
MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return a_recording(tmp_path / "clip.mp4", 1.0)


@pytest.fixture
def replay(stopline: Stopline, tmp_path: Path, site: Path, weights: Path) -> Replay:
    """Replays these sources; ``site``, ``weights`` and ``out`` may be given, the rest are further arguments."""

    def run(*sources: Path, **given: object) -> Ran:
        options = {"site": site, "weights": weights, "out": tmp_path / "out"} | given
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return stopline("replay", *sources, "--no-plates", *arguments)

    return run


def assert_refused(ran: Ran, code: int, *said: str) -> None:
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for part in said:
        assert part in ran.err, ran.err


def test_a_missing_recording(replay: Replay, tmp_path: Path) -> None:
    assert_refused(replay(tmp_path / "no.mp4"), 4, f"{tmp_path / 'no.mp4'}: no such file")
    assert not list((tmp_path / "out").glob("*")), "a folder without results must stay free"


def test_an_empty_recording(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert_refused(replay(tmp_path / "empty.mp4"), 4, "empty.mp4: is empty (0 bytes)")


def test_a_recording_that_is_no_video(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video at all\n" * 100)
    assert_refused(replay(tmp_path / "text.mp4"), 4, "text.mp4: is not a video")


def test_a_folder_without_recordings(replay: Replay, tmp_path: Path) -> None:
    assert_refused(replay(tmp_path), 2, tmp_path.name, "holds no recording", ".mp4")


def test_a_truncated_recording_whose_index_is_gone(replay: Replay, tmp_path: Path, clip: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:2000])
    assert_refused(replay(cut), 4, "cut.mp4: is cut off", "copy it again from the recorder")


def test_a_truncated_recording_is_judged_as_far_as_it_goes_and_said(replay: Replay, tmp_path: Path) -> None:
    whole = a_recording(tmp_path / "whole.mkv", 6.0)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    ran = replay(cut)
    assert ran.code == 0
    assert "breaks off" in ran.err


@pytest.mark.parametrize("name", ["none.avi", "none.mp4"])
def test_a_recording_without_frames(replay: Replay, tmp_path: Path, clip: Path, name: str) -> None:
    with av.open(str(clip)) as source, av.open(str(tmp_path / name), "w") as target:
        target.add_stream_from_template(source.streams.video[0])
        target.start_encoding()
    assert_refused(replay(tmp_path / name), 4, f"{name}: holds no picture (0 frames)")


def test_some_recordings_that_cannot_be_read_stop_no_other(
    replay: Replay, tmp_path: Path, clip: Path
) -> None:
    ran = replay(clip, tmp_path / "no.mp4")
    assert_refused(ran, 5, "no.mp4: no such file")
    assert (tmp_path / "out" / "events.jsonl").is_file()


def test_a_recording_of_another_size(replay: Replay, tmp_path: Path) -> None:
    small = a_recording(tmp_path / "small.mp4", 1.0, size_px=(160, 96))
    assert_refused(replay(small), 4, "160x96 px", "320x192", "correct size_px")


def test_the_model_that_comes_with_stopline_is_another_file(
    stopline: Stopline, clip: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "manifest.toml").write_bytes((MODELS / "manifest.toml").read_bytes())
    (tmp_path / "models" / "stopline_default.onnx").write_bytes(b"half of it")
    monkeypatch.setenv("STOPLINE_MODELS", str(tmp_path / "models"))
    ran = stopline("replay", clip, "--site", site, "--out", tmp_path / "out")
    assert_refused(ran, 3, "model 'default-detector'", "stopline_default.onnx", "SHA-256", "restore it")


def test_missing_weights(replay: Replay, clip: Path, tmp_path: Path) -> None:
    assert_refused(replay(clip, weights=tmp_path / "no.onnx"), 3, "no.onnx")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [0, 1000, 1_000_000])
def test_damaged_weights(replay: Replay, clip: Path, tmp_path: Path, weights: Path, size: int) -> None:
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(weights.read_bytes()[:size])
    assert_refused(replay(clip, weights=damaged), 3, "damaged.onnx")


def test_weights_that_are_something_else(replay: Replay, clip: Path, tmp_path: Path) -> None:
    assert_refused(replay(clip, weights=clip), 3, "clip.mp4")
    text = tmp_path / "weights.onnx"
    text.write_text("not a model")
    assert_refused(replay(clip, weights=text), 3, "weights.onnx")
    torch = tmp_path / "yolo.pt"
    torch.write_bytes(b"PK\x03\x04")
    assert_refused(replay(clip, weights=torch), 3, "yolo.pt")


def a_model(path: Path, output_shape: tuple[int, ...], names: str | None = None) -> Path:
    """A graph from a picture to constant zeros of that shape."""
    zeros = numpy_helper.from_array(np.zeros(output_shape, np.float32), "output")
    graph = helper.make_graph(
        [],
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, list(output_shape))],
        [zeros],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if names is not None:
        helper.set_model_props(model, {"names": names})
    onnx.save(model, str(path))
    return path


def test_a_model_with_other_outputs(replay: Replay, clip: Path, tmp_path: Path) -> None:
    model = a_model(tmp_path / "classifier.onnx", (1, 1000))
    assert_refused(replay(clip, weights=model), 3, "classifier.onnx", "(1, 1000)")


def test_a_model_with_other_classes(replay: Replay, clip: Path, tmp_path: Path) -> None:
    model = a_model(tmp_path / "fruit.onnx", (1, 6, 84), "{0: 'apple', 1: 'pear'}")
    assert_refused(replay(clip, weights=model), 3, "fruit.onnx", "apple")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[[0.72, 0.3], [0.98, 0.3], [0.98, 1.0], [0.72, 1.0]]",
            "[[0.72, 0.3], [0.98, 1.0], [0.98, 0.3], [0.72, 1.0]]",
            ":18: cameras[0].no_parking[0].zone: the edge between corners 1–2 crosses",
        ),
        (
            "line: [[0.1, 0.6]",
            "line: [[0.1, 1.6]",
            ":10: cameras[0].stop_lines[0].line[0]: [0.1, 1.6] lies outside",
        ),
        ("heads: [lamp]", "heads: [lmap]", ":15: cameras[0].stop_lines[0].heads[0]: unknown head 'lmap'"),
        ("id: gate", "id: kerb", ":21: cameras[0].gates[0].id: duplicate id 'kerb'"),
        ("Asia/Shanghai", "Asia/Beijing", ":1: site.time_zone: 'Asia/Beijing' is not a time zone"),
        ("allowed_stop_s: 3", "allowed_stop: 3", "unknown field; did you mean 'allowed_stop_s'?"),
        ("size_px: [320, 192]", "size_px: [320, 192", "not valid YAML"),
    ],
)
def test_a_site_file_with_a_mistake(
    replay: Replay, clip: Path, site: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in SITE
    site.write_text(SITE.replace(old, new), encoding="utf-8")
    assert_refused(replay(clip), 3, str(site), said)
    assert not (tmp_path / "out").exists()


def test_a_missing_site_file(replay: Replay, clip: Path, tmp_path: Path) -> None:
    assert_refused(replay(clip, site=tmp_path / "no.yaml"), 3, "no.yaml: cannot be read: No such file")


def test_a_folder_that_is_not_empty(replay: Replay, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert_refused(replay(clip), 2, f"{out} is not empty", "--resume", "--overwrite")
    assert (out / "mine.txt").read_text() == "mine"


def test_options_that_exclude_each_other(stopline: Stopline, clip: Path, site: Path, tmp_path: Path) -> None:
    ran = stopline("replay", clip, "--site", site, "--out", tmp_path / "out", "--resume", "--overwrite")
    assert_refused(ran, 2, "give one of them")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday", "'yesterday' is not a time; write it like 2024-05-01T08:30:00+08:00"),
        (
            "2024-05-01T08:30:00",
            "lacks its offset from UTC",
        ),
        ("2024-05-01", "2024-05-01T00:00:00+08:00"),
    ],
)
def test_a_start_time_that_is_none(replay: Replay, clip: Path, text: str, said: str) -> None:
    assert_refused(replay(clip, **{"start-time": text}), 2, "--start-time", said)


def test_a_camera_that_the_site_has_not(replay: Replay, clip: Path, site: Path) -> None:
    assert_refused(replay(clip, camera="cam2"), 2, "no camera 'cam2'; did you mean 'cam1'?")
    second = SITE[SITE.index("  - id: cam1") :].replace("id: cam1", "id: north")
    site.write_text(SITE + second, encoding="utf-8")
    assert_refused(replay(clip), 2, "has 2 cameras", "--camera cam1 or north")
