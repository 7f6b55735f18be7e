"""Time zones by IANA name, always from the pinned ``tzdata`` package, never from the machine."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from api.suggest import did_you_mean
from rules.errors import StoplineError


class UnknownTimeZoneError(StoplineError):
    """A name that the zone data doesn't know."""

    code = "unknown_time_zone"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        hint = did_you_mean(name, known) or "; give an IANA name such as Asia/Shanghai"
        super().__init__(f"{name!r} is not a time zone{hint}")
        self.name = name


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Every name of the pinned zone data."""
    return tuple((files("tzdata") / "zones").read_text(encoding="utf-8").split())


@lru_cache(maxsize=64)
def time_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises UnknownTimeZoneError."""
    known = zone_names()
    if name not in known:
        raise UnknownTimeZoneError(name, known)
    with (files("tzdata") / "zoneinfo").joinpath(*name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def local_text(moment: datetime, zone_name: str) -> str:
    """The aware moment in that zone as RFC 3339, to the millisecond and with its offset. Raises UnknownTimeZoneError."""
    return moment.astimezone(time_zone(zone_name)).isoformat(timespec="milliseconds")
