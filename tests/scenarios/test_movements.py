"""Lanes, movements and their heads: who may go when others may not, turns on red, exits and waiting areas."""

from __future__ import annotations

import pytest

from rules.observation import LampState, ObjectClass
from rules.site import ExemptPlate, View
from rules.site_movement import HeadKind, Lane, Movement, TurnOnRed
from tests.builders.junction import Junction, a_cycle, a_junction, a_signal, a_vehicle, verdicts
from tests.scenarios.matrix import scenario

ACCUSED = [("red_light", "asserted")]
HELD = [("red_light", "held")]
BOTH_VIEWS = pytest.mark.parametrize("view", list(View))

LEFT_RED = a_cycle(10.0, "left", HeadKind.ARROW_LEFT)
THROUGH_GREEN = a_signal("through").green()
THROUGH_RED = a_cycle(10.0, "through")


def by_lane(junction: Junction) -> Junction:
    """Lane 1 turns left by its arrow; lanes 2 and 3 go straight by the round head."""
    third = 1.0 / 3.0
    return junction.with_line(
        movements=(
            Movement(name="left", head_ids=("left",)),
            Movement(name="straight", head_ids=("through",)),
        ),
        lanes=(
            Lane(lane_id="1", share=(0.0, third), movements=("left",)),
            Lane(lane_id="2", share=(third, 1.0), movements=("straight",)),
        ),
    )


def by_exit(
    junction: Junction, right: TurnOnRed = TurnOnRed.FORBIDDEN, heads: tuple[str, ...] = ("through",)
) -> Junction:
    """One lane for straight and right; who turns right leaves over the line beside the road."""
    return junction.with_line(
        movements=(
            Movement(name="straight", head_ids=("through",), exit_px=junction.across(18.0, -30.0, 30.0)),
            Movement(name="right", head_ids=heads, on_red=right, exit_px=junction.beside(13.0)),
        ),
        lanes=(Lane(lane_id="all", share=(0.0, 1.0), movements=("straight", "right")),),
    )


@BOTH_VIEWS
@scenario(rule="red_light", condition="lawful")
def test_who_goes_straight_on_green_is_left_alone_while_the_left_arrow_is_red(view: View) -> None:
    junction = by_lane(a_junction(view)).with_heads(LEFT_RED, THROUGH_GREEN)
    assert junction.judge(a_vehicle().in_lane(2).crosses(14.0)) == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="offence")
def test_who_leaves_the_left_lane_on_a_red_left_arrow_is_accused_while_through_traffic_has_green(
    view: View,
) -> None:
    junction = by_lane(a_junction(view)).with_heads(LEFT_RED, THROUGH_GREEN)
    (finding,) = junction.judge(a_vehicle().in_lane(1).crosses(14.0))
    assert verdicts([finding]) == ACCUSED
    assert (finding.movement, finding.lane_id) == ("left", "1")


@scenario(rule="red_light", condition="lawful")
def test_who_turns_left_on_a_green_arrow_is_left_alone_while_the_round_head_is_red() -> None:
    arrow = a_signal("left", HeadKind.ARROW_LEFT).green()
    junction = by_lane(a_junction()).with_heads(arrow, THROUGH_RED)
    assert junction.judge(a_vehicle().in_lane(1).crosses(14.0)) == []
    assert verdicts(junction.judge(a_vehicle().in_lane(3).crosses(14.0))) == ACCUSED


@scenario(rule="red_light", condition="elsewhere")
def test_who_crosses_beside_all_lanes_may_have_made_any_movement_and_is_held_if_one_was_allowed() -> None:
    junction = (
        by_lane(a_junction())
        .with_heads(LEFT_RED, THROUGH_GREEN)
        .with_line(lanes=(Lane(lane_id="1", share=(0.0, 0.3), movements=("left",)),))
    )
    findings = junction.judge(a_vehicle().in_lane(3).crosses(14.0))
    assert verdicts(findings) == HELD
    assert findings[0].reasons[0] == "It was not seen which way it went, and one of the ways was allowed."


@BOTH_VIEWS
@scenario(rule="red_light", condition="lawful")
def test_a_right_turn_on_a_round_red_is_left_alone_where_the_site_allows_it(view: View) -> None:
    junction = by_exit(a_junction(view), TurnOnRed.ALLOWED).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=6.0, to_m=0.0).turns("right")
    assert junction.judge(car) == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="offence")
def test_who_goes_straight_on_red_from_a_lane_that_also_turns_right_is_accused(view: View) -> None:
    junction = by_exit(a_junction(view), TurnOnRed.ALLOWED).with_heads(THROUGH_RED)
    (finding,) = junction.judge(a_vehicle().in_lane(3).crosses(14.0))
    assert verdicts([finding]) == ACCUSED
    assert finding.movement == "straight"


@BOTH_VIEWS
@scenario(rule="red_light", condition="offence")
def test_a_right_turn_on_red_is_accused_where_the_site_does_not_allow_it(view: View) -> None:
    junction = by_exit(a_junction(view)).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=6.0, to_m=0.0).turns("right")
    (finding,) = junction.judge(car)
    assert verdicts([finding]) == ACCUSED
    assert finding.movement == "right"
    assert [photo.role.value for photo in finding.photos] == ["before_line", "past_line", "further_on"]


@scenario(rule="red_light", condition="offence")
def test_a_red_right_arrow_forbids_the_turn_that_a_round_red_would_allow() -> None:
    arrow = a_cycle(10.0, "arrow", HeadKind.ARROW_RIGHT)
    junction = by_exit(a_junction(), TurnOnRed.ALLOWED, ("through", "arrow")).with_heads(THROUGH_RED, arrow)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=6.0, to_m=0.0).turns("right")
    assert verdicts(junction.judge(car)) == ACCUSED


@scenario(rule="red_light", condition="lawful")
def test_a_right_arrow_that_is_off_leaves_the_turn_to_the_round_red_which_allows_it() -> None:
    arrow = a_signal("arrow", HeadKind.ARROW_RIGHT).off()
    junction = by_exit(a_junction(), TurnOnRed.ALLOWED, ("through", "arrow")).with_heads(THROUGH_RED, arrow)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=6.0, to_m=0.0).turns("right")
    assert junction.judge(car) == []


@scenario(rule="red_light", condition="signal_unknown")
def test_a_right_arrow_that_cannot_be_read_accuses_no_turning_vehicle() -> None:
    arrow = a_signal("arrow", HeadKind.ARROW_RIGHT)
    junction = by_exit(a_junction(), TurnOnRed.ALLOWED, ("through", "arrow")).with_heads(THROUGH_RED, arrow)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=6.0, to_m=0.0).turns("right")
    assert junction.judge(car) == []


@scenario(rule="red_light", condition="uncertain")
def test_who_vanishes_before_any_exit_is_held_where_a_right_turn_was_allowed() -> None:
    junction = by_exit(a_junction(), TurnOnRed.ALLOWED).with_heads(THROUGH_RED)
    findings = junction.judge(a_vehicle().in_lane(3).crosses(14.0).hidden(15.2, 40.0))
    assert verdicts(findings) == HELD


@scenario(rule="red_light", condition="uncertain")
def test_who_vanishes_before_any_exit_is_accused_where_every_way_was_red() -> None:
    junction = by_exit(a_junction()).with_heads(THROUGH_RED)
    (finding,) = junction.judge(a_vehicle().in_lane(3).crosses(14.0).hidden(15.2, 40.0))
    assert verdicts([finding]) == ACCUSED
    assert finding.movement is None


AFTER_STOP = TurnOnRed.AFTER_STOP
ROLLING = [("right_turn_without_stop", "asserted")]


@BOTH_VIEWS
@scenario(rule="right_turn_without_stop", condition="offence")
@scenario(rule="right_turn_without_stop", condition="departing")
@scenario(rule="right_turn_without_stop", condition="approaching")
def test_who_rolls_around_the_corner_on_red_without_stopping_is_accused_where_the_site_wants_a_stop(
    view: View,
) -> None:
    junction = by_exit(a_junction(view), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    (finding,) = junction.judge(car)
    assert verdicts([finding]) == ROLLING
    assert finding.reasons[-1] == "It turned without having stopped."
    assert [photo.role.value for photo in finding.photos] == ["before_line", "past_line", "further_on"]


@pytest.mark.parametrize("stop_m", [-4.0, -0.5, 0.8])
@scenario(rule="right_turn_without_stop", condition="lawful")
@scenario(rule="right_turn_without_stop", condition="boundary")
def test_who_stops_for_a_second_before_or_just_past_the_line_may_turn_on_red(stop_m: float) -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).stops(stop_m, 13.0).waits(14.2).turns("right")
    assert junction.judge(car) == []


@scenario(rule="right_turn_without_stop", condition="uncertain")
@scenario(rule="right_turn_without_stop", condition="occlusion")
def test_who_came_into_view_close_to_the_line_may_have_stopped_before_and_is_held() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    findings = junction.judge(car.hidden(0.0, 13.2))
    assert verdicts(findings) == [("right_turn_without_stop", "held")]


@scenario(rule="right_turn_without_stop", condition="signal_change")
def test_who_turns_right_without_a_stop_on_green_or_amber_is_left_alone() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    for at_s in (5.0, 9.5):
        car = a_vehicle().in_lane(3).crosses(at_s, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
        assert junction.judge(car) == []


@scenario(rule="right_turn_without_stop", condition="signal_unknown")
def test_who_turns_right_while_the_lamp_is_unreadable_is_left_alone() -> None:
    head = THROUGH_RED.shows(LampState.UNKNOWN, 12.0)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    assert by_exit(a_junction(), AFTER_STOP).with_heads(head).judge(car) == []


@scenario(rule="right_turn_without_stop", condition="elsewhere")
def test_who_goes_straight_on_red_runs_the_red_light_whatever_holds_for_right_turns() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    assert verdicts(junction.judge(a_vehicle().in_lane(3).crosses(14.0))) == ACCUSED


@scenario(rule="right_turn_without_stop", condition="once")
def test_two_vehicles_that_roll_around_the_corner_are_two_findings_one_each() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    first = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    second = (
        a_vehicle()
        .with_track(2)
        .in_lane(3)
        .crosses(18.0, speed_m_s=4.0, to_m=0.0)
        .turns("right", speed_m_s=4.0)
    )
    assert verdicts(junction.judge(first, second)) == ROLLING * 2


@scenario(rule="right_turn_without_stop", condition="proof")
def test_a_rolling_right_turn_says_how_long_it_had_been_red() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    (finding,) = junction.judge(car)
    assert finding.time_into_red_s == pytest.approx(4.0, abs=0.1)
    assert finding.movement == "right"


def waiting_area(junction: Junction) -> Junction:
    """A left-turn lane: its stop line holds by left and through heads together, the waiting line 8 m on by the left one."""
    entry = junction.line(
        line_id="entry", movement="left", head_ids=("left", "through"), further_on_px=junction.across(4.0)
    )
    inner = junction.line(
        line_id="waiting",
        movement="left",
        head_ids=("left",),
        line_px=junction.across(8.0),
        further_on_px=junction.across(13.0),
        waiting_for="entry",
    )
    return Junction(junction.view, junction.signals, junction.options, junction.fps, (entry, inner))


@BOTH_VIEWS
@scenario(rule="red_light", condition="lawful")
def test_who_enters_the_left_turn_waiting_area_while_through_traffic_has_green_and_waits_there_is_left_alone(
    view: View,
) -> None:
    junction = waiting_area(a_junction(view).with_heads(LEFT_RED, THROUGH_GREEN))
    car = a_vehicle().in_lane(1).stops(7.0, 15.0).waits(29.0)
    assert junction.judge(car) == []


@scenario(rule="stopped_past_line", condition="lawful")
def test_who_waits_in_the_waiting_area_while_through_traffic_turns_red_has_not_stopped_past_the_line() -> (
    None
):
    junction = waiting_area(a_junction().with_heads(LEFT_RED, a_cycle(20.0, "through")))
    assert junction.judge(a_vehicle().in_lane(1).stops(7.0, 15.0).waits(29.0)) == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="offence")
def test_who_drives_out_of_the_waiting_area_on_a_red_left_arrow_is_accused(view: View) -> None:
    junction = waiting_area(a_junction(view).with_heads(LEFT_RED, THROUGH_GREEN))
    car = a_vehicle().in_lane(1).stops(7.0, 15.0).waits(18.0).goes(30.0, 8.0)
    (finding,) = junction.judge(car)
    assert (finding.place_id, finding.rule.value, finding.status.value) == ("waiting", *ACCUSED[0])


@scenario(rule="red_light", condition="offence")
def test_who_enters_the_waiting_area_while_left_and_through_are_red_is_accused_at_the_stop_line() -> None:
    junction = waiting_area(a_junction().with_heads(LEFT_RED, THROUGH_RED))
    findings = junction.judge(a_vehicle().in_lane(1).stops(7.0, 15.0).waits(29.0))
    assert [finding.place_id for finding in findings if finding.status.value == "asserted"] == ["entry"]


@scenario(rule="red_light", condition="once")
def test_who_runs_both_lines_of_a_waiting_area_in_one_go_is_accused_once() -> None:
    junction = waiting_area(a_junction().with_heads(LEFT_RED, THROUGH_RED))
    (finding,) = junction.judge(a_vehicle().in_lane(1).crosses(14.0))
    assert (finding.place_id, finding.status.value) == ("entry", "asserted")


@scenario(rule="right_turn_without_stop", condition="exempt")
def test_a_listed_vehicle_that_rolls_around_the_corner_is_exempt() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).with_plate("浙B12345")
    car = car.crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    listed = ExemptPlate(text="浙B12345", why="ambulance", first=None, last=None)
    assert verdicts(junction.judge(car, exempt_plates=(listed,))) == [("right_turn_without_stop", "exempt")]


@scenario(rule="right_turn_without_stop", condition="identity_switch")
def test_a_rolling_right_turn_whose_track_changes_at_the_line_is_one_finding() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    assert verdicts(junction.judge(car.becomes(8, 14.2))) == ROLLING


@scenario(rule="right_turn_without_stop", condition="gap")
def test_a_right_turn_inside_an_outage_is_not_inferred() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    assert junction.judge(car, dropped=[(13.7, 14.4)]) == []


@scenario(rule="right_turn_without_stop", condition="queue")
def test_who_rolls_in_a_queue_that_stops_and_goes_has_stopped() -> None:
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle().in_lane(3).stops(-8.0, 11.0).waits(12.5).goes(0.0, 3.0).turns("right", speed_m_s=4.0)
    assert junction.judge(car) == []


@pytest.mark.parametrize("kind", [ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.MOTORCYCLE])
@scenario(rule="right_turn_without_stop", condition="classes")
def test_every_kind_of_vehicle_has_to_stop_before_it_turns_on_red(kind: ObjectClass) -> None:
    junction = by_exit(a_junction(View.APPROACHING), AFTER_STOP).with_heads(THROUGH_RED)
    car = a_vehicle(kind).in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0)
    assert verdicts(junction.judge(car.turns("right", after_m=14.0, speed_m_s=4.0))) == ROLLING


@scenario(rule="right_turn_without_stop", condition="disarmed")
def test_a_rolling_right_turn_after_too_short_an_amber_is_held() -> None:
    hasty = a_signal("through").green().amber(8.5).red(10.0)
    junction = by_exit(a_junction(), AFTER_STOP).with_heads(hasty)
    car = a_vehicle().in_lane(3).crosses(14.0, speed_m_s=4.0, to_m=0.0).turns("right", speed_m_s=4.0)
    assert verdicts(junction.judge(car)) == [("right_turn_without_stop", "held")]
