"""Signals that a controller or another camera reports, alone and beside what the camera sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.finding import DisarmCause, Disarmed
from rules.observation import LampState, SignalMode, SignalReport
from tests.builders.junction import (
    a_cycle,
    a_feed,
    a_junction,
    a_report,
    a_signal,
    a_vehicle,
    fold,
    verdicts,
)
from tests.scenarios.matrix import scenario

ACCUSED = [("red_light", "asserted")]
UNSEEN = a_signal()
"""A head that the camera cannot read."""

FEED = a_feed(a_cycle(10.0))


@scenario(rule="red_light", condition="offence")
def test_a_head_that_only_the_controller_knows_accuses_by_its_reports() -> None:
    (finding,) = a_junction().with_heads(UNSEEN).judge(a_vehicle().crosses(14.0), reports=FEED)
    assert verdicts([finding]) == ACCUSED
    assert finding.time_into_red_s == pytest.approx(4.0, abs=0.1)


@scenario(rule="red_light", condition="proof")
def test_the_errors_of_both_clocks_widen_the_time_into_red() -> None:
    feed = a_feed(a_cycle(10.0), error_s=0.4)
    (finding,) = a_junction().with_heads(UNSEEN).judge(a_vehicle().crosses(14.0), reports=feed)
    assert finding.time_into_red_min_s is not None
    assert finding.time_into_red_max_s is not None
    assert finding.time_into_red_max_s - finding.time_into_red_min_s >= 0.8
    assert finding.time_into_red_min_s <= 4.0 <= finding.time_into_red_max_s


@scenario(rule="red_light", condition="uncertain")
def test_a_crossing_that_the_clocks_cannot_tell_from_the_grace_is_held() -> None:
    feed = a_feed(a_cycle(10.0), error_s=1.0)
    findings = a_junction().with_heads(UNSEEN).judge(a_vehicle().crosses(11.0), reports=feed)
    assert verdicts(findings) == [("red_light", "held")]


@scenario(rule="red_light", condition="signal_unknown")
def test_camera_and_controller_that_agree_accuse_and_that_disagree_accuse_nobody() -> None:
    car = a_vehicle().crosses(14.0)
    assert verdicts(a_junction().judge(car, reports=FEED)) == ACCUSED
    assert a_junction().judge(car, reports=a_feed(a_signal().green())) == []


def by_another_camera(feed: list[SignalReport]) -> list[SignalReport]:
    return [replace(report, source="camera east") for report in feed]


@scenario(rule="red_light", condition="signal_unknown")
def test_controller_and_another_camera_that_agree_accuse_and_that_disagree_accuse_nobody() -> None:
    junction, car = a_junction().with_heads(UNSEEN), a_vehicle().crosses(14.0)
    both = [*FEED, *by_another_camera(FEED)]
    assert verdicts(junction.judge(car, reports=both)) == ACCUSED
    green = by_another_camera(a_feed(a_signal().green()))
    assert junction.judge(car, reports=[*FEED, *green]) == []


@scenario(rule="red_light", condition="proof")
def test_of_two_sources_that_agree_the_better_clock_dates_the_signal() -> None:
    poor = by_another_camera(a_feed(a_cycle(10.0), error_s=1.0))
    (finding,) = a_junction().with_heads(UNSEEN).judge(a_vehicle().crosses(14.0), reports=[*FEED, *poor])
    assert finding.time_into_red_min_s is not None
    assert finding.time_into_red_min_s > 3.5


@scenario(rule="self_distrust", condition="signal_unknown")
def test_a_disagreement_of_camera_and_controller_is_reported_with_what_each_says() -> None:
    seen = a_junction().observations(reports=a_feed(a_signal().green()), until_s=20.0)
    said = [output for output in fold(seen, a_junction().site()) if isinstance(output, Disarmed)]
    (begun, *_) = [one for one in said if one.cause is DisarmCause.SIGNAL_SOURCE]
    assert begun.reason == "controller says green for head main, the camera sees amber"
    assert begun.from_s == pytest.approx(7.0, abs=0.1)


@scenario(rule="self_distrust", condition="boundary")
def test_a_controller_whose_clock_runs_a_third_of_a_second_ahead_contradicts_nobody() -> None:
    seen = a_junction().observations(
        a_vehicle().crosses(14.0), reports=a_feed(a_cycle(10.0), ahead_s=0.3), until_s=20.0
    )
    said = fold(seen, a_junction().site())
    assert [output for output in said if isinstance(output, Disarmed)] == []


@pytest.mark.parametrize("mode", [SignalMode.MANUAL, SignalMode.FAILURE, SignalMode.OFF])
@scenario(rule="red_light", condition="disarmed")
def test_a_controller_in_manual_failure_or_off_suspends_enforcement_although_the_camera_sees_red(
    mode: SignalMode,
) -> None:
    feed = [replace(report, mode=mode) for report in FEED]
    assert a_junction().judge(a_vehicle().crosses(14.0), reports=feed) == []


@scenario(rule="red_light", condition="signal_change")
def test_flashing_red_or_amber_from_the_controller_suspends_enforcement() -> None:
    for state in (LampState.RED, LampState.AMBER):
        feed = [a_report("main", state, n * 0.5, flashing=True) for n in range(60)]
        assert a_junction().with_heads(UNSEEN).judge(a_vehicle().crosses(14.0), reports=feed) == []


@scenario(rule="red_light", condition="signal_change")
def test_flashing_green_from_the_controller_agrees_with_a_lamp_that_is_lit_and_dark_in_turn() -> None:
    head = a_signal().green().flashes(LampState.GREEN, 4.0, 7.0).amber(7.0).red(10.0)
    steady = a_feed(a_signal().green().amber(7.0).red(10.0))
    feed = [
        replace(report, flashing=True)
        if 4.0 <= report.at.second + report.at.microsecond / 1e6 < 7.0
        else report
        for report in steady
    ]
    assert verdicts(a_junction().with_heads(head).judge(a_vehicle().crosses(14.0), reports=feed)) == ACCUSED


@scenario(rule="red_light", condition="gap")
def test_a_feed_that_falls_silent_says_nothing_after_its_last_message_has_held_long_enough() -> None:
    silent = [report for report in FEED if report.at.second < 11]
    junction = a_junction().with_heads(UNSEEN)
    assert junction.judge(a_vehicle().crosses(20.0), reports=silent) == []
    assert verdicts(junction.judge(a_vehicle().crosses(12.5), reports=silent)) == ACCUSED


@scenario(rule="red_light", condition="signal_unknown")
def test_a_feed_that_falls_silent_leaves_the_word_to_the_camera() -> None:
    silent = [report for report in FEED if report.at.second < 11]
    assert verdicts(a_junction().judge(a_vehicle().crosses(20.0), reports=silent)) == ACCUSED


@scenario(rule="red_light", condition="signal_unknown")
def test_a_lamp_that_the_camera_cannot_read_for_a_while_is_known_by_the_controller() -> None:
    head = a_cycle(10.0).shows(LampState.UNKNOWN, 12.0)
    assert verdicts(a_junction().with_heads(head).judge(a_vehicle().crosses(14.0), reports=FEED)) == ACCUSED


@scenario(rule="red_light", condition="signal_unknown")
def test_reports_of_the_future_count_when_their_time_has_come() -> None:
    early = a_feed(a_cycle(10.0), ahead_s=600.0)
    assert a_junction().with_heads(UNSEEN).judge(a_vehicle().crosses(14.0), reports=early) == []
