"""Media time from whatever stamps pictures carry."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.timeline import Misplaced, Timeline

TICK = Fraction(1, 90_000)
INTERVAL_S = Fraction(1, 25)


def test_counts_from_the_first_stamp_whatever_it_is() -> None:
    for first in (-7200, 0, 123_456_789):
        line = Timeline(TICK, INTERVAL_S)
        assert [line.place(first + 3600 * at, 3600) for at in range(3)] == [0.0, 0.04, 0.08]


def test_a_picture_without_a_stamp_comes_one_duration_after_the_one_before() -> None:
    line = Timeline(TICK, INTERVAL_S)
    assert line.place(0, 3000) == 0.0
    assert line.place(None, 3600) == 3000 / 90_000
    assert line.place(None, 0) == 6600 / 90_000
    assert line.place(None, 3600) == pytest.approx(6600 / 90_000 + 0.04)


def test_stamps_that_begin_late_join_on_to_what_came_before() -> None:
    line = Timeline(TICK, INTERVAL_S)
    assert [line.place(None, 3600), line.place(50_000, 3600), line.place(53_600, 3600)] == [0.0, 0.04, 0.08]


def test_a_stray_stamp_is_not_advancing_and_moves_nothing() -> None:
    line = Timeline(TICK, INTERVAL_S)
    assert [line.place(stamp, 3600) for stamp in (0, 90_000, 90_000, 3600, 93_600)] == [
        0.0,
        1.0,
        Misplaced.NOT_ADVANCING,
        Misplaced.NOT_ADVANCING,
        1.04,
    ]
    assert line.last_s == 1.04


def test_a_clock_more_than_a_second_back_began_anew() -> None:
    line = Timeline(TICK, INTERVAL_S)
    line.place(0, 3600)
    line.place(200_000, 3600)
    assert line.place(200_000 - 90_000, 3600) is Misplaced.NOT_ADVANCING
    assert line.place(200_000 - 90_001, 3600) is Misplaced.RESTARTED


@given(
    st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), max_size=40),
    st.integers(0, 10_000),
    st.sampled_from([TICK, Fraction(1, 1000), Fraction(1001, 30_000), Fraction(1, 1_200_000)]),
)
def test_media_time_begins_at_zero_and_always_rises(
    stamps: list[int | None], duration: int, tick: Fraction
) -> None:
    line = Timeline(tick, INTERVAL_S)
    placed = [at for at in (line.place(stamp, duration) for stamp in stamps) if not isinstance(at, Misplaced)]
    assert placed[:1] in ([], [0.0])
    assert all(a < b for a, b in pairwise(placed))
