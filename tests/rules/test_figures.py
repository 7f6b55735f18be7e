"""Figures of scored clips: parts of them, times into red, who was held instead, and who was mistaken for what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.figures import Confusion, RuleScore, confusion, figures, part_of
from rules.finding import Rule, Status
from rules.observation import ObjectClass
from rules.scoring import PredictedEvent, TruthEvent, score


def seen(t_s: float, **more: object) -> TruthEvent:
    return replace(TruthEvent(rule=Rule.RED_LIGHT, t_s=t_s, tolerance_s=1.0), **more)  # type: ignore[arg-type]


def said(t_s: float, **more: object) -> PredictedEvent:
    event = PredictedEvent(
        id=f"e{t_s}",
        rule=Rule.RED_LIGHT,
        t_s=t_s,
        status=Status.ASSERTED,
        object_class=ObjectClass.CAR,
        at_px=(100.0, 100.0),
    )
    return replace(event, **more)  # type: ignore[arg-type]


def test_a_part_counts_matches_and_misses_by_their_truth_and_false_alarms_by_their_event() -> None:
    scored = score(
        [seen(5, lane="1"), seen(9, lane="2"), seen(20, lane="2")],
        [
            said(5, place="2"),
            said(9, place="2"),
            said(40, place="2"),
            said(50, status=Status.HELD, place="1"),
        ],
    )
    (one,) = figures([part_of(scored, lambda truth: truth.lane == "1", lambda event: event.place == "1")])
    (two,) = figures([part_of(scored, lambda truth: truth.lane == "2", lambda event: event.place == "2")])
    assert (one.found, one.missed, one.false, one.held) == (1, 0, 0, 1)
    assert (two.found, two.missed, two.false, two.held) == (1, 1, 1, 0)
    assert figures([part_of(scored, lambda truth: False, lambda event: False)]) == ()
    everything = part_of(scored, lambda truth: True, lambda event: True)
    assert figures([everything]) == figures([scored])


def test_times_into_red_are_compared_where_the_truth_gives_them() -> None:
    scored = score(
        [seen(5, time_into_red_s=2.0), seen(9, time_into_red_s=3.0, required=False), seen(13), seen(17)],
        [
            said(5, time_into_red_s=2.1, red_bounds_s=(1.9, 2.3)),
            said(9, time_into_red_s=3.5, red_bounds_s=(3.4, 3.6)),
            said(13, time_into_red_s=9.0, red_bounds_s=(8.0, 10.0)),
            said(17),
        ],
    )
    (part,) = figures([scored])
    assert part.red_errors_s == pytest.approx((0.1, 0.5))
    assert part.median_red_error_s == pytest.approx(0.3)
    assert (part.red_inside, part.red_bounded, part.red_inside_share) == (1, 2, 0.5)
    assert part.red_widths_s == pytest.approx((0.4, 0.2))


@pytest.mark.parametrize(
    ("bounds", "inside"),
    [
        ((1.0, 2.0), 1),
        ((2.0, 3.0), 1),
        ((2.001, 3.0), 0),
        ((1.0, 1.999), 0),
        ((1.5, None), 1),
        ((2.1, None), 0),
    ],
)
def test_a_truth_on_the_bound_or_under_an_open_end_is_inside(
    bounds: tuple[float, float | None], inside: int
) -> None:
    (part,) = figures([score([seen(5, time_into_red_s=2.0)], [said(5, red_bounds_s=bounds)])])
    assert (part.red_inside, part.red_bounded) == (inside, 1)
    assert len(part.red_widths_s) == (bounds[1] is not None)


def test_nine_tenths_of_the_bounds_are_not_wider_than_the_width_that_is_given() -> None:
    assert RuleScore(rule=Rule.RED_LIGHT).red_width_90_s is None
    widths = tuple(float(n) for n in range(1, 11))
    assert RuleScore(rule=Rule.RED_LIGHT, red_widths_s=widths).red_width_90_s == 9.0
    assert RuleScore(rule=Rule.RED_LIGHT, red_widths_s=widths[:9]).red_width_90_s == 9.0
    assert RuleScore(rule=Rule.RED_LIGHT, red_widths_s=(0.2,)).red_width_90_s == 0.2


def test_a_miss_that_was_held_is_a_miss_and_says_so() -> None:
    scored = score([seen(5), seen(9)], [said(5.2, status=Status.HELD), said(30, status=Status.HELD)])
    (part,) = figures([scored])
    assert (part.found, part.missed, part.held, part.held_instead) == (0, 2, 2, 1)
    assert [(match.truth.t_s, match.predicted.t_s) for match in scored.held_instead] == [(5, 5.2)]


def test_confusion_tells_a_mistaken_rule_from_a_miss_and_a_false_alarm() -> None:
    scored = score(
        [
            seen(5),
            seen(9),
            seen(20),
            seen(30, rule=Rule.STOPPED_PAST_LINE),
            seen(40, required=False),
        ],
        [
            said(5),
            said(20.5, rule=Rule.STOPPED_PAST_LINE),
            said(40),
            said(60),
            said(62, rule=Rule.NO_PARKING),
        ],
    )
    assert {(cell.truth, cell.said): cell.count for cell in confusion([scored])} == {
        (Rule.RED_LIGHT, Rule.RED_LIGHT): 1,
        (Rule.RED_LIGHT, Rule.STOPPED_PAST_LINE): 1,
        (Rule.RED_LIGHT, None): 1,
        (Rule.STOPPED_PAST_LINE, None): 1,
        (None, Rule.RED_LIGHT): 1,
        (None, Rule.NO_PARKING): 1,
    }
    assert [(match.truth.t_s, match.predicted.t_s) for match in scored.mistaken] == [(20, 20.5)]


def test_confusion_adds_up_over_clips() -> None:
    clip = score([seen(5)], [said(5)])
    assert confusion([clip, clip]) == (Confusion(truth=Rule.RED_LIGHT, said=Rule.RED_LIGHT, count=2),)
