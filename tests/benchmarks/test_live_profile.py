"""Samples of a profiler are counted for the part of the work that was at hand."""

from __future__ import annotations

from benchmarks.live_profile import part_of, shares

LOOP = "run (api/work/live_camera.py:134);run_camera (ingest/camera.py:83)"


def test_a_sample_counts_for_the_innermost_part() -> None:
    inside = f"{LOOP};observe (detector/analyst.py:70);detect (detector/yolo.py:41)"
    onnx = "run (detector/weights.py:82);run (onnxruntime/capi/session.py:270)"
    assert part_of(inside.split(";")) == "boxes"
    for runner in (onnx, "run (detector/openvino_runner.py:52)"):
        assert part_of(f"{inside};{runner}".split(";")) == "inference"
    assert part_of([*LOOP.split(";"), "_decoded (ingest/decoding.py:210)"]) == "decoding"
    assert part_of(["_run_code (runpy.py:88)"]) == "other"


def test_shares_add_up_over_all_lines() -> None:
    lines = [
        f"{LOOP};_decoded (ingest/decoding.py:210) 30",
        f"{LOOP};step (rules/engine.py:90) 10",
        f"{LOOP};_decoded (ingest/decoding.py:214) 30",
        "_bootstrap (threading.py:1002) 30",
    ]
    assert shares(lines) == {"decoding": 0.6, "other": 0.3, "rules": 0.1}
