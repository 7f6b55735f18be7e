"""Which violation codes a finding suggests: dated data per jurisdiction, each a proposal with what must hold and be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from rules.code_proposal import CodeProposal
from rules.finding import Finding, Rule, Status
from rules.observation import ObjectClass

MOTOR = frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.MOTORCYCLE})
NON_MOTOR = frozenset({ObjectClass.BICYCLE})
ON_FOOT = frozenset({ObjectClass.PERSON})
ANYBODY = MOTOR | NON_MOTOR | ON_FOOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One entry of a code table: for which rule and whom, in force from ``first`` to ``last`` (inclusive; None: open).

    ``points`` is None where none are known or they differ by place, ``fine`` likewise (as people say it).
    ``preconditions`` must hold and are seen by the rule; ``questions`` are what no camera sees.
    """

    code: str
    meaning: str
    rule: Rule
    classes: frozenset[ObjectClass]
    points: int | None = None
    fine: str | None = None
    first: date | None = None
    last: date | None = None
    preconditions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


_ENTERED = "it was before the line when red began, and went over it and on although every head of its movement was red"
_STOOD = "it stood past the line on red and did not drive on"
_PARKED = "it stood in the zone for longer than the allowed stop, within the zone's hours"
_WALKED = "they were not on the crossing when red began"
_PILOT = "Counted and warned only: nobody is identified."
_DUTY = "Was it an emergency vehicle on duty, waved through by an officer, or avoiding a danger?"
_SIGNED = "Does a sign forbid it (and not a marking alone)?"
_PAINTED = "Does a marking on the road or the kerb forbid it?"
_MARKED = "Are sign or marking and their hours in place, and visible to the driver?"

MAINLAND_CHINA = (
    Code(
        code="1625",
        meaning="motor vehicle passes against a red light",
        rule=Rule.RED_LIGHT,
        classes=MOTOR,
        points=6,
        preconditions=(
            _ENTERED,
            "the three photos show it before the line, past it and farther on, the lamp red in each",
            "the plate is legible in at least one photo",
        ),
        questions=(_DUTY,),
    ),
    Code(
        code="2007",
        meaning="non-motor vehicle passes against a red light",
        rule=Rule.RED_LIGHT,
        classes=NON_MOTOR,
        fine="warning, or 5 to 50 CNY",
        preconditions=(_ENTERED,),
        questions=(_DUTY,),
    ),
    Code(
        code="1211",
        meaning="motor vehicle stops past the stop line, or in the junction, on red",
        rule=Rule.STOPPED_PAST_LINE,
        classes=MOTOR,
        preconditions=(_STOOD,),
        questions=(_DUTY,),
    ),
    Code(
        code="1039",
        meaning="motor vehicle parked against the rules, driver absent or refusing to leave, obstructing others",
        rule=Rule.NO_PARKING,
        classes=MOTOR,
        points=0,
        fine="50 to 200 CNY, by place",
        preconditions=(_PARKED,),
        questions=(
            "Was the driver absent, or did the driver refuse to leave at once?",
            "Did it obstruct other vehicles or pedestrians?",
        ),
    ),
    Code(
        code="1344",
        meaning="motor vehicle against a prohibition sign",
        rule=Rule.NO_PARKING,
        classes=MOTOR,
        points=3,
        last=date(2022, 3, 31),
        preconditions=(_PARKED,),
        questions=(_SIGNED, _MARKED),
    ),
    Code(
        code="1344",
        meaning="motor vehicle against a prohibition sign",
        rule=Rule.NO_PARKING,
        classes=MOTOR,
        points=1,
        first=date(2022, 4, 1),
        preconditions=(_PARKED,),
        questions=(_SIGNED, _MARKED),
    ),
    Code(
        code="1345",
        meaning="motor vehicle against a prohibition marking",
        rule=Rule.NO_PARKING,
        classes=MOTOR,
        points=3,
        last=date(2022, 3, 31),
        preconditions=(_PARKED,),
        questions=(_PAINTED, _MARKED),
    ),
    Code(
        code="1345",
        meaning="motor vehicle against a prohibition marking",
        rule=Rule.NO_PARKING,
        classes=MOTOR,
        points=1,
        first=date(2022, 4, 1),
        preconditions=(_PARKED,),
        questions=(_PAINTED, _MARKED),
    ),
    Code(
        code="3001",
        meaning="pedestrian passes against a red light",
        rule=Rule.CROSSWALK_RED,
        classes=ON_FOOT,
        fine="warning, or 5 to 50 CNY",
        preconditions=(_WALKED,),
        questions=(_PILOT,),
    ),
    Code(
        code="2007",
        meaning="non-motor vehicle passes against a red light",
        rule=Rule.CROSSWALK_RED,
        classes=NON_MOTOR,
        fine="warning, or 5 to 50 CNY",
        preconditions=(_WALKED,),
        questions=(_PILOT,),
    ),
)
"""``reference/standards.md`` §3 of the design's material, of what a rule of ours finds. A right turn without a stop has no
national code; 1208 (lane), 1301 (wrong way), 1228 and 1025 (queueing, standing on a crossing) have no rule."""

GENERIC = tuple(
    Code(
        code=rule.value.upper(),
        meaning=meaning,
        rule=rule,
        classes=ANYBODY,
        preconditions=(precondition,),
        questions=(question,),
    )
    for rule, meaning, precondition, question in (
        (Rule.RED_LIGHT, "entered on red", _ENTERED, _DUTY),
        (Rule.STOPPED_PAST_LINE, "stopped past the stop line on red", _STOOD, _DUTY),
        (
            Rule.RIGHT_TURN_WITHOUT_STOP,
            "turned on red without stopping",
            "it turned on a red that allows the turn after a stop, and did not stand before the line",
            _DUTY,
        ),
        (Rule.NO_PARKING, "stood in a no-parking zone for longer than allowed", _PARKED, _MARKED),
        (Rule.CROSSWALK_RED, "entered a crossing on red", _WALKED, _PILOT),
    )
)
"""The names of the rules as codes: no points and no fine, since those are a country's."""

TABLES: Mapping[str, tuple[Code, ...]] = MappingProxyType(
    {"mainland_china": MAINLAND_CHINA, "generic": GENERIC}
)


def proposals(finding: Finding, jurisdiction: str, on: date | None) -> tuple[CodeProposal, ...]:
    """The codes that may fit the finding on that local date, in the order of the table; none for an exempt vehicle.

    Where nobody knows the date, codes whose points changed are proposed without points. Raises KeyError
    for an unknown jurisdiction.
    """
    if finding.status is Status.EXEMPT:
        return ()
    fitting = [
        code
        for code in TABLES[jurisdiction]
        if code.rule is finding.rule and finding.object_class in code.classes and _in_force(code, on)
    ]
    found: dict[str, CodeProposal] = {}
    for code in fitting:
        dated = code.first is not None or code.last is not None
        found[code.code] = CodeProposal(
            code=code.code,
            meaning=code.meaning,
            points=None if on is None and dated else code.points,
            fine=None if on is None and dated else code.fine,
            preconditions=code.preconditions,
            questions=code.questions,
        )
    return tuple(found.values())


def _in_force(code: Code, on: date | None) -> bool:
    if on is None:
        return True
    return (code.first is None or code.first <= on) and (code.last is None or on <= code.last)
