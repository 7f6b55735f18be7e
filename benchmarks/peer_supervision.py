"""Contender ``supervision``: ONNX Runtime, ByteTrack of ``trackers`` (where its own moved to), ``LineZone``, ``PolygonZone``.

Runs in the peers' environment.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.bench_meter import Meter, run_of
from benchmarks.bench_task import BenchClip, ClipRun, RedLine, Said, Task, read_task, write
from benchmarks.peer_rules import Classes, KerbTimer, Tracked, foot, is_red
from benchmarks.peer_threads import one_thread

LEAST_SCORE, MOST_OVERLAP = 0.1, 0.5
"""As Stopline's."""

SURE = 0.25
"""What begins a track, and what counts as sure: as Ultralytics has it. The tracker's own are 0.7 and 0.6."""

PAD = 114


def main(task_path: str, run_path: str) -> None:
    one_thread()
    task = read_task(Path(task_path))
    import onnxruntime

    session = onnxruntime.InferenceSession(task.weights, providers=["CPUExecutionProvider"])
    eye = _Eye(session, task)
    clips = [_clip(eye, clip, task) for clip in task.clips]
    packages = ("supervision", "trackers", "onnxruntime", "opencv-python", "numpy")
    write(Path(run_path), run_of(clips, version, packages))


class _Eye:
    """Letterbox, inference, scores, suppression: what the makers of supervision leave to the detector's package."""

    def __init__(self, session: Any, task: Task) -> None:
        import numpy as np

        self._session, self._task = session, task
        self._name = session.get_inputs()[0].name
        width, height = task.input_px
        self._canvas = np.full((height, width, 3), PAD, np.uint8)
        self._columns = np.array([at for at, name in enumerate(task.class_names) if name in task.vehicles])

    def detections(self, bgr: Any) -> Any:
        """The vehicles of one picture, in its own pixels."""
        import cv2
        import numpy as np
        import supervision as sv

        width, height = self._task.input_px
        scale = min(width / bgr.shape[1], height / bgr.shape[0])
        fitted = (int(bgr.shape[1] * scale), int(bgr.shape[0] * scale))
        self._canvas[: fitted[1], : fitted[0]] = cv2.resize(bgr, fitted)
        blob = self._canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        rows = self._session.run(None, {self._name: blob})[0][0].T
        scores = rows[:, 4 + self._columns]
        best = scores.argmax(axis=1)
        score = scores[range(len(scores)), best]
        keep = score >= LEAST_SCORE
        centres, halves = rows[keep, :2] / scale, rows[keep, 2:4] / scale / 2
        found = sv.Detections(
            xyxy=np.hstack((centres - halves, centres + halves)),
            confidence=score[keep],
            class_id=self._columns[best[keep]],
        )
        return found.with_nms(MOST_OVERLAP, class_agnostic=False)


class _Line:
    """A LineZone, whose "in" is the direction of travel."""

    def __init__(self, line: RedLine) -> None:
        import supervision as sv

        self._line = line
        (ax, ay), (bx, by) = line.line_px
        # "In" is the side to which the cross product with the way from start to end is negative.
        turned = (bx - ax) * line.direction[1] - (by - ay) * line.direction[0] > 0
        ends = ((bx, by), (ax, ay)) if turned else ((ax, ay), (bx, by))
        start, end = (sv.Point(*point) for point in ends)
        self._zone = sv.LineZone(start, end, triggering_anchors=(sv.Position.BOTTOM_CENTER,))
        self._said: set[int] = set()

    def step(self, t_s: float, detections: Any, seen: list[tuple[Tracked, str]]) -> list[Said]:
        crossed_in, _ = self._zone.trigger(detections)
        said = []
        for (one, object_class), crossed in zip(seen, crossed_in, strict=True):
            if crossed and one.track not in self._said and is_red(self._line, t_s):
                self._said.add(one.track)
                said.append(
                    Said(
                        rule="red_light",
                        object_class=object_class,
                        t_s=t_s,
                        said_s=t_s,
                        at_px=foot(self._line.line_px, one.at_px),
                    )
                )
        return said


def _clip(eye: _Eye, clip: BenchClip, task: Task) -> ClipRun:
    import numpy as np
    import supervision as sv
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(
        frame_rate=clip.fps / task.stride, track_activation_threshold=SURE, high_conf_det_threshold=SURE
    )
    lines = [_Line(line) for line in clip.lines]
    kerbs = [(KerbTimer(kerb), sv.PolygonZone(np.array(kerb.polygon_px, int))) for kerb in clip.kerbs]
    classes = Classes()
    meter = Meter(clip.name)
    meter.asked()
    for looked, frame in enumerate(sv.get_video_frames_generator(clip.path, stride=task.stride)):
        t_s = looked * task.stride / clip.fps
        tracked = tracker.update(eye.detections(frame))
        tracked = tracked[tracked.tracker_id >= 0] if len(tracked) else tracked
        seen = []
        for box, column, track in zip(
            tracked.xyxy.tolist(),
            [] if tracked.class_id is None else tracked.class_id.tolist(),
            [] if tracked.tracker_id is None else tracked.tracker_id.tolist(),
            strict=True,
        ):
            at_px = ((box[0] + box[2]) / 2, box[3])
            one = Tracked(track=int(track), object_class=task.class_names[int(column)], at_px=at_px)
            seen.append((one, classes.of(one)))
        said: list[Said] = []
        for line in lines:
            said += line.step(t_s, tracked, seen)
        for timer, zone in kerbs:
            said += timer.step(t_s, seen, zone.trigger(tracked).tolist())
        meter.known(said)
        meter.asked()
    return meter.done(round(clip.fps * clip.seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
