"""What another camera saw of a head, as reports: confirmed states only, and nothing across its gaps and doubts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ingest.other_camera import TICK, NoWallClockError, reports_of
from rules.observation import FrameStamp, LampSample, LampState, Observation

START = datetime(2024, 5, 1, tzinfo=UTC)
STATES = {"g": LampState.GREEN, "r": LampState.RED, "?": LampState.UNKNOWN}


def observed(shown: str, *, from_s: float = 0.0, segment: int = 0, dated: bool = True) -> list[Observation]:
    """A sample each quarter of a second."""
    return [
        Observation(
            stamp=FrameStamp(
                camera_id="east",
                segment=segment,
                index=n,
                media_s=from_s + n / 4,
                captured_at=START + timedelta(seconds=from_s + n / 4) if dated else None,
                error_s=0.5,
            ),
            tracks=None,
            lamps=(LampSample(head_id="main", state=STATES[letter], confidence=0.9),),
        )
        for n, letter in enumerate(shown)
    ]


def told(observations: Sequence[Observation], *untrusted: tuple[int, float, float]) -> str:
    letters = {state: letter for letter, state in STATES.items()}
    return "".join(letters[report.state] for report in reports_of(observations, 0.5, untrusted))


def test_a_state_that_no_neighbour_confirms_is_unknown_and_a_change_counts_from_its_first_frame() -> None:
    assert told(observed("gggrrrggrg")) == "gggrrrgg??" + "?"
    assert told(observed("g")) == "??"


def test_reports_carry_the_time_of_their_frame_and_the_error_of_clock_and_sampling() -> None:
    first, second, lost = reports_of(observed("gg"), 0.5)
    assert (first.at, second.at, lost.at) == (
        START,
        START + timedelta(seconds=0.25),
        START + timedelta(seconds=0.25) + TICK,
    )
    assert (first.error_s, second.error_s) == (0.5, 0.75)
    assert {report.source for report in (first, second, lost)} == {"camera east"}


def test_from_the_last_frame_before_a_gap_nobody_knows() -> None:
    reports = list(reports_of([*observed("rr"), *observed("gg", from_s=1.0)], 0.5))
    assert [report.state for report in reports] == [STATES[letter] for letter in "rr?gg?"]
    assert reports[2].at == START + timedelta(seconds=0.25) + TICK
    assert reports[3].error_s == 0.5


def test_segments_are_told_apart() -> None:
    assert told([*observed("r"), *observed("r", from_s=0.25, segment=1)]) == "????"


def test_while_the_camera_did_not_trust_itself_nobody_knows() -> None:
    assert told(observed("rrrrr"), (0, 0.5, 0.8), (1, 0.0, 9.0)) == "rr??r" + "?"


def test_without_a_wall_clock_there_is_nothing_to_tell() -> None:
    with pytest.raises(NoWallClockError):
        told(observed("rr", dated=False))
    assert told([]) == ""
