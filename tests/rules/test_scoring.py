"""Scoring: the best matching of events with the truth, and figures that mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.assignment import best_assignment
from rules.figures import RuleScore, false_per_hour, figures
from rules.finding import Rule, Status
from rules.observation import ObjectClass, Point
from rules.scoring import PredictedEvent, Score, TruthEvent, plates_found, score


def seen(t_s: float, tolerance_s: float = 1.0, **more: object) -> TruthEvent:
    return replace(TruthEvent(rule=Rule.RED_LIGHT, t_s=t_s, tolerance_s=tolerance_s), **more)  # type: ignore[arg-type]


def said(t_s: float, at_px: Point = (100, 100), **more: object) -> PredictedEvent:
    event = PredictedEvent(
        id=f"e{t_s}",
        rule=Rule.RED_LIGHT,
        t_s=t_s,
        status=Status.ASSERTED,
        object_class=ObjectClass.CAR,
        at_px=at_px,
    )
    return replace(event, **more)  # type: ignore[arg-type]


def red(scored: Score) -> RuleScore:
    parts = [part for part in figures([scored]) if part.rule is Rule.RED_LIGHT]
    return parts[0] if parts else RuleScore(rule=Rule.RED_LIGHT)


def test_everything_found_and_nothing_else_is_perfect() -> None:
    part = red(score([seen(5), seen(9)], [said(5.2), said(8.7)]))
    assert (part.found, part.missed, part.false) == (2, 0, 0)
    assert part.precision == part.recall == part.f1 == 1.0
    assert part.errors_s == pytest.approx((0.2, -0.3))
    assert part.median_error_s == pytest.approx(0.25)


def test_what_is_missing_and_what_is_wrong_are_named() -> None:
    scored = score([seen(5), seen(9)], [said(5), said(20), said(30)])
    part = red(scored)
    assert part.precision == pytest.approx(1 / 3)
    assert part.recall == 0.5
    assert part.f1 == pytest.approx(2 / 5)
    assert [one.t_s for one in scored.missed] == [9]
    assert [one.t_s for one in scored.false] == [20, 30]


def test_two_events_for_one_truth_are_one_right_and_one_false() -> None:
    part = red(score([seen(5)], [said(5), said(5.1)]))
    assert (part.found, part.false) == (1, 1)


@pytest.mark.parametrize(
    ("truth", "event", "found"),
    [
        (seen(5), said(6.0), True),
        (seen(5), said(6.01), False),
        (seen(5), said(4.0), True),
        (seen(5, at_px=(100, 160)), said(5), True),
        (seen(5, at_px=(100, 161)), said(5), False),
        (seen(5, at_px=(150, 150)), said(5), False),
        (seen(5, at_px=(150, 150), at_radius_px=71.0), said(5), True),
        (seen(5, object_class=ObjectClass.CAR), said(5), True),
        (seen(5, object_class=ObjectClass.BUS), said(5), False),
        (seen(5, rule=Rule.NO_PARKING), said(5), False),
        (seen(5), said(5, status=Status.HELD), False),
        (seen(5), said(5, status=Status.EXEMPT), False),
    ],
)
def test_an_event_meets_a_truth_of_its_rule_class_place_and_time_when_it_is_asserted(
    truth: TruthEvent, event: PredictedEvent, found: bool
) -> None:
    assert bool(score([truth], [event]).matches) is found


def test_optional_truths_take_up_events_and_need_none() -> None:
    optional = seen(20, 2.0, required=False, count=3)
    part = red(score([seen(5), optional], [said(5), said(19), said(21)]))
    assert (part.found, part.allowed, part.false, part.missed) == (1, 2, 0, 0)
    assert part.precision == 1.0
    part = red(score([optional], [said(19), said(20), said(21), said(21.5)]))
    assert (part.allowed, part.false) == (3, 1)
    part = red(score([optional], []))
    assert (part.missed, part.precision, part.recall, part.f1) == (0, None, None, None)


def test_a_required_truth_goes_before_an_optional_one_that_is_nearer() -> None:
    part = red(score([seen(5, 2.0), seen(6.4, 2.0, required=False)], [said(6.5)]))
    assert (part.found, part.missed, part.allowed) == (1, 0, 0)


def test_the_matching_is_the_best_and_not_the_nearest_first() -> None:
    part = red(score([seen(5, 1.0), seen(6, 1.0)], [said(5.6), said(4.4)]))
    assert (part.found, part.missed) == (2, 0)
    part = red(score([seen(5, 1.0), seen(6, 1.0)], [said(6.9), said(5.9)]))
    assert part.found == 2
    assert sorted(part.errors_s) == pytest.approx([0.9, 0.9])


def test_two_vehicles_at_once_are_told_apart_by_their_plates() -> None:
    truths = [
        seen(20, 3.0, plate="晋Q70Z04", plate_stated=True),
        seen(20, 3.0, plate=None, plate_stated=True),
    ]
    for events in (
        [said(20, plate=None), said(20.5, plate="晋Q70Z04")],
        [said(20.5, plate="晋Q70Z04"), said(20, plate=None)],
    ):
        part = red(score(truths, events))
        assert (part.plates_right, part.plates_stated, part.plates_invented) == (1, 1, 0)
        assert part.plate_accuracy == 1.0


def test_wrong_and_invented_plates_are_counted() -> None:
    truths = [
        seen(5, plate="晋Q70Z04", plate_stated=True),
        seen(9, plate=None, plate_stated=True),
        seen(13),
    ]
    events = [said(5, plate="晋Q78Z04"), said(9, plate="晋Q70Z05"), said(13, plate="藏YD00000")]
    part = red(score(truths, events))
    assert part.found == 3
    assert (part.plates_right, part.plates_stated, part.plates_invented) == (0, 1, 1)
    assert part.plate_accuracy == 0.0


def test_held_events_accuse_nobody_and_have_a_rate_of_their_own() -> None:
    part = red(score([seen(5)], [said(5, status=Status.HELD), said(9), said(11, status=Status.EXEMPT)]))
    assert (part.found, part.missed, part.false, part.held, part.exempt) == (0, 1, 1, 1, 1)
    assert part.held_rate == 0.5


def test_without_truth_and_events_there_are_no_figures() -> None:
    assert figures([score([], [])]) == ()
    part = red(score([], [said(5)]))
    assert (part.precision, part.recall) == (0.0, None)
    assert part.plate_accuracy is None
    assert part.median_error_s is None


def test_clips_add_up_by_rule() -> None:
    first = score([seen(5), seen(9)], [said(5.1)])
    second = score([seen(5), seen(5, rule=Rule.NO_PARKING)], [said(5.3), said(30, status=Status.HELD)])
    red_light, parking = figures([first, second])
    assert (red_light.rule, parking.rule) == (Rule.RED_LIGHT, Rule.NO_PARKING)
    assert (red_light.found, red_light.missed, red_light.held) == (2, 1, 1)
    assert red_light.errors_s == pytest.approx((0.1, 0.3))
    assert parking.recall == 0.0
    assert figures([]) == ()


def test_false_accusations_per_camera_hour() -> None:
    part = figures([score([], [said(5), said(9)])])
    assert false_per_hour(part, 1800.0) == 4.0
    assert false_per_hour(part, 0.0) is None


def test_expected_plates_must_be_recorded_exactly() -> None:
    passed = ["晋Q70Z04", None, "晋Q70Z05", "晋Q70Z05"]
    assert plates_found(["晋Q70Z05", "藏YD00000", "晋Q70Z04"], passed) == ("晋Q70Z05", "晋Q70Z04")


times = st.integers(0, 12).map(float)
truths = st.builds(
    seen,
    times,
    st.sampled_from([1.0, 2.0, 4.0]),
    required=st.booleans(),
    count=st.integers(1, 2),
    object_class=st.sampled_from([None, ObjectClass.CAR, ObjectClass.BUS]),
)
events = st.builds(said, times, object_class=st.sampled_from([ObjectClass.CAR, ObjectClass.BUS]))


def met(order: Sequence[PredictedEvent | None], flat: Sequence[TruthEvent]) -> tuple[int, int]:
    """How many required truths, and how many truths at all, the events meet when paired in this order."""
    pairs = [
        one
        for one, event in zip(flat, order, strict=True)
        if event is not None
        and abs(event.t_s - one.t_s) <= one.tolerance_s
        and one.object_class in (None, event.object_class)
    ]
    return sum(one.required for one in pairs), len(pairs)


@given(st.lists(truths, max_size=2), st.lists(events, min_size=1, max_size=4))
def test_no_other_matching_finds_more_required_truths_or_leaves_fewer_false(
    drawn: list[TruthEvent], asserted: list[PredictedEvent]
) -> None:
    part = red(score(drawn, asserted))
    flat = [one for one in drawn for _ in range(one.count)]
    orders = permutations([*asserted, *[None] * len(flat)], len(flat))
    assert (part.found, part.found + part.allowed) == max(met(order, flat) for order in orders)
    assert part.found + part.missed == sum(one.required for one in flat)
    assert part.found + part.allowed + part.false == len(asserted)


@given(st.lists(truths, max_size=4), st.lists(events, max_size=6))
def test_the_order_of_events_and_truths_does_not_matter(
    drawn: list[TruthEvent], asserted: list[PredictedEvent]
) -> None:
    one, other = score(drawn, asserted), score(drawn[::-1], asserted[::-1])
    for a, b in zip(figures([one]), figures([other]), strict=True):
        assert (a.found, a.missed, a.allowed, a.false) == (b.found, b.missed, b.allowed, b.false)
        assert sum(map(abs, a.errors_s)) <= 4.0 * len(a.errors_s)


@settings(max_examples=200)
@given(
    st.integers(0, 4).flatmap(
        lambda rows: st.integers(1, 4).flatmap(
            lambda columns: st.lists(
                st.lists(
                    st.one_of(st.none(), st.integers(1, 50).map(float)), min_size=columns, max_size=columns
                ),
                min_size=rows,
                max_size=rows,
            )
        )
    )
)
def test_the_assignment_gains_as_much_as_the_best_of_all(gains: list[list[float | None]]) -> None:
    pairs = best_assignment(gains)
    assert len({row for row, _ in pairs}) == len(pairs) == len({column for _, column in pairs})
    gained = 0.0
    for row, column in pairs:
        gain = gains[row][column]
        assert gain is not None
        gained += gain
    rows, columns = len(gains), len(gains[0]) if gains else 0
    best = max(
        sum(gains[row][column] or 0.0 for row, column in enumerate(order) if column < columns)
        for order in permutations(range(columns + rows), rows)
    )
    assert gained == best


def test_hundreds_of_events_are_matched_in_a_moment() -> None:
    truths = [seen(float(n), 3.0) for n in range(200)]
    asserted = [said(n + 1.5) for n in range(200)]
    assert red(score(truths, asserted)).found == 200
