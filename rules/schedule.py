"""Whether a zone's weekly hours are in force, given the local time by whoever knows the time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

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


def disarmed_reason(zone: NoParkingZone, local: LocalTime | None) -> str | None:
    """One sentence where the zone cannot accuse anybody because its hours need a wall clock, else None."""
    if zone.windows and local is None:
        return f"zone {zone.zone_id}: no wall clock, so its hours cannot be checked and nobody is accused"
    return None
