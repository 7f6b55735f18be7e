"""The matrix itself: what is put into it is counted, and what is missing is named."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.scenarios.matrix import (
    MEANING,
    NOT_APPLICABLE,
    Condition,
    Row,
    Scenario,
    all_scenarios,
    empty_cells,
    matrix_text,
    scenario,
    scenarios_of,
)


def a_module() -> ModuleType:
    module = ModuleType("a_module")

    @scenario(rule="red_light", condition="gap")
    @scenario(rule="no_parking", condition="gap")
    def test_nobody_is_accused_across_a_gap() -> None: ...

    def test_something_else() -> None: ...

    for test in (test_nobody_is_accused_across_a_gap, test_something_else):
        test.__module__ = module.__name__
        setattr(module, test.__name__, test)
    return module


def test_a_function_stands_in_each_cell_that_it_names() -> None:
    found = tuple(scenarios_of(a_module()))
    assert [(one.row, one.condition) for one in found] == [
        (Row.RED_LIGHT, Condition.GAP),
        (Row.NO_PARKING, Condition.GAP),
    ]
    assert {one.name for one in found} == {"nobody is accused across a gap"}


def test_a_function_that_another_module_imported_counts_once() -> None:
    module = a_module()
    other = ModuleType("another")
    vars(other).update(test_nobody_is_accused_across_a_gap=module.test_nobody_is_accused_across_a_gap)
    assert not tuple(scenarios_of(other))


def test_empty_cells_are_named_and_impossible_ones_are_not() -> None:
    everything = [
        Scenario(row=row, condition=condition, module="m", name="n")
        for row in Row
        for condition in Condition
        if (row, condition) not in NOT_APPLICABLE
    ]
    assert empty_cells(everything) == ()
    assert empty_cells(everything[1:]) == ((everything[0].row, everything[0].condition),)


def test_the_text_shows_counts_zeros_and_dashes() -> None:
    cell = Scenario(row=Row.NO_PARKING, condition=Condition.QUEUE, module="m", name="n")
    lines = {line.split()[0]: line.split()[1:] for line in matrix_text([cell, cell]).splitlines()}
    assert lines["red_light"] == [*Row][1:]
    assert lines["queue"][[*Row].index(Row.NO_PARKING)] == "2"
    assert lines["queue"][[*Row].index(Row.RED_LIGHT)] == "0"
    assert lines["departing"][[*Row].index(Row.NO_PARKING)] == "–"


@pytest.mark.parametrize(
    ("rule", "condition", "named"),
    [
        ("red_lite", "gap", r"'red_lite' is none of red_light, "),
        ("red_light", "gaps", r"'gaps' is none of offence, "),
        ("no_parking", "departing", "no_parking has no scenario of departing: has no approach direction"),
    ],
)
def test_a_cell_that_is_not_there_is_an_error(rule: str, condition: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        scenario(rule=rule, condition=condition)


def test_every_condition_says_what_it_means_and_every_impossible_cell_why() -> None:
    assert set(MEANING) == set(Condition)
    assert all(NOT_APPLICABLE.values())


def test_the_scenarios_of_this_folder_can_be_collected() -> None:
    found = all_scenarios()
    assert len({(one.module, one.name, one.row, one.condition) for one in found}) == len(found)


def test_no_cell_of_the_matrix_is_empty() -> None:
    found = all_scenarios()
    assert empty_cells(found) == ()
    assert len({(one.module, one.name) for one in found}) >= 150
