"""Plates of real pictures: crops, scenes, the parked car; rows, corners, alternatives; files that cannot be used."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from detector.errors import ClassesWrong, HeadUnknown, InferenceFailed, WeightsDamaged, WeightsMissing
from detector.plates import PlateReader
from rules.observation import Box
from tests.builders.plate_models import plate_files, plate_reader

Pixels = NDArray[np.uint8]
Figure = Callable[[str, object], None]
Files = tuple[Path, Path, Path]

PARKED_PX: Box = (248.0, 228.0, 522.0, 476.0)
"""The dark hatchback of the parking clip, as seen in one frame."""
HIDDEN_PX: Box = (407.0, 152.0, 640.0, 362.0)
"""The red car behind it, whose plate is hidden."""


@pytest.fixture(scope="session")
def files(cache_dir: Path) -> Files:
    return plate_files(cache_dir)


@pytest.fixture(scope="session")
def reader(cache_dir: Path) -> PlateReader:
    return plate_reader(cache_dir)


@pytest.fixture(scope="session")
def crops(shared: Path) -> dict[str, Pixels]:
    """The crop set by what the plates say."""
    return {path.stem: picture(path) for path in sorted((shared / "plates" / "crops_94x24").iterdir())}


@pytest.fixture(scope="session")
def scenes(shared: Path) -> list[tuple[str, Pixels]]:
    """The five full pictures with what they say, which the README of the material lists in their order."""
    listed = next(
        line for line in (shared / "README.md").read_text("utf-8").splitlines() if "plates/scenes" in line
    )
    texts = re.findall(r"[一-鿿][A-Z][A-Z0-9]{5}", listed)
    paths = sorted((shared / "plates" / "scenes").rglob("*.jpg"))
    return [(text, picture(path)) for text, path in zip(texts, paths, strict=True)]


def picture(path: Path) -> Pixels:
    read = cv2.imread(str(path))
    assert read is not None, path
    return read.astype(np.uint8, copy=False)


def whole(bgr: Pixels) -> Box:
    return (0.0, 0.0, float(bgr.shape[1]), float(bgr.shape[0]))


def test_97_of_100_crops_are_exact(reader: PlateReader, crops: dict[str, Pixels], figure: Figure) -> None:
    exact = sum(reader.recognise(crop).text == text for text, crop in crops.items())
    figure("crops", len(crops))
    figure("exact share", exact / len(crops))
    assert len(crops) == 483
    assert exact >= 0.97 * len(crops)


def test_crops_of_any_size_are_read(reader: PlateReader, crops: dict[str, Pixels], figure: Figure) -> None:
    """Also squeezed to two to one, where two rows are tried as well, and four times enlarged."""
    some = dict(list(crops.items())[::8])
    for size in ((60, 30), (376, 96)):
        exact = sum(
            reader.recognise(np.asarray(cv2.resize(crop, size), np.uint8)).text == text
            for text, crop in some.items()
        )
        figure(f"exact share at {size[0]}x{size[1]}", exact / len(some))
        assert exact >= 0.95 * len(some)


def test_all_five_scenes_are_read_with_the_whole_picture_as_the_box(
    reader: PlateReader, scenes: list[tuple[str, Pixels]], figure: Figure
) -> None:
    readings = [reader.read(bgr, whole(bgr), 7) for _, bgr in scenes]
    right = sum(
        reading is not None and reading.text == text
        for reading, (text, _) in zip(readings, scenes, strict=True)
    )
    figure("scenes read", f"{right} of {len(scenes)}")
    assert right == len(scenes) == 5
    for reading in readings:
        assert reading is not None
        assert reading.track_id == 7
        assert reading.detection_score > 0.9
        assert reading.sharpness > 100.0
        assert len(reading.char_confidences) == len(reading.char_alternatives) == len(reading.text)
        assert min(reading.char_confidences) > 0.9
        assert max(reading.char_confidences) <= 1.0


def test_corners_run_clockwise_from_the_top_left_of_the_plate(
    reader: PlateReader, scenes: list[tuple[str, Pixels]]
) -> None:
    """And they move with the picture."""
    _, bgr = scenes[0]
    reading = reader.read(bgr, whole(bgr), 1)
    assert reading is not None
    a, b, c, d = reading.corners_px
    assert a[0] < b[0]
    assert d[0] < c[0]
    assert a[1] < d[1]
    assert b[1] < c[1]
    shifted = np.roll(bgr, 60, axis=1)
    again = reader.read(shifted, whole(shifted), 1)
    assert again is not None
    for before, after in zip(reading.corners_px, again.corners_px, strict=True):
        assert after[0] == pytest.approx(before[0] + 60, abs=4)
        assert after[1] == pytest.approx(before[1], abs=4)


def test_the_parked_car_is_read_in_every_frame_and_the_one_behind_never(
    reader: PlateReader, shared: Path, figure: Figure
) -> None:
    clip = "hangzhou_parked_cars.mp4"
    truth = json.loads((shared / "footage" / "truth.json").read_text("utf-8"))[clip]
    expected = next(event["plate"] for event in truth["events"] if event["plate"])
    readings: Counter[str] = Counter()
    behind = 0
    with av.open(str(shared / "footage" / clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % 25:
                continue
            bgr = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
            reading = reader.read(bgr, PARKED_PX, 1)
            readings["no plate" if reading is None else "right" if reading.text == expected else "other"] += 1
            behind += reader.read(bgr, HIDDEN_PX, 2) is not None
    figure("frames", readings.total())
    figure("exact share", readings["right"] / readings.total())
    figure("readings of the car whose plate is hidden", behind)
    assert readings.total() >= 30
    assert readings["right"] >= 0.95 * readings.total()
    assert behind == 0


def two_rows(one_row: Pixels) -> Pixels:
    """A real one-row plate cut and set in two rows, 110x55, in the proportions of a 440x220 mm plate."""
    flat = np.asarray(cv2.resize(one_row, (440, 140), interpolation=cv2.INTER_CUBIC), np.uint8)
    plate = np.empty((220, 440, 3), np.uint8)
    plate[:] = np.median(flat.reshape(-1, 3), axis=0)
    plate[13:77, 120:320] = cv2.resize(flat[22:118, 10:122], (200, 64))
    plate[88:205, 15:425] = cv2.resize(flat[22:118, 146:430], (410, 117))
    return np.asarray(cv2.resize(plate, (110, 55), interpolation=cv2.INTER_AREA), np.uint8)


def test_two_rows_are_read_as_one_plate(
    reader: PlateReader, crops: dict[str, Pixels], figure: Figure
) -> None:
    some = dict(list(crops.items())[::6])
    exact = sum(reader.recognise(two_rows(crop)).text == text for text, crop in some.items())
    figure("exact share of two-row plates composed from real crops", exact / len(some))
    assert exact >= 0.85 * len(some)


def test_two_rows_on_a_vehicle_are_mostly_read_and_hardly_ever_as_another_plate(
    reader: PlateReader, crops: dict[str, Pixels], scenes: list[tuple[str, Pixels]], figure: Figure
) -> None:
    """Two-row plates pasted over the plates of the scenes."""
    some = list(crops.items())[::25]
    read = whole_but_wrong = 0
    for number, (text, crop) in enumerate(some):
        bgr = scenes[number % len(scenes)][1].copy()
        before = reader.read(bgr, whole(bgr), 1)
        assert before is not None
        (x1, y1), (x2, y2) = before.corners_px[0], before.corners_px[2]
        width = round(1.05 * (x2 - x1))
        left, top = round((x1 + x2 - width) / 2), round((y1 + y2 - width / 2) / 2)
        bgr[top : top + width // 2, left : left + width] = cv2.resize(two_rows(crop), (width, width // 2))
        after = reader.read(bgr, whole(bgr), 1)
        said = "" if after is None else after.text
        read += said == text
        whole_but_wrong += len(said) == len(text) and sum(a != b for a, b in zip(said, text, strict=True)) > 1
    figure("exact share of two-row plates on a vehicle", read / len(some))
    figure("of the others, as long as a plate and more than one character off", whole_but_wrong)
    assert read >= 0.5 * len(some)
    assert whole_but_wrong <= 1


def test_a_misread_character_has_the_right_one_among_its_alternatives(
    reader: PlateReader, crops: dict[str, Pixels], figure: Figure
) -> None:
    """On crops made hard by shrinking: where one character is wrong, the truth is mostly told beside it."""
    wrong = told = 0
    for text, crop in crops.items():
        small = cv2.resize(crop, (30, 9), interpolation=cv2.INTER_AREA)
        read = reader.recognise(np.asarray(cv2.resize(small, (94, 24)), np.uint8))
        for got, want, others in zip(read.text, text, read.char_alternatives, strict=False):
            chances = [confidence for _, confidence in others]
            assert chances == sorted(chances, reverse=True)
            assert got not in [character for character, _ in others]
            if len(read.text) == len(text) and got != want:
                wrong += 1
                told += want in [character for character, _ in others]
    figure("wrong characters on 30x9 crops", wrong)
    figure("share with the truth among the alternatives", told / wrong)
    assert wrong > 50
    assert told >= 0.6 * wrong


def test_a_blurred_plate_is_less_sharp(reader: PlateReader, scenes: list[tuple[str, Pixels]]) -> None:
    _, bgr = scenes[0]
    clear = reader.read(bgr, whole(bgr), 1)
    blurred = reader.read(np.asarray(cv2.GaussianBlur(bgr, (0, 0), 4), np.uint8), whole(bgr), 1)
    assert clear is not None
    assert blurred is not None
    assert blurred.sharpness < 0.5 * clear.sharpness


def test_no_plate_is_none(reader: PlateReader, scenes: list[tuple[str, Pixels]]) -> None:
    assert reader.read(np.full((300, 400, 3), 90, np.uint8), (20.0, 20.0, 380.0, 280.0), 1) is None
    noise = np.random.default_rng(5).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert reader.read(noise, (20.0, 20.0, 380.0, 280.0), 1) is None
    _, bgr = scenes[0]
    assert reader.read(bgr, (10.0, 10.0, 12.0, 11.0), 1) is None, "a box of nothing"
    assert reader.read(bgr, (5000.0, 10.0, 5300.0, 300.0), 1) is None, "a box outside the picture"


def test_a_plate_beside_the_box_belongs_to_somebody_else(
    reader: PlateReader, scenes: list[tuple[str, Pixels]]
) -> None:
    _, bgr = scenes[0]
    reading = reader.read(bgr, whole(bgr), 1)
    assert reading is not None
    middle = sum(corner[0] for corner in reading.corners_px) / 4
    assert reader.read(bgr, (0.0, 0.0, middle - 8.0, float(bgr.shape[0])), 1) is None


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_reading_costs(files: Files, shared: Path, figure: Figure, threads: int) -> None:
    """Figures; the bound is on computing time, which a busy machine hardly changes, and meets only a blunder."""
    reader = PlateReader(*files, threads=threads)
    with av.open(str(shared / "footage" / "hangzhou_parked_cars.mp4")) as container:
        bgr = next(container.decode(video=0)).to_ndarray(format="bgr24").astype(np.uint8, copy=False)
    for what, box_px in (("a plate", PARKED_PX), ("none", HIDDEN_PX)):
        costs_ms = []
        for _ in range(15):
            wall_s, computing_s = time.perf_counter(), time.process_time()
            reader.read(bgr, box_px, 1)
            costs_ms.append(
                ((time.process_time() - computing_s) * 1000, (time.perf_counter() - wall_s) * 1000)
            )
        least_ms, wall_ms = min(cost for cost, _ in costs_ms), min(wall for _, wall in costs_ms)
        figure(
            f"ms per read with {what} in the box, {threads} thread(s)",
            f"{wall_ms:.1f} ({least_ms:.1f} computing)",
        )
        assert least_ms < 150.0


def test_the_reader_names_what_it_reads_with(reader: PlateReader) -> None:
    assert reader.name == "clp_det.onnx 1bb07d36 + clp_v2_c_rec.onnx 90f2f875"


def test_missing_files_are_named(files: Files, tmp_path: Path) -> None:
    missing = tmp_path / "absent"
    for position in range(3):
        given = with_other(files, position, missing)
        with pytest.raises(WeightsMissing, match=r"absent: .*stopline models pull") as caught:
            PlateReader(*given)
        assert caught.value.path == missing


def test_damaged_graphs_are_named(files: Files, tmp_path: Path) -> None:
    for position, content in ((0, b""), (0, files[0].read_bytes()[:-5000]), (1, b"<html>not found</html>")):
        damaged = tmp_path / "damaged.onnx"
        damaged.write_bytes(content)
        given = with_other(files, position, damaged)
        with pytest.raises(WeightsDamaged, match=r"damaged\.onnx"):
            PlateReader(*given)


def test_graphs_in_each_others_place_are_refused(files: Files) -> None:
    detector, recogniser, charset = files
    with pytest.raises(HeadUnknown, match=re.escape(recogniser.name)):
        PlateReader(recogniser, recogniser, charset)
    with pytest.raises(HeadUnknown, match=re.escape(detector.name)):
        PlateReader(detector, detector, charset)


def test_graphs_with_other_outputs_are_refused(files: Files, tmp_path: Path) -> None:
    detector, recogniser, charset = files
    flat = graph(tmp_path / "flat.onnx", ["x"] * 3)
    with pytest.raises(HeadUnknown, match=r"flat\.onnx: expected scores"):
        PlateReader(flat, recogniser, charset)
    with pytest.raises(HeadUnknown, match=r"flat\.onnx: .*one output|flat\.onnx: expected 1 output"):
        PlateReader(detector, flat, charset)
    with pytest.raises(HeadUnknown, match=r"one\.onnx: .*probabilities"):
        PlateReader(detector, graph(tmp_path / "one.onnx", ["x"]), charset)


def test_values_that_are_not_finite_are_an_error(files: Files, tmp_path: Path) -> None:
    with pytest.raises(InferenceFailed, match="not finite"):
        PlateReader(graph(tmp_path / "infinite.onnx", ["x"] * 3, factor=float("inf")), files[1], files[2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("京\n沪\n".encode(), r"has 2 characters.*73 classes.*expected 72 lines"),
        (b"", "one character a line"),
        ("京\n京\n".encode(), "each once"),
        ("京沪\n".encode(), "one character a line"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_charset_that_does_not_fit_is_refused(
    files: Files, tmp_path: Path, content: bytes, message: str
) -> None:
    charset = tmp_path / "charset.txt"
    charset.write_bytes(content)
    with pytest.raises(ClassesWrong, match=message) as caught:
        PlateReader(files[0], files[1], charset)
    assert caught.value.path == charset


def with_other(files: Files, position: int, other: Path) -> Files:
    """``files`` with ``other`` in one place."""
    detector, recogniser, charset = (other if index == position else path for index, path in enumerate(files))
    return detector, recogniser, charset


def graph(path: Path, outputs: list[str], factor: float = 1.0) -> Path:
    """A graph that gives its input times ``factor`` (plus 1) once for each of ``outputs``."""
    shape = [1, 3, None, None]
    nodes = [helper.make_node("Add", ["image", "one"], ["more"])]
    made = []
    for index in range(len(outputs)):
        nodes.append(helper.make_node("Mul", ["more", "factor"], [f"out{index}"]))
        made.append(helper.make_tensor_value_info(f"out{index}", TensorProto.FLOAT, shape))
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "fixture",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            made,
            [
                helper.make_tensor("factor", TensorProto.FLOAT, [], [factor]),
                helper.make_tensor("one", TensorProto.FLOAT, [], [1000.0]),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, str(path))
    return path
