"""The ruling on a drive: accused, held with its sentence, or nothing, at each side of each limit."""

from __future__ import annotations

from typing import Any

import pytest

from rules.approach import Crossing
from rules.drive import Drive
from rules.finding import Rule, Status
from rules.observation import LampState, ObjectClass
from rules.ruling import Ruling, rule_on
from rules.signal import HeadState
from rules.site_movement import HeadKind, Movement, TurnOnRed
from tests.builders.stop_line import a_head, a_line, seen_at

RED, AMBER, GREEN, OFF = LampState.RED, LampState.AMBER, LampState.GREEN, LampState.OFF
FORBIDDEN, ALLOWED, AFTER_STOP = TurnOnRed.FORBIDDEN, TurnOnRed.ALLOWED, TurnOnRed.AFTER_STOP


def a_cycle(red_from_s: float = 10.0, red_to_s: float = 40.0, **options: Any) -> HeadState:
    """Green, then 3.96 s of amber, then red; each change within 0.04 s."""
    return a_head(
        (GREEN, 0.0, red_from_s - 4.04),
        (AMBER, red_from_s - 4.0, red_from_s - 0.04),
        (RED, red_from_s, red_to_s),
        **options,
    )


def a_drive(
    earliest_s: float | None,
    latest_s: float,
    *heads: HeadState,
    t_s: float | None = None,
    ways: tuple[Movement, ...] | None = None,
    others: tuple[Drive | None, ...] = (),
    metres: tuple[float, ...] = (-9.0, -5.0, -1.0, 3.0, 7.0),
    **line: Any,
) -> Drive:
    """A car that crossed between those times."""
    history = seen_at(metres, from_s=(earliest_s or latest_s) - 0.2)
    middle_s = latest_s if earliest_s is None else (earliest_s + latest_s) / 2.0
    crossed = t_s if t_s is not None else middle_s
    used = heads or (a_cycle(),)
    stop_line = a_line(head_ids=tuple(head.head_id for head in used), **line)
    return Drive(
        track_id=1,
        earlier_tracks=(),
        object_class=ObjectClass.CAR,
        history=history,
        crossing=Crossing(
            t_s=crossed,
            earliest_s=earliest_s,
            latest_s=latest_s,
            at_px=(300.0, 400.0),
            before=1,
            after=2,
            photo_before=1,
        ),
        past=3,
        line=stop_line,
        heads=used,
        ways=ways or stop_line.ways,
        lane=None,
        has_left=False,
        max_gap_s=0.5,
        others=others,
    )


def the_ruling(drive: Drive) -> Ruling:
    ruling = rule_on(drive)
    assert ruling is not None
    return ruling


def test_who_crossed_surely_after_the_grace_is_accused_with_both_ends_of_the_time() -> None:
    ruling = the_ruling(a_drive(12.0, 12.2))
    assert (ruling.status, ruling.rule) == (Status.ASSERTED, Rule.RED_LIGHT)
    assert ruling.min_s == pytest.approx(2.0)
    assert ruling.max_s == pytest.approx(2.24)
    assert ruling.movement == "straight"
    assert not ruling.doubtful
    assert ruling.reason == (
        "Its front crossed the stop line 2.12 s into red (± 0.12 s, at least 2.00 s; grace 0.30 s)."
    )


@pytest.mark.parametrize(
    ("into_red_s", "status"),
    [(0.31, Status.ASSERTED), (0.29, Status.HELD), (0.01, Status.HELD), (-0.01, None)],
)
def test_the_grace_must_be_over_at_the_earliest_or_it_is_held_and_at_the_latest_or_it_is_nothing(
    into_red_s: float, status: Status | None
) -> None:
    """The interval is 0.27 s wide, 0.04 s of it the change to red."""
    ruling = rule_on(a_drive(10.0 + into_red_s, 10.23 + into_red_s + 0.03))
    assert (None if ruling is None else ruling.status) is status


def test_exactly_the_grace_is_an_offence() -> None:
    long_red = a_head((AMBER, 2.0, 7.75), (RED, 8.0, 40.0))
    assert the_ruling(a_drive(8.5, 8.5, long_red, grace_s=0.5)).status is Status.ASSERTED
    assert the_ruling(a_drive(8.0, 8.25, long_red, grace_s=0.5)).status is Status.HELD
    assert rule_on(a_drive(8.0, 8.125, long_red, grace_s=0.5)) is None


def test_a_time_that_reaches_into_the_grace_is_held_with_its_middle_and_its_error() -> None:
    ruling = the_ruling(a_drive(10.1, 10.5))
    assert ruling.reason == "0.32 s into red, ± 0.22 s; grace 0.30 s."
    assert ruling.min_s == pytest.approx(0.1)
    assert ruling.max_s == pytest.approx(0.54)


def test_a_red_whose_beginning_was_not_seen_counts_from_its_first_sample() -> None:
    ruling = the_ruling(a_drive(22.0, 22.2, a_head((RED, 10.0, 40.0))))
    assert (ruling.status, ruling.min_s, ruling.max_s) == (Status.ASSERTED, 12.0, None)
    assert ruling.reason == (
        "Its front crossed the stop line at least 12.00 s into red (the change to red was not seen)."
    )


@pytest.mark.parametrize(("earliest_s", "seen"), [(10.2, "0.20"), (9.9, "0.00")])
def test_a_red_that_was_seen_only_just_before_is_held(earliest_s: float, seen: str) -> None:
    ruling = the_ruling(a_drive(earliest_s, 10.4, a_head((RED, 10.0, 40.0))))
    assert (ruling.status, ruling.max_s) == (Status.HELD, None)
    assert ruling.reason == f"The change to red was not seen; red was seen for {seen} s; grace 0.30 s."


def test_who_was_not_surely_before_the_line_is_held_without_a_least_time() -> None:
    ruling = the_ruling(a_drive(None, 12.2))
    assert (ruling.status, ruling.min_s) == (Status.HELD, None)
    assert ruling.max_s == pytest.approx(2.24)
    assert ruling.reason == "It was not surely seen before the stop line."


def test_who_crossed_as_the_red_ended_is_held_until_it_was_most_likely_over() -> None:
    """The change to green lies between 15.0 and 15.2 s."""
    head = a_head((AMBER, 6.0, 9.96), (RED, 10.0, 15.0), (GREEN, 15.2, 20.0))
    assert the_ruling(a_drive(14.8, 15.0, head)).status is Status.ASSERTED
    held = the_ruling(a_drive(14.9, 15.05, head))
    assert (held.status, held.reason) == (
        Status.HELD,
        "The signal may no longer have been red when it crossed.",
    )
    assert rule_on(a_drive(14.9, 15.3, head, t_s=15.11)) is None
    assert the_ruling(a_drive(14.9, 15.3, head, t_s=15.09)).status is Status.HELD
    assert rule_on(a_drive(15.2, 15.4, head)) is None


def test_a_red_too_short_to_tell_from_a_flash_is_held() -> None:
    flash = the_ruling(a_drive(10.5, 10.6, a_head((RED, 10.0, 11.0))))
    assert (flash.status, flash.reason) == (
        Status.HELD,
        "The red was seen too short to tell it from a flash.",
    )
    assert the_ruling(a_drive(10.5, 10.6, a_head((RED, 10.0, 11.1)))).status is Status.ASSERTED


@pytest.mark.parametrize(("from_s", "status"), [(7.06, Status.HELD), (6.94, Status.ASSERTED)])
def test_a_red_after_too_short_an_amber_is_held(from_s: float, status: Status) -> None:
    head = a_head((GREEN, 0.0, from_s), (AMBER, from_s + 0.04, 9.96), (RED, 10.0, 40.0))
    ruling = the_ruling(a_drive(12.0, 12.2, head))
    assert ruling.status is status
    if status is Status.HELD:
        assert ruling.reason == "The amber before it lasted 2.94 s at most; the site's least is 3.00 s."
    assert the_ruling(a_drive(12.0, 12.2, head, min_amber_s=2.5)).status is Status.ASSERTED


def test_a_green_that_turned_red_at_once_had_no_amber() -> None:
    head = a_head((GREEN, 0.0, 9.96), (RED, 10.0, 40.0))
    ruling = the_ruling(a_drive(12.0, 12.2, head))
    assert (ruling.status, ruling.reason) == (
        Status.HELD,
        "The amber before it lasted 0.04 s at most; the site's least is 3.00 s.",
    )


def test_every_head_must_be_red_and_the_last_to_turn_red_counts() -> None:
    early, late = a_cycle(10.0, head_id="left"), a_cycle(11.0, head_id="right")
    for heads in ((early, late), (late, early)):
        ruling = the_ruling(a_drive(12.0, 12.2, *heads))
        assert (ruling.min_s, ruling.max_s) == pytest.approx((1.0, 1.24))
    green = a_head((GREEN, 0.0, 40.0), head_id="right")
    assert rule_on(a_drive(12.0, 12.2, early, green)) is None
    assert rule_on(a_drive(12.0, 12.2, a_head(head_id="main"))) is None


def test_of_two_heads_whose_changes_were_not_both_seen_the_seen_one_bounds_the_time() -> None:
    unseen = a_head((RED, 9.0, 40.0), head_id="right")
    ruling = the_ruling(a_drive(12.0, 12.2, a_cycle(), unseen))
    assert (ruling.min_s, ruling.max_s) == pytest.approx((2.0, 2.24))


def turning(on_red: TurnOnRed, name: str = "right", head_id: str = "main") -> Movement:
    return Movement(name=name, head_ids=(head_id,), on_red=on_red)


STOPPING = (-1.0, *[-0.5] * 11, 3.0, 7.0)
"""Stands a second half a metre before the line."""


def test_a_turn_that_a_round_red_allows_is_nothing_and_one_it_forbids_an_offence() -> None:
    assert rule_on(a_drive(12.0, 12.2, ways=(turning(ALLOWED),))) is None
    ruling = the_ruling(a_drive(12.0, 12.2, ways=(turning(FORBIDDEN),)))
    assert (ruling.status, ruling.rule, ruling.movement) == (Status.ASSERTED, Rule.RED_LIGHT, "right")


def test_a_red_arrow_forbids_the_turn_that_a_round_red_would_allow() -> None:
    arrow = a_cycle(kind=HeadKind.ARROW_RIGHT)
    for on_red in (ALLOWED, AFTER_STOP):
        ruling = the_ruling(a_drive(12.0, 12.2, arrow, ways=(turning(on_red),)))
        assert (ruling.status, ruling.rule) == (Status.ASSERTED, Rule.RED_LIGHT)


def test_an_arrow_that_is_off_leaves_the_turn_to_the_round_head() -> None:
    off = a_head((OFF, 0.0, 40.0), head_id="arrow", kind=HeadKind.ARROW_RIGHT)
    way = Movement(name="right", head_ids=("main", "arrow"), on_red=ALLOWED)
    assert rule_on(a_drive(12.0, 12.2, a_cycle(), off, ways=(way,))) is None


def test_a_turn_after_a_stop_is_nothing_without_one_an_offence_of_its_own_and_held_where_nobody_saw() -> None:
    way = (turning(AFTER_STOP),)
    rolling = the_ruling(a_drive(12.0, 12.2, ways=way))
    assert (rolling.status, rolling.rule) == (Status.ASSERTED, Rule.RIGHT_TURN_WITHOUT_STOP)
    assert rule_on(a_drive(12.0, 12.2, ways=way, metres=STOPPING)) is None
    unseen = the_ruling(a_drive(12.0, 12.2, ways=way, metres=(-4.0, 0.0, 4.0, 8.0)))
    assert (unseen.status, unseen.rule) == (Status.HELD, Rule.RIGHT_TURN_WITHOUT_STOP)
    assert unseen.reason == "It may have stopped where it was not seen."


def test_of_two_ways_that_were_both_unlawful_the_one_that_accuses_less_counts_without_a_name() -> None:
    late = a_cycle(11.0, head_id="arrow", kind=HeadKind.ARROW_LEFT)
    ways = (turning(FORBIDDEN, "straight"), turning(FORBIDDEN, "left", "arrow"))
    for order in (ways, ways[::-1]):
        ruling = the_ruling(a_drive(12.0, 12.2, a_cycle(), late, ways=order))
        assert (ruling.status, ruling.movement, ruling.doubtful) == (Status.ASSERTED, None, False)
        assert ruling.min_s == pytest.approx(1.0)


def test_where_one_of_the_ways_was_lawful_it_is_held_and_doubtful() -> None:
    green = a_head((GREEN, 0.0, 40.0), head_id="arrow", kind=HeadKind.ARROW_LEFT)
    ways = (turning(FORBIDDEN, "straight"), turning(FORBIDDEN, "left", "arrow"))
    ruling = the_ruling(a_drive(12.0, 12.2, a_cycle(), green, ways=ways))
    assert (ruling.status, ruling.movement, ruling.doubtful) == (Status.HELD, None, True)
    assert ruling.reason == "It was not seen which way it went, and one of the ways was allowed."
    assert ruling.min_s == pytest.approx(2.0)
    assert rule_on(a_drive(12.0, 12.2, green, ways=(ways[1],) * 2)) is None


def test_whatever_class_it_may_be_the_times_span_those_of_all_and_the_least_accusing_counts() -> None:
    """As a truck it would have crossed earlier, and still on red."""
    truck = a_drive(11.4, 11.8)
    ruling = the_ruling(a_drive(12.0, 12.2, others=(truck,)))
    assert (ruling.status, ruling.doubtful) == (Status.ASSERTED, False)
    assert (ruling.min_s, ruling.max_s) == pytest.approx((1.4, 2.24))
    assert ruling.reason == (
        "Its front crossed the stop line 1.82 s into red (± 0.42 s, at least 1.40 s; grace 0.30 s)."
    )
    other_way = the_ruling(a_drive(11.4, 11.8, others=(a_drive(12.0, 12.2),)))
    assert (other_way.min_s, other_way.max_s) == (ruling.min_s, ruling.max_s)
    assert other_way.reason == ruling.reason


def test_where_its_other_class_was_lawful_or_did_not_cross_it_is_held_and_doubtful() -> None:
    for other in (None, a_drive(9.0, 9.2)):
        ruling = the_ruling(a_drive(12.0, 12.2, others=(other,)))
        assert (ruling.status, ruling.doubtful) == (Status.HELD, True)
        assert ruling.reason == (
            "It may be of another class of vehicle, whose front was not over the line on red."
        )
        assert ruling.min_s == pytest.approx(2.0)
        assert ruling.movement == "straight"


def test_where_it_would_be_held_as_its_other_class_it_is_held_with_the_times_of_both() -> None:
    ruling = the_ruling(a_drive(12.0, 12.2, others=(a_drive(10.1, 10.5),)))
    assert ruling.status is Status.HELD
    assert ruling.reason == "0.32 s into red, ± 0.22 s; grace 0.30 s."
    assert (ruling.min_s, ruling.max_s) == pytest.approx((0.1, 2.24))


def test_without_a_least_time_of_its_other_class_there_is_none_of_it() -> None:
    ruling = the_ruling(a_drive(12.0, 12.2, others=(a_drive(None, 12.4),)))
    assert (ruling.status, ruling.min_s) == (Status.HELD, None)
    assert ruling.max_s == pytest.approx(2.44)
    assert ruling.reason == "It was not surely seen before the stop line."


def test_where_no_change_to_red_was_seen_there_is_no_most_time_of_any_class() -> None:
    head = a_head((RED, 5.0, 40.0))
    ruling = the_ruling(a_drive(12.0, 12.2, head, others=(a_drive(11.0, 11.2, head),)))
    assert (ruling.status, ruling.min_s, ruling.max_s) == (Status.ASSERTED, 6.0, None)
    assert "at least 6.00 s into red" in ruling.reason
    same = the_ruling(a_drive(12.0, 12.2, head, others=(a_drive(12.0, 12.2, head),)))
    assert (same.min_s, same.max_s) == (7.0, None)
