"""SPaT-like messages of an intersection: its groups become the site's heads, and nonsense is named by its field."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.signal_message import FeedCounts, FeedHeads, MessageError, read_message
from rules.observation import LampState, SignalMode, SignalReport

NEAR = datetime(2024, 5, 1, 0, 30, tzinfo=UTC)
HEADS = FeedHeads(
    head_ids=frozenset({"main", "second", "left"}),
    groups={(0, 1204, 2): ("main", "second"), (0, 1204, 5): ("left",), (7, 1204, 2): ("left",)},
)
MINUTES = 31 + 29 + 31 + 30
"""Days of 2024 before 1 May."""

MESSAGE: dict[str, Any] = {
    "intersections": [
        {
            "id": {"id": 1204},
            "status": ["fixedTimeOperation"],
            "moy": MINUTES * 24 * 60 + 30,
            "timeStamp": 12_300,
            "states": [
                {
                    "signalGroup": 2,
                    "state-time-speed": [
                        {"eventState": "stop-And-Remain", "timing": {"minEndTime": 18_300}},
                        {"eventState": "protected-Movement-Allowed"},
                    ],
                },
                {"signalGroup": 5, "state-time-speed": [{"eventState": "protected-Movement-Allowed"}]},
                {"signalGroup": 6, "state-time-speed": [{"eventState": "dark"}]},
            ],
        }
    ]
}


def read(message: object, near: datetime | None = NEAR) -> tuple[SignalReport, ...]:
    return read_message(message, HEADS, FeedCounts(), near)


def changed(*place: str | int, to: object) -> dict[str, Any]:
    message = deepcopy(MESSAGE)
    part: Any = message["intersections"][0]
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = to
    return message


def test_each_mapped_group_speaks_of_its_heads_at_the_message_s_time_and_the_others_are_counted() -> None:
    counts = FeedCounts()
    reports = read_message(MESSAGE, HEADS, counts, NEAR)
    said = [(report.head_id, report.state) for report in reports]
    assert said == [("main", LampState.RED), ("second", LampState.RED), ("left", LampState.GREEN)]
    assert {report.at for report in reports} == {NEAR + timedelta(seconds=12.3)}
    assert (counts.messages, counts.unmapped) == (1, 1)


def test_a_single_intersection_with_plain_fields_says_the_same() -> None:
    message = {
        "id": 1204,
        "at": "2024-05-01T08:30:12.3+08:00",
        "states": [{"signalGroup": 2, "eventState": 3}, {"signalGroup": 5, "eventState": 6}],
    }
    assert read(message, None) == read(MESSAGE)


def test_the_minute_of_the_year_may_stand_beside_the_list_as_in_j2735() -> None:
    message = deepcopy(MESSAGE)
    message["timeStamp"] = message["intersections"][0].pop("moy")
    assert read(message) == read(MESSAGE)


def test_the_region_tells_intersections_of_the_same_number_apart() -> None:
    reports = read(changed("id", to={"region": 7, "id": 1204}))
    assert [report.head_id for report in reports] == ["left"]


@pytest.mark.parametrize(
    ("minute", "at"),
    [(0, datetime(2025, 1, 1, tzinfo=UTC)), (365 * 1440 + 1439, datetime(2024, 12, 31, 23, 59, tzinfo=UTC))],
)
def test_around_new_year_the_nearer_year_counts(minute: int, at: datetime) -> None:
    message = changed("moy", to=minute)
    message["intersections"][0]["timeStamp"] = 0
    for near in (at - timedelta(seconds=5), at + timedelta(seconds=5)):
        assert read(message, near)[0].at == at


@pytest.mark.parametrize(
    ("status", "mode"),
    [
        ([], SignalMode.AUTOMATIC),
        (["preemptIsActive"], SignalMode.AUTOMATIC),
        ({"manualControlIsEnabled": True, "failureMode": False}, SignalMode.MANUAL),
        (["manualControlIsEnabled", "failureMode"], SignalMode.FAILURE),
        ("0010000000000000", SignalMode.FAILURE),
        ("0000000001000000", SignalMode.OFF),
        (["standbyOperation"], SignalMode.OFF),
    ],
)
def test_what_the_controller_says_of_itself_suspends_enforcement(status: object, mode: SignalMode) -> None:
    assert {report.mode for report in read(changed("status", to=status))} == {mode}


def test_a_state_that_nobody_knows_is_unknown_and_counted() -> None:
    counts = FeedCounts()
    message = changed("states", 1, "state-time-speed", 0, "eventState", to="teal")
    assert read_message(message, HEADS, counts, NEAR)[2].state is LampState.UNKNOWN
    assert counts.unknown_states == {"teal": 1}


def test_a_head_that_the_site_does_not_have_is_counted() -> None:
    counts = FeedCounts()
    message = {"head": "stranger", "state": "red", "at": "2024-05-01T00:00:00Z"}
    assert read_message(message, HEADS, counts, None) == ()
    assert (counts.messages, counts.unmapped) == (1, 1)


STATES = "intersections[0].states"


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ({"intersections": 1}, "intersections: must be a list"),
        ({"intersections": [3]}, "intersections[0]: must be an object"),
        (changed("id", to="north"), "intersections[0].id is 'north'"),
        (changed("id", to={"id": 70_000}), "intersections[0].id.id is 70000"),
        (changed("moy", to=527_040), "intersections[0].moy is 527040"),
        (changed("timeStamp", to=65_535), "intersections[0].timeStamp is 65535"),
        (changed("at", to="noon"), "intersections[0].at is 'noon'"),
        (changed("states", to={}), f"{STATES}: must be a list"),
        (changed("states", 0, to=2), f"{STATES}[0]: must be an object"),
        (changed("states", 0, "signalGroup", to=-1), f"{STATES}[0].signalGroup is -1"),
        (changed("states", 0, "state-time-speed", to=[]), f"{STATES}[0].state-time-speed: is empty"),
        (
            changed("states", 0, "state-time-speed", to=[{}]),
            f"{STATES}[0].state-time-speed[0]: has no eventState",
        ),
        (
            changed("states", 0, "state-time-speed", 0, "timing", to={"minEndTime": 36_002}),
            f"{STATES}[0].state-time-speed[0].timing.minEndTime is 36002",
        ),
        (changed("status", to=["asleep"]), "intersections[0].status: nobody knows 'asleep'"),
        (changed("status", to=5), "intersections[0].status is 5"),
        (changed("error_s", to=True), "error_s is True"),
        (changed("mode", to="dreaming"), "mode is 'dreaming'"),
    ],
)
def test_a_message_that_makes_no_sense_names_its_field(message: object, what: str) -> None:
    with pytest.raises(MessageError) as caught:
        read(message)
    assert what in str(caught.value)


def test_a_minute_of_no_year_and_no_time_at_all_are_refused() -> None:
    with pytest.raises(MessageError, match=r"intersections\[0\].moy says no year"):
        read(MESSAGE, None)
    message = deepcopy(MESSAGE)
    del message["intersections"][0]["moy"]
    with pytest.raises(MessageError, match=r"intersections\[0\]: has no time"):
        read(message)
