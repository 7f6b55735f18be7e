"""Whose plate is listed is recorded as exempt on the days of the entry; police, armed police and rescue are held."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rules.exempt_plate import is_emergency, judged
from rules.finding import Finding, Status
from rules.site import ExemptPlate
from tests.rules.test_once import PLATE, a_finding, a_plate

TODAY = date(2024, 5, 2)
ALWAYS = ExemptPlate(text=PLATE, why="permit 7")
FINDING = a_finding(plate=a_plate(), reasons=("It crossed.",))


def from_to(first: int | None, last: int | None) -> ExemptPlate:
    """Listed from that to that day of May."""
    return ExemptPlate(
        text=PLATE,
        why="permit 7",
        first=None if first is None else date(2024, 5, first),
        last=None if last is None else date(2024, 5, last),
    )


@pytest.mark.parametrize("today", [TODAY, None])
def test_a_listed_plate_is_exempt_with_its_reason_first(today: date | None) -> None:
    found = judged(FINDING, [ExemptPlate(text="浙B54321", why="other"), ALWAYS], today)
    assert (found.status, found.reasons) == (Status.EXEMPT, ("exempt: permit 7", "It crossed."))


def test_what_is_only_held_is_exempt_as_well() -> None:
    assert judged(replace(FINDING, status=Status.HELD), [ALWAYS], TODAY).status is Status.EXEMPT


@pytest.mark.parametrize(
    ("first", "last", "exempt"),
    [
        (2, 2, True),
        (None, 2, True),
        (2, None, True),
        (3, None, False),
        (None, 1, False),
        (3, 4, False),
        (1, 3, True),
    ],
)
def test_an_entry_holds_from_its_first_to_its_last_day(
    first: int | None, last: int | None, exempt: bool
) -> None:
    found = judged(FINDING, [from_to(first, last)], TODAY)
    assert found.status is (Status.EXEMPT if exempt else Status.ASSERTED)


def test_without_a_date_an_entry_with_a_period_is_held_with_its_sentence() -> None:
    for entry in (from_to(1, 3), from_to(None, 3), from_to(1, None)):
        found = judged(FINDING, [entry], None)
        assert found.status is Status.HELD
        assert found.reasons == (
            "It crossed.",
            "the plate is exempt for a period, and without a wall clock nobody knows whether it is now",
        )
        held = replace(FINDING, status=Status.HELD)
        assert judged(held, [entry], None) == held
    assert judged(FINDING, [from_to(3, 4)], TODAY) == FINDING


def test_another_plate_or_none_is_accused_as_it_was() -> None:
    other = replace(FINDING, plate=a_plate("浙B54321"))
    unread = replace(FINDING, plate=a_plate(None))
    never = replace(FINDING, plate=None)
    for finding in (other, unread, never):
        assert judged(finding, [ALWAYS], TODAY) == finding
        assert judged(finding, [], TODAY) == finding


@pytest.mark.parametrize(
    ("text", "emergency"),
    [("浙A1234警", True), ("WJ浙1234X", True), ("浙X1234应急", True), (PLATE, False), ("浙AWJ123", False)],
)
def test_a_plate_of_police_armed_police_or_rescue_is_held_with_a_question(text: str, emergency: bool) -> None:
    assert is_emergency(text) is emergency
    finding: Finding = replace(FINDING, plate=a_plate(text))
    found = judged(finding, [], TODAY)
    assert found.status is (Status.HELD if emergency else Status.ASSERTED)
    if emergency:
        assert found.reasons == (
            "It crossed.",
            "the plate is one of police, armed police or rescue: was the vehicle on duty?",
        )
    held = replace(finding, status=Status.HELD)
    assert judged(held, [], TODAY) == held
