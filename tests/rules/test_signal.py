"""The fold of lamp samples into spans: two agreeing frames, onsets dated back, nothing inferred across a gap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import signal
from rules.observation import LampSample, LampState
from rules.signal import HeadState

RED, GREEN, AMBER, UNKNOWN = LampState.RED, LampState.GREEN, LampState.AMBER, LampState.UNKNOWN
MAX_GAP_S = 0.5


def fold(samples: list[tuple[float, LampState]]) -> HeadState:
    head = HeadState(head_id="h")
    for media_s, state in samples:
        sample = LampSample(head_id="h", state=state, confidence=1.0)
        head = signal.step(head, sample, media_s, MAX_GAP_S)
    return head


def at_25_fps(*runs: tuple[LampState, int]) -> list[tuple[float, LampState]]:
    states = [state for state, frames in runs for _ in range(frames)]
    return [(i / 25.0, state) for i, state in enumerate(states)]


def test_a_change_is_dated_back_to_the_first_of_two_agreeing_frames() -> None:
    head = fold(at_25_fps((GREEN, 10), (RED, 5)))
    assert [span.state for span in head.spans] == [GREEN, RED]
    assert head.spans[1].onset_s == pytest.approx((9 / 25, 10 / 25))
    assert head.spans[0].end_s == head.spans[1].onset_s


def test_one_frame_of_another_colour_changes_nothing() -> None:
    head = fold(at_25_fps((RED, 10), (GREEN, 1), (RED, 10)))
    assert [span.state for span in head.spans] == [RED]
    assert head.spans[0].last_s == pytest.approx(20 / 25)


def test_a_few_unknown_frames_widen_the_onset() -> None:
    head = fold(at_25_fps((GREEN, 10), (UNKNOWN, 5), (RED, 5)))
    assert head.spans[1].onset_s == pytest.approx((9 / 25, 15 / 25))


def test_a_change_behind_a_long_unknown_has_no_onset() -> None:
    head = fold(at_25_fps((GREEN, 10), (UNKNOWN, 20), (RED, 5)))
    assert head.spans[-1].onset_s is None
    assert head.spans[-1].first_s == pytest.approx(30 / 25)
    assert head.spans[0].end_s is None


def test_the_same_red_on_both_sides_of_a_gap_is_two_spans() -> None:
    head = fold(at_25_fps((AMBER, 5), (RED, 10), (UNKNOWN, 30), (RED, 10)))
    reds = [span for span in head.spans if span.state is RED]
    assert len(reds) == 2
    assert reds[0].onset_s is not None
    assert reds[1].onset_s is None


def test_a_head_is_unknown_once_its_samples_are_too_old() -> None:
    head = fold(at_25_fps((RED, 5)))
    assert signal.state_now(head, 0.16 + MAX_GAP_S, MAX_GAP_S) is RED
    assert signal.state_now(head, 0.17 + MAX_GAP_S, MAX_GAP_S) is UNKNOWN
    assert signal.state_now(HeadState(head_id="h"), 0.0, MAX_GAP_S) is UNKNOWN


def test_time_into_red_is_an_interval() -> None:
    head = fold(at_25_fps((GREEN, 25), (RED, 100)))
    red = signal.time_into_red(head, 3.0, 3.1)
    assert red is not None
    assert red.min_s == pytest.approx(3.0 - 1.0)
    assert red.max_s == pytest.approx(3.1 - 0.96)
    assert red.onset_seen
    assert red.certain


def test_without_a_seen_onset_the_first_red_sample_gives_the_lower_end() -> None:
    head = fold(at_25_fps((RED, 400)))
    red = signal.time_into_red(head, 12.0, 12.1)
    assert red is not None
    assert red.min_s == pytest.approx(12.0)
    assert red.max_s is None


def test_an_event_after_the_red_or_before_it_is_no_event_in_red() -> None:
    head = fold(at_25_fps((GREEN, 25), (RED, 25), (GREEN, 25)))
    assert signal.time_into_red(head, 2.1, 2.2) is None
    assert signal.time_into_red(head, 0.1, 0.5) is None
    over_the_end = signal.time_into_red(head, 1.9, 2.1)
    assert over_the_end is not None
    assert not over_the_end.certain


@given(
    lengths=st.lists(
        st.tuples(st.sampled_from([RED, GREEN, AMBER]), st.integers(2, 30)), min_size=1, max_size=8
    ),
    unknown=st.sets(st.integers(0, 240)),
)
def test_every_onset_encloses_the_true_change(
    lengths: list[tuple[LampState, int]], unknown: set[int]
) -> None:
    """Whatever frames read unknown, a stated onset brackets a true change to that state."""
    samples = at_25_fps(*lengths)
    truth = [state for _, state in samples]
    seen = [(t, UNKNOWN if i in unknown else state) for i, (t, state) in enumerate(samples)]
    changes = [(i, truth[i]) for i in range(1, len(truth)) if truth[i] is not truth[i - 1]]
    for span in fold(seen).spans:
        assert all(truth[round(t * 25)] is span.state for t in (span.first_s, span.last_s))
        if span.onset_s is not None:
            low, high = (round(t * 25) for t in span.onset_s)
            assert any(low < i <= high and state is span.state for i, state in changes)
