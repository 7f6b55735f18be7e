"""The weekly hours of a zone, in local time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.observation import ObjectClass
from rules.schedule import LocalTime, allowed_to, disarmed_reason, holds, in_force, zone_in_force
from rules.site import NoParkingZone, Use, UseKind, Window

MONDAY = date(2024, 4, 1)
WORKDAYS = frozenset(range(5))
MORNING = Window(days=WORKDAYS, start_min=7 * 60, end_min=9 * 60)
NIGHT = Window(days=frozenset({4}), start_min=22 * 60, end_min=6 * 60)
ALL_SUNDAY = Window(days=frozenset({6}), start_min=0, end_min=0)


def wall(day: int, hour: int, minute: int = 0, second: float = 0.0) -> LocalTime:
    return LocalTime(
        date=MONDAY + timedelta(days=day),
        second_of_day=hour * 3600 + minute * 60 + second,
        utc_offset_min=480,
    )


def a_zone(*windows: Window) -> NoParkingZone:
    return NoParkingZone(
        zone_id="kerb", polygon_px=((0, 0), (1, 0), (1, 1)), allowed_stop_s=20, windows=windows
    )


@pytest.mark.parametrize(
    ("window", "local", "expected"),
    [
        (MORNING, wall(0, 6, 59, 59.999), False),
        (MORNING, wall(0, 7), True),
        (MORNING, wall(0, 8, 59, 59.999), True),
        (MORNING, wall(0, 9), False),
        (MORNING, wall(5, 8), False),
        (NIGHT, wall(4, 21, 59), False),
        (NIGHT, wall(4, 22), True),
        (NIGHT, wall(5, 5, 59, 59.0), True),
        (NIGHT, wall(5, 6), False),
        (NIGHT, wall(4, 3), False),
        (NIGHT, wall(5, 23), False),
        (ALL_SUNDAY, wall(6, 0), True),
        (ALL_SUNDAY, wall(6, 23, 59, 59.0), True),
        (ALL_SUNDAY, wall(7, 0), False),
        (ALL_SUNDAY, wall(5, 23, 59), False),
    ],
)
def test_a_window_holds_from_its_first_second_to_before_its_last(
    window: Window, local: LocalTime, expected: bool
) -> None:
    assert holds(window, local) is expected


def test_a_night_window_of_sunday_holds_early_on_monday() -> None:
    sunday_night = Window(days=frozenset({6}), start_min=23 * 60, end_min=60)
    assert holds(sunday_night, wall(7, 0, 30))
    assert not holds(sunday_night, wall(0 + 1, 0, 30))


def test_without_windows_a_zone_is_always_in_force_and_never_disarmed() -> None:
    assert in_force((), None)
    assert in_force((), wall(0, 3))
    assert disarmed_reason(a_zone(), None) is None


def test_windows_without_a_wall_clock_accuse_nobody_and_say_so() -> None:
    assert not in_force((MORNING,), None)
    assert "no wall clock" in (disarmed_reason(a_zone(MORNING), None) or "")
    assert "kerb" in (disarmed_reason(a_zone(MORNING), None) or "")
    assert disarmed_reason(a_zone(MORNING), wall(5, 12)) is None


def test_one_of_several_windows_is_enough() -> None:
    assert in_force((MORNING, NIGHT), wall(4, 23))
    assert in_force((MORNING, NIGHT), wall(4, 8))
    assert not in_force((MORNING, NIGHT), wall(4, 12))


TUESDAY_OFF = replace(a_zone(MORNING), holidays=frozenset({MONDAY + timedelta(days=1)}))
NOON = Window(days=frozenset(range(7)), start_min=12 * 60, end_min=13 * 60)


def test_a_zone_holds_by_its_windows_and_without_a_clock_only_where_it_has_none() -> None:
    assert zone_in_force(a_zone(), None)
    assert zone_in_force(a_zone(), wall(6, 3))
    assert not zone_in_force(a_zone(MORNING), None)
    assert zone_in_force(a_zone(MORNING), wall(0, 8))
    assert not zone_in_force(a_zone(MORNING), wall(0, 9))
    assert not zone_in_force(a_zone(MORNING), wall(5, 8))
    assert not zone_in_force(a_zone(MORNING), wall(0, 6, 59))
    assert zone_in_force(a_zone(MORNING, NIGHT), wall(5, 5))
    assert not zone_in_force(a_zone(MORNING, NIGHT), wall(4, 5))
    assert not zone_in_force(a_zone(NIGHT), wall(5, 6))
    assert not zone_in_force(a_zone(NIGHT), wall(6, 5))


@pytest.mark.parametrize(
    ("windows", "at", "in_force_then"),
    [
        (None, wall(1, 8), True),
        ((), wall(1, 8), False),
        ((NOON,), wall(1, 8), False),
        ((NOON,), wall(1, 12), True),
        ((NOON,), wall(0, 12), False),
        ((NOON,), wall(0, 8), True),
        ((), wall(2, 8), True),
    ],
)
def test_on_a_holiday_its_own_windows_hold_or_none_or_those_of_any_day(
    windows: tuple[Window, ...] | None, at: LocalTime, in_force_then: bool
) -> None:
    assert zone_in_force(replace(TUESDAY_OFF, holiday_windows=windows), at) is in_force_then


def test_a_zone_without_windows_is_free_on_a_free_holiday_alone() -> None:
    zone = replace(TUESDAY_OFF, windows=(), holiday_windows=())
    assert [zone_in_force(zone, wall(day, 0, 30)) for day in (0, 1, 2)] == [True, False, True]


def test_the_night_before_a_holiday_keeps_its_own_hours_to_their_end() -> None:
    """Friday's night lasts to 6:00 on Saturday, which is free."""
    saturday_off = frozenset({MONDAY + timedelta(days=5)})
    zone = replace(a_zone(NIGHT), holidays=saturday_off, holiday_windows=())
    assert zone_in_force(zone, wall(5, 5, 59))
    assert not zone_in_force(zone, wall(5, 6))
    friday_off = replace(zone, holidays=frozenset({MONDAY + timedelta(days=4)}))
    assert not zone_in_force(friday_off, wall(5, 5))


def test_while_an_exception_holds_the_zone_does_not() -> None:
    zone = replace(a_zone(), exceptions=(NOON,))
    assert zone_in_force(zone, wall(0, 11, 59))
    assert not zone_in_force(zone, wall(0, 12))
    assert zone_in_force(zone, wall(0, 13))
    assert not zone_in_force(zone, None)


LOADING = Use(kind=UseKind.LOADING, classes=frozenset({ObjectClass.TRUCK}), allowed_stop_s=600.0)
BUSES = Use(kind=UseKind.BUS_STOP, classes=frozenset({ObjectClass.BUS}), allowed_stop_s=None)


def test_a_use_grants_its_classes_a_longer_stop_or_one_as_long_as_they_like() -> None:
    zone = replace(a_zone(), uses=(LOADING, BUSES), exempt_classes=frozenset({ObjectClass.MOTORCYCLE}))
    assert allowed_to(zone, ObjectClass.TRUCK, None) == replace(zone, allowed_stop_s=600.0)
    assert allowed_to(zone, ObjectClass.BUS, None) == replace(
        zone, exempt_classes=frozenset({ObjectClass.MOTORCYCLE, ObjectClass.BUS})
    )
    assert allowed_to(zone, ObjectClass.CAR, None) is zone


def test_the_longest_stop_counts_and_none_is_shortened() -> None:
    short = replace(LOADING, allowed_stop_s=5.0)
    zone = replace(a_zone(), uses=(LOADING, short))
    assert allowed_to(zone, ObjectClass.TRUCK, None).allowed_stop_s == 600.0
    assert allowed_to(replace(zone, uses=(short,)), ObjectClass.TRUCK, None).allowed_stop_s == 20


def test_a_use_with_hours_grants_nothing_outside_them_nor_where_nobody_knows_the_time() -> None:
    zone = replace(a_zone(), uses=(replace(LOADING, windows=(NOON,)),))
    granted = [
        allowed_to(zone, ObjectClass.TRUCK, at).allowed_stop_s for at in (wall(0, 12), wall(0, 13), None)
    ]
    assert granted == [600.0, 20, 20]


def test_local_time_of_an_aware_moment() -> None:
    local = datetime(2024, 4, 1, 23, 5, 7, 250_000, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert LocalTime.of(local) == LocalTime(
        date=MONDAY, second_of_day=23 * 3600 + 5 * 60 + 7.25, utc_offset_min=330
    )
    assert LocalTime.of(local).weekday == 0


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        LocalTime.of(datetime(2024, 4, 1, 12, 0))  # noqa: DTZ001


windows = st.builds(
    Window,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    start_min=st.integers(0, 1439),
    end_min=st.integers(0, 1439),
)


@given(windows, st.integers(0, 13), st.integers(0, 86_399))
def test_membership_equals_being_in_one_of_the_written_out_intervals(
    window: Window, day: int, second: int
) -> None:
    local = LocalTime(date=MONDAY + timedelta(days=day), second_of_day=second, utc_offset_min=0)
    moment = datetime(2024, 4, 1) + timedelta(days=day, seconds=second)  # noqa: DTZ001
    length_min = (window.end_min - window.start_min) % 1440 or 1440
    starts = [
        datetime(2024, 4, 1) + timedelta(days=start_day, minutes=window.start_min)  # noqa: DTZ001
        for start_day in range(-7, 15)
        if start_day % 7 in window.days
    ]
    expected = any(start <= moment < start + timedelta(minutes=length_min) for start in starts)
    assert holds(window, local) is expected
