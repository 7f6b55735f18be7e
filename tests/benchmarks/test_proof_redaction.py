"""The masks of the proof of redaction show what was filmed."""

from __future__ import annotations

import numpy as np

from benchmarks import proof_redaction
from benchmarks.scene_masks import parts_at


def test_the_masks_lie_where_the_frame_truth_says() -> None:
    filmed = proof_redaction.Filmed("junction_red_approaching")
    number = 604
    rows = {row[0]: row for row in filmed.rows[number]}
    parts = parts_at(filmed.scene, number)
    assert {part.kind for part in parts} == {"plate", "head", "windscreen"}
    for part in parts:
        x1, y1, x2, y2 = rows[part.owner][2:6]
        ys, xs = np.nonzero(part.pixels)
        assert x1 - 1.5 <= xs.min() and xs.max() <= x2 + 1.5 and y1 - 1.5 <= ys.min() and ys.max() <= y2 + 1.5
        if part.kind == "head":
            assert rows[part.owner][1] in ("person", "motorcycle", "bicycle")
            assert ys.mean() < y1 + 0.3 * (y2 - y1)
        if part.kind == "windscreen":
            assert rows[part.owner][1] in ("car", "bus", "truck")
        if part.kind == "plate":
            (left, top), (right, bottom) = (
                np.min(rows[part.owner][12], axis=0),
                np.max(rows[part.owner][12], axis=0),
            )
            assert left - 1.5 <= xs.min() and xs.max() <= right + 1.5
            assert top - 1.5 <= ys.min() and ys.max() <= bottom + 1.5
