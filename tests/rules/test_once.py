"""One vehicle, one case: what was said of a drive is not said of it again, under whatever track or plate."""

from __future__ import annotations

from typing import Any

import pytest

from rules.finding import Finding, PlateResult, Rule, Status
from rules.observation import ObjectClass
from rules.once import is_told, remembered, said_of
from tests.builders.scene import a_stamp
from tests.builders.stop_line import a_line

PLATE = "浙B12345"
"""An invented plate that fits GA 36."""


def a_plate(text: str | None = PLATE) -> PlateResult:
    return PlateResult(
        text=text,
        confidence=0.9,
        char_confidences=(),
        alternatives=(),
        readings=3,
        stamp=None,
        corners_px=None,
    )


def a_finding(t_s: float = 10.0, **options: Any) -> Finding:
    """A car asserted to have run the red light at ``north``."""
    fields: dict[str, Any] = {
        "id": "one",
        "rule": Rule.RED_LIGHT,
        "camera_id": "cam",
        "place_id": "north",
        "track_id": 1,
        "stamp": a_stamp(t_s),
        "t_s": t_s,
        "t_error_s": 0.0,
        "at_px": (300.0, 400.0),
        "object_class": ObjectClass.CAR,
        "status": Status.ASSERTED,
        "reasons": (),
    }
    return Finding(**{**fields, **options})


LINES = (a_line(line_id="north"), a_line(line_id="inner", waiting_for="north"))


def told(before: Finding, after: Finding) -> bool:
    return is_told([said_of(before)], after, LINES)


def test_the_same_plate_and_rule_within_a_minute_is_the_same_drive() -> None:
    first = a_finding(plate=a_plate())
    again = {"track_id": 9, "plate": a_plate(), "place_id": "south"}
    assert told(first, a_finding(70.0, **again))
    assert not told(first, a_finding(70.1, **again))
    assert not told(first, a_finding(20.0, **{**again, "plate": a_plate("浙B54321")}))
    assert not told(first, a_finding(20.0, **again, rule=Rule.STOPPED_PAST_LINE))


def test_an_unread_plate_is_nobodys() -> None:
    for plate in (None, a_plate(None)):
        assert not told(a_finding(plate=plate), a_finding(20.0, track_id=9, plate=plate))


def test_who_was_reported_at_the_stop_line_is_not_reported_at_the_waiting_line_behind_it() -> None:
    inner = a_finding(14.0, place_id="inner")
    assert told(a_finding(), inner)
    assert not told(inner, a_finding(16.0))
    assert not told(a_finding(), a_finding(14.0, place_id="inner", track_id=2))
    assert not told(a_finding(place_id="south"), inner)


def test_it_is_known_under_each_track_under_which_it_was_seen() -> None:
    inner = a_finding(14.0, place_id="inner", track_id=7, earlier_tracks=(1, 5))
    assert told(a_finding(), inner)
    assert told(a_finding(track_id=3, earlier_tracks=(5,)), inner)
    assert not told(a_finding(track_id=3, earlier_tracks=(4,)), inner)


@pytest.mark.parametrize(
    ("before", "after", "silent"),
    [
        (Status.HELD, Status.ASSERTED, False),
        (Status.HELD, Status.HELD, True),
        (Status.ASSERTED, Status.HELD, True),
        (Status.ASSERTED, Status.ASSERTED, True),
        (Status.EXEMPT, Status.ASSERTED, True),
    ],
)
def test_what_was_only_held_may_still_be_asserted(before: Status, after: Status, silent: bool) -> None:
    assert told(a_finding(status=before), a_finding(14.0, place_id="inner", status=after)) is silent


def test_each_rule_about_a_drive_is_remembered_and_no_other() -> None:
    for rule in Rule:
        about_a_drive = rule in (Rule.RED_LIGHT, Rule.STOPPED_PAST_LINE, Rule.RIGHT_TURN_WITHOUT_STOP)
        first, again = (a_finding(t_s, rule=rule, plate=a_plate()) for t_s in (10.0, 12.0))
        assert told(first, again) is about_a_drive
        assert bool(remembered((), [first], 10.0)) is about_a_drive


def test_what_was_said_is_remembered_for_two_minutes_in_its_order() -> None:
    old, new = said_of(a_finding(10.0)), a_finding(130.0, place_id="south")
    assert remembered([old], [new], 130.0) == (old, said_of(new))
    assert remembered([old], [], 130.1) == ()


def test_what_is_remembered_says_who_where_when_and_how_surely() -> None:
    said = said_of(a_finding(plate=a_plate(), earlier_tracks=(4,), status=Status.HELD))
    assert (said.rule, said.place_id, said.tracks) == (Rule.RED_LIGHT, "north", frozenset({1, 4}))
    assert (said.plate, said.t_s, said.status) == (PLATE, 10.0, Status.HELD)
