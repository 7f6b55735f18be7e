"""Contender ``ultralytics``: ``model.track()``, then the benchmark's own line and zone.

Runs in the peers' environment.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.bench_meter import Meter, run_of
from benchmarks.bench_task import BenchClip, ClipRun, Said, Task, read_task, write
from benchmarks.peer_rules import Classes, KerbTimer, RedLineCheck, Tracked
from benchmarks.peer_threads import one_thread
from rules.geometry import point_in_polygon

TRACKER = "bytetrack.yaml"
"""Not its default (TrackTrack): the tracker that the others have too."""

LEAST_SCORE, MOST_OVERLAP = 0.1, 0.5
"""As Stopline's; 0.1 is also what ``track()`` takes by itself."""


def main(task_path: str, run_path: str) -> None:
    one_thread()
    os.environ.update({"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false"})
    import numpy as np
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(1)
    task = read_task(Path(task_path))
    model = YOLO(task.weights, task="detect")
    width, height = task.input_px
    settings: dict[str, Any] = {
        "imgsz": (height, width),
        "conf": LEAST_SCORE,
        "iou": MOST_OVERLAP,
        "classes": [at for at, name in enumerate(task.class_names) if name in task.vehicles],
        "tracker": TRACKER,
        "device": "cpu",
        "verbose": False,
    }
    model.track(np.zeros((height, width, 3), np.uint8), **settings)  # loads the network
    clips = [_clip(model, clip, task, settings) for clip in task.clips]
    packages = ("ultralytics", "torch", "onnxruntime", "opencv-python", "numpy")
    write(Path(run_path), run_of(clips, version, packages))


def _clip(model: Any, clip: BenchClip, task: Task, settings: dict[str, Any]) -> ClipRun:
    lines = [RedLineCheck(line) for line in clip.lines]
    kerbs = [(KerbTimer(kerb), kerb.polygon_px) for kerb in clip.kerbs]
    classes = Classes()
    meter = Meter(clip.name)
    frames = 0
    meter.asked()
    for result in model.track(source=clip.path, stream=True, vid_stride=task.stride, **settings):
        frames += task.stride  # it shows the last picture of each stride
        t_s = (frames - 1) / clip.fps
        seen = [(one, classes.of(one)) for one in _tracked(result, task)]
        said: list[Said] = []
        for line in lines:
            said += line.step(t_s, seen)
        for timer, polygon in kerbs:
            said += timer.step(t_s, seen, [point_in_polygon(one.at_px, polygon) for one, _ in seen])
        meter.known(said)
        meter.asked()
    return meter.done(frames)


def _tracked(result: Any, task: Task) -> list[Tracked]:
    boxes = result.boxes
    if boxes is None or boxes.id is None:
        return []
    return [
        Tracked(
            track=int(track),
            object_class=task.class_names[int(column)],
            at_px=((box[0] + box[2]) / 2, box[3]),
        )
        for track, column, box in zip(boxes.id.tolist(), boxes.cls.tolist(), boxes.xyxy.tolist(), strict=True)
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
