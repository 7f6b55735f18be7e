"""Makes ``bytetrack_parity.json.gz``: boxes of a real clip and the ids that a library's ByteTrack gives them.

Run from the root of the project, with ``../shared`` beside it, in a virtual environment of its own (the library
brings the full opencv-python, which must not meet the headless one)::

    python3 -m venv ~/parity && ~/parity/bin/pip install 'supervision==0.26.1' onnxruntime av scipy
    PYTHONPATH=. ~/parity/bin/python tests/detector/data/make_bytetrack_parity.py

The detections are those of YOLOX-nano on ``twoway_road.mp4``: cars, buses and trucks, the classes that our tracker
matches with each other. The library multiplies overlaps with scores, which the paper does not and ours does not:
that one function is switched off. Its ids are -1 where it reports no track. Boxes and ids only, no pictures.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import av
import numpy as np
import supervision  # type: ignore[import-not-found]
from supervision.tracker.byte_tracker import matching  # type: ignore[import-not-found]

from detector.weights import load_weights
from detector.yolo import YoloDetector
from rules.observation import ObjectClass
from tests.detector.pictures import ArrayPicture

SHARED = Path("../shared")
LEAST_SCORE, SURE_SCORE, LOST_FRAMES = 0.1, 0.25, 30
FOUR_WHEELED = (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)


def main() -> None:
    """Writes the file beside this script."""
    matching.fuse_score = lambda cost_matrix, _: cost_matrix
    library = supervision.ByteTrack(
        track_activation_threshold=SURE_SCORE,
        lost_track_buffer=LOST_FRAMES,
        minimum_matching_threshold=0.8,
        frame_rate=30,
        minimum_consecutive_frames=1,
    )
    detector = YoloDetector(
        load_weights(SHARED / "weights/yolox_nano.onnx", threads=2), least_score=LEAST_SCORE, most_overlap=0.5
    )
    frames = []
    with av.open(str(SHARED / "footage/twoway_road.mp4")) as container:
        for frame in container.decode(video=0):
            picture = ArrayPicture(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            found = [
                [*(round(side, 1) for side in d.box_px), round(d.score, 6)]
                for d in detector.detect(picture)
                if d.object_class in FOUR_WHEELED
            ]
            frames.append(
                [(*row, int(track_id)) for row, track_id in zip(found, ids(library, found), strict=True)]
            )
    content = {
        "library": f"supervision {supervision.__version__}",
        "lost_frames": LOST_FRAMES,
        "frames": frames,
    }
    path = Path(__file__).with_name("bytetrack_parity.json.gz")
    path.write_bytes(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0))
    print(f"{path}: {len(frames)} frames, {sum(map(len, frames))} boxes, {path.stat().st_size} bytes")


def ids(library: supervision.ByteTrack, found: list[list[float]]) -> list[int]:
    """The library's id of each row (x1, y1, x2, y2, score), -1 where it reports none.

    Which row a track was updated with follows from the score that it took over; where two rows have the same, from
    the overlap. (``update_with_detections`` would guess it anew from smoothed boxes and miss some.)
    """
    rows = np.array(found, np.float64).reshape(-1, 5)
    result = [-1] * len(rows)
    for track in library.update_with_tensors(rows):
        overlap = supervision.box_iou_batch(track.tlbr[None], rows[:, :4])[0]
        row = int(np.argmax(np.where(rows[:, 4] == track.score, overlap, -1.0)))
        if result[row] != -1 or rows[row, 4] != track.score:
            raise RuntimeError(f"track {track.external_track_id} cannot be traced to its box")
        result[row] = track.external_track_id
    return result


if __name__ == "__main__":
    main()
