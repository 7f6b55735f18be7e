"""The data bar: below the scene, never on it, in characters that the font has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from evidence import wording
from evidence.databar import DataBar, Field
from rules.finding import PhotoRole, Rule
from rules.observation import ClockSource, FrameStamp, LampState, ObjectClass
from rules.site import Window
from tests.builders.filmed import START, Filming, Street

SHANGHAI = timezone(timedelta(hours=8))
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼警学挂港澳领使应急"


@pytest.fixture(scope="module")
def bar() -> DataBar:
    return DataBar()


@pytest.mark.parametrize("width_px", [640, 1280, 1920])
def test_every_pixel_of_the_picture_stays_as_it_was(bar: DataBar, width_px: int) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (200, width_px, 3), dtype=np.uint8)
    with_bar = bar.below(picture, (Field(label="地点 Site", value="延安路"),))
    assert with_bar.shape[1] == width_px
    assert with_bar.shape[0] > 200
    assert np.array_equal(with_bar[:200], picture)
    assert with_bar[200:].max() > 200, "nothing is written in the bar"


def test_a_narrow_picture_gets_a_readable_bar(bar: DataBar) -> None:
    picture = np.full((50, 60, 3), 7, np.uint8)
    with_bar = bar.below(picture, (Field(label="地点 Site", value="延安路"),))
    assert with_bar.shape[1] == 640
    assert np.array_equal(with_bar[:50, :60], picture)
    assert with_bar[:50, 60:].max() == 0


def test_more_text_makes_the_bar_higher_and_none_is_lost_at_the_edge(bar: DataBar) -> None:
    short = bar.bar((Field(label="a", value="b"),), 640)
    long = bar.bar((Field(label="a", value="汉" * 200),), 640)
    assert long.shape[0] > 3 * short.shape[0]
    assert long[:, -2:].max() == 0, "text runs into the right edge"


def test_the_same_fields_give_the_same_bar() -> None:
    fields = (Field(label="地点 Site", value="延安路 / Yan'an"),)
    assert np.array_equal(DataBar().bar(fields, 800), DataBar().bar(fields, 800))


def test_the_font_tells_what_it_lacks(bar: DataBar) -> None:
    assert bar.covers("地点 Site ≥ ± – × 12")
    assert not bar.covers("𠮷")


def test_everything_that_the_bars_say_is_in_the_font(bar: DataBar) -> None:
    street = Street(filming=Filming(), arrival_s=4.0)
    said = [
        *wording.CLASSES.values(),
        *wording.LAMPS.values(),
        *wording.ROLES.values(),
        *wording.RULES.values(),
    ]
    for finding in (street.red_light(started_at=START), street.parking(allowed_stop_s=5.0)):
        for number, photo in enumerate(finding.photos, start=1):
            fields = wording.scene_fields(finding, photo, number, 3, street.site(), SHANGHAI)
            said += [text for field in fields for text in (field.label, field.value)]
        assert finding.plate is not None and finding.plate.stamp is not None
        fields = (
            *wording.lamp_fields(finding, finding.photos, SHANGHAI),
            *wording.plate_fields(finding, finding.plate.stamp, SHANGHAI),
        )
        said += [text for field in fields for text in (field.label, field.value)]
    said.append(wording.hours_text((Window(days=frozenset(range(5)), start_min=0, end_min=1),)))
    said.append("Đường Nguyễn Trãi; München; 深圳南山區濱海大道")
    said.append(PROVINCES)
    assert [text for text in said if not bar.covers(text)] == []


def test_every_rule_role_class_and_lamp_state_has_its_words() -> None:
    assert set(wording.RULES) == set(Rule)
    assert set(wording.ROLES) == set(PhotoRole)
    assert set(wording.CLASSES) == set(ObjectClass)
    assert set(wording.LAMPS) == set(LampState)


def test_time_is_local_to_the_millisecond_with_its_offset_and_its_error() -> None:
    stamp = FrameStamp(
        camera_id="north",
        segment=0,
        index=3,
        media_s=0.12,
        captured_at=datetime(2026, 3, 1, 23, 59, 59, 987_654, tzinfo=UTC),
        clock_source=ClockSource.DECLARED,
        error_s=0.5,
    )
    assert wording.time_text(stamp, SHANGHAI) == "2026-03-02 07:59:59.988 +08:00 (± 0.500 s)"


def test_without_a_wall_clock_the_bar_says_so_and_gives_media_time() -> None:
    stamp = FrameStamp(camera_id="north", segment=0, index=3, media_s=12.345)
    text = wording.time_text(stamp, SHANGHAI)
    assert "no wall clock" in text and "无时钟" in text and "12.345 s" in text


@pytest.mark.parametrize(
    ("days", "start", "end", "text"),
    [
        (range(7), 0, 1440, "每日 daily 00:00–24:00"),
        (range(5), 7 * 60, 9 * 60 + 30, "周一至周五 Mon–Fri 07:00–09:30"),
        ((5, 6), 22 * 60, 6 * 60, "周六至周日 Sat–Sun 22:00–06:00"),
        ((0, 2), 0, 60, "周一、三 Mon, Wed 00:00–01:00"),
        ((3,), 0, 60, "周四 Thu 00:00–01:00"),
    ],
)
def test_hours(days: tuple[int, ...], start: int, end: int, text: str) -> None:
    assert wording.hours_text((Window(days=frozenset(days), start_min=start, end_min=end),)) == text


def test_a_zone_without_windows_holds_all_day() -> None:
    assert wording.hours_text(()) == "全天 all day"


def values(fields: tuple[Field, ...]) -> dict[str, str]:
    return {field.label.split(" ", 1)[1]: field.value for field in fields}


def test_a_red_light_scene_says_all_that_its_bar_must() -> None:
    street = Street()
    finding = street.red_light(started_at=START)
    said = values(wording.scene_fields(finding, finding.photos[1], 2, 3, street.site(), SHANGHAI))
    assert said["Site"] == street.site().name
    assert said["Stop line"] == "line-1"
    assert said["Movement"] == "straight"
    assert said["Camera"] == "north"
    assert said["Time"].startswith("2026-03-02 08:30:09.200 +08:00")
    assert said["Frame"].startswith("230 ")
    assert said["Signal head-1"] == "红灯 red ≥ 3.20 s"
    assert said["Into red when crossing"] == "≥ 1.25 s"
    assert said["Plate"] == "京A12345"
    assert said["Finding"] == finding.id
    assert said["Photo"] == "2/3 越线后 past the line"


def test_a_parking_scene_says_dwell_limit_and_hours() -> None:
    street = Street(filming=Filming(), arrival_s=4.0)
    finding = street.parking(allowed_stop_s=5.0)
    said = values(wording.scene_fields(finding, finding.photos[2], 3, 3, street.site(), SHANGHAI))
    assert said["Zone"] == "kerb"
    assert said["Since photo 1"] == "20.0 s"
    assert said["Dwell"] == "≥ 21.5 s"
    assert "Unseen in all" not in said
    assert said["Allowed"] == "5 s"
    assert said["Hours"] == "全天 all day"
    hidden = replace(finding, unseen_s=2.5)
    said = values(wording.scene_fields(hidden, finding.photos[0], 1, 3, street.site(), SHANGHAI))
    assert (said["Since photo 1"], said["Dwell"], said["Unseen in all"]) == ("0.0 s", "≥ 1.5 s", "2.5 s")
