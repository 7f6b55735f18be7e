"""What a head says to traffic: steady, flashing, off by design or failed, and which heads control a movement."""

from __future__ import annotations

import pytest

from rules.aspect import Aspect, all_red, aspect_now, controlling
from rules.observation import LampState
from rules.signal import HeadState
from rules.site_movement import HeadKind
from tests.builders.stop_line import a_head

RED, AMBER, GREEN, RED_AMBER, OFF = (
    LampState.RED,
    LampState.AMBER,
    LampState.GREEN,
    LampState.RED_AMBER,
    LampState.OFF,
)
MAX_GAP_S = 0.5
ARROW = HeadKind.ARROW_LEFT


def says(head: HeadState, media_s: float) -> str:
    return aspect_now(head, media_s, MAX_GAP_S).value


@pytest.mark.parametrize("state", [RED, AMBER, GREEN, RED_AMBER])
def test_a_steady_lamp_says_its_colour(state: LampState) -> None:
    assert says(a_head((state, 0.0, 5.0)), 5.0) == state.value


def test_a_head_that_was_not_seen_for_too_long_is_unknown() -> None:
    assert says(a_head((RED, 0.0, 5.0)), 5.5) == "red"
    assert says(a_head((RED, 0.0, 5.0)), 5.6) == "unknown"
    assert says(a_head(), 0.0) == "unknown"


@pytest.mark.parametrize(
    ("state", "said"),
    [(RED, "flashing_red"), (AMBER, "flashing_amber"), (GREEN, "flashing_green"), (RED_AMBER, "red_amber")],
)
def test_a_lamp_that_goes_out_and_on_flashes_lit_and_dark_alike(state: LampState, said: str) -> None:
    head = a_head((state, 0.0, 0.4), (OFF, 0.5, 0.9), (state, 1.0, 1.4))
    assert says(head, 1.4) == said
    dark = a_head((state, 0.0, 0.4), (OFF, 0.5, 0.9), (state, 1.0, 1.4), (OFF, 1.5, 2.5))
    assert says(dark, 2.5) == said


def test_darkness_longer_than_a_flash_is_off_and_a_round_head_has_failed_after_three_seconds() -> None:
    flashes = ((AMBER, 0.0, 0.4), (OFF, 0.5, 0.9), (AMBER, 1.0, 1.4))
    assert says(a_head(*flashes, (OFF, 1.5, 2.6)), 2.6) == "off"
    assert says(a_head((OFF, 1.5, 4.4)), 4.4) == "off"
    assert says(a_head((OFF, 1.5, 4.5)), 4.5) == "failed"
    assert says(a_head((GREEN, 0.0, 9.0), (OFF, 9.1, 9.2)), 9.2) == "off"


def test_an_arrow_may_be_off_for_as_long_as_it_likes() -> None:
    assert says(a_head((OFF, 0.0, 60.0), kind=ARROW), 60.0) == "off"
    assert says(a_head((GREEN, 0.0, 20.0), (OFF, 20.1, 60.0), kind=ARROW), 60.0) == "off"


def test_each_aspect_has_the_name_that_sentences_use() -> None:
    assert [one.value for one in Aspect] == [one.name.lower() for one in Aspect]


@pytest.mark.parametrize(
    ("first_s", "last_s", "controls"),
    [(2.0, 8.0, False), (4.0, 6.0, False), (4.1, 8.0, True), (2.0, 5.9, True)],
)
def test_an_arrow_that_was_off_all_the_time_controls_nothing(
    first_s: float, last_s: float, controls: bool
) -> None:
    arrow = a_head((RED, 0.0, first_s - 0.1), (OFF, first_s, last_s), kind=ARROW)
    assert controlling([arrow], 4.0, 6.0) == ((arrow,) if controls else ())


def test_a_round_head_that_is_off_and_an_arrow_that_only_flashes_still_control() -> None:
    round_off, lit = a_head((OFF, 0.0, 9.0)), a_head((RED, 0.0, 9.0), kind=ARROW)
    flash = a_head((RED, 0.0, 4.0), (OFF, 4.1, 5.1), (RED, 5.2, 9.0), kind=ARROW)
    assert controlling([round_off, lit, flash], 4.5, 4.6) == (round_off, lit, flash)
    longer = a_head((RED, 0.0, 4.0), (OFF, 4.1, 5.2), (RED, 5.3, 9.0), kind=ARROW)
    assert controlling([longer, lit], 4.5, 4.6) == (lit,)


def test_all_red_means_that_every_lit_head_is_and_at_least_one() -> None:
    red, green = a_head((RED, 0.0, 5.0)), a_head((GREEN, 0.0, 5.0))
    arrow_off, round_off = a_head((OFF, 0.0, 5.0), kind=ARROW), a_head((OFF, 0.0, 5.0))
    assert all_red([red], 5.0, MAX_GAP_S)
    assert all_red([red, arrow_off], 5.0, MAX_GAP_S)
    assert not all_red([red, green], 5.0, MAX_GAP_S)
    assert not all_red([red, round_off], 5.0, MAX_GAP_S)
    assert not all_red([arrow_off], 5.0, MAX_GAP_S)
    assert not all_red([], 5.0, MAX_GAP_S)
    assert not all_red([red], 5.6, MAX_GAP_S)
