"""Zones come from the pinned package: known names work, all others are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.time_zone import UnknownTimeZoneError, local_text, time_zone, zone_names


def test_a_known_zone_gives_local_time() -> None:
    moment = datetime(2024, 7, 1, tzinfo=UTC)
    assert moment.astimezone(time_zone("Asia/Shanghai")).utcoffset() == timedelta(hours=8)
    assert moment.astimezone(time_zone("Europe/London")).utcoffset() == timedelta(hours=1)


def test_a_moment_is_told_with_the_offset_of_its_season() -> None:
    assert local_text(datetime(2024, 7, 1, 12, 0, 0, 5_600, tzinfo=UTC), "America/New_York") == (
        "2024-07-01T08:00:00.005-04:00"
    )
    assert local_text(datetime(2024, 1, 1, tzinfo=UTC), "Asia/Kathmandu") == "2024-01-01T05:45:00.000+05:45"


def test_every_name_of_the_zone_data_can_be_loaded() -> None:
    for name in zone_names():
        assert time_zone(name).key == name


@pytest.mark.parametrize("name", ["", "asia/shanghai", "../etc/passwd", "Asia", "Asia/Shanghai\x00", "CST-8"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZoneError, match="is not a time zone"):
        time_zone(name)
