"""OpenVINO gives what ONNX Runtime gives, to as many threads as ask, reports nothing, and says what is missing where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from detector.errors import InferenceFailed, WeightsUnsupported
from detector.inference import Inference
from detector.openvino_runner import OpenVinoRunner
from detector.weights import Weights, load_weights
from tests.detector.export_heads import random_filter, yolox

CHECKOUT = Path(__file__).resolve().parents[2]
NAMES = ("car", "bus", "truck", "person")
ROWS = random_filter(5 + len(NAMES), seed=1, spread=0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    model = tmp_path / "model.onnx"
    model.write_bytes(yolox(ROWS, size=(128, 128)))
    return model


def loaded(path: Path, inference: Inference) -> Weights:
    return load_weights(path, class_names=NAMES, inference=inference)


def test_it_finds_what_onnx_runtime_finds(path: Path) -> None:
    """bfloat16 has eight bits of mantissa."""
    ours, theirs = loaded(path, Inference.OPENVINO), loaded(path, Inference.ONNXRUNTIME)
    assert (ours.width_px, ours.height_px, ours.sha256) == (128, 128, theirs.sha256)
    blob = np.random.default_rng(0).uniform(0, 255, (1, 3, 128, 128)).astype(np.float32)
    wanted = theirs.run(blob)
    assert np.ptp(wanted) > 0.01
    np.testing.assert_allclose(ours.run(blob), wanted, atol=0.02 * float(np.abs(wanted).max()))


def test_threads_that_ask_at_once_get_their_own_answers(path: Path) -> None:
    weights = loaded(path, Inference.OPENVINO)
    blobs = [np.full((1, 3, 128, 128), level, np.float32) for level in (10.0, 240.0)]
    alone = [weights.run(blob) for blob in blobs]
    assert not np.allclose(alone[0], alone[1])
    together = Barrier(2)

    def ask(number: int) -> bool:
        together.wait(10)
        return all(np.array_equal(weights.run(blobs[number]), alone[number]) for _ in range(50))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, range(2))) == [True, True]


def test_a_picture_of_another_size_is_an_error_of_ours(path: Path) -> None:
    with pytest.raises(InferenceFailed):
        loaded(path, Inference.OPENVINO).run(np.zeros((1, 3, 64, 64), np.float32))


def test_what_it_cannot_read_is_an_error_of_ours(path: Path) -> None:
    with pytest.raises(WeightsUnsupported, match="OpenVINO cannot load it"):
        OpenVinoRunner(path, b"no model", threads=1)


def test_without_the_extra_the_error_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(WeightsUnsupported, match=r"pip install 'stopline\[openvino\]'"):
        loaded(path, Inference.OPENVINO)
    assert loaded(path, Inference.ONNXRUNTIME).width_px == 128


def test_it_writes_no_file_and_calls_nobody(tmp_path: Path) -> None:
    """Its Python package brings a module that keeps an id and reports to its maker as soon as it is loaded."""
    script = (
        "import sys, pathlib\n"
        "called = []\n"
        "sys.addaudithook(lambda event, args: called.append(event) if event.startswith('socket.') else None)\n"
        "from detector.inference import Inference\n"
        "from detector.weights import load_weights\n"
        "load_weights(pathlib.Path('models/stopline_default.onnx'), inference=Inference.OPENVINO)\n"
        "assert 'openvino' in sys.modules and not called, called"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(CHECKOUT)},
        check=True,
        timeout=60,
    )
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
