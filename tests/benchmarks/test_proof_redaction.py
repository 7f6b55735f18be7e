"""The proof of redaction at its small size, and that its masks show what was filmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from benchmarks import proof_redaction
from benchmarks.proof import Figures
from benchmarks.scene_masks import parts_at
from tests.builders.plate_models import plate_files


@dataclass
class SmallTrial:
    """A trial that remembers nothing."""

    size: int
    folder: Path
    shared: Path

    def once(self, step: str, work: Callable[[], Figures]) -> Figures:
        figures = work()
        assert type(figures) is dict, "a report can be written of it"
        return figures


@pytest.mark.timeout(600)
def test_nobody_but_the_accused_is_recognisable_in_a_redacted_copy(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate_files(cache_dir)
    monkeypatch.setenv("STOPLINE_CACHE", str(cache_dir))
    verdict = proof_redaction.PROOF.prove(SmallTrial(size=1, folder=tmp_path, shared=tmp_path))
    figures = verdict.figures
    assert verdict.passed, figures
    for medium in ("", "film_"):
        assert all(int(figures[f"{medium}{kind}s"]) >= 10 for kind in ("plate", "head", "windscreen"))
        assert int(figures[f"{medium}others_readable_before"]) > 0
        assert int(figures[f"{medium}accused_readable_before"]) > 0


def test_the_masks_lie_where_the_frame_truth_says() -> None:
    filmed = proof_redaction.Filmed("junction_red_approaching")
    number = 300
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
