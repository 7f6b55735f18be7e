"""Two runs against one truth: what differs, by rule and by event, and gates that fail when they must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.errors import UsageError
from api.work.compare import Comparison, Gate, compare, parse_gate, verdicts
from api.work.evaluate import ClipEvaluation, RunEvaluation
from rules.finding import Rule, Status
from rules.observation import ObjectClass
from rules.scoring import PredictedEvent, TruthEvent, score

RED = Rule.RED_LIGHT


def truth(t_s: float, rule: Rule = RED, **more: Any) -> TruthEvent:
    return TruthEvent(rule=rule, t_s=t_s, tolerance_s=1.0, **more)


def said(t_s: float, rule: Rule = RED, status: Status = Status.ASSERTED, x: float = 100.0) -> PredictedEvent:
    return PredictedEvent(
        id=f"{rule}{t_s}", rule=rule, t_s=t_s, status=status, object_class=ObjectClass.CAR, at_px=(x, 100.0)
    )


def a_run(
    name: str,
    truths: list[TruthEvent],
    events: list[PredictedEvent],
    clip: str = "clip.mp4",
    video_s: float = 3600.0,
) -> RunEvaluation:
    evaluated = ClipEvaluation(
        run=Path(name),
        source=clip,
        segment=0,
        camera="cam",
        clip=clip,
        conditions=(),
        video_s=video_s,
        score=score(truths, events),
        passing_plates_found=(),
        passing_plates=(),
    )
    return RunEvaluation(run=Path(name), clips=(evaluated,), unknown=())


def change(comparison: Comparison, figure: str, rule: Rule | None = RED) -> float | None:
    (one,) = [one for one in comparison.differences if (one.rule, one.figure) == (rule, figure)]
    return one.change


TRUTHS = [truth(5), truth(9), truth(20)]


def test_what_is_newly_missed_found_and_false_is_listed() -> None:
    a = a_run("a", TRUTHS, [said(5), said(9), said(50), said(60)])
    b = a_run("b", TRUTHS, [said(9), said(20.1), said(50.4), said(70)])
    found = compare(a, b)
    assert [(clip, one.t_s) for clip, one in found.newly_missed] == [("clip.mp4", 5)]
    assert [(clip, one.t_s) for clip, one in found.newly_found] == [("clip.mp4", 20)]
    assert [(clip, one.t_s) for clip, one in found.newly_false] == [("clip.mp4", 70)]
    assert [(clip, one.t_s) for clip, one in found.no_longer_false] == [("clip.mp4", 60)]
    assert change(found, "recall") == 0.0
    assert change(found, "false") == 0.0


def test_a_false_alarm_elsewhere_or_later_is_another_one() -> None:
    a = a_run("a", [], [said(50), said(80)])
    b = a_run("b", [], [said(51.1), said(80, x=300.0)])
    assert len(compare(a, b).newly_false) == len(compare(a, b).no_longer_false) == 2


def test_equal_truths_are_counted_and_not_merged() -> None:
    twice = [truth(5, count=2)]
    found = compare(a_run("a", twice, [said(5), said(5.1)]), a_run("b", twice, []))
    assert len(found.newly_missed) == 2


def test_differences_are_b_minus_a() -> None:
    a = a_run("a", TRUTHS, [said(5), said(9), said(20), said(50)])
    b = a_run("b", TRUTHS, [said(5), said(9, status=Status.HELD)], video_s=7200.0)
    found = compare(a, b)
    assert change(found, "recall") == pytest.approx(1 / 3 - 1)
    assert change(found, "precision") == 0.25
    assert change(found, "missed") == 2
    assert change(found, "held_instead") == 1
    assert change(found, "false_per_camera_hour", None) == -1.0
    assert any("saw 3600.0 s of it and b 7200.0 s" in note for note in found.notes)


@pytest.mark.parametrize(
    ("gate", "failed"),
    [
        ("recall<-0.01", True),
        ("recall<-0.34", False),
        ("recall <= -0.333333333", True),
        ("false>0", True),
        ("false>1", False),
        ("false>=1", True),
        ("missed>0", True),
        ("red_light.recall<-0.01", True),
        ("no_parking.recall<-0.01", False),
        ("no_parking.precision<-0.01", False),
        ("false_per_camera_hour>0.5", True),
        ("false_per_camera_hour>1", False),
        ("plate_accuracy<-0.01", True),
    ],
)
def test_a_gate_fails_on_its_side_of_the_limit_and_where_nothing_can_be_judged(
    gate: str, failed: bool
) -> None:
    kerb = truth(30, Rule.NO_PARKING)
    parked = said(30, Rule.NO_PARKING)
    a = a_run("a", [*TRUTHS, kerb], [said(5), said(9), said(20), parked])
    b = a_run("b", [*TRUTHS, kerb], [said(5), said(9), said(50), parked])
    (verdict,) = verdicts([parse_gate(gate)], compare(a, b))
    assert verdict.failed is failed
    assert verdict.says.startswith(gate)


def test_a_hundredth_is_not_less_than_a_hundredth() -> None:
    many = [truth(float(10 * n)) for n in range(100)]
    events = [said(float(10 * n)) for n in range(100)]
    found = compare(a_run("a", many, events), a_run("b", many, events[1:]))
    assert not verdicts([parse_gate("recall<-0.01")], found)[0].failed
    assert verdicts([parse_gate("recall<=-0.01")], found)[0].failed


def test_a_figure_that_only_one_run_has_is_said_to_be_unjudged() -> None:
    kerb = truth(30, Rule.NO_PARKING)
    a = a_run("a", [truth(5), kerb], [said(5), said(30, Rule.NO_PARKING)])
    b = a_run("b", [truth(5), kerb], [said(5)])
    (verdict,) = verdicts([parse_gate("precision<-0.01")], compare(a, b))
    assert not verdict.failed
    assert verdict.says == "precision<-0.01: passed (in only one of the runs for no_parking)"
    (verdict,) = verdicts([parse_gate("no_parking.precision<-0.01")], compare(a, b))
    assert verdict.failed
    assert "cannot be judged" in verdict.says


def test_a_gate_is_read_with_and_without_spaces() -> None:
    expected = Gate(
        text="no_parking.recall < -0.01", rule=Rule.NO_PARKING, figure="recall", sign="<", limit=-0.01
    )
    assert parse_gate("no_parking.recall < -0.01") == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is no gate; write"),
        ("recall", "is no gate; write"),
        ("recall=0.1", "is no gate; write"),
        ("recall<<0.1", "is no gate; write"),
        ("<0.1", "is no gate; write"),
        ("recal<0", "there is no figure 'recal'; did you mean 'recall'"),
        ("speed<0", "there is no figure 'speed'; figures are found, missed"),
        ("red_lite.recall<0", "there is no rule 'red_lite'; did you mean 'red_light'"),
        ("speeding.recall<0", "there is no rule 'speeding'; rules are red_light"),
        ("recall<none", "'none' is no number"),
        ("recall<1%", "'1%' is no number"),
        ("recall<nan", "'nan' is no limit"),
        ("recall>-inf", "'-inf' is no limit"),
        ("red_light.false_per_camera_hour>0", "is of all rules together"),
    ],
)
def test_a_gate_that_cannot_be_read_says_what_would_be_right(text: str, named: str) -> None:
    with pytest.raises(UsageError, match="--fail-if: ") as caught:
        parse_gate(text)
    assert named in str(caught.value)


def test_runs_of_different_clips_are_refused() -> None:
    a, b = a_run("a", TRUTHS, []), a_run("b", TRUTHS, [], clip="other.mp4")
    with pytest.raises(UsageError, match=r"only a has clip\.mp4; only b has other\.mp4"):
        compare(a, b)
