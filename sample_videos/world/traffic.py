"""Who drives where: trips along paths with car-following, signals, stops, and a record of every moment.

Car-following is the Intelligent Driver Model (Treiber, Hennecke, Helbing 2000) with its usual parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import atan2, cos, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from sample_videos.world.kinds import Kind
from sample_videos.world.paths import STEP_M, Path
from sample_videos.world.signals import Program

DT_S = 0.08
BRAKE_LIGHT = -0.35
"""A vehicle that brakes harder than this (m/s²), or stands, shows its brake lights."""

COMFORT, HARDEST = 2.8, 7.0
"""On amber a driver stops where that takes no more than the first (m/s²); nobody brakes harder than the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The front bumper stops at ``s_m`` along the path until ``until_s``, blinking where ``blinks``."""

    s_m: float
    until_s: float
    blinks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A stop line on the path: where it is, and the head that allows driving on."""

    s_m: float
    head_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One road user's way. ``runs_red`` ignores signals; ``stops_past_m`` stops that far beyond a red line.

    ``jumps_s`` sets off that long before green. ``turns`` ("left", "right", "") sets the indicator near the line.
    """

    trip_id: int
    kind: Kind
    path: Path
    depart_s: float
    speed_mps: float
    plate: str = ""
    paint: tuple[float, float, float] = (0.5, 0.5, 0.5)
    start_m: float = 0.0
    start_speed_mps: float | None = None
    controls: tuple[Control, ...] = ()
    holds: tuple[Hold, ...] = ()
    runs_red: bool = False
    stops_past_m: float = 0.0
    jumps_s: float = 0.0
    gap_m: float = 1.0
    headway_s: float = 1.2
    accel: float = 1.6
    turns: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """One road user at one time: the point under its front wheels' middle along its path, speed, braking, indicator."""

    s_m: float
    speed_mps: float
    braking: bool
    blinks: str


@dataclass
class Drive:
    """A trip with its moments from ``first_step`` on, one each ``DT_S``; steps count from the start of the warm-up."""

    trip: Trip
    first_step: int
    moments: list[Moment] = field(default_factory=list)


@dataclass(frozen=True)
class Traffic:
    """All drives; step 0 is at ``from_s`` media seconds."""

    from_s: float
    drives: tuple[Drive, ...]

    def moment(self, drive: Drive, t_s: float) -> Moment | None:
        """The moment at media time ``t_s``, interpolated; None while the road user is not in the world."""
        at = (t_s - self.from_s) / DT_S - drive.first_step
        index = int(at + 1e-6)
        if at < -1e-6 or index >= len(drive.moments):
            return None
        now = drive.moments[max(index, 0)]
        if index + 1 >= len(drive.moments):
            return now
        share = max(at - index, 0.0)
        then = drive.moments[index + 1]
        return Moment(now.s_m + (then.s_m - now.s_m) * share, now.speed_mps, now.braking, now.blinks)

    def reaches(self, drive: Drive, s_m: float) -> float | None:
        """When (media seconds) the front wheels first reach ``s_m``; None where they start beyond it or never do."""
        places = [moment.s_m for moment in drive.moments]
        if not places or places[0] >= s_m or places[-1] < s_m:
            return None
        index = next(i for i, place in enumerate(places) if place >= s_m)
        share = (s_m - places[index - 1]) / (places[index] - places[index - 1])
        return self.from_s + (drive.first_step + index - 1 + share) * DT_S


def axles(trip: Trip, s_m: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ground points under the middle of the front and of the rear wheels."""
    return trip.path.at(s_m), trip.path.at(s_m - trip.kind.wheelbase_m)


def pose(trip: Trip, s_m: float) -> tuple[float, float, float]:
    """x, y of the middle of the road user's length and its heading (radians)."""
    (fx, fy), (rx, ry) = axles(trip, s_m)
    heading = atan2(fy - ry, fx - rx)
    back = trip.kind.length_m / 2 - trip.kind.front_overhang_m
    return fx - cos(heading) * back, fy - sin(heading) * back, heading


def drive_all(
    trips: Sequence[Trip], programs: Mapping[str, Program], *, from_s: float, to_s: float
) -> Traffic:
    """The traffic of all trips between ``from_s`` (warm-up included) and ``to_s``."""
    waiting = sorted(trips, key=lambda trip: (trip.depart_s, trip.trip_id))
    drives: list[Drive] = []
    active: list[_Driver] = []
    for step in range(round((to_s - from_s) / DT_S) + 1):
        now_s = from_s + step * DT_S
        for trip in [trip for trip in waiting if trip.depart_s <= now_s]:
            driver = _Driver(trip)
            if trip.kind.name != "person" and any(driver.overlaps(other) for other in active):
                continue
            waiting.remove(trip)
            driver.drive = Drive(trip, step)
            drives.append(driver.drive)
            active.append(driver)
        # People on foot keep out of everybody's way.
        active.sort(key=lambda driver: driver.trip.kind.name == "person")
        wheels = [driver for driver in active if driver.trip.kind.name != "person"]
        points = np.array([driver.outline() for driver in wheels]).reshape(-1, 3, 2)
        widths = np.array([driver.trip.kind.width_m for driver in wheels])
        speeds = np.array([driver.speed for driver in wheels])
        accelerations = [
            driver.accelerate(now_s, programs, points, widths, speeds, index)
            for index, driver in enumerate(active)
        ]
        for driver, acceleration in zip(active, accelerations, strict=True):
            driver.move(acceleration, now_s)
        active = [driver for driver in active if driver.s_m < driver.trip.path.length_m + 12.0]
    return Traffic(from_s=from_s, drives=tuple(drives))


LOOK_M = 45.0
"""How far ahead a driver looks for others."""


class _Driver:
    """A trip under way."""

    def __init__(self, trip: Trip) -> None:
        self.trip = trip
        self.s_m = trip.start_m
        self.speed = trip.speed_mps if trip.start_speed_mps is None else trip.start_speed_mps
        self.drive = Drive(trip, 0)
        self._stops_for: set[int] = set()
        self._goes_for: set[int] = set()

    def outline(self) -> NDArray[np.float64]:
        """Front, middle and rear of the road user, (3, 2)."""
        x, y, heading = pose(self.trip, self.s_m)
        half = self.trip.kind.length_m / 2
        return np.array(
            [(x + cos(heading) * f * half, y + sin(heading) * f * half) for f in (1.0, 0.0, -1.0)]
        )

    def overlaps(self, other: _Driver) -> bool:
        """Whether the two are too near for one of them to appear."""
        (x, y), (u, v) = self.trip.path.at(self.s_m), other.trip.path.at(other.s_m)
        if abs(x - u) + abs(y - v) > 40.0:
            return False
        offsets = other.outline()[None] - self.outline()[:, None]
        heading = pose(self.trip, self.s_m)[2]
        along = np.abs(offsets[..., 0] * cos(heading) + offsets[..., 1] * sin(heading))
        across = np.abs(offsets[..., 1] * cos(heading) - offsets[..., 0] * sin(heading))
        beside = across > (self.trip.kind.width_m + other.trip.kind.width_m) / 2 + 0.2
        return bool(((along < 4.0 + 0.3 * self.speed) & ~beside).any())

    def accelerate(
        self,
        now_s: float,
        programs: Mapping[str, Program],
        points: NDArray[np.float64],
        widths: NDArray[np.float64],
        speeds: NDArray[np.float64],
        me: int,
    ) -> float:
        """m/s² for the next step."""
        trip = self.trip
        wanted = max(min(trip.speed_mps, trip.path.limit(self.s_m)), 0.5)
        result = trip.accel * (1.0 - (self.speed / wanted) ** 4)
        front_m = self.s_m + trip.kind.front_overhang_m
        gap, lead_speed = self._leader(front_m, points, widths, speeds, me)
        if gap is not None:
            result = min(result, self._following(gap, self.speed - lead_speed, 1.6))
        for hold in trip.holds:
            if now_s < hold.until_s and front_m < hold.s_m + 0.3:
                result = min(result, self._stopping(hold.s_m - front_m))
        for index, control in enumerate(trip.controls):
            if self._must_stop(index, control, front_m, now_s, programs):
                result = min(result, self._stopping(self._target(control) - front_m))
        return max(result, -HARDEST)

    def _target(self, control: Control) -> float:
        past = self.trip.stops_past_m
        return control.s_m + past if past > 0.0 else control.s_m - self.trip.gap_m

    def _must_stop(
        self, index: int, control: Control, front_m: float, now_s: float, programs: Mapping[str, Program]
    ) -> bool:
        if self.trip.runs_red or front_m > max(self._target(control) + 0.4, control.s_m):
            return False
        program = programs[control.head_id]
        state = program.state(now_s)
        if state in ("green", "flashing_green", "flashing_amber", "off"):
            self._stops_for.discard(index)
            self._goes_for.discard(index)
            return False
        if state == "red" and index in self._stops_for and self.trip.jumps_s > 0.0:
            return program.state(now_s + self.trip.jumps_s) == "red"
        if index not in self._stops_for and index not in self._goes_for:
            room = max(self._target(control) - front_m, 0.01)
            can = self.speed**2 / (2.0 * room) <= (COMFORT if state == "amber" else HARDEST - 1.0)
            (self._stops_for if can else self._goes_for).add(index)
        return index in self._stops_for

    def _following(self, gap: float, closing: float, least: float) -> float:
        a, b = self.trip.accel, 2.0
        wanted = least + max(
            0.0, self.speed * self.trip.headway_s + self.speed * closing / (2.0 * sqrt(a * b))
        )
        return a * (1.0 - (wanted / max(gap, 0.05)) ** 2)

    def _stopping(self, room: float) -> float:
        if room <= 0.15:
            return -HARDEST
        needed = self.speed**2 / (2.0 * room)
        return -needed if needed > 1.3 else self.trip.accel * 0.5 if self.speed < 1.2 else 0.3 - needed

    def _leader(
        self,
        front_m: float,
        points: NDArray[np.float64],
        widths: NDArray[np.float64],
        speeds: NDArray[np.float64],
        me: int,
    ) -> tuple[float | None, float]:
        if me >= len(points) or len(points) < 2:
            return None, 0.0
        way = self.trip.path
        first = max(int((front_m + 0.1) / STEP_M), 0)
        look_m = min(LOOK_M, 14.0 + 4.0 * self.speed)
        ahead = way.points[first : first + int(look_m / STEP_M) : 4]
        if len(ahead) == 0:
            return None, 0.0
        low, high = ahead.min(axis=0) - 8.0, ahead.max(axis=0) + 8.0
        middles = points[:, 1]
        near = np.flatnonzero(((middles > low) & (middles < high)).all(axis=1))
        near = near[near != me]
        if len(near) == 0:
            return None, 0.0
        offsets = points[near][None] - ahead[:, None, None]
        squares = (offsets**2).sum(axis=3)
        nearest = squares.argmin(axis=0)
        reach = ((self.trip.kind.width_m + widths[near]) / 2 + 0.2)[:, None]
        headings = way.headings[np.minimum(first + nearest * 4, len(way.headings) - 1)]
        to = np.take_along_axis(offsets, nearest[None, :, :, None], axis=0)[0]
        along = to[:, :, 0] * np.cos(headings) + to[:, :, 1] * np.sin(headings)
        across = np.abs(to[:, :, 1] * np.cos(headings) - to[:, :, 0] * np.sin(headings))
        gaps = np.where((across < reach) & (np.abs(along) < 1.5), nearest * 4 * STEP_M + along, np.inf)
        # The middle of a vehicle that stands across is its side.
        gaps[:, 1] -= widths[near] / 2
        best = gaps.min(axis=1)
        index = int(best.argmin())
        return (None, 0.0) if np.isinf(best[index]) else (float(best[index]), float(speeds[near[index]]))

    def move(self, acceleration: float, now_s: float) -> None:
        """One step further, recorded as it was before."""
        braking = acceleration < BRAKE_LIGHT or self.speed < 0.2
        self.drive.moments.append(Moment(self.s_m, self.speed, braking, self._blinks(now_s)))
        speed = max(self.speed + acceleration * DT_S, 0.0)
        if speed < 0.06 and acceleration < 0.1:
            speed = 0.0
        self.s_m += (self.speed + speed) / 2 * DT_S
        self.speed = speed

    def _blinks(self, now_s: float) -> str:
        for hold in self.trip.holds:
            if hold.blinks and now_s < hold.until_s and self.s_m > hold.s_m - 25.0:
                return hold.blinks
        for control in self.trip.controls:
            if self.trip.turns and -30.0 < self.s_m - control.s_m < 18.0:
                return self.trip.turns
        return ""
