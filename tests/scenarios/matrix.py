"""The scenarios by rule and condition: who proves what, and which cells of design section 4 nobody proves yet.

    @scenario(rule=Rule.RED_LIGHT, condition="identity_switch")
    def test_a_car_that_changes_its_track_on_the_line_is_accused_once() -> None: ...

``python -m tests.scenarios.matrix`` prints the matrix and exits with 1 while a cell is empty.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])
MARK = "__scenarios__"


class Row(StrEnum):
    """What judges: the rules by their names in events, and the two that accuse nobody."""

    RED_LIGHT = "red_light"
    STOPPED_PAST_LINE = "stopped_past_line"
    RIGHT_TURN_WITHOUT_STOP = "right_turn_without_stop"
    NO_PARKING = "no_parking"
    CROSSWALK_RED = "crosswalk_red"
    PASSAGE = "passage"
    SELF_DISTRUST = "self_distrust"


class Condition(StrEnum):
    """Under what a rule is tried."""

    OFFENCE = "offence"
    LAWFUL = "lawful"
    BOUNDARY = "boundary"
    UNCERTAIN = "uncertain"
    EXEMPT = "exempt"
    ONCE = "once"
    IDENTITY_SWITCH = "identity_switch"
    OCCLUSION = "occlusion"
    GAP = "gap"
    ELSEWHERE = "elsewhere"
    QUEUE = "queue"
    CLASSES = "classes"
    APPROACHING = "approaching"
    DEPARTING = "departing"
    SIGNAL_CHANGE = "signal_change"
    SIGNAL_UNKNOWN = "signal_unknown"
    SCHEDULE = "schedule"
    DISARMED = "disarmed"
    PROOF = "proof"


MEANING: Mapping[Condition, str] = MappingProxyType(
    {
        Condition.OFFENCE: "the plain case is found",
        Condition.LAWFUL: "what looks like it and is allowed is left alone",
        Condition.BOUNDARY: "just before and just after the limit (grace, allowed stop, standing time, line)",
        Condition.UNCERTAIN: "the limit lies within the bounds: held, and the sentence says what is missing",
        Condition.EXEMPT: "exempt plates, classes and uses",
        Condition.ONCE: "one vehicle, one finding",
        Condition.IDENTITY_SWITCH: "the tracker gives the vehicle another identity",
        Condition.OCCLUSION: "the vehicle or its wheels are hidden for a while",
        Condition.GAP: "frames are missing: nothing is inferred across more than the allowed gap",
        Condition.ELSEWHERE: "beside the line's ends, outside the zone, in the other direction",
        Condition.QUEUE: "other vehicles stand and push",
        Condition.CLASSES: "bus, truck, motorcycle and rider, bicycle, pedestrian",
        Condition.APPROACHING: "the camera sees the fronts",
        Condition.DEPARTING: "the camera sees the rears: the front is over the line before the box is",
        Condition.SIGNAL_CHANGE: "amber, red and amber, flashing, late green, the moment of change",
        Condition.SIGNAL_UNKNOWN: "the lamp is unreadable, failed, off, unseen, or two sources disagree",
        Condition.SCHEDULE: "weekly windows, overnight, holidays, time zones, no wall clock",
        Condition.DISARMED: "the rule distrusts itself: nobody is accused, and the lost time is counted",
        Condition.PROOF: "photos, trace, bounds and sentences say what was seen",
    }
)

_NO_APPROACH = (
    "has no approach direction: a kerb, a kerbside crossing and a whole camera are seen as they are"
)
_NO_SIGNAL = "does not depend on a signal"
_ACCUSES_NOBODY = "accuses nobody"

NOT_APPLICABLE: Mapping[tuple[Row, Condition], str] = MappingProxyType(
    {
        (Row.RED_LIGHT, Condition.SCHEDULE): "a red light holds at all hours",
        (Row.STOPPED_PAST_LINE, Condition.SCHEDULE): "a red light holds at all hours",
        (Row.RIGHT_TURN_WITHOUT_STOP, Condition.SCHEDULE): "a red light holds at all hours",
        (Row.CROSSWALK_RED, Condition.SCHEDULE): "a red light holds at all hours",
        (Row.CROSSWALK_RED, Condition.EXEMPT): "nobody on foot carries a plate, and nobody is identified",
        (Row.CROSSWALK_RED, Condition.APPROACHING): _NO_APPROACH,
        (Row.CROSSWALK_RED, Condition.DEPARTING): _NO_APPROACH,
        (Row.NO_PARKING, Condition.APPROACHING): _NO_APPROACH,
        (Row.NO_PARKING, Condition.DEPARTING): _NO_APPROACH,
        (Row.NO_PARKING, Condition.SIGNAL_CHANGE): _NO_SIGNAL,
        (Row.NO_PARKING, Condition.SIGNAL_UNKNOWN): _NO_SIGNAL,
        (Row.PASSAGE, Condition.LAWFUL): _ACCUSES_NOBODY,
        (Row.PASSAGE, Condition.UNCERTAIN): _ACCUSES_NOBODY,
        (Row.PASSAGE, Condition.EXEMPT): _ACCUSES_NOBODY,
        (Row.PASSAGE, Condition.SIGNAL_CHANGE): _NO_SIGNAL,
        (Row.PASSAGE, Condition.SIGNAL_UNKNOWN): _NO_SIGNAL,
        (Row.PASSAGE, Condition.SCHEDULE): "a checkpoint records at all hours",
        (Row.PASSAGE, Condition.QUEUE): "who stands on a gate line is recorded when over it, as anybody",
        (Row.PASSAGE, Condition.DISARMED): _ACCUSES_NOBODY,
        (Row.SELF_DISTRUST, Condition.OFFENCE): "DISARMED is its plain case",
        (Row.SELF_DISTRUST, Condition.EXEMPT): _ACCUSES_NOBODY,
        (Row.SELF_DISTRUST, Condition.UNCERTAIN): "either trusts the picture or says why not",
        (Row.SELF_DISTRUST, Condition.SCHEDULE): "watches at all hours",
        (Row.SELF_DISTRUST, Condition.IDENTITY_SWITCH): "looks at the picture, not at vehicles",
        (Row.SELF_DISTRUST, Condition.ELSEWHERE): "looks at the whole picture",
        (Row.SELF_DISTRUST, Condition.CLASSES): "looks at the picture, not at vehicles",
        (Row.SELF_DISTRUST, Condition.APPROACHING): _NO_APPROACH,
        (Row.SELF_DISTRUST, Condition.DEPARTING): _NO_APPROACH,
    }
)
"""Cells that cannot be filled, each with why: the row's rule …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One test function in one cell; ``name`` is its sentence."""

    row: Row
    condition: Condition
    module: str
    name: str


def scenario(*, rule: str, condition: str) -> Callable[[Test], Test]:
    """Puts a test function into a cell of the matrix; it may stand in several.

    Raises ValueError for a rule, a condition or a cell that the matrix does not have.
    """
    row, column = _named(Row, rule), _named(Condition, condition)
    if (row, column) in NOT_APPLICABLE:
        raise ValueError(f"{row} has no scenario of {column}: {NOT_APPLICABLE[row, column]}")

    def mark(test: Test) -> Test:
        setattr(test, MARK, (*getattr(test, MARK, ()), (row, column)))
        return test

    return mark


Name = TypeVar("Name", Row, Condition)


def _named(kind: type[Name], text: str) -> Name:
    try:
        return kind(text)
    except ValueError as exc:
        raise ValueError(f"{text!r} is none of {', '.join(kind)}") from exc


def scenarios_of(module: ModuleType) -> Iterator[Scenario]:
    """The scenarios among the module's own test functions, by their order in it."""
    for name, test in vars(module).items():
        if name.startswith("test_") and getattr(test, "__module__", None) == module.__name__:
            for row, condition in reversed(getattr(test, MARK, ())):
                sentence = name.removeprefix("test_").replace("_", " ")
                yield Scenario(row=row, condition=condition, module=module.__name__, name=sentence)


def all_scenarios() -> tuple[Scenario, ...]:
    """The scenarios of all test modules in this folder."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
    return tuple(one for name in names for one in scenarios_of(import_module(f"tests.scenarios.{name}")))


def empty_cells(found: Iterable[Scenario]) -> tuple[tuple[Row, Condition], ...]:
    """The cells that should hold a scenario and do not, row by row."""
    filled = {(one.row, one.condition) for one in found}
    return tuple(
        (row, condition)
        for row in Row
        for condition in Condition
        if (row, condition) not in filled and (row, condition) not in NOT_APPLICABLE
    )


def matrix_text(found: Iterable[Scenario]) -> str:
    """The matrix with conditions downwards and rules across: counts, 0 for an empty cell, – where none can be."""
    counts = Counter((one.row, one.condition) for one in found)
    wide = max(len(condition) for condition in Condition)
    lines = ["".ljust(wide) + "".join(f"  {row}" for row in Row)]
    for condition in Condition:
        cells = ["–" if (row, condition) in NOT_APPLICABLE else str(counts[row, condition]) for row in Row]
        lines.append(
            condition.ljust(wide)
            + "".join(f"  {cell.rjust(len(row))}" for row, cell in zip(Row, cells, strict=True))
        )
    return "\n".join(lines)


def main() -> int:
    """Prints the matrix; 1 while a cell is empty."""
    found = all_scenarios()
    functions = {(one.module, one.name) for one in found}
    empty = empty_cells(found)
    print(matrix_text(found))
    print(f"\n{len(functions)} scenarios, {len(empty)} empty cells")
    for row, condition in empty:
        print(f"  {row} × {condition}: {MEANING[condition]}")
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
