"""The fold of lamp samples into spans: two agreeing frames, onsets dated back, nothing inferred across a gap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import signal
from rules.observation import LampSample, LampState
from rules.signal import HeadState
from rules.site_movement import HeadKind
from tests.builders.stop_line import a_head

RED, GREEN, AMBER, UNKNOWN = LampState.RED, LampState.GREEN, LampState.AMBER, LampState.UNKNOWN
OFF = LampState.OFF
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


def a_change_to(state: LampState, since_s: float) -> HeadState:
    """Steadily red until 1.96 s, then one sample of another state."""
    return fold([*at_25_fps((RED, 50)), (since_s, state)])


def test_a_change_waits_for_its_second_sample_and_remembers_the_first() -> None:
    head = a_change_to(GREEN, 2.0)
    assert head.pending == (GREEN, 2.0)
    assert [span.state for span in head.spans] == [RED]
    assert fold([*at_25_fps((RED, 50)), (2.0, GREEN), (2.04, GREEN)]).pending is None


def test_two_samples_of_different_colours_are_no_change_to_either() -> None:
    head = fold([*at_25_fps((RED, 50)), (2.0, GREEN), (2.04, AMBER)])
    assert head.pending == (AMBER, 2.04)
    head = fold([*at_25_fps((RED, 50)), (2.0, GREEN), (2.04, AMBER), (2.08, AMBER)])
    assert [(span.state, span.onset_s) for span in head.spans] == [(RED, None), (AMBER, (1.96, 2.04))]


def test_a_span_lasts_to_its_last_sample_and_ends_where_the_next_begins() -> None:
    head = fold(at_25_fps((GREEN, 10), (AMBER, 10), (RED, 10)))
    assert [(span.first_s, span.last_s) for span in head.spans] == [(0.0, 0.36), (0.4, 0.76), (0.8, 1.16)]
    assert [span.end_s for span in head.spans] == [(0.36, 0.4), (0.76, 0.8), None]
    assert head.last_usable_s == 1.16


@pytest.mark.parametrize(("gap_s", "seen"), [(0.5, True), (0.52, False)])
def test_a_change_across_more_than_the_gap_was_not_seen(gap_s: float, seen: bool) -> None:
    at_s = 1.0 + gap_s
    head = fold([(0.0, GREEN), (0.5, GREEN), (1.0, GREEN), (at_s, RED), (at_s + 0.04, RED)])
    assert (head.spans[-1].onset_s == (1.0, at_s)) is seen
    assert head.spans[-1].first_s == at_s
    assert (head.spans[0].end_s is not None) is seen


def test_a_change_to_nobody_knows_what_first_is_not_dated() -> None:
    """A sample of a third colour between two seen states is usable, and still the change took longer than the gap."""
    head = fold([(0.0, GREEN), (0.4, GREEN), (0.8, AMBER), (1.0, RED), (1.1, RED)])
    assert [(span.state, span.onset_s, span.end_s) for span in head.spans] == [
        (GREEN, None, None),
        (RED, None, None),
    ]


def test_a_change_that_two_samples_in_a_row_tell_over_a_gap_has_no_onset() -> None:
    """The first sample of the change came soon after the last of the old state, the second too late."""
    head = fold([(0.0, GREEN), (0.04, GREEN), (0.4, RED), (1.0, RED), (1.04, RED)])
    assert (head.spans[-1].onset_s, head.spans[-1].first_s) == (None, 1.0)


@pytest.mark.parametrize(
    ("red_s", "gap_s", "went_on"),
    [(2.0, 1.9, True), (2.0, 2.1, False), (1.1, 1.0, True), (0.9, 1.0, False)],
)
def test_a_steady_red_on_both_sides_of_a_short_gap_went_on(red_s: float, gap_s: float, went_on: bool) -> None:
    """Amber and green take longer than two seconds; a red shorter than a second may have been a flash."""
    samples = [(index * 0.1, RED) for index in range(round(red_s * 10) + 1)]
    head = fold([*samples, (red_s + gap_s, RED), (red_s + gap_s + 0.1, RED)])
    assert len(head.spans) == (1 if went_on else 2)


def test_only_a_red_round_head_without_a_begun_change_goes_on_over_a_gap() -> None:
    green = fold([*((index * 0.1, GREEN) for index in range(21)), (3.0, GREEN), (3.1, GREEN)])
    assert len(green.spans) == 2
    begun = fold([*((index * 0.1, RED) for index in range(21)), (2.1, AMBER), (3.0, RED), (3.1, RED)])
    assert len(begun.spans) == 2
    turned = fold([*((index * 0.1, RED) for index in range(21)), (3.0, GREEN), (3.1, GREEN)])
    assert [span.state for span in turned.spans] == [RED, GREEN]
    assert turned.spans[1].onset_s is None
    arrow = HeadState(head_id="h", kind=HeadKind.ARROW_LEFT)
    for media_s in (*(index * 0.1 for index in range(21)), 3.0, 3.1):
        arrow = signal.step(arrow, LampSample(head_id="h", state=RED, confidence=1.0), media_s, MAX_GAP_S)
    assert len(arrow.spans) == 2


@pytest.mark.parametrize(("dark", "spans"), [(5, 1), (6, 3), (7, 3)])
def test_a_lamp_that_is_dark_for_less_than_a_quarter_second_never_went_out(dark: int, spans: int) -> None:
    head = fold(at_25_fps((AMBER, 20), (OFF, dark), (AMBER, 20)))
    assert len(head.spans) == spans
    assert head.spans[-1].state is AMBER
    assert head.spans[-1].last_s == pytest.approx((39 + dark) / 25)
    if spans == 1:
        assert (head.spans[0].first_s, head.spans[0].end_s) == (0.0, None)


def test_another_lamp_after_a_short_darkness_is_a_change() -> None:
    head = fold(at_25_fps((GREEN, 20), (OFF, 3), (AMBER, 20)))
    assert [span.state for span in head.spans] == [GREEN, OFF, AMBER]
    short_green = fold(at_25_fps((AMBER, 20), (GREEN, 3), (AMBER, 20)))
    assert [span.state for span in short_green.spans] == [AMBER, GREEN, AMBER]


def test_what_ended_more_than_three_minutes_ago_is_forgotten() -> None:
    head = fold(
        [(0.0, GREEN), (0.4, GREEN), (0.8, RED), (1.2, RED), *((1.2 + 0.4 * i, RED) for i in range(1, 447))]
    )
    assert head.spans[-1].last_s == pytest.approx(179.6)
    kept = fold_on(head, [(179.9, GREEN), (180.3, GREEN)])
    assert [span.state for span in kept.spans] == [GREEN, RED, GREEN]
    forgotten = fold_on(head, [(180.0, GREEN), (180.45, GREEN)])
    assert [span.state for span in forgotten.spans] == [RED, GREEN]


def fold_on(head: HeadState, samples: list[tuple[float, LampState]]) -> HeadState:
    for media_s, state in samples:
        head = signal.step(head, LampSample(head_id="h", state=state, confidence=1.0), media_s, MAX_GAP_S)
    return head


@pytest.mark.parametrize(("latest_s", "certain"), [(30.0, True), (30.1, False)])
def test_a_red_is_certain_up_to_its_last_sample(latest_s: float, certain: bool) -> None:
    red = signal.time_into_red(a_head((AMBER, 5.0, 9.9), (RED, 10.0, 30.0)), 29.0, latest_s)
    assert red is not None
    assert red.certain is certain


def test_the_clock_error_of_a_feed_widens_the_time_at_both_ends() -> None:
    red = signal.time_into_red(a_head((AMBER, 5.0, 9.9), (RED, 10.0, 30.0), error_s=0.5), 12.0, 12.2)
    assert red is not None
    assert (red.min_s, red.max_s) == pytest.approx((1.5, 2.8))
    late = signal.time_into_red(a_head((AMBER, 5.0, 9.9), (RED, 10.0, 30.0), error_s=0.5), 29.0, 29.6)
    assert late is not None
    assert not late.certain


def test_an_event_at_the_very_first_red_sample_may_have_been_in_red_and_one_before_it_was_not() -> None:
    head = a_head((AMBER, 5.0, 9.9), (RED, 10.0, 30.0))
    at_once = signal.time_into_red(head, 9.9, 10.0)
    assert at_once is not None
    assert at_once.min_s == pytest.approx(-0.1)
    assert signal.time_into_red(head, 9.8, 9.99) is None


def test_a_red_that_ended_lies_behind_whoever_came_after_its_end() -> None:
    head = a_head((AMBER, 5.0, 9.9), (RED, 10.0, 30.0), (GREEN, 30.2, 40.0))
    red = signal.time_into_red(head, 30.1, 30.4)
    assert red is not None
    assert not red.certain
    assert red.ended_s == pytest.approx(30.1)
    assert signal.time_into_red(head, 30.2, 30.4) is None
    lost = a_head((RED, 10.0, 30.0))
    assert signal.time_into_red(lost, 30.0, 30.1) is not None
    assert signal.time_into_red(lost, 30.01, 30.1) is None


def test_of_two_reds_the_later_one_before_the_event_counts() -> None:
    head = a_head((RED, 0.0, 9.9), (GREEN, 10.0, 19.9), (AMBER, 20.0, 23.9), (RED, 24.0, 40.0))
    red = signal.time_into_red(head, 25.0, 25.2)
    assert red is not None
    assert (red.min_s, red.amber_s) == pytest.approx((1.0, 4.1))
    first = signal.time_into_red(head, 5.0, 5.2)
    assert first is not None
    assert (first.min_s, first.max_s) == (5.0, None)


@pytest.mark.parametrize(
    ("before", "kind", "amber_s"),
    [
        (((GREEN, 0.0, 5.9), (AMBER, 6.0, 9.9)), HeadKind.ROUND, 4.1),
        (((AMBER, 6.0, 9.9),), HeadKind.ROUND, None),
        (((GREEN, 0.0, 9.9),), HeadKind.ROUND, 0.1),
        (((GREEN, 0.0, 5.9), (OFF, 6.0, 9.9)), HeadKind.ROUND, 0.1),
        (((GREEN, 0.0, 5.9), (OFF, 6.0, 9.9)), HeadKind.ARROW_LEFT, None),
        ((), HeadKind.ROUND, None),
    ],
)
def test_how_long_the_amber_lasted_at_most(
    before: tuple[tuple[LampState, float, float], ...], kind: HeadKind, amber_s: float | None
) -> None:
    red = signal.time_into_red(a_head(*before, (RED, 10.0, 30.0), kind=kind), 12.0, 12.2)
    assert red is not None
    assert red.amber_s == (None if amber_s is None else pytest.approx(amber_s))


@pytest.mark.parametrize(("lasted_s", "steady"), [(1.0, False), (1.1, True)])
def test_a_short_red_whose_beginning_was_not_seen_may_be_a_flash(lasted_s: float, steady: bool) -> None:
    red = signal.time_into_red(a_head((RED, 10.0, 10.0 + lasted_s)), 10.5, 10.6)
    assert red is not None
    assert red.steady is steady


def flashing(
    lit_s: float = 0.5, dark_s: float = 0.5, *, state: LampState = RED, dark: LampState = OFF
) -> HeadState:
    """Lit twice for ``lit_s`` with ``dark_s`` between."""
    again_s = lit_s + 0.1 + dark_s + 0.1
    return a_head(
        (state, 0.0, lit_s), (dark, lit_s + 0.1, lit_s + 0.1 + dark_s), (state, again_s, again_s + lit_s)
    )


@pytest.mark.parametrize(
    ("head", "flashes"),
    [
        (flashing(), True),
        (flashing(lit_s=0.99, dark_s=0.99), True),
        (flashing(lit_s=1.1), False),
        (flashing(dark_s=1.1), False),
        (flashing(dark=GREEN), False),
        (a_head((RED, 0.0, 0.5)), False),
        (a_head((RED, 0.0, 0.5), (OFF, 0.6, 1.1)), False),
        (a_head((RED, 0.0, 0.5), (OFF, 0.6, 1.1), (AMBER, 1.2, 1.7)), False),
    ],
)
def test_a_lamp_flashes_where_a_short_darkness_parts_two_short_lights(head: HeadState, flashes: bool) -> None:
    assert signal.flashes(head.spans, 0) is flashes
    if len(head.spans) == 3:
        assert signal.flashes(head.spans, 2) is flashes
        assert not signal.flashes(head.spans, 1)


def test_a_flash_whose_change_was_not_seen_is_none() -> None:
    head = flashing()
    for index in (1, 2):
        spans = list(head.spans)
        spans[index] = replace(spans[index], onset_s=None)
        assert not signal.flashes(spans, 0)
        assert not signal.flashes(spans, 2)


def test_a_flashing_red_is_no_red_to_have_run() -> None:
    assert signal.time_into_red(flashing(), 1.3, 1.4) is None


def test_the_trace_shows_the_spans_that_reach_into_it_cut_to_it() -> None:
    head = a_head((GREEN, 0.0, 5.0), (AMBER, 5.2, 9.0), (RED, 9.2, 20.0))
    shown = signal.spans_between(head, 9.0, 15.0)
    assert [(span.head_id, span.state, span.from_s, span.to_s, span.onset_s) for span in shown] == [
        ("main", AMBER, 9.0, 9.0, (5.0, 5.2)),
        ("main", RED, 9.2, 15.0, (9.0, 9.2)),
    ]
    assert [span.state for span in signal.spans_between(head, 5.0, 9.2)] == [GREEN, AMBER, RED]
    assert [span.state for span in signal.spans_between(head, 5.1, 9.1)] == [AMBER]
    assert signal.spans_between(head, 20.1, 30.0) == ()
