"""A camera that was knocked, blurred, darkened or covered, a lamp that cannot be read, a clock that is off: nobody is accused."""

from __future__ import annotations

import pytest

from rules.finding import Disarmed, Output
from rules.observation import LampState, Observation, SceneFault
from rules.site_movement import HeadKind
from tests.builders.doubt import disarmed, with_clock, with_scene
from tests.builders.junction import a_cycle, a_junction, a_signal, a_vehicle, fold, verdicts
from tests.builders.kerb import a_kerb, a_zone, findings
from tests.builders.scene import a_car, observe
from tests.scenarios.matrix import scenario

JUNCTION = a_junction()
ACCUSED = [("red_light", "asserted")]
HIDING = [SceneFault.BLURRED, SceneFault.DARK, SceneFault.COVERED]
EVERY_FAULT = pytest.mark.parametrize("fault", list(SceneFault))


def judged(seen: list[Observation]) -> list[Output]:
    return fold(seen, JUNCTION.site())


def a_runner(at_s: float) -> list[Observation]:
    return JUNCTION.observations(a_vehicle().crosses(at_s))


@EVERY_FAULT
@scenario(rule="red_light", condition="disarmed")
def test_nobody_is_accused_of_a_red_light_after_the_camera_was_moved_blurred_darkened_or_covered(
    fault: SceneFault,
) -> None:
    assert verdicts(findings(judged(a_runner(15.0)))) == ACCUSED
    said = judged(with_scene(a_runner(15.0), fault, from_s=5.0))
    assert findings(said) == []


@EVERY_FAULT
@scenario(rule="self_distrust", condition="disarmed")
def test_the_camera_says_that_it_is_disarmed_within_two_seconds_and_counts_from_the_first_sign(
    fault: SceneFault,
) -> None:
    seen = with_scene(a_runner(15.0), fault, from_s=5.0)
    began, ended = disarmed(judged(seen))
    assert (began[:2], began[3]) == ((fault.value, None), None)
    assert 5.0 <= began[2] <= 5.5
    assert ended == (*began[:3], 29.96)
    until_7_s = [observation for observation in seen if observation.stamp.media_s <= 7.0]
    assert disarmed(judged(until_7_s))[0] == began


@EVERY_FAULT
@scenario(rule="self_distrust", condition="boundary")
def test_a_fault_of_less_than_a_second_disarms_nothing(fault: SceneFault) -> None:
    said = judged(with_scene(a_runner(15.0), fault, from_s=14.0, to_s=14.9))
    assert disarmed(said) == []
    assert verdicts(findings(said)) == ACCUSED


@pytest.mark.parametrize("fault", HIDING)
@scenario(rule="self_distrust", condition="once")
def test_a_picture_that_clears_up_is_trusted_again_by_itself_and_says_so_once(fault: SceneFault) -> None:
    said = judged(with_scene(a_runner(20.0), fault, from_s=5.0, to_s=9.9))
    (_, _, from_s, began), (_, _, _, ended_s) = disarmed(said)
    assert began is None
    assert 5.0 <= from_s <= 5.5
    assert ended_s is not None and 12.4 <= ended_s <= 13.5
    assert verdicts(findings(said)) == ACCUSED


@scenario(rule="self_distrust", condition="boundary")
def test_a_camera_that_was_moved_and_pushed_back_waits_for_a_person() -> None:
    said = judged(with_scene(a_runner(25.0), SceneFault.MOVED, from_s=5.0, to_s=7.0))
    assert findings(said) == []
    assert len(disarmed(said)) == 2


@scenario(rule="self_distrust", condition="proof")
def test_the_reason_tells_how_far_the_camera_moved_and_that_a_person_must_look() -> None:
    said = judged(with_scene(a_runner(15.0), SceneFault.MOVED, from_s=5.0))
    reasons = [output.reason for output in said if isinstance(output, Disarmed)]
    assert reasons[0].startswith("the camera moved (by 3.0 % of the picture's width")
    assert "a person must check" in reasons[0]


@scenario(rule="self_distrust", condition="lawful")
def test_an_untouched_camera_is_never_disarmed() -> None:
    seen = with_clock(with_scene(a_runner(15.0), SceneFault.MOVED, from_s=1e9))
    said = judged(seen)
    assert disarmed(said) == []
    assert verdicts(findings(said)) == ACCUSED


@scenario(rule="self_distrust", condition="gap")
def test_a_car_that_crosses_while_the_lens_is_covered_is_not_accused_when_it_clears() -> None:
    said = judged(with_scene(a_runner(8.0 + 4.0), SceneFault.COVERED, from_s=10.0, to_s=12.5))
    assert findings(said) == []


@scenario(rule="self_distrust", condition="occlusion")
def test_a_bus_that_hides_the_lamp_for_two_seconds_disarms_nothing() -> None:
    head = a_cycle(10.0).shows(LampState.UNKNOWN, 12.0).red(14.0)
    junction = JUNCTION.with_heads(head)
    said = fold(junction.observations(a_vehicle().crosses(20.0)), junction.site())
    assert disarmed(said) == []


@pytest.mark.parametrize("shown", [LampState.UNKNOWN, LampState.OFF])
@scenario(rule="red_light", condition="disarmed")
@scenario(rule="self_distrust", condition="signal_unknown")
def test_a_lamp_that_is_covered_disarms_its_line_and_nobody_is_accused(shown: LampState) -> None:
    junction = JUNCTION.with_heads(a_cycle(10.0).shows(shown, 12.0))
    said = fold(junction.observations(a_vehicle().crosses(20.0)), junction.site())
    assert findings(said) == []
    (began, ended) = disarmed(said)
    assert began[:2] == ("lamp", "north")
    assert began[2] == pytest.approx(12.0, abs=0.6)
    assert ended[3] == pytest.approx(29.96)


@scenario(rule="self_distrust", condition="signal_unknown")
def test_a_lamp_that_can_be_read_again_arms_its_line_again() -> None:
    head = a_cycle(10.0).shows(LampState.UNKNOWN, 11.0).green(16.0).amber(20.0).red(23.0)
    junction = JUNCTION.with_heads(head)
    said = fold(junction.observations(a_vehicle().crosses(25.0)), junction.site())
    assert verdicts(findings(said)) == ACCUSED
    assert [cause for cause, *_ in disarmed(said)] == ["lamp", "lamp"]


@scenario(rule="self_distrust", condition="occlusion")
def test_a_branch_that_sways_before_the_lamp_disarms_the_line_and_a_glimpse_of_red_accuses_nobody() -> None:
    swaying = a_signal().green().amber(7.0).red(10.0)
    for at_s in (12.0, 14.0, 16.0, 18.0, 20.0):
        swaying = swaying.shows(LampState.UNKNOWN, at_s).red(at_s + 1.2)
    said = a_junction().with_heads(swaying).judge(a_vehicle().crosses(17.6))
    assert verdicts(said) == [("red_light", "held")]
    assert said[0].reasons[-1].startswith("signal head main cannot be read")


@scenario(rule="self_distrust", condition="signal_unknown")
def test_an_arrow_that_is_off_by_design_is_not_taken_for_a_broken_lamp() -> None:
    junction = JUNCTION.with_heads(a_signal(kind=HeadKind.ARROW_LEFT).off())
    assert disarmed(fold(junction.observations(a_vehicle().crosses(20.0)), junction.site())) == []


@scenario(rule="self_distrust", condition="signal_unknown")
def test_a_head_that_no_camera_sees_is_a_fact_of_the_site_and_no_lost_time() -> None:
    seen = JUNCTION.with_heads().observations(a_vehicle().crosses(20.0))
    said = fold(seen, JUNCTION.with_heads().with_line(head_ids=("elsewhere",)).site())
    assert disarmed(said) == []


@scenario(rule="self_distrust", condition="signal_change")
def test_an_amber_shorter_than_declared_disarms_the_line_while_the_red_after_it_lasts() -> None:
    head = a_signal().green().amber(9.0).red(10.5).green(20.0)
    junction = JUNCTION.with_heads(head)
    said = fold(junction.observations(a_vehicle().crosses(15.0)), junction.site())
    assert [finding for finding in findings(said) if finding.status.value == "asserted"] == []
    began, ended = disarmed(said)
    assert began[:2] == ("short_amber", "north")
    assert ended[3] is not None and ended[3] - 20.0 < 4.0


@scenario(rule="self_distrust", condition="signal_change")
def test_an_amber_of_three_seconds_is_long_enough() -> None:
    assert disarmed(judged(a_runner(15.0))) == []


@scenario(rule="red_light", condition="disarmed")
def test_a_clock_that_may_be_off_by_more_than_a_second_accuses_nobody() -> None:
    assert verdicts(findings(judged(with_clock(a_runner(15.0), error_s=1.0)))) == ACCUSED
    said = judged(with_clock(a_runner(15.0), error_s=1.1))
    assert findings(said) == []
    assert disarmed(said)[0] == ("clock", None, 0.0, None)


@scenario(rule="self_distrust", condition="disarmed")
def test_a_clock_that_jumps_by_two_seconds_is_distrusted_for_a_minute() -> None:
    seen = JUNCTION.observations(a_vehicle().crosses(15.0), until_s=100.0)
    said = judged(with_clock(seen, jumps=[(12.0, 2.0)]))
    assert findings(said) == []
    began, ended = disarmed(said)
    assert began == ("clock", None, 12.0, None)
    assert ended[3] == pytest.approx(75.0, abs=0.2)


@scenario(rule="self_distrust", condition="boundary")
def test_a_clock_that_is_corrected_by_half_a_second_is_trusted() -> None:
    assert disarmed(judged(with_clock(a_runner(15.0), jumps=[(12.0, 0.5)]))) == []


@EVERY_FAULT
@scenario(rule="no_parking", condition="disarmed")
def test_a_car_that_stands_too_long_before_a_spoiled_picture_is_not_accused(fault: SceneFault) -> None:
    kerb = a_kerb()
    seen = observe([a_car(1).stands_at((300, 300), 0, 60)], until_s=60)
    assert verdicts(findings(kerb.judge(seen))) == [("no_parking", "asserted")]
    said = kerb.judge(with_scene(seen, fault, from_s=15.0))
    assert [finding for finding in findings(said) if finding.status.value == "asserted"] == []


@scenario(rule="self_distrust", condition="queue")
def test_a_dwell_that_bridges_ten_dark_seconds_says_that_they_were_not_seen() -> None:
    seen = observe([a_car(1).stands_at((300, 300), 0, 90)], until_s=90)
    (finding,) = findings(
        a_kerb(a_zone(allowed_stop_s=60)).judge(with_scene(seen, SceneFault.DARK, from_s=20.0, to_s=26.0))
    )
    assert finding.unseen_s == pytest.approx(7.5, abs=1.1)
