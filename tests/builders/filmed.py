"""A street that is drawn, encoded as a camera would, and read again through the real source and packet ring; and its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ingest.file_source import FileSource
from ingest.packet_ring import PacketRing
from rules.finding import (
    DwellSpan,
    Finding,
    Keep,
    Output,
    Photo,
    PhotoRole,
    PlateAlternative,
    PlateResult,
    Release,
    Rule,
    SignalSpan,
    Status,
    TracePoint,
)
from rules.finding_id import finding_id
from rules.geometry import bottom_center
from rules.observation import Box, ClockSource, FrameStamp, LampState, ObjectClass, Point
from rules.site import Camera, Head, NoParkingZone, Site, StopLine, View

Picture = NDArray[np.uint8]

START = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
LINE_Y_SHARE, FURTHER_Y_SHARE = 0.6, 0.35
BITS = 16


@dataclass(frozen=True, kw_only=True)
class Filming:
    """How the street is filmed. ``codec`` and ``options`` are the encoder's; every picture carries its number as bars."""

    seconds: float = 20.0
    fps: int = 25
    size_px: tuple[int, int] = (320, 180)
    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("preset", "ultrafast"), ("g", "50"), ("bf", "3"))
    noise: bool = False


@dataclass(frozen=True, kw_only=True)
class Street:
    """What happens: a car drives up the picture, its rear at the line at ``crossing_s``; another stands from ``arrival_s`` on."""

    filming: Filming = field(default_factory=Filming)
    crossing_s: float = 9.0
    red_s: float = 6.0
    arrival_s: float | None = None

    @property
    def line_y_px(self) -> float:
        return self.filming.size_px[1] * LINE_Y_SHARE

    @property
    def further_y_px(self) -> float:
        return self.filming.size_px[1] * FURTHER_Y_SHARE

    def box_px(self, media_s: float) -> Box:
        """The driving car: 0.2 x 0.2 of the picture's height; its lower edge is its rear."""
        width, height = self.filming.size_px
        size = height * 0.2
        bottom = self.line_y_px - (media_s - self.crossing_s) * height * 0.12
        return (width * 0.4, bottom - size, width * 0.4 + size, bottom)

    def parked_px(self) -> Box:
        """The standing car."""
        width, height = self.filming.size_px
        return (width * 0.7, height * 0.6, width * 0.95, height * 0.85)

    def lamp_px(self) -> Box:
        """The signal head."""
        width, height = self.filming.size_px
        return (width * 0.05, height * 0.2, width * 0.05 + height * 0.06, height * 0.38)

    def draw(self, index: int) -> Picture:
        """The picture of that number: uint8 (height, width, 3), BGR."""
        width, height = self.filming.size_px
        media_s = index / self.filming.fps
        picture = np.full((height, width, 3), (92, 96, 100), np.uint8)
        if self.filming.noise:
            grain = np.random.default_rng(index).integers(0, 24, (height, width, 1), dtype=np.uint8)
            picture += grain
        line_y = round(self.line_y_px)
        picture[line_y : line_y + 2, width // 4 : width * 3 // 4] = 240
        _fill(picture, self.lamp_px(), (20, 20, 20))
        x1, y1, x2, y2 = self.lamp_px()
        lamp_y = y1 + 2 if media_s >= self.red_s else y2 - height * 0.06
        colour = (30, 30, 235) if media_s >= self.red_s else (60, 200, 60)
        _fill(picture, (x1 + 2, lamp_y, x2 - 2, lamp_y + height * 0.05), colour)
        _fill(picture, self.box_px(media_s), (180, 60, 40))
        if self.arrival_s is not None and media_s >= self.arrival_s:
            _fill(picture, self.parked_px(), (40, 60, 170))
            _fill(picture, _plate_box(self.parked_px()), (200, 200, 200))
        for bit in range(BITS):
            _fill(
                picture,
                (bit * width / BITS, height * 0.95, (bit + 1) * width / BITS, height),
                (255, 255, 255) if index >> bit & 1 else (0, 0, 0),
            )
        return picture

    def site(self, *, allowed_stop_s: float = 20.0) -> Site:
        """The site file of this street."""
        width, height = self.filming.size_px
        line = StopLine(
            line_id="line-1",
            movement="straight",
            line_px=self.line_px,
            further_on_px=self.further_px,
            direction=(0.0, -1.0),
            view=View.DEPARTING,
            scale_px_per_m=height * 0.2 / 4.5,
            head_ids=("head-1",),
        )
        zone = NoParkingZone(zone_id="kerb", polygon_px=self.zone_px, allowed_stop_s=allowed_stop_s)
        camera = Camera(
            camera_id="north", width_px=width, height_px=height, stop_lines=(line,), no_parking=(zone,)
        )
        return Site(
            site_id="crossroads",
            name="延安路 / 解放路 Yan'an Road",
            time_zone="Asia/Shanghai",
            plate_profile="cn",
            heads=(Head(head_id="head-1", camera_id="north", box_px=self.lamp_px()),),
            cameras=(camera,),
        )

    @property
    def line_px(self) -> tuple[Point, Point]:
        width = self.filming.size_px[0]
        return ((width * 0.25, self.line_y_px), (width * 0.75, self.line_y_px))

    @property
    def further_px(self) -> tuple[Point, Point]:
        width = self.filming.size_px[0]
        return ((width * 0.25, self.further_y_px), (width * 0.75, self.further_y_px))

    @property
    def zone_px(self) -> tuple[Point, ...]:
        width, height = self.filming.size_px
        return ((width * 0.65, height * 0.5), (width, height * 0.5), (width, height), (width * 0.65, height))

    def film(self, path: Path) -> Path:
        """The street encoded into the file."""
        filming = self.filming
        with av.open(str(path), "w") as container:
            stream = container.add_stream(filming.codec, rate=filming.fps, options=dict(filming.options))
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = filming.size_px
            stream.pix_fmt = "yuvj420p" if filming.codec == "mjpeg" else "yuv420p"
            for index in range(round(filming.seconds * filming.fps)):
                frame = av.VideoFrame.from_ndarray(self.draw(index), format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, filming.fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    def stamp(self, media_s: float, *, started_at: datetime | None = None) -> FrameStamp:
        """The stamp of the first frame at or after that moment, as the file source gives it."""
        index = int(np.ceil(round(media_s * self.filming.fps, 6)))
        at_s = float(Fraction(index, self.filming.fps))
        if started_at is None:
            return FrameStamp(camera_id="north", segment=0, index=index, media_s=at_s)
        return FrameStamp(
            camera_id="north",
            segment=0,
            index=index,
            media_s=at_s,
            captured_at=started_at + timedelta(seconds=at_s),
            clock_source=ClockSource.DECLARED,
            error_s=0.5,
        )

    def red_light(self, *, track_id: int = 7, started_at: datetime | None = None) -> Finding:
        """What the rule would say of the driving car: front over the line one car length before its rear."""
        height = self.filming.size_px[1]
        speed_m_per_s = height * 0.12 / (height * 0.2 / 4.5)
        t_s = self.crossing_s - 4.5 / speed_m_per_s

        def rear_m(at_s: float) -> float:
            return (at_s - self.crossing_s) * speed_m_per_s

        step = 1 / self.filming.fps
        times = [t_s + step * number for number in range(round(-1.5 / step), round(4.6 / step))]
        further_s = self.crossing_s + (self.line_y_px - self.further_y_px) / (height * 0.12)
        stamps = {
            PhotoRole.BEFORE_LINE: self.stamp(t_s - 0.5, started_at=started_at),
            PhotoRole.PAST_LINE: self.stamp(self.crossing_s + 0.2, started_at=started_at),
            PhotoRole.FURTHER_ON: self.stamp(further_s + 0.1, started_at=started_at),
        }
        photos = tuple(
            Photo(
                role=role,
                stamp=stamp,
                box_px=self.box_px(stamp.media_s),
                leading_px=self._ahead(stamp.media_s),
                trailing_px=bottom_center(self.box_px(stamp.media_s)),
            )
            for role, stamp in stamps.items()
        )
        stamp = self.stamp(t_s, started_at=started_at)
        return Finding(
            id=finding_id("north", Rule.RED_LIGHT, stamp, track_id),
            rule=Rule.RED_LIGHT,
            camera_id="north",
            place_id="line-1",
            track_id=track_id,
            stamp=stamp,
            t_s=t_s,
            t_error_s=0.04,
            at_px=self._ahead(t_s),
            object_class=ObjectClass.CAR,
            status=Status.ASSERTED,
            reasons=("Its front crossed the stop line on red.",),
            time_into_red_s=t_s - self.red_s,
            time_into_red_min_s=t_s - self.red_s - 0.08,
            time_into_red_max_s=t_s - self.red_s + 0.08,
            crossing_s=(t_s - 0.04, t_s + 0.04),
            photos=photos,
            trace=tuple(
                TracePoint(
                    index=self.stamp(at_s).index,
                    media_s=self.stamp(at_s).media_s,
                    box_px=self.box_px(self.stamp(at_s).media_s),
                    leading_px=self._ahead(self.stamp(at_s).media_s),
                    trailing_px=bottom_center(self.box_px(self.stamp(at_s).media_s)),
                    leading_m=rear_m(self.stamp(at_s).media_s) + 4.5,
                    trailing_m=rear_m(self.stamp(at_s).media_s),
                )
                for at_s in times
            ),
            signal=(
                SignalSpan(
                    head_id="head-1",
                    state=LampState.GREEN,
                    from_s=0.0,
                    to_s=self.red_s - 0.04,
                    onset_s=None,
                ),
                SignalSpan(
                    head_id="head-1",
                    state=LampState.RED,
                    from_s=self.red_s,
                    to_s=further_s + 2.0,
                    onset_s=(self.red_s - 0.04, self.red_s),
                ),
            ),
            line_px=self.line_px,
            further_line_px=self.further_px,
            plate=self.plate(
                self.box_px(self.crossing_s), self.stamp(self.crossing_s, started_at=started_at)
            ),
        )

    def parking(
        self, *, allowed_stop_s: float, track_id: int = 3, plate: PlateResult | None = None
    ) -> Finding:
        """What the rule would say of the standing car, one second after its last photo at the earliest."""
        assert self.arrival_s is not None
        first_s = self.arrival_s + 1.5
        middle_s = first_s + max(10.0, allowed_stop_s / 2)
        last_s = max(first_s + allowed_stop_s + 0.2, middle_s + 10.0)
        t_s = self.arrival_s + allowed_stop_s
        stamp = self.stamp(t_s)
        photos = tuple(
            Photo(role=role, stamp=self.stamp(at_s), box_px=self.parked_px())
            for role, at_s in (
                (PhotoRole.FIRST, first_s),
                (PhotoRole.MIDDLE, middle_s),
                (PhotoRole.LAST, last_s),
            )
        )
        return Finding(
            id=finding_id("north", Rule.NO_PARKING, stamp, track_id),
            rule=Rule.NO_PARKING,
            camera_id="north",
            place_id="kerb",
            track_id=track_id,
            stamp=stamp,
            t_s=t_s,
            t_error_s=0.5,
            at_px=bottom_center(self.parked_px()),
            object_class=ObjectClass.CAR,
            status=Status.ASSERTED,
            reasons=("It stood for longer than allowed.",),
            dwell_s=last_s - self.arrival_s,
            unseen_s=0.0,
            allowed_stop_s=allowed_stop_s,
            photos=photos,
            dwell=(DwellSpan(from_s=self.arrival_s, to_s=last_s, seen=True),),
            zone_px=self.zone_px,
            plate=self.plate(self.parked_px(), self.stamp(first_s + 1.0)) if plate is None else plate,
        )

    def plate(self, box: Box, stamp: FrameStamp) -> PlateResult:
        """A reading of the plate at the box's lower middle in that frame."""
        x1, y1, x2, y2 = _plate_box(box)
        return PlateResult(
            text="京A12345",
            confidence=0.93,
            char_confidences=(0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93),
            alternatives=(PlateAlternative(text="京A12346", confidence=0.05),),
            readings=12,
            stamp=stamp,
            corners_px=((x1, y1), (x2, y1), (x2, y2), (x1, y2)),
        )

    def _ahead(self, media_s: float) -> Point:
        x, y = bottom_center(self.box_px(media_s))
        return (x, y - self.filming.size_px[1] * 0.2)


Script = Callable[[FrameStamp], Sequence[Output]]


def spoken(findings: Sequence[Finding], *, after_s: float = 0.4) -> Script:
    """Says what the rules would: each finding shortly after its last photo, the Keeps of a parked car when they are due."""
    last_s = {finding.id: finding.photos[-1].stamp.media_s + after_s for finding in findings}
    said: set[str] = set()

    def say(now: FrameStamp) -> list[Output]:
        outputs: list[Output] = []
        for finding in findings:
            if finding.rule is Rule.NO_PARKING:
                outputs += [
                    Keep(
                        rule=finding.rule,
                        track_id=finding.track_id,
                        role=photo.role,
                        stamp=photo.stamp,
                        cut_now=True,
                    )
                    for photo in finding.photos
                    if photo.stamp.index == now.index
                ]
            if now.media_s >= last_s[finding.id] and finding.id not in said:
                said.add(finding.id)
                outputs += [finding, Release(rule=finding.rule, track_id=finding.track_id)]
        return outputs

    return say


def frames_of(path: Path, ring: PacketRing, *, started_at: datetime | None = None) -> Iterator[FrameStamp]:
    """The stamps of the file's frames, the ring filling meanwhile."""
    with closing(FileSource(path, camera_id="north", packet_ring=ring, started_at=started_at)) as source:
        for frame in source.frames():
            yield frame.stamp


def number_in(picture: NDArray[Any], size_px: tuple[int, int]) -> int:
    """The number that a drawn picture carries, read from its bars (of the scene: below it may be a data bar)."""
    width, height = size_px
    row = picture[round(height * 0.975)]
    return sum(1 << bit for bit in range(BITS) if int(row[round((bit + 0.5) * width / BITS)].mean()) > 127)


def _plate_box(box: Box) -> Box:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return (x1 + width * 0.3, y2 - height * 0.3, x2 - width * 0.3, y2 - height * 0.15)


def _fill(picture: Picture, box: Box, colour: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = (max(0, round(value)) for value in box)
    picture[y1:y2, x1:x2] = colour
