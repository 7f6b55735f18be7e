"""Spoiled pictures: what is changed, from when on, and what is left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest

from benchmarks import spoiling
from benchmarks.spoiling import Planes, Spoil, SpoiledSource
from ingest.frame import Frame, Pixels
from rules.observation import Box, FrameStamp

WIDTH, HEIGHT = 320, 180
HEAD: Box = (100.0, 40.0, 112.0, 76.0)


@dataclass(frozen=True)
class Drawn:
    """A frame of even noise, the same one each time."""

    index: int

    @property
    def stamp(self) -> FrameStamp:
        return FrameStamp(camera_id="cam", segment=0, index=self.index, media_s=self.index / 10.0)

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT

    def bgr(self) -> Pixels:
        return noise(HEIGHT, WIDTH, 3)

    def planes(self) -> Planes:
        return noise(HEIGHT, WIDTH), noise(HEIGHT // 2, WIDTH // 2), noise(HEIGHT // 2, WIDTH // 2)


class Film:
    """Thirty frames, ten a second."""

    size_px = (WIDTH, HEIGHT)
    damage = None

    def frames(self) -> Iterator[Frame]:
        yield from (Drawn(index) for index in range(30))

    def close(self) -> None: ...


def noise(*shape: int) -> Pixels:
    return np.random.default_rng(5).integers(60, 200, shape, np.uint8)


def changed(before: Pixels, after: Pixels) -> tuple[int, int, int, int]:
    """The first and the last row and column in which the two differ."""
    rows, columns = np.nonzero(before != after)
    return (int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max()))


WHOLE: dict[str, Callable[[Random], Spoil]] = {
    "turned": spoiling.turned,
    "shifted": spoiling.shifted,
    "refocused": spoiling.refocused,
    "darkened": spoiling.darkened,
}


@pytest.mark.parametrize("how", WHOLE)
def test_a_whole_picture_is_spoiled_from_the_moment_on_and_the_frame_stays_as_it_was(how: str) -> None:
    frames = list(SpoiledSource(Film(), WHOLE[how](Random(1)), at_s=2.0).frames())
    assert [frame.stamp.index for frame in frames] == list(range(30))
    for index, is_spoiled in ((19, False), (20, True), (29, True)):
        untouched = Drawn(index)
        assert (frames[index].bgr() != untouched.bgr()).any() == is_spoiled
        for own, old in zip(frames[index].planes(), untouched.planes(), strict=True):
            assert own.shape == old.shape
            assert (own != old).any() == is_spoiled


def test_a_shift_is_by_three_hundredths_of_the_width_in_each_plane() -> None:
    spoil = spoiling.shifted(Random(4))
    y = np.zeros((HEIGHT, WIDTH), np.uint8)
    y[80:100, 150:170] = 255
    u = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    u[40:50, 75:85] = 255
    moved_y, moved_u, _ = spoil.planes((y, u, u), 0.0)
    for before, after, own in ((y, moved_y, 0), (u, moved_u, 128)):
        weight = after.astype(float) - own
        rows, columns = np.mgrid[: after.shape[0], : after.shape[1]]
        was = before.astype(float) - own
        way = np.hypot(
            np.average(columns, weights=weight) - np.average(columns, weights=was),
            np.average(rows, weights=weight) - np.average(rows, weights=was),
        )
        assert way == pytest.approx(0.03 * after.shape[1], abs=0.2)


def test_darkness_takes_light_and_colour() -> None:
    spoil = spoiling.darkened(Random(2))
    grey = np.full((4, 4), 128, np.uint8)
    y, u, v = spoil.planes((np.full((8, 8), 116, np.uint8), grey, np.full((4, 4), 28, np.uint8)), 0.0)
    assert 16 + 5 <= int(y[0, 0]) <= 16 + 30
    assert int(u[0, 0]) == 128
    assert 98 <= int(v[0, 0]) <= 123


def test_a_cover_hides_the_head_alone() -> None:
    spoil = spoiling.covered([HEAD], Random(3))
    before = Drawn(0).planes()
    after = spoil.planes(before, 0.0)
    y = after[0]
    assert len(np.unique(y[40:76, 100:112])) == 1
    left, top, right, bottom = changed(before[0], y)
    assert (left, top, right, bottom) == (99, 36, 112, 78)
    assert len(np.unique(after[1][20:38, 50:56])) == 1
    assert not spoil.hides_users
    assert (spoil.bgr(Drawn(0).bgr()) == Drawn(0).bgr()).all()


def test_a_branch_hides_nearly_all_of_the_head_and_sways() -> None:
    spoil = spoiling.overgrown([HEAD], 1.0, Random(3))
    before = Drawn(0).planes()[0]
    spans = set()
    for tenth in range(40):
        after = spoil.planes(Drawn(0).planes(), tenth / 10.0)[0]
        spans.add(changed(before, after)[0])
        assert (after[40:76, 100:112] != before[40:76, 100:112]).mean() > 0.85
    assert len(spans) > 3
