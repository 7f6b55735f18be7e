"""Whether a zone's weekly hours are in force, given the local time by whoever knows the time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rules.observation import ObjectClass
from rules.site import NoParkingZone, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """What a clock on the wall at the site shows: the date, seconds since its midnight, and the offset from UTC."""

    date: date
    second_of_day: float
    utc_offset_min: int

    @property
    def weekday(self) -> int:
        """0 = Monday .. 6 = Sunday."""
        return self.date.weekday()

    @staticmethod
    def of(local: datetime) -> LocalTime:
        """From an aware datetime already converted to the site's time zone. Raises ValueError for a naive one."""
        offset = local.utcoffset()
        if offset is None:
            raise ValueError("local time needs an offset from UTC")
        second_of_day = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
        return LocalTime(
            date=local.date(),
            second_of_day=second_of_day,
            utc_offset_min=round(offset / timedelta(minutes=1)),
        )


def holds(window: Window, local: LocalTime) -> bool:
    """Whether the window contains the time; its start belongs to it, its end does not.

    ``days`` name the day on which the window starts: one that ends on the next day (``end_min`` <=
    ``start_min``) still holds in the early hours after its day.
    """
    minute = local.second_of_day / 60.0
    if window.end_min > window.start_min:
        return local.weekday in window.days and window.start_min <= minute < window.end_min
    yesterday = (local.weekday - 1) % 7
    evening = local.weekday in window.days and minute >= window.start_min
    morning = yesterday in window.days and minute < window.end_min
    return evening or morning


def in_force(windows: Sequence[Window], local: LocalTime | None) -> bool:
    """Whether any of the windows holds; without windows always, with windows but no wall clock never."""
    if not windows:
        return True
    return local is not None and any(holds(window, local) for window in windows)


def zone_in_force(zone: NoParkingZone, local: LocalTime | None) -> bool:
    """Whether the zone holds: by the windows of the day on which they started, and by no exception.

    The night before a holiday that began on a working day keeps the working day's windows.
    """
    if not zone.needs_clock:
        return True
    if local is None:
        return False
    if any(holds(window, local) for window in zone.exceptions):
        return False
    today, yesterday = local.date, local.date - timedelta(days=1)
    return any(
        (not windows and started == today) or any(_held_from(window, started, local) for window in windows)
        for started in (today, yesterday)
        if (windows := _windows_of(zone, started)) is not None
    )


def _windows_of(zone: NoParkingZone, day: date) -> tuple[Window, ...] | None:
    """The windows that start on that day, empty for all day; None where the zone is free."""
    if day in zone.holidays and zone.holiday_windows is not None:
        return zone.holiday_windows or None
    return zone.windows


def _held_from(window: Window, started: date, local: LocalTime) -> bool:
    """Whether the window holds and it started on that day."""
    if started.weekday() not in window.days:
        return False
    minute = local.second_of_day / 60.0
    overnight = window.end_min <= window.start_min
    if started == local.date:
        return minute >= window.start_min and (overnight or minute < window.end_min)
    return overnight and minute < window.end_min


def allowed_to(zone: NoParkingZone, object_class: ObjectClass, local: LocalTime | None) -> NoParkingZone:
    """The zone as it holds for that class: with the longest stop that a use grants it, or exempting it wholly.

    A use with hours grants nothing while nobody knows the time of day.
    """
    for use in zone.uses:
        if object_class not in use.classes or not in_force(use.windows, local):
            continue
        if use.allowed_stop_s is None:
            return replace(zone, exempt_classes=zone.exempt_classes | {object_class})
        zone = replace(zone, allowed_stop_s=max(zone.allowed_stop_s, use.allowed_stop_s))
    return zone


def disarmed_reason(zone: NoParkingZone, local: LocalTime | None) -> str | None:
    """One sentence where the zone cannot accuse anybody because its hours need a wall clock, else None."""
    if zone.needs_clock and local is None:
        return f"zone {zone.zone_id}: no wall clock, so its hours cannot be checked and nobody is accused"
    return None
