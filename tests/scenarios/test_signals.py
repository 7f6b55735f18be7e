"""Signals over time: flashing, dark, failed and hasty heads, and what each means for who drives over the line."""

from __future__ import annotations

import pytest

from rules.finding import DisarmCause, Disarmed
from rules.observation import LampState
from rules.site import View
from rules.site_movement import HeadKind
from tests.builders.junction import Signal, a_cycle, a_junction, a_signal, a_vehicle, fold, verdicts
from tests.scenarios.matrix import scenario

ACCUSED = [("red_light", "asserted")]
BOTH_VIEWS = pytest.mark.parametrize("view", list(View))


@BOTH_VIEWS
@scenario(rule="red_light", condition="signal_change")
def test_who_crosses_while_green_flashes_before_amber_is_left_alone(view: View) -> None:
    head = a_signal().green().flashes(LampState.GREEN, 7.0, 10.0).amber(10.0).red(13.0)
    assert a_junction(view).with_heads(head).judge(a_vehicle().crosses(8.8)) == []


@BOTH_VIEWS
@scenario(rule="red_light", condition="signal_change")
def test_flashing_green_before_amber_does_not_protect_who_crosses_on_the_red_after_it(view: View) -> None:
    head = a_signal().green().flashes(LampState.GREEN, 7.0, 10.0).amber(10.0).red(13.0)
    assert verdicts(a_junction(view).with_heads(head).judge(a_vehicle().crosses(15.0))) == ACCUSED


@pytest.mark.parametrize("at_s", [12.1, 12.4, 12.6, 13.2])
@scenario(rule="red_light", condition="signal_change")
def test_flashing_red_accuses_nobody(at_s: float) -> None:
    head = a_signal().flashes(LampState.RED, 0.0, 30.0)
    assert a_junction().with_heads(head).judge(a_vehicle().crosses(at_s)) == []


@scenario(rule="red_light", condition="signal_change")
def test_slowly_flashing_red_accuses_nobody() -> None:
    head = a_signal().flashes(LampState.RED, 0.0, 30.0, period_s=1.8)
    assert a_junction().with_heads(head).judge(a_vehicle().crosses(12.6 + 0.75)) == []


@scenario(rule="red_light", condition="signal_change")
def test_flashing_amber_accuses_nobody() -> None:
    head = a_signal().flashes(LampState.AMBER, 0.0, 30.0)
    assert a_junction().with_heads(head).judge(a_vehicle().crosses(12.2)) == []


@scenario(rule="red_light", condition="signal_unknown")
def test_a_lamp_that_blinks_dark_for_a_tenth_of_a_second_is_still_the_same_red() -> None:
    head = a_cycle(red_s=5.0).off(9.9).red(10.0)
    findings = a_junction().with_heads(head).judge(a_vehicle().crosses(12.0))
    assert verdicts(findings) == ACCUSED
    assert findings[0].time_into_red_s == pytest.approx(7.0, abs=0.1)


@scenario(rule="red_light", condition="signal_unknown")
def test_a_red_first_seen_a_moment_ago_may_be_a_flash_and_is_held() -> None:
    head = a_signal().red(11.5)
    findings = a_junction().with_heads(head).judge(a_vehicle().crosses(11.9, speed_m_s=25.0), until_s=12.4)
    assert verdicts(findings) == [("red_light", "held")]
    assert "flash" in findings[0].reasons[0]


@scenario(rule="red_light", condition="signal_unknown")
def test_a_round_head_without_a_lamp_accuses_nobody() -> None:
    head = a_cycle(red_s=5.0).off(9.0)
    assert a_junction().with_heads(head).judge(a_vehicle().crosses(15.0)) == []


@scenario(rule="red_light", condition="signal_unknown")
def test_a_second_round_head_that_has_failed_disarms_the_line_although_the_first_is_red() -> None:
    heads = (a_cycle(red_s=5.0), a_cycle(red_s=5.0, head_id="second").off(9.0))
    assert a_junction().with_heads(*heads).judge(a_vehicle().crosses(15.0)) == []


@scenario(rule="red_light", condition="signal_unknown")
def test_a_head_that_comes_back_red_after_a_failure_showed_no_amber_and_is_held() -> None:
    head = a_cycle(red_s=5.0).off(9.0).red(13.0)
    findings = a_junction().with_heads(head).judge(a_vehicle().crosses(15.0))
    assert verdicts(findings) == [("red_light", "held")]


@scenario(rule="red_light", condition="signal_unknown")
def test_an_arrow_that_is_off_by_design_controls_nothing_and_the_round_red_holds() -> None:
    heads = (a_cycle(red_s=10.0), a_signal("arrow", HeadKind.ARROW_STRAIGHT).off())
    assert verdicts(a_junction().with_heads(*heads).judge(a_vehicle().crosses(14.0))) == ACCUSED


@scenario(rule="red_light", condition="signal_unknown")
def test_an_arrow_that_is_unreadable_beside_a_round_red_accuses_nobody() -> None:
    heads = (a_cycle(red_s=10.0), a_signal("arrow", HeadKind.ARROW_STRAIGHT))
    assert a_junction().with_heads(*heads).judge(a_vehicle().crosses(14.0)) == []


@scenario(rule="red_light", condition="signal_unknown")
def test_an_arrow_that_is_off_and_alone_accuses_nobody() -> None:
    head = a_signal("arrow", HeadKind.ARROW_STRAIGHT).off()
    assert a_junction().with_heads(head).judge(a_vehicle().crosses(14.0)) == []


@scenario(rule="red_light", condition="signal_change")
def test_an_arrow_that_lights_up_red_beside_a_round_red_counts_from_then() -> None:
    heads = (a_cycle(red_s=5.0), a_signal("arrow", HeadKind.ARROW_STRAIGHT).off().red(12.0))
    findings = a_junction().with_heads(*heads).judge(a_vehicle().crosses(14.0))
    assert verdicts(findings) == ACCUSED
    assert findings[0].time_into_red_s == pytest.approx(2.0, abs=0.1)


@scenario(rule="red_light", condition="signal_change")
def test_red_and_amber_together_forbid_and_are_not_accused() -> None:
    head = a_cycle(red_s=5.0).shows(LampState.RED_AMBER, 11.0).green(13.0)
    assert a_junction().with_heads(head).judge(a_vehicle().crosses(12.0)) == []


@scenario(rule="red_light", condition="disarmed")
def test_an_amber_shorter_than_the_sites_least_accuses_nobody_until_the_next_red() -> None:
    hasty = a_signal().green().amber(8.0).red(10.0).green(20.0).amber(24.0).red(27.0)
    junction = a_junction().with_heads(hasty)
    early = junction.judge(a_vehicle().crosses(14.0))
    assert verdicts(early) == [("red_light", "held")]
    assert early[0].reasons[0].startswith("The amber before it lasted 2.0")
    assert verdicts(junction.judge(a_vehicle().crosses(29.0), until_s=34.0)) == ACCUSED


@scenario(rule="red_light", condition="disarmed")
def test_a_red_without_any_amber_before_it_accuses_nobody() -> None:
    head = a_signal().green().red(10.0)
    assert verdicts(a_junction().with_heads(head).judge(a_vehicle().crosses(14.0))) == [("red_light", "held")]


@scenario(rule="red_light", condition="boundary")
def test_an_amber_of_exactly_the_sites_least_is_long_enough() -> None:
    assert verdicts(a_junction().judge(a_vehicle().crosses(14.0))) == ACCUSED


@scenario(rule="red_light", condition="disarmed")
def test_the_site_may_declare_a_longer_least_amber() -> None:
    junction = a_junction().with_line(min_amber_s=4.0)
    assert verdicts(junction.judge(a_vehicle().crosses(14.0))) == [("red_light", "held")]


@scenario(rule="red_light", condition="signal_unknown")
def test_the_amber_before_a_gap_is_not_measured_across_it() -> None:
    """The lamp was unreadable from before the amber until well into red: how long the amber was, nobody knows."""
    head = a_signal().green().shows(LampState.UNKNOWN, 6.0).red(12.0)
    findings = a_junction().with_heads(head).judge(a_vehicle().crosses(16.0))
    assert verdicts(findings) == ACCUSED
    assert "at least" in findings[0].reasons[0]


@scenario(rule="stopped_past_line", condition="disarmed")
def test_a_stop_past_the_line_after_too_short_an_amber_is_held() -> None:
    hasty = a_signal().green().amber(8.0).red(10.0)
    findings = a_junction().with_heads(hasty).judge(a_vehicle().stops(2.0, 14.0).waits(29.0))
    assert verdicts(findings) == [("stopped_past_line", "held")]


def disarmed(head: Signal) -> list[Disarmed]:
    seen = a_junction().with_heads(head).observations(until_s=30.0)
    return [one for one in fold(seen, a_junction().with_heads(head).site()) if isinstance(one, Disarmed)]


@pytest.mark.parametrize("state", [LampState.RED, LampState.AMBER])
@scenario(rule="self_distrust", condition="signal_change")
def test_a_signal_that_flashes_red_or_amber_suspends_enforcement_and_says_so(state: LampState) -> None:
    begun, ended = disarmed(a_cycle(5.0).flashes(state, 10.0, 20.0).green(20.0))
    assert (begun.cause, begun.reason) == (
        DisarmCause.SUSPENDED,
        f"signal head main shows flashing {state.value}",
    )
    assert 10.0 <= begun.from_s <= 11.5
    assert ended.to_s is not None
    assert 20.0 <= ended.to_s <= 25.0


@scenario(rule="self_distrust", condition="signal_change")
def test_a_long_flashing_green_before_amber_disarms_nothing() -> None:
    assert disarmed(a_signal().green().flashes(LampState.GREEN, 5.0, 13.0).amber(13.0).red(16.0)) == []


@scenario(rule="self_distrust", condition="signal_unknown")
def test_a_round_head_dark_for_three_seconds_disarms_with_its_reason_and_an_arrow_does_not() -> None:
    (failed, *_) = disarmed(a_cycle(5.0).off(10.0))
    assert failed.cause is DisarmCause.LAMP
    assert failed.from_s == pytest.approx(10.0, abs=0.1)
    assert disarmed(a_cycle(5.0, kind=HeadKind.ARROW_LEFT).off(10.0)) == []
