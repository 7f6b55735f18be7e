"""What a site file leaves unsaid, and the words that site files, records and events use: they outlive a release."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import pytest

from rules.aspect import Aspect
from rules.finding import DisarmCause, PhotoRole, Rule, Status
from rules.observation import ClockSource, LampState, ObjectClass, SceneFault, SignalMode
from rules.site import (
    Camera,
    Crosswalk,
    Gate,
    NoParkingZone,
    Pictures,
    PlatePolicy,
    QueueLane,
    Site,
    Use,
    UseKind,
    View,
    Window,
)
from rules.site_movement import HeadKind, Movement, TurnOnRed
from tests.builders.stop_line import a_line

SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
AT_NIGHT = Window(days=frozenset(range(7)), start_min=1320, end_min=360)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (Rule, "red_light stopped_past_line right_turn_without_stop no_parking crosswalk_red"),
        (Status, "asserted held exempt"),
        (PhotoRole, "before_line past_line further_on first middle last"),
        (
            DisarmCause,
            "camera_moved blurred dark covered clock lamp short_amber signal_source suspended storage",
        ),
        (ObjectClass, "car bus truck motorcycle bicycle person"),
        (LampState, "red amber green red_amber off unknown"),
        (ClockSource, "rtcp arrival declared none"),
        (SignalMode, "automatic manual failure off"),
        (SceneFault, "camera_moved blurred dark covered"),
        (View, "approaching departing"),
        (PlatePolicy, "off candidates all"),
        (UseKind, "bus_stop taxi_rank loading"),
        (Pictures, "none forward backward both"),
        (HeadKind, "round arrow_left arrow_straight arrow_right arrow_u_turn"),
        (TurnOnRed, "forbidden allowed after_stop"),
        (
            Aspect,
            "red amber green red_amber flashing_red flashing_amber flashing_green off failed unknown",
        ),
    ],
)
def test_a_word_that_was_written_down_is_never_renamed(words: type[StrEnum], values: str) -> None:
    assert [word.value for word in words] == values.split()


def test_a_camera_is_found_by_its_id_and_an_unknown_one_is_an_error() -> None:
    first, second = (Camera(camera_id=name, width_px=640, height_px=480) for name in ("one", "two"))
    site = Site(
        site_id="s",
        name="Somewhere",
        time_zone="Asia/Shanghai",
        plate_profile="ga36",
        heads=(),
        cameras=(first, second),
    )
    assert site.camera("one") is first
    assert site.camera("two") is second
    with pytest.raises(KeyError, match="three"):
        site.camera("three")


def test_a_site_without_cameras_knows_none() -> None:
    site = Site(site_id="s", name="n", time_zone="UTC", plate_profile="none", heads=())
    with pytest.raises(KeyError, match="one"):
        site.camera("one")
    assert (site.exempt_plates, site.jurisdiction) == ((), "generic")
    assert (site.feed_silence_s, site.passage_days) == (5.0, 30)


def test_a_camera_of_which_nothing_is_said_has_no_places_and_reads_candidates() -> None:
    camera = Camera(camera_id="one", width_px=640, height_px=480)
    assert (camera.stop_lines, camera.no_parking, camera.gates, camera.crosswalks) == ((), (), (), ())
    assert (camera.plates, camera.max_gap_s) == (PlatePolicy.CANDIDATES, 0.5)


def test_a_stop_line_of_which_nothing_else_is_said_grants_what_the_standard_does() -> None:
    line = a_line()
    assert (line.grace_s, line.standing_s, line.min_amber_s) == (0.3, 3.0, 3.0)
    assert (line.movements, line.lanes, line.waiting_for) == ((), (), None)


def test_the_ways_over_a_line_are_its_movements_or_the_one_it_is_of() -> None:
    left = Movement(name="left", head_ids=("arrow",))
    assert (left.on_red, left.exit_px) == (TurnOnRed.FORBIDDEN, None)
    assert a_line(movements=(left,)).ways == (left,)
    assert a_line(movement="straight", head_ids=("a", "b")).ways == (
        Movement(name="straight", head_ids=("a", "b")),
    )


def a_zone(**options: object) -> NoParkingZone:
    return NoParkingZone(zone_id="kerb", polygon_px=SQUARE, allowed_stop_s=20.0, **options)  # type: ignore[arg-type]


def test_a_zone_of_which_nothing_else_is_said_holds_for_everyone_at_any_time() -> None:
    zone = a_zone()
    assert (zone.windows, zone.exempt_classes, zone.exceptions, zone.uses) == ((), frozenset(), (), ())
    assert (zone.holidays, zone.holiday_windows, zone.queue) == (frozenset(), None, None)
    assert (zone.max_unseen_share, zone.reenforce_s) == (0.2, 3600.0)
    assert zone.needs_clock is False


LOADING = Use(kind=UseKind.LOADING, classes=frozenset({ObjectClass.TRUCK}), allowed_stop_s=600.0)
AT_NIGHT_ONLY = Use(kind=UseKind.LOADING, classes=LOADING.classes, allowed_stop_s=600.0, windows=(AT_NIGHT,))
MAY_DAY = frozenset({date(2024, 5, 1)})


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({"windows": (AT_NIGHT,)}, True),
        ({"exceptions": (AT_NIGHT,)}, True),
        ({"holidays": MAY_DAY, "holiday_windows": ()}, True),
        ({"holidays": MAY_DAY}, False),
        ({"holiday_windows": ()}, False),
        ({"uses": (LOADING,)}, False),
        ({"uses": (LOADING, AT_NIGHT_ONLY)}, True),
    ],
)
def test_a_zone_needs_a_clock_where_the_local_time_decides(options: dict[str, object], needed: bool) -> None:
    assert a_zone(**options).needs_clock is needed


def test_queues_crosswalks_gates_and_uses_have_limits_of_their_own() -> None:
    lane = QueueLane(direction=(0.0, 1.0))
    assert (lane.head_ids, lane.longest_s) == ((), 180.0)
    assert Crosswalk(crosswalk_id="w", polygon_px=SQUARE, head_ids=("walk",)).grace_s == 1.0
    gate = Gate(gate_id="in", line_px=((0.0, 0.0), (9.0, 0.0)), direction=(0.0, 1.0))
    assert (gate.lane_shares, gate.pictures) == ((), Pictures.NONE)
    assert LOADING.windows == ()
