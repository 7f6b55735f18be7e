"""What the data bars say, each fact in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from types import MappingProxyType

from evidence.canonical import to_millisecond
from evidence.databar import Field
from evidence.moments import heads_at
from rules.finding import Finding, Photo, PhotoRole, Rule
from rules.observation import FrameStamp, LampState, ObjectClass
from rules.site import NoParkingZone, Site, StopLine, Window

CLASSES: Mapping[ObjectClass, str] = MappingProxyType(
    {
        ObjectClass.CAR: "小客车 car",
        ObjectClass.BUS: "客车 bus",
        ObjectClass.TRUCK: "货车 truck",
        ObjectClass.MOTORCYCLE: "摩托车 motorcycle",
        ObjectClass.BICYCLE: "非机动车 bicycle",
        ObjectClass.PERSON: "行人 person",
    }
)

LAMPS: Mapping[LampState, str] = MappingProxyType(
    {
        LampState.RED: "红灯 red",
        LampState.AMBER: "黄灯 amber",
        LampState.GREEN: "绿灯 green",
        LampState.RED_AMBER: "红黄灯 red and amber",
        LampState.OFF: "未亮 off",
        LampState.UNKNOWN: "不明 unknown",
    }
)

ROLES: Mapping[PhotoRole, str] = MappingProxyType(
    {
        PhotoRole.BEFORE_LINE: "越线前 before the line",
        PhotoRole.PAST_LINE: "越线后 past the line",
        PhotoRole.FURTHER_ON: "继续行驶 further on",
        PhotoRole.FIRST: "首次 first",
        PhotoRole.MIDDLE: "中间 middle",
        PhotoRole.LAST: "末次 last",
    }
)

RULES: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.RED_LIGHT: "闯红灯 red light",
        Rule.STOPPED_PAST_LINE: "越线停车 stopped past line",
        Rule.RIGHT_TURN_WITHOUT_STOP: "右转未停 right turn without stop",
        Rule.NO_PARKING: "违法停车 no parking",
        Rule.CROSSWALK_RED: "红灯过街 crosswalk on red",
    }
)

DAYS_ZH = "一二三四五六日"
DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def scene_fields(
    finding: Finding, photo: Photo, number: int, count: int, site: Site, zone: tzinfo
) -> tuple[Field, ...]:
    """The bar of scene ``number`` (from 1) of ``count``; ``zone`` is the site's time zone."""
    fields = [
        Field(label="地点 Site", value=site.name),
        *place_fields(finding, site),
        Field(label="设备 Camera", value=finding.camera_id),
        Field(label="时间 Time", value=time_text(photo.stamp, zone)),
        Field(label="帧号 Frame", value=f"{photo.stamp.index} (段 segment {photo.stamp.segment})"),
    ]
    if finding.rule is Rule.NO_PARKING:
        fields += _parking_fields(finding, photo, site, zone)
    else:
        fields += _signal_fields(finding, photo)
    plate = finding.plate.text if finding.plate is not None else None
    fields += [
        Field(label="车型 Class", value=CLASSES[finding.object_class]),
        Field(label="号牌 Plate", value=plate or "未能识别 not readable"),
        Field(label="行为 Kind", value=RULES[finding.rule]),
        Field(label="编号 Finding", value=finding.id),
        Field(label="图 Photo", value=f"{number}/{count} {ROLES[photo.role]}"),
    ]
    if finding.codes:
        codes = ", ".join(code.code for code in finding.codes)
        fields.append(Field(label="建议代码 Proposed code", value=codes))
    return tuple(fields)


def lamp_fields(finding: Finding, photos: Sequence[Photo], zone: tzinfo) -> tuple[Field, ...]:
    """The bar of the lamp close-up: per photo its time and what each head was read as."""
    fields = [Field(label="信号灯特写 Signal close-up", value=finding.id)]
    for number, photo in enumerate(photos, start=1):
        heads = heads_at(finding.signal, photo.stamp.media_s)
        states = ", ".join(f"{head.head_id} {LAMPS[head.state]}" for head in heads)
        fields.append(Field(label=f"图 {number}", value=f"{time_text(photo.stamp, zone)} {states}"))
    return tuple(fields)


def plate_fields(finding: Finding, stamp: FrameStamp, zone: tzinfo) -> tuple[Field, ...]:
    """The bar of the plate close-up: the reading with its confidence, the alternatives, when it was seen."""
    plate = finding.plate
    if plate is None or plate.text is None:
        read = "未能识别 not readable"
    else:
        read = f"{plate.text} ({plate.confidence:.2f})"
    fields = [Field(label="号牌特写 Plate close-up", value=finding.id), Field(label="号牌 Plate", value=read)]
    if plate is not None and plate.alternatives:
        others = ", ".join(f"{other.text} ({other.confidence:.2f})" for other in plate.alternatives[:3])
        fields.append(Field(label="其他读数 Alternatives", value=others))
    fields.append(Field(label="时间 Time", value=time_text(stamp, zone)))
    fields.append(Field(label="帧号 Frame", value=str(stamp.index)))
    return tuple(fields)


def place_fields(finding: Finding, site: Site) -> tuple[Field, ...]:
    """The zone, or the stop line and its movement."""
    if finding.rule is Rule.NO_PARKING:
        return (Field(label="区域 Zone", value=finding.place_id),)
    line = stop_line(finding, site)
    fields = [Field(label="停止线 Stop line", value=finding.place_id)]
    if line is not None:
        fields.append(Field(label="行驶方向 Movement", value=finding.movement or line.movement))
    return tuple(fields)


def time_text(stamp: FrameStamp, zone: tzinfo) -> str:
    """Local time to the millisecond with its offset, or that there is no wall clock, and the media time."""
    if stamp.captured_at is None:
        return f"无时钟 no wall clock, 片内 media {stamp.media_s:.3f} s"
    return f"{local_time(stamp.captured_at, zone)} (± {stamp.error_s:.3f} s)"


def hours_text(windows: Sequence[Window]) -> str:
    """When a zone holds: all day, or its weekly windows."""
    if not windows:
        return "全天 all day"
    return "; ".join(_window_text(window) for window in windows)


def stop_line(finding: Finding, site: Site) -> StopLine | None:
    """The stop line of the finding; None where the site has none of that id."""
    lines = site.camera(finding.camera_id).stop_lines
    return next((line for line in lines if line.line_id == finding.place_id), None)


def no_parking_zone(finding: Finding, site: Site) -> NoParkingZone | None:
    """The zone of the finding; None where the site has none of that id."""
    zones = site.camera(finding.camera_id).no_parking
    return next((zone for zone in zones if zone.zone_id == finding.place_id), None)


def _signal_fields(finding: Finding, photo: Photo) -> list[Field]:
    fields = []
    for head in heads_at(finding.signal, photo.stamp.media_s):
        lasting = "" if head.lasting_s is None else f" ≥ {head.lasting_s:.2f} s"
        fields.append(Field(label=f"信号 Signal {head.head_id}", value=f"{LAMPS[head.state]}{lasting}"))
    least = finding.time_into_red_min_s
    crossed = "不明 unknown" if least is None else f"≥ {least:.2f} s"
    fields.append(Field(label="越线时红灯已亮 Into red when crossing", value=crossed))
    return fields


def _parking_fields(finding: Finding, photo: Photo, site: Site, zone: tzinfo) -> list[Field]:
    at_s = photo.stamp.media_s
    fields = [Field(label="距首图 Since photo 1", value=f"{at_s - finding.photos[0].stamp.media_s:.1f} s")]
    if finding.dwell:
        stood_s = max(0.0, at_s - finding.dwell[0].from_s)
        fields.append(Field(label="已停留 Dwell", value=f"≥ {stood_s:.1f} s"))
    if finding.unseen_s:
        fields.append(Field(label="其中未见 Unseen in all", value=f"{finding.unseen_s:.1f} s"))
    if finding.allowed_stop_s is not None:
        fields.append(Field(label="允许停留 Allowed", value=f"{finding.allowed_stop_s:.0f} s"))
    place = no_parking_zone(finding, site)
    if place is not None:
        fields.append(Field(label="禁停时段 Hours", value=hours_text(place.windows)))
    return fields


def local_time(moment: datetime, zone: tzinfo) -> str:
    """The moment on the clocks of the zone, to the millisecond, with its offset."""
    local = to_millisecond(moment).astimezone(zone)
    text = local.isoformat(sep=" ", timespec="milliseconds")
    return f"{text[:23]} {text[23:]}"


def _window_text(window: Window) -> str:
    days = sorted(window.days)
    if len(days) == 7:
        when = "每日 daily"
    elif days == list(range(days[0], days[-1] + 1)) and len(days) > 1:
        when = f"周{DAYS_ZH[days[0]]}至周{DAYS_ZH[days[-1]]} {DAYS_EN[days[0]]}–{DAYS_EN[days[-1]]}"
    else:
        when = f"周{'、'.join(DAYS_ZH[day] for day in days)} {', '.join(DAYS_EN[day] for day in days)}"
    return f"{when} {_clock(window.start_min)}–{_clock(window.end_min)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
