"""Too slow: analysis is left out first, then decoding, and each frame that was left out is counted; waits between connections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.back_off import FIRST_S, JITTER, MOST_S, REFUSED_S, BackOff
from ingest.cadence import PlateCadence
from ingest.camera import run_camera
from ingest.file_source import FileSource
from ingest.frame import Frame
from ingest.overload import Overload
from rules.observation import LampSample, LampState, Observation
from tests.ingest.recordings import record
from tests.ingest.test_camera import Script


class Lagging:
    """A source that is behind by as much as the test says at each frame."""

    def __init__(self, source: FileSource, lags_s: list[float]) -> None:
        self._source, self._lags_s = source, lags_s
        self.lag_s = 0.0
        self.skips = 0
        self.size_px, self.damage, self.close = source.size_px, None, source.close

    def frames(self) -> Iterator[Frame]:
        for frame, lag_s in zip(self._source.frames(), self._lags_s, strict=False):
            self.lag_s = lag_s
            yield frame

    def skip_to_keyframe(self) -> None:
        self.skips += 1


def glance(frame: Frame) -> Observation:
    lamp = LampSample(head_id="a", state=LampState.RED, confidence=1.0)
    return Observation(stamp=frame.stamp, tracks=None, lamps=(lamp,))


def test_what_is_too_far_behind_is_glanced_at_and_further_behind_not_decoded(tmp_path: Path) -> None:
    source = Lagging(FileSource(record(tmp_path / "a.mp4"), camera_id="c1"), [0.0, 0.5, 0.51, 2.0, 2.01, 0.1])
    script = Script(tracks=lambda _: (1,))
    overload = Overload(source, glance)
    stats = run_camera(source, script, script, script, cadence=PlateCadence(), overload=overload)
    source.close()
    assert [number for what, number in script.log if what == "observe"] == [0, 1, 5]
    assert [number for what, number in script.log if what == "step"] == [0, 1, 2, 3, 4, 5]
    assert (stats.frames, stats.analysed) == (6, 3)
    assert overload.not_analysed == 3
    assert source.skips == 1
    assert stats.heads[0].samples == 3, "lamps are sampled on every decoded frame"


def test_waits_grow_to_a_bound_and_are_short_again_after_success() -> None:
    back_off = BackOff(lambda: 0.5)
    waits = [back_off.wait_s(helps=True) for _ in range(6)]
    assert waits == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, MOST_S, MOST_S, MOST_S]
    back_off.succeeded()
    assert back_off.wait_s(helps=True) == FIRST_S


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_waits_differ_from_camera_to_camera_within_bounds(chance: float) -> None:
    back_off = BackOff(lambda: chance)
    assert back_off.wait_s(helps=False) == pytest.approx(REFUSED_S * (1 + JITTER * (2 * chance - 1)))
    assert back_off.wait_s(helps=True) == pytest.approx(FIRST_S * (1 + JITTER * (2 * chance - 1)))
