"""Red lights: who is accused, who is held with which sentence, and who is left alone."""

from __future__ import annotations

from random import Random

import pytest

from rules.finding import Finding
from rules.lost import Lost
from rules.observation import LampState, ObjectClass
from rules.site import ExemptPlate, View
from tests.builders.junction import Junction, Vehicle, a_cycle, a_junction, a_vehicle, fold, verdicts
from tests.scenarios.matrix import scenario

ACCUSED = [("red_light", "asserted")]
HELD = [("red_light", "held")]
STOPPED = [("stopped_past_line", "asserted")]
BOTH_VIEWS = pytest.mark.parametrize("view", list(View))
CLASSES = pytest.mark.parametrize(
    "kind", [ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE]
)


@BOTH_VIEWS
@scenario(rule="red_light", condition="offence")
@scenario(rule="red_light", condition="approaching")
@scenario(rule="red_light", condition="departing")
def test_a_car_that_drives_over_the_line_four_seconds_into_red_is_accused(view: View) -> None:
    (finding,) = a_junction(view).judge(a_vehicle().crosses(14.0))
    assert verdicts([finding]) == ACCUSED
    assert finding.time_into_red_s == pytest.approx(4.0, abs=0.1)


@BOTH_VIEWS
@scenario(rule="red_light", condition="lawful")
def test_who_crosses_on_the_last_moment_of_amber_is_left_alone(view: View) -> None:
    assert a_junction(view).judge(a_vehicle().crosses(9.94)) == []


@scenario(rule="red_light", condition="departing")
@scenario(rule="red_light", condition="boundary")
def test_front_over_on_amber_and_rear_over_in_red_seen_from_behind_is_nothing() -> None:
    assert a_junction(View.DEPARTING).judge(a_vehicle().crosses(9.9, speed_m_s=4.0)) == []


@scenario(rule="red_light", condition="boundary")
def test_a_bus_whose_front_is_over_on_amber_and_whose_rear_follows_three_seconds_into_red_is_nothing() -> (
    None
):
    bus = a_vehicle(ObjectClass.BUS).crosses(9.5, speed_m_s=3.5)
    assert a_junction(View.DEPARTING).judge(bus) == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="lawful")
def test_who_stood_over_the_line_when_red_began_may_clear_the_junction(view: View) -> None:
    car = a_vehicle().stops(1.5, 8.0).waits(16.0).goes(30.0)
    assert a_junction(view).judge(car) == []


@BOTH_VIEWS
@scenario(rule="stopped_past_line", condition="lawful")
@scenario(rule="stopped_past_line", condition="queue")
def test_who_was_caught_over_the_line_by_a_queue_before_red_and_stands_there_all_red_is_left_alone(
    view: View,
) -> None:
    assert a_junction(view).judge(a_vehicle().stops(2.0, 8.5).waits(29.0)) == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="boundary")
def test_who_crosses_within_the_grace_is_left_alone_and_just_after_it_accused(view: View) -> None:
    junction = a_junction(view).with_line(grace_s=0.5)
    assert [f for f in junction.judge(a_vehicle().crosses(10.2)) if f.status.value == "asserted"] == []
    assert verdicts(junction.judge(a_vehicle().crosses(10.8))) == ACCUSED


@scenario(rule="red_light", condition="uncertain")
def test_a_crossing_that_may_lie_within_the_grace_is_held_and_says_by_how_much() -> None:
    (finding,) = a_junction().judge(a_vehicle().crosses(10.33, speed_m_s=5.0))
    assert verdicts([finding]) == HELD
    assert "into red, ±" in finding.reasons[0]
    assert "grace 0.30 s" in finding.reasons[0]


@scenario(rule="red_light", condition="uncertain")
def test_a_vehicle_first_seen_at_the_line_was_not_surely_before_it() -> None:
    findings = a_junction(View.DEPARTING).judge(a_vehicle().crosses(14.0).hidden(0.0, 13.97))
    assert [f for f in findings if f.status.value == "asserted"] == []


@scenario(rule="red_light", condition="proof")
def test_red_seen_for_twelve_seconds_without_its_onset_is_asserted_with_at_least() -> None:
    head = a_cycle(10.0).shows(LampState.UNKNOWN, 8.0).red(14.0)
    (finding,) = a_junction().with_heads(head).judge(a_vehicle().crosses(26.0))
    assert verdicts([finding]) == ACCUSED
    assert finding.time_into_red_max_s is None
    assert "at least 11.9" in finding.reasons[0]


@scenario(rule="red_light", condition="signal_unknown")
def test_a_lamp_unreadable_while_it_crosses_accuses_nobody() -> None:
    head = a_cycle(10.0).shows(LampState.UNKNOWN, 12.0)
    assert a_junction().with_heads(head).judge(a_vehicle().crosses(14.0)) == []


@scenario(rule="red_light", condition="signal_change")
def test_who_crosses_when_red_turns_green_is_not_accused() -> None:
    head = a_cycle(5.0).green(14.0)
    findings = a_junction().with_heads(head).judge(a_vehicle().crosses(14.01))
    assert [f for f in findings if f.status.value == "asserted"] == []


@CLASSES
@BOTH_VIEWS
@scenario(rule="red_light", condition="classes")
def test_every_kind_of_vehicle_is_accused_by_its_own_length(kind: ObjectClass, view: View) -> None:
    (finding,) = a_junction(view).judge(a_vehicle(kind).crosses(14.0))
    assert verdicts([finding]) == ACCUSED
    assert finding.time_into_red_min_s is not None
    assert finding.time_into_red_max_s is not None
    assert finding.time_into_red_min_s <= 4.0 <= finding.time_into_red_max_s


@scenario(rule="red_light", condition="classes")
@scenario(rule="stopped_past_line", condition="classes")
def test_a_car_that_waits_before_the_line_is_not_accused_because_it_is_taken_for_a_longer_vehicle() -> None:
    junction = a_junction(View.DEPARTING).with_heads(a_cycle(10.0).green(22.0))
    car = a_vehicle().stops(-1.0, 15.0).waits(23.0).goes(30.0, 8.0)
    for kind in (ObjectClass.TRUCK, ObjectClass.BUS):
        assert [f for f in junction.judge(car.taken_for(kind, 0.7)) if f.status.value == "asserted"] == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="classes")
def test_a_truck_that_is_sometimes_taken_for_a_car_is_accused_all_the_same(view: View) -> None:
    truck = a_vehicle(ObjectClass.TRUCK).crosses(14.0).taken_for(ObjectClass.CAR, 0.3)
    assert verdicts(a_junction(view).judge(truck)) == ACCUSED


@scenario(rule="red_light", condition="classes")
def test_a_pedestrian_who_walks_over_the_line_is_no_case_of_this_rule() -> None:
    assert a_junction().judge(a_vehicle(ObjectClass.PERSON).crosses(14.0, speed_m_s=1.5)) == []


@scenario(rule="red_light", condition="elsewhere")
def test_who_drives_towards_the_camera_over_the_line_is_left_alone() -> None:
    back = a_vehicle().crosses(14.0)
    away = Vehicle(path=tuple((t, x, -y) for t, x, y in back.path))
    assert a_junction().judge(away) == []


@scenario(rule="red_light", condition="elsewhere")
def test_cross_traffic_beyond_the_line_is_left_alone() -> None:
    crossing = Vehicle(path=((12.0, -8.0, 3.0), (16.0, 20.0, 3.4)))
    assert a_junction().judge(crossing) == []


@scenario(rule="red_light", condition="elsewhere")
def test_who_passes_beside_the_end_of_the_line_is_left_alone() -> None:
    assert a_junction().judge(a_vehicle().in_lane(5).crosses(14.0)) == []


@BOTH_VIEWS
@pytest.mark.parametrize("switch_s", [13.0, 13.9, 14.0, 14.1, 14.3, 14.6])
@scenario(rule="red_light", condition="identity_switch")
def test_a_car_whose_track_changes_around_the_line_is_accused_once(view: View, switch_s: float) -> None:
    (finding,) = a_junction(view).judge(a_vehicle().crosses(14.0).becomes(7, switch_s))
    assert verdicts([finding]) == ACCUSED


@pytest.mark.parametrize("hidden", [(13.8, 14.1), (14.1, 14.4)])
@scenario(rule="red_light", condition="identity_switch")
@scenario(rule="red_light", condition="occlusion")
def test_a_car_that_is_hidden_and_shows_again_under_another_track_is_accused_once(
    hidden: tuple[float, float],
) -> None:
    car = a_vehicle().crosses(14.0).hidden(*hidden).becomes(7, hidden[0])
    assert verdicts(a_junction().judge(car)) == ACCUSED


@scenario(rule="red_light", condition="identity_switch")
def test_the_plate_that_was_read_before_the_track_changed_belongs_to_the_finding() -> None:
    car = a_vehicle().with_plate("浙B12345").crosses(14.0).becomes(7, 13.8)
    (finding,) = a_junction().judge(car)
    assert finding.plate is not None
    assert finding.plate.text == "浙B12345"
    assert (finding.track_id, finding.earlier_tracks) == (7, (1,))


@scenario(rule="red_light", condition="identity_switch")
def test_a_car_that_stands_before_the_line_lends_its_past_to_nobody_who_is_first_seen_past_it() -> None:
    """The waiting car's track ends just when a car that was over the line before red comes out of hiding."""
    waiting = a_vehicle().in_lane(2).stops(-1.0, 9.0).waits(16.0)
    over = a_vehicle().with_track(2).in_lane(2).stops(6.0, 9.0).waits(16.02).goes(30.0).hidden(0.0, 16.04)
    assert a_junction().judge(waiting, over) == []


@scenario(rule="red_light", condition="identity_switch")
def test_two_cars_side_by_side_that_both_change_their_tracks_are_two_findings() -> None:
    first = a_vehicle().in_lane(1).crosses(14.0).becomes(11, 13.9)
    second = a_vehicle().with_track(2).in_lane(2).crosses(14.0).becomes(12, 13.9)
    assert verdicts(a_junction().judge(first, second)) == ACCUSED * 2


@BOTH_VIEWS
@scenario(rule="red_light", condition="once")
def test_one_vehicle_is_one_finding_also_when_it_stops_in_the_junction_and_drives_on(view: View) -> None:
    car = a_vehicle().crosses(14.0, to_m=12.0).waits(20.0).goes(30.0)
    assert verdicts(a_junction(view).judge(car)) == ACCUSED


@scenario(rule="red_light", condition="once")
def test_three_cars_in_a_row_are_three_findings() -> None:
    cars = [a_vehicle().with_track(n).crosses(12.0 + 2.0 * n) for n in range(1, 4)]
    assert verdicts(a_junction().judge(*cars)) == ACCUSED * 3


@scenario(rule="red_light", condition="occlusion")
def test_a_vehicle_hidden_after_the_line_and_seen_again_farther_on_is_accused_and_the_sentence_says_so() -> (
    None
):
    car = a_vehicle().crosses(14.0, speed_m_s=6.0).hidden(14.82, 16.0)
    (finding,) = a_junction().judge(car)
    assert verdicts([finding]) == ACCUSED
    assert finding.reasons[-1].startswith("After the line it was hidden for 1.2")


@scenario(rule="red_light", condition="occlusion")
def test_a_vehicle_hidden_after_the_line_for_longer_than_it_is_awaited_is_held() -> None:
    car = a_vehicle().crosses(14.0, speed_m_s=6.0).hidden(14.82, 17.5)
    assert verdicts(a_junction().judge(car)) == HELD


@scenario(rule="red_light", condition="occlusion")
def test_a_track_that_jumps_back_after_it_was_hidden_is_another_vehicle() -> None:
    first = a_vehicle().crosses(14.0, speed_m_s=6.0, to_m=5.0)
    other = a_vehicle().stops(-3.0, 15.8).waits(29.0).hidden(0.0, 15.9)
    assert verdicts(a_junction().judge(first, other)) == HELD


@BOTH_VIEWS
@pytest.mark.parametrize("foot", [0.15, 0.25, 0.4])
@scenario(rule="red_light", condition="occlusion")
@scenario(rule="stopped_past_line", condition="occlusion")
def test_a_rider_who_waits_before_the_line_and_whose_wheels_get_hidden_did_not_cross_it(
    view: View, foot: float
) -> None:
    rider = a_vehicle(ObjectClass.MOTORCYCLE).stops(-0.3, 14.0).waits(29.0).loses(16.0, 29.0, foot=foot)
    assert a_junction(view).judge(rider) == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="occlusion")
def test_a_rider_whose_wheels_are_lost_before_the_line_crosses_no_sooner_than_the_rest_of_the_box(
    view: View,
) -> None:
    """Half a second of way is hidden; the bounds hold both ends of it, but for the perspective that this picture lacks."""
    rider = a_vehicle(ObjectClass.MOTORCYCLE).crosses(14.0, speed_m_s=2.0).loses(13.7, 20.0, foot=0.4)
    (finding,) = a_junction(view).judge(rider)
    assert verdicts([finding]) == ACCUSED
    assert finding.t_s == pytest.approx(14.0, abs=0.15)
    assert finding.crossing_s is not None
    assert finding.crossing_s[0] <= 14.0 <= finding.crossing_s[1] + 0.1
    assert finding.crossing_s[1] - finding.crossing_s[0] >= 0.25


@scenario(rule="red_light", condition="occlusion")
@scenario(rule="stopped_past_line", condition="occlusion")
def test_a_rider_whose_wheels_get_hidden_past_the_line_did_not_drive_on() -> None:
    junction = a_junction(View.DEPARTING)
    junction = junction.with_line(further_on_px=junction.across(1.5))
    rider = a_vehicle(ObjectClass.MOTORCYCLE).stops(2.2, 14.0).waits(29.0).loses(14.3, 29.0, foot=0.4)
    assert verdicts(junction.judge(rider)) == STOPPED


@scenario(rule="red_light", condition="occlusion")
def test_wheels_that_are_lost_make_nobody_late_who_crossed_on_amber() -> None:
    """Seen from ahead, a box that lost its wheels ends behind the front: half a second, at 2 m/s."""
    rider = a_vehicle(ObjectClass.MOTORCYCLE).crosses(9.9, speed_m_s=2.0).loses(9.5, 20.0, foot=0.4)
    assert [f for f in a_junction(View.APPROACHING).judge(rider) if _asserted(f)] == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="occlusion")
def test_a_rider_whose_head_is_hidden_still_stands_where_the_wheels_are(view: View) -> None:
    rider = a_vehicle(ObjectClass.MOTORCYCLE).crosses(14.0, speed_m_s=2.0)
    seen, hidden = (a_junction(view).judge(one) for one in (rider, rider.loses(13.3, 20.0, head=0.4)))
    assert verdicts(hidden) == ACCUSED
    assert [f.crossing_s for f in hidden] == [pytest.approx(f.crossing_s, abs=0.03) for f in seen]


@BOTH_VIEWS
@pytest.mark.parametrize(
    "held",
    [((14.0, -0.7), (14.36, -0.6)), ((14.1, -0.7), (14.4, -0.4), (14.7, -0.2))],
    ids=["at once", "little by little"],
)
@scenario(rule="red_light", condition="occlusion")
@scenario(rule="red_light", condition="queue")
def test_a_waiting_car_whose_box_held_another_one_too_crosses_when_its_own_wheels_do(
    view: View, held: tuple[tuple[float, float], ...]
) -> None:
    """It sets off and is boxed alone: the box lost its upper part, and what it ends at was never hidden."""
    car = (
        a_vehicle()
        .stops(-1.2, 9.0)
        .waits(14.0)
        .goes(-1.15, 0.25)
        .goes(-0.9, 0.8)
        .goes(0.5, 1.6)
        .goes(14.0, 4.0)
    )
    merged, since_s = car, 9.0
    for until_s, head in held:
        merged, since_s = merged.loses(since_s, until_s, head=head), until_s
    (alone,), (found,) = (a_junction(view).judge(one) for one in (car, merged))
    assert verdicts([found]) == ACCUSED
    assert found.t_s == alone.t_s
    assert found.crossing_s == pytest.approx(alone.crossing_s, abs=0.01)


@scenario(rule="red_light", condition="gap")
def test_a_crossing_inside_an_outage_is_not_inferred() -> None:
    assert a_junction().judge(a_vehicle().crosses(14.0), dropped=[(13.6, 14.5)]) == []


def lost_time(junction: Junction, *vehicles: Vehicle, dropped: list[tuple[float, float]]) -> list[Lost]:
    seen = junction.observations(*vehicles, dropped=dropped)
    return [output for output in fold(seen, junction.site()) if isinstance(output, Lost)]


@BOTH_VIEWS
@scenario(rule="red_light", condition="gap")
def test_an_outage_in_red_is_told_as_lost_with_the_vehicle_that_may_have_used_it(view: View) -> None:
    through, waits = (
        a_vehicle().crosses(14.0),
        a_vehicle().in_lane(3).with_track(2).stops(-2.0, 12.0).waits(29.0),
    )
    (lost,) = lost_time(a_junction(view), through, waits, dropped=[(13.6, 14.5)])
    assert (lost.place_id, lost.movements, lost.tracks) == ("north", ("straight",), (1,))
    assert (lost.from_s, lost.to_s) == pytest.approx((13.56, 14.52), abs=0.03)


@scenario(rule="red_light", condition="gap")
def test_a_vehicle_that_went_away_in_an_outage_may_have_used_it_and_one_too_far_off_may_not() -> None:
    gone = a_vehicle().crosses(14.0, to_m=-1.0)
    far = a_vehicle().in_lane(3).with_track(2).crosses(16.0, speed_m_s=12.0)
    (lost,) = lost_time(a_junction(), gone, far, dropped=[(13.6, 14.2)])
    assert lost.tracks == (1,)


@pytest.mark.parametrize(
    ("dropped", "told"),
    [
        ((2.0, 3.0), False),
        ((6.5, 7.5), False),
        ((8.0, 9.0), False),
        ((9.5, 10.5), True),
        ((12.0, 12.4), False),
        ((12.0, 12.6), True),
        ((3.0, 6.5), True),
    ],
)
@scenario(rule="red_light", condition="gap")
def test_an_outage_is_told_as_lost_only_where_the_light_was_or_may_have_been_red(
    dropped: tuple[float, float], told: bool
) -> None:
    """Green until 7 s, amber until 10 s; in more than three seconds a light may have been red and green again."""
    assert bool(lost_time(a_junction(), dropped=[dropped])) is told


@scenario(rule="red_light", condition="gap")
def test_a_red_that_goes_on_after_an_outage_too_short_for_green_and_amber_never_ended() -> None:
    (finding,) = a_junction().judge(a_vehicle().crosses(14.9), dropped=[(13.6, 14.6)])
    assert verdicts([finding]) == ACCUSED
    assert finding.time_into_red_max_s == pytest.approx(5.0, abs=0.15)


@BOTH_VIEWS
@scenario(rule="red_light", condition="gap")
def test_who_crossed_before_an_outage_and_shows_beyond_after_it_is_accused(view: View) -> None:
    (finding,) = a_junction(view).judge(a_vehicle().crosses(14.0, speed_m_s=6.0), dropped=[(14.2, 15.2)])
    assert verdicts([finding]) == ACCUSED
    assert finding.t_s == pytest.approx(14.0, abs=0.05)
    assert any(reason.startswith("After the line it was hidden for 1.0") for reason in finding.reasons)


@scenario(rule="red_light", condition="gap")
def test_a_few_dropped_frames_widen_the_bounds_and_change_no_verdict() -> None:
    whole, torn = (
        a_junction().judge(a_vehicle().crosses(14.0), dropped=dropped)[0] for dropped in ([], [(13.9, 14.2)])
    )
    assert verdicts([whole, torn]) == ACCUSED * 2
    assert torn.t_error_s > whole.t_error_s


@scenario(rule="red_light", condition="gap")
def test_a_change_to_red_inside_an_outage_gives_at_least_the_red_that_was_seen() -> None:
    (finding,) = a_junction().judge(a_vehicle().crosses(14.0), dropped=[(9.5, 11.0)])
    assert verdicts([finding]) == ACCUSED
    assert finding.time_into_red_max_s is None
    assert finding.time_into_red_min_s == pytest.approx(3.0, abs=0.1)


@BOTH_VIEWS
@scenario(rule="red_light", condition="queue")
def test_who_creeps_over_the_line_behind_standing_traffic_did_not_drive_on(view: View) -> None:
    car = a_vehicle().stops(-0.5, 12.0).goes(8.0, speed_m_s=0.6).goes(30.0, speed_m_s=8.0)
    findings = a_junction(view).judge(car, until_s=40.0)
    assert findings
    assert [f for f in findings if f.rule.value == "red_light" and f.status.value == "asserted"] == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="queue")
def test_who_waits_in_the_queue_before_the_line_and_leaves_on_green_is_left_alone(view: View) -> None:
    head = a_cycle(10.0).green(20.0)
    cars = [
        a_vehicle().with_track(1).stops(-1.0, 13.0).waits(20.6).goes(25.0),
        a_vehicle().with_track(2).stops(-7.5, 14.0).waits(21.6).goes(25.0),
    ]
    assert a_junction(view).with_heads(head).judge(*cars) == []


@BOTH_VIEWS
@scenario(rule="stopped_past_line", condition="offence")
@scenario(rule="stopped_past_line", condition="approaching")
@scenario(rule="stopped_past_line", condition="departing")
def test_who_brakes_too_late_and_stands_past_the_line_on_red_has_stopped_past_it(view: View) -> None:
    assert verdicts(a_junction(view).judge(a_vehicle().stops(2.0, 14.0).waits(29.0))) == STOPPED


@BOTH_VIEWS
@scenario(rule="stopped_past_line", condition="boundary")
def test_who_stands_with_the_front_just_before_the_line_has_not_stopped_past_it(view: View) -> None:
    findings = a_junction(view).judge(a_vehicle().stops(-0.3, 14.0).waits(29.0))
    assert [f for f in findings if f.status.value == "asserted"] == []


@scenario(rule="stopped_past_line", condition="boundary")
def test_who_stands_past_the_line_for_less_than_the_standing_time_has_not_stopped_there() -> None:
    car = a_vehicle().stops(2.0, 14.0).waits(16.0).goes(30.0)
    assert "stopped_past_line" not in [f.rule.value for f in a_junction().judge(car)]


@scenario(rule="stopped_past_line", condition="once")
def test_who_drives_on_after_standing_past_the_line_is_not_accused_of_running_it_as_well() -> None:
    car = a_vehicle().stops(2.0, 14.0).waits(20.0).goes(30.0)
    findings = a_junction().judge(car)
    assert verdicts(findings) == [*STOPPED, *HELD]


@scenario(rule="stopped_past_line", condition="identity_switch")
def test_a_standing_car_that_gets_another_track_is_one_finding() -> None:
    car = a_vehicle().stops(2.0, 14.0).waits(29.0).becomes(7, 15.5).becomes(9, 20.0)
    assert verdicts(a_junction().judge(car)) == STOPPED


@scenario(rule="stopped_past_line", condition="occlusion")
@scenario(rule="stopped_past_line", condition="gap")
def test_standing_is_not_inferred_across_a_gap() -> None:
    car = a_vehicle().stops(2.0, 14.0).waits(16.9).hidden(15.0, 16.5)
    assert "stopped_past_line" not in [f.rule.value for f in a_junction().judge(car)]


@scenario(rule="stopped_past_line", condition="signal_change")
def test_who_stops_past_the_line_on_green_behind_a_blocked_junction_is_left_alone() -> None:
    car = a_vehicle().stops(2.0, 5.0).waits(29.0)
    assert a_junction().judge(car) == []


@scenario(rule="stopped_past_line", condition="signal_unknown")
def test_who_stops_past_the_line_while_the_lamp_is_unreadable_is_left_alone() -> None:
    head = a_cycle(10.0).shows(LampState.UNKNOWN, 12.0)
    assert a_junction().with_heads(head).judge(a_vehicle().stops(2.0, 14.0).waits(29.0)) == []


@scenario(rule="stopped_past_line", condition="uncertain")
def test_a_stop_past_a_line_that_was_crossed_perhaps_within_the_grace_is_held() -> None:
    findings = a_junction().judge(a_vehicle().stops(2.0, 10.75).waits(29.0))
    assert verdicts(findings) == [("stopped_past_line", "held")]


@scenario(rule="stopped_past_line", condition="elsewhere")
def test_who_stands_beside_the_end_of_the_line_has_not_stopped_past_it() -> None:
    assert a_junction().judge(a_vehicle().in_lane(5).stops(2.0, 14.0).waits(29.0)) == []


@CLASSES
@scenario(rule="stopped_past_line", condition="classes")
def test_every_kind_of_vehicle_can_stop_past_the_line(kind: ObjectClass) -> None:
    assert verdicts(a_junction().judge(a_vehicle(kind).stops(3.0, 14.0).waits(29.0))) == STOPPED


@scenario(rule="stopped_past_line", condition="proof")
def test_photos_of_a_stop_show_it_before_past_and_still_standing() -> None:
    (finding,) = a_junction().judge(a_vehicle().stops(2.0, 14.0).waits(29.0))
    assert [photo.role.value for photo in finding.photos] == ["before_line", "past_line", "last"]
    assert finding.photos[-1].stamp.media_s - finding.photos[1].stamp.media_s >= 2.5


@BOTH_VIEWS
@scenario(rule="red_light", condition="proof")
def test_the_three_photos_are_in_order_and_the_trace_holds_each_of_them(view: View) -> None:
    (finding,) = a_junction(view).judge(a_vehicle().crosses(14.0))
    times = [photo.stamp.media_s for photo in finding.photos]
    assert [photo.role.value for photo in finding.photos] == ["before_line", "past_line", "further_on"]
    assert times == sorted(set(times))
    assert {photo.stamp.index for photo in finding.photos} <= {point.index for point in finding.trace}


LISTED = ExemptPlate(text="浙B12345", why="fire brigade", first=None, last=None)


@scenario(rule="red_light", condition="exempt")
def test_a_vehicle_on_the_list_is_recorded_as_exempt_with_why_and_never_dropped() -> None:
    car = a_vehicle().with_plate("浙B12345").crosses(14.0)
    (finding,) = a_junction().judge(car, exempt_plates=(LISTED,))
    assert verdicts([finding]) == [("red_light", "exempt")]
    assert "fire brigade" in finding.reasons[0]


@scenario(rule="stopped_past_line", condition="exempt")
def test_a_listed_vehicle_that_stops_past_the_line_is_exempt_too() -> None:
    car = a_vehicle().with_plate("浙B12345").stops(2.0, 14.0).waits(29.0)
    assert verdicts(a_junction().judge(car, exempt_plates=(LISTED,))) == [("stopped_past_line", "exempt")]


@pytest.mark.parametrize(
    ("plate", "verdict"), [("浙B1234警", HELD), ("浙B12345", ACCUSED), ("浙B1234学", ACCUSED)]
)
@scenario(rule="red_light", condition="exempt")
def test_a_police_plate_that_is_not_listed_is_held_with_the_question_whether_it_was_on_duty(
    plate: str, verdict: list[tuple[str, str]]
) -> None:
    findings = a_junction().judge(a_vehicle().with_plate(plate).crosses(14.0))
    assert verdicts(findings) == verdict


@scenario(rule="red_light", condition="once")
def test_the_same_plate_under_a_track_that_has_nothing_to_do_with_the_first_is_the_same_drive() -> None:
    """Two tracks on one vehicle, one of its front and one of its trailer: one plate, one case."""
    first = a_vehicle().with_plate("浙B12345").crosses(14.0)
    second = a_vehicle().in_lane(3).with_track(2).with_plate("浙B12345").crosses(14.9)
    assert verdicts(a_junction().judge(first, second)) == ACCUSED


@scenario(rule="red_light", condition="once")
def test_the_same_plate_two_minutes_later_is_another_drive() -> None:
    first = a_vehicle().with_plate("浙B12345").crosses(14.0)
    second = a_vehicle().with_track(2).with_plate("浙B12345").crosses(140.0)
    assert verdicts(a_junction().at_fps(10.0).judge(first, second, until_s=150.0)) == ACCUSED * 2


@BOTH_VIEWS
@pytest.mark.parametrize("share", [0.1, 0.3])
@scenario(rule="red_light", condition="gap")
def test_frames_dropped_at_random_accuse_nobody_falsely_and_lose_few(view: View, share: float) -> None:
    """Half of forty drives are lawful (late amber, or waiting for green), half cross half a second into red or later."""
    chance = Random(5)
    found = lost = 0
    for number in range(40):
        lawful = number % 2 == 0
        at_s = 9.95 - 0.1 * number if lawful else 10.6 + 0.2 * number
        car = a_vehicle().crosses(at_s, speed_m_s=chance.uniform(4.0, 15.0))
        dropped = [(i / 25.0 - 0.01, i / 25.0 + 0.01) for i in range(500) if chance.random() < share]
        asserted = [f for f in a_junction(view).judge(car, dropped=dropped, until_s=20.0) if _asserted(f)]
        assert not (lawful and asserted)
        found += not lawful and len(asserted) == 1
        lost += not lawful and not asserted
    assert found >= (0.95 if share < 0.2 else 0.8) * (found + lost)


def _asserted(finding: Finding) -> bool:
    return finding.status.value == "asserted"
