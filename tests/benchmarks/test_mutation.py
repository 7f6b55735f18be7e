"""What a mutant is, and which tests may notice it."""

from __future__ import annotations

import ast

import pytest

from benchmarks.mutation import Mutant, changes_of, covering, layouts_of

PATH = "rules/limits.py"
TEXT = '''"""Limits."""

from __future__ import annotations

LIMIT_S = 30.0
"""How long."""

UNUSED = 1


class Zone:
    allowed_s: float = LIMIT_S

    @property
    def long(self) -> bool:
        return self.allowed_s > 60.0


def over(
    stood_s: float,
    limit_s: float = 5.0,
) -> bool:
    if stood_s < 0.0:
        return False
    return (
        stood_s > LIMIT_S
        and stood_s > limit_s
    )
'''
COVERED = {
    PATH: {
        16: frozenset({"property"}),
        23: frozenset({"negative", "positive"}),
        24: frozenset({"negative"}),
        26: frozenset({"positive"}),
    }
}
TESTS = ("property", "negative", "positive", "elsewhere")


def mutants() -> list[Mutant]:
    changes = changes_of(PATH, TEXT)
    return [changes.mutant(number) for number in range(len(changes))]


def the_mutant(after: str) -> Mutant:
    (found,) = (mutant for mutant in mutants() if mutant.after == after)
    return found


def noticed_by(after: str) -> frozenset[str]:
    return covering(the_mutant(after), layouts_of({PATH: TEXT}), COVERED, TESTS)


def test_every_mutant_can_be_compiled_and_differs_where_it_says() -> None:
    found = mutants()
    assert len({mutant.source for mutant in found}) == len(found) > 10
    for mutant in found:
        ast.parse(mutant.source)
        old, new = TEXT.splitlines(), mutant.source.splitlines()
        assert old[: mutant.line - 1] == new[: mutant.line - 1]
        assert old[mutant.line - 1] != new[mutant.line - 1]


def test_thresholds_and_properties_are_mutated_annotations_and_docstrings_are_not() -> None:
    changed = {mutant.after for mutant in mutants()}
    assert {"LIMIT_S = 31.0", "return self.allowed_s >= 60.0", "limit_s: float = 6.0,"} <= changed
    assert all("Limits" not in mutant.before and "How long" not in mutant.before for mutant in mutants())
    assert all(": float" in mutant.after for mutant in mutants() if ": float" in mutant.before)


@pytest.mark.parametrize(
    ("after", "tests"),
    [
        ("return self.allowed_s >= 60.0", {"property"}),
        ("if stood_s <= 0.0:", {"negative", "positive"}),
        ("return True", {"negative"}),
        ("and stood_s >= limit_s", {"positive"}),
        ("limit_s: float = 6.0,", {"negative", "positive"}),
        ("LIMIT_S = 31.0", {"negative", "positive"}),
        ("allowed_s: float = None", {"property"}),
        ("UNUSED = 2", set(TESTS)),
    ],
)
def test_a_mutant_meets_the_tests_that_run_its_statement_or_use_what_it_defines(
    after: str, tests: set[str]
) -> None:
    assert noticed_by(after) == tests


def test_a_function_is_named_by_the_line_in_its_body() -> None:
    layout = layouts_of({PATH: TEXT})[PATH]
    assert [layout.function_at(line) for line in (5, 16, 19, 21, 24, 27)] == [
        "",
        "Zone.long",
        "",
        "",
        "over",
        "over",
    ]
