"""Finds hours and limits of a zone that contradict each other: zones that never hold, and permissions that grant nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from api.site_fields import DAYS
from api.site_parking import NoParkingPart, UsePart, WindowPart
from api.yaml_text import Place

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN


def hour_findings(place: Place, zone: NoParkingPart, *, has_holidays: bool) -> Iterator[tuple[Place, str]]:
    """Each contradiction within the zone at ``place`` of a site that has or has not declared holidays."""
    if zone.exceptions and _hours(zone) <= _minutes(zone.exceptions):
        yield (
            (*place, "exceptions"),
            "cover all hours of the zone, so that it would never hold; shorten them, or leave out the zone",
        )
    if zone.holiday_windows is not None and not has_holidays:
        yield (
            (*place, "holiday_windows"),
            "the site has no holidays, so these would never hold; give site.holidays, or leave them out",
        )
    for i, use in enumerate(zone.uses):
        yield from _use_findings((*place, "uses", i), use, zone)


def _use_findings(place: Place, use: UsePart, zone: NoParkingPart) -> Iterator[tuple[Place, str]]:
    twice = [name for name in use.classes if name in zone.exempt]
    if twice:
        yield (
            (*place, "classes"),
            f"{twice[0]} is exempt from the zone at all hours, so this use would never matter; say one or the other",
        )
    if use.allowed_stop_s is not None and use.allowed_stop_s <= zone.allowed_stop_s:
        yield (
            (*place, "allowed_stop_s"),
            f"{use.allowed_stop_s:g} s is no more than the {zone.allowed_stop_s:g} s that everybody may stand; a use "
            "grants more",
        )
    if use.windows and not _hours(zone) & _minutes(use.windows):
        yield (
            (*place, "windows"),
            "lie outside the hours of the zone, so this use would never matter; check the hours of both",
        )


def _hours(zone: NoParkingPart) -> frozenset[int]:
    """The minutes of the week in which the zone holds, but for holidays and exceptions."""
    return _minutes(zone.windows) if zone.windows else frozenset(range(WEEK_MIN))


def _minutes(windows: Iterable[WindowPart]) -> frozenset[int]:
    """The minutes of the week, from Monday 00:00, that any of the windows covers."""
    found: set[int] = set()
    for window in windows:
        length = (window.end - window.start) % DAY_MIN or DAY_MIN
        for day in window.days:
            first = DAYS.index(day) * DAY_MIN + window.start
            found.update(minute % WEEK_MIN for minute in range(first, first + length))
    return frozenset(found)
