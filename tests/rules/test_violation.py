"""The tables of violation codes: dated, complete for the rules, and with a question for what no camera sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rules.finding import Finding, Rule, Status
from rules.observation import ObjectClass
from rules.violation import MAINLAND_CHINA, MOTOR, NON_MOTOR, ON_FOOT, TABLES, proposals
from tests.builders.junction import a_junction, a_vehicle
from tests.rules.test_once import a_finding

TODAY = date(2024, 5, 1)


@pytest.fixture
def finding() -> Finding:
    return a_finding()


@pytest.mark.parametrize(
    ("rule", "kind", "codes"),
    [
        (Rule.RED_LIGHT, ObjectClass.CAR, [("1625", 6)]),
        (Rule.RED_LIGHT, ObjectClass.MOTORCYCLE, [("1625", 6)]),
        (Rule.RED_LIGHT, ObjectClass.BICYCLE, [("2007", None)]),
        (Rule.STOPPED_PAST_LINE, ObjectClass.BUS, [("1211", None)]),
        (Rule.NO_PARKING, ObjectClass.TRUCK, [("1039", 0), ("1344", 1), ("1345", 1)]),
        (Rule.CROSSWALK_RED, ObjectClass.PERSON, [("3001", None)]),
        (Rule.RIGHT_TURN_WITHOUT_STOP, ObjectClass.CAR, []),
    ],
)
def test_mainland_china_proposes_the_code_of_the_rule_and_the_kind_of_road_user(
    finding: Finding, rule: Rule, kind: ObjectClass, codes: list[tuple[str, int | None]]
) -> None:
    found = proposals(replace(finding, rule=rule, object_class=kind), "mainland_china", TODAY)
    assert [(code.code, code.points) for code in found] == codes


@pytest.mark.parametrize(
    ("on", "points"), [(date(2022, 3, 31), 3), (date(2022, 4, 1), 1), (None, None), (TODAY, 1)]
)
def test_points_are_those_of_the_day_and_none_where_nobody_knows_the_day(
    finding: Finding, on: date | None, points: int | None
) -> None:
    found = {
        code.code: code for code in proposals(replace(finding, rule=Rule.NO_PARKING), "mainland_china", on)
    }
    assert {found[code].points for code in ("1344", "1345")} == {points}
    assert found["1039"].points == 0


LAST_OF_MARCH, FIRST_OF_APRIL = date(2022, 3, 31), date(2022, 4, 1)


def test_the_table_of_mainland_china_is_that_of_the_standard() -> None:
    assert [
        (one.code, one.rule, one.classes, one.points, one.fine, one.first, one.last) for one in MAINLAND_CHINA
    ] == [
        ("1625", Rule.RED_LIGHT, MOTOR, 6, None, None, None),
        ("2007", Rule.RED_LIGHT, NON_MOTOR, None, "warning, or 5 to 50 CNY", None, None),
        ("1211", Rule.STOPPED_PAST_LINE, MOTOR, None, None, None, None),
        ("1039", Rule.NO_PARKING, MOTOR, 0, "50 to 200 CNY, by place", None, None),
        ("1344", Rule.NO_PARKING, MOTOR, 3, None, None, LAST_OF_MARCH),
        ("1344", Rule.NO_PARKING, MOTOR, 1, None, FIRST_OF_APRIL, None),
        ("1345", Rule.NO_PARKING, MOTOR, 3, None, None, LAST_OF_MARCH),
        ("1345", Rule.NO_PARKING, MOTOR, 1, None, FIRST_OF_APRIL, None),
        ("3001", Rule.CROSSWALK_RED, ON_FOOT, None, "warning, or 5 to 50 CNY", None, None),
        ("2007", Rule.CROSSWALK_RED, NON_MOTOR, None, "warning, or 5 to 50 CNY", None, None),
    ]


def test_whether_the_driver_was_absent_is_a_question_for_the_officer(finding: Finding) -> None:
    absent, *_ = proposals(replace(finding, rule=Rule.NO_PARKING), "mainland_china", TODAY)
    assert any("driver absent" in question for question in absent.questions)
    assert absent.preconditions


def test_every_code_says_what_its_rule_saw_and_asks_what_no_camera_sees() -> None:
    for table in TABLES.values():
        for code in table:
            assert code.preconditions, code
            assert code.questions, code


def test_a_sign_and_a_marking_are_told_apart_by_the_officer(finding: Finding) -> None:
    _, sign, marking = proposals(replace(finding, rule=Rule.NO_PARKING), "mainland_china", TODAY)
    assert (sign.code, marking.code) == ("1344", "1345")
    assert "sign" in sign.questions[0]
    assert "marking" in marking.questions[0]


def test_fines_are_told_as_the_standard_has_them_and_the_generic_table_names_none(finding: Finding) -> None:
    parked = replace(finding, rule=Rule.NO_PARKING)
    assert proposals(parked, "mainland_china", TODAY)[0].fine == "50 to 200 CNY, by place"
    assert {code.fine for code in TABLES["generic"]} == {None}


def test_an_exempt_vehicle_gets_no_code(finding: Finding) -> None:
    assert proposals(replace(finding, status=Status.EXEMPT), "mainland_china", TODAY) == ()


def test_the_generic_table_names_every_rule_and_states_no_points(finding: Finding) -> None:
    for rule in Rule:
        (code,) = proposals(replace(finding, rule=rule), "generic", None)
        assert code.points is None
        assert code.code == rule.value.upper()


def test_no_code_is_in_force_twice_on_one_day_for_the_same_road_user() -> None:
    for table in TABLES.values():
        for i, first in enumerate(table):
            for second in table[i + 1 :]:
                if (first.code, first.rule) == (second.code, second.rule) and first.classes & second.classes:
                    assert first.last is not None
                    assert second.first is not None
                    assert first.last < second.first


def test_a_finding_carries_the_proposals_of_its_sites_jurisdiction() -> None:
    (found,) = a_junction().judge(a_vehicle().crosses(14.0), until_s=20.0, jurisdiction="mainland_china")
    assert [code.code for code in found.codes] == ["1625"]
