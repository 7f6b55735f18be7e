"""What a mutant is, and which tests may notice it."""

from __future__ import annotations

import ast

import pytest

from benchmarks.mutation import Mutant, changes_of, covering, layouts_of, mentions_of

PATH = "rules/limits.py"
TEXT = '''"""Limits."""

from __future__ import annotations

LIMIT_S = 30.0
"""How long."""

UNUSED = 1


class Lamp(StrEnum):
    RED = "red"
    AMBER = "amber"


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
        21: frozenset({"property"}),
        28: frozenset({"negative", "positive"}),
        29: frozenset({"negative"}),
        31: frozenset({"positive"}),
    }
}
TESTS = ("property", "negative", "positive", "elsewhere")
TEST_PATH = "tests/rules/test_lamps.py"
TEST_TEXT = """
WORDS = ("red", "amber")


@pytest.mark.parametrize("word", WORDS)
def test_words(word: str) -> None:
    assert Lamp(word) in (Lamp.RED, Lamp.AMBER)


def test_amber() -> None:
    assert limits.Lamp.AMBER == "amber"


def amber() -> Lamp:
    return Lamp.AMBER
"""
WORDS, AMBER = (
    (f"{TEST_PATH}::test_words[red]", f"{TEST_PATH}::test_words[amber]"),
    f"{TEST_PATH}::test_amber",
)


def mutants() -> list[Mutant]:
    changes = changes_of(PATH, TEXT)
    return [changes.mutant(number) for number in range(len(changes))]


def the_mutant(after: str) -> Mutant:
    (found,) = (mutant for mutant in mutants() if mutant.after == after)
    return found


def noticed_by(after: str) -> frozenset[str]:
    mentioned = mentions_of({TEST_PATH: TEST_TEXT}, [*WORDS, AMBER])
    return covering(the_mutant(after), layouts_of({PATH: TEXT}), COVERED, TESTS, mentioned)


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
        ('RED = "RED"', {*WORDS, AMBER}),
    ],
)
def test_a_mutant_meets_the_tests_that_run_its_statement_or_use_or_mention_what_it_defines(
    after: str, tests: set[str]
) -> None:
    assert noticed_by(after) == tests


def test_a_function_is_named_by_the_line_in_its_body() -> None:
    layout = layouts_of({PATH: TEXT})[PATH]
    assert [layout.function_at(line) for line in (5, 21, 24, 26, 29, 32)] == [
        "",
        "Zone.long",
        "",
        "",
        "over",
        "over",
    ]


def test_a_test_mentions_what_stands_in_its_own_function() -> None:
    mentioned = mentions_of({TEST_PATH: TEST_TEXT}, [*WORDS, AMBER])
    assert mentioned["RED"] == set(WORDS)
    assert mentioned["AMBER"] == mentioned["Lamp"] == {*WORDS, AMBER}
    assert mentioned["WORDS"] == set(WORDS)
    assert mentioned["limits"] == {AMBER}
