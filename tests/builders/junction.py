"""A junction for scenarios: vehicles that drive along a path in metres, heads that show lamps, and what the rules say.

    car = a_vehicle().in_lane(2).drives(10.0, at_line_s=12.4).turns("right")
    findings = a_junction().with_heads(a_signal().red(10.0)).judge(car)

Metres: x to the right from the left kerb, y ahead from the stop line; times are media seconds. Lanes are
3.5 m wide and numbered from the left. The picture looks straight down, 20 px per metre.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import hypot
from typing import Any

from rules import engine
from rules.approach import REAR_TO_FRONT_M
from rules.finding import Finding, Output
from rules.observation import (
    LampSample,
    LampState,
    ObjectClass,
    Observation,
    Point,
    SignalMode,
    SignalReport,
    TrackPoint,
)
from rules.site import Camera, Head, Site, StopLine, View
from rules.site_movement import HeadKind
from tests.builders.scene import a_reading, a_stamp

PX_PER_M = 20.0
LANE_M = 3.5
LEFT_PX, LINE_PX = 200.0, 900.0
WIDTH_PX, HEIGHT_PX = 640, 1600
BOX_PX = 50.0
STARTED_AT = datetime(2024, 5, 1, 0, 0, tzinfo=UTC)
LENGTH_M = {**REAR_TO_FRONT_M, ObjectClass.PERSON: 0.0}
"""From the ground point behind to the leading point."""


@dataclass(frozen=True)
class Vehicle:
    """A road user whose leading point follows ``path``: (seconds, x in metres, y in metres past the line)."""

    object_class: ObjectClass = ObjectClass.CAR
    track: int = 1
    x_m: float = 5.25
    path: tuple[tuple[float, float, float], ...] = ()
    hides: tuple[tuple[float, float], ...] = ()
    renames: tuple[tuple[float, int], ...] = ()
    plate: str | None = None
    longer: float = 1.0
    cuts: tuple[tuple[float, float, float, float], ...] = ()
    mistaken: tuple[ObjectClass, float] | None = None

    def in_lane(self, lane: int) -> Vehicle:
        return replace(self, x_m=(lane - 0.5) * LANE_M)

    def with_track(self, track: int) -> Vehicle:
        return replace(self, track=track)

    def with_plate(self, text: str) -> Vehicle:
        return replace(self, plate=text)

    def crosses(
        self, at_s: float, speed_m_s: float = 10.0, from_m: float = -30.0, to_m: float = 30.0
    ) -> Vehicle:
        """Drives evenly from ``from_m`` to ``to_m``; its leading point is over the line at ``at_s``."""
        return self._via(at_s + from_m / speed_m_s, from_m)._via(at_s + to_m / speed_m_s, to_m)

    def stops(self, y_m: float, at_s: float, speed_m_s: float = 5.0) -> Vehicle:
        """Drives up to ``y_m`` and stands there from ``at_s``."""
        return self._via(at_s - (y_m + 30.0) / speed_m_s, -30.0)._via(at_s, y_m)

    def waits(self, until_s: float) -> Vehicle:
        """Stands where it is until then."""
        return replace(self, path=(*self.path, (until_s, *self.path[-1][1:])))

    def goes(self, y_m: float, speed_m_s: float = 5.0) -> Vehicle:
        """Drives on, straight, to ``y_m``."""
        at_s, _, from_m = self.path[-1]
        return self._via(at_s + (y_m - from_m) / speed_m_s, y_m)

    def turns(self, way: str, after_m: float = 4.0, speed_m_s: float = 6.0) -> Vehicle:
        """Drives on to ``after_m`` past the line, and then 20 m to the left or right."""
        turning = self.goes(after_m, speed_m_s)
        at_s, x_m, y_m = turning.path[-1]
        across_m = -20.0 if way == "left" else 20.0
        diagonal = (at_s + 2.8 / speed_m_s, x_m + across_m / 10.0, y_m + 2.0)
        away = (diagonal[0] + 18.0 / speed_m_s, x_m + across_m, y_m + 2.0)
        return replace(turning, path=(*turning.path, diagonal, away))

    def hidden(self, from_s: float, to_s: float) -> Vehicle:
        return replace(self, hides=(*self.hides, (from_s, to_s)))

    def loses(self, from_s: float, to_s: float, *, foot: float = 0.0, head: float = 0.0) -> Vehicle:
        """Its box lacks these shares of its height, at the bottom and at the top."""
        return replace(self, cuts=(*self.cuts, (from_s, to_s, foot, head)))

    def becomes(self, track: int, at_s: float) -> Vehicle:
        """The tracker gives it another identity from then on."""
        return replace(self, renames=(*self.renames, (at_s, track)))

    def taken_for(self, other: ObjectClass, share: float) -> Vehicle:
        """The detector calls it that in this share of the frames, evenly spread."""
        return replace(self, mistaken=(other, share))

    def _via(self, at_s: float, y_m: float) -> Vehicle:
        return replace(self, path=(*self.path, (at_s, self.x_m, y_m)))

    def seen(self, time_s: float, view: View) -> TrackPoint | None:
        """As the camera sees it at that time, or None where it doesn't."""
        if not self.path[0][0] <= time_s <= self.path[-1][0]:
            return None
        if any(start <= time_s < end for start, end in self.hides):
            return None
        behind_m = LENGTH_M[self.object_class] * self.longer if view is View.DEPARTING else 0.0
        x_px, y_px = place_px(*self._place(time_s, behind_m), view)
        track = next((name for start, name in reversed(self.renames) if start <= time_s), self.track)
        lost = [(foot, head) for start, end, foot, head in self.cuts if start <= time_s < end]
        foot_px, head_px = (
            (BOX_PX * sum(shares) for shares in zip(*lost, strict=True)) if lost else (0.0, 0.0)
        )
        box = (x_px - 18.0, y_px - BOX_PX + head_px, x_px + 18.0, y_px - foot_px)
        return TrackPoint(track_id=track, object_class=self._named(time_s), box_px=box, score=0.9)

    def _named(self, time_s: float) -> ObjectClass:
        if self.mistaken is None:
            return self.object_class
        other, share = self.mistaken
        return other if round(time_s * 1000) // 40 % 10 < share * 10 else self.object_class

    def _place(self, time_s: float, behind_m: float) -> tuple[float, float]:
        """Where the point is that follows the leading one at that distance on the same path."""
        walked = 0.0
        at: list[tuple[float, float, float]] = [(0.0, *self.path[0][1:])]
        now = 0.0
        for (t0, x0, y0), (t1, x1, y1) in pairwise(self.path):
            step = hypot(x1 - x0, y1 - y0)
            if t0 <= time_s <= t1:
                now = walked + (step * (time_s - t0) / (t1 - t0) if t1 > t0 else 0.0)
            walked += step
            at.append((walked, x1, y1))
        wanted = now - behind_m
        if wanted <= 0.0:
            return (at[0][1], at[0][2] + wanted)
        for (s0, x0, y0), (s1, x1, y1) in pairwise(at):
            if s0 <= wanted <= s1 and s1 > s0:
                share = (wanted - s0) / (s1 - s0)
                return (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
        return at[-1][1:]


def a_vehicle(object_class: ObjectClass = ObjectClass.CAR) -> Vehicle:
    """A vehicle in the second lane."""
    return Vehicle(object_class=object_class)


def place_px(x_m: float, y_m: float, view: View) -> Point:
    """Seen from behind, traffic drives up the picture; seen from ahead, down it, and left is right."""
    if view is View.DEPARTING:
        return (LEFT_PX + x_m * PX_PER_M, LINE_PX - y_m * PX_PER_M)
    return (WIDTH_PX - LEFT_PX - x_m * PX_PER_M, LINE_PX + y_m * PX_PER_M)


@dataclass(frozen=True)
class Signal:
    """A head and what it shows from given times on; ``unknown`` before the first."""

    head_id: str = "main"
    kind: HeadKind = HeadKind.ROUND
    states: tuple[tuple[float, LampState], ...] = ()

    def shows(self, state: LampState, from_s: float = 0.0) -> Signal:
        return replace(self, states=(*self.states, (from_s, state)))

    def green(self, from_s: float = 0.0) -> Signal:
        return self.shows(LampState.GREEN, from_s)

    def amber(self, from_s: float = 0.0) -> Signal:
        return self.shows(LampState.AMBER, from_s)

    def red(self, from_s: float = 0.0) -> Signal:
        return self.shows(LampState.RED, from_s)

    def off(self, from_s: float = 0.0) -> Signal:
        return self.shows(LampState.OFF, from_s)

    def flashes(self, state: LampState, from_s: float, to_s: float, period_s: float = 1.0) -> Signal:
        """Lit and dark in turn, half a period each."""
        flashing = self
        for number in range(round((to_s - from_s) / period_s)):
            lit_s = from_s + number * period_s
            flashing = flashing.shows(state, lit_s).off(lit_s + period_s / 2.0)
        return flashing

    def at(self, time_s: float) -> LampState:
        return next(
            (state for start, state in reversed(self.states) if start <= time_s + 1e-9), LampState.UNKNOWN
        )


def a_signal(head_id: str = "main", kind: HeadKind = HeadKind.ROUND) -> Signal:
    return Signal(head_id=head_id, kind=kind)


def a_cycle(red_s: float, head_id: str = "main", kind: HeadKind = HeadKind.ROUND) -> Signal:
    """Green, three seconds of amber, and red from ``red_s`` on."""
    return a_signal(head_id, kind).green().amber(red_s - 3.0).red(red_s)


def a_feed(
    signal: Signal, until_s: float = 30.0, every_s: float = 0.5, error_s: float = 0.0, ahead_s: float = 0.0
) -> list[SignalReport]:
    """What a controller reports of that head: each change, and its state every ``every_s``; its clock runs ahead by ``ahead_s``."""
    times = {number * every_s for number in range(int(until_s / every_s))} | {
        start for start, _ in signal.states
    }
    return [
        a_report(signal.head_id, signal.at(time_s), time_s + ahead_s, error_s) for time_s in sorted(times)
    ]


def a_report(
    head_id: str,
    state: LampState,
    at_s: float,
    error_s: float = 0.0,
    *,
    flashing: bool = False,
    mode: SignalMode = SignalMode.AUTOMATIC,
) -> SignalReport:
    return SignalReport(
        head_id=head_id,
        state=state,
        at=STARTED_AT + timedelta(seconds=at_s),
        error_s=error_s,
        source="controller",
        flashing=flashing,
        mode=mode,
    )


@dataclass(frozen=True)
class Junction:
    """An approach of three lanes with one stop line, and the line drawn 5 m beyond it."""

    view: View = View.DEPARTING
    signals: tuple[Signal, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    fps: float = 25.0
    lines: tuple[StopLine, ...] = ()

    def seen(self, view: View) -> Junction:
        return replace(self, view=view)

    def with_heads(self, *signals: Signal) -> Junction:
        return replace(self, signals=signals)

    def with_line(self, **options: Any) -> Junction:
        """Fields of the stop line that differ from their defaults."""
        return replace(self, options={**self.options, **options})

    def at_fps(self, fps: float) -> Junction:
        return replace(self, fps=fps)

    def across(self, y_m: float, from_x_m: float = 0.0, to_x_m: float = 3 * LANE_M) -> tuple[Point, Point]:
        """A line across the road, ``y_m`` past the stop line."""
        return (place_px(from_x_m, y_m, self.view), place_px(to_x_m, y_m, self.view))

    def beside(self, x_m: float, from_y_m: float = 0.0, to_y_m: float = 20.0) -> tuple[Point, Point]:
        """A line along the road, ``x_m`` from its left kerb."""
        return (place_px(x_m, from_y_m, self.view), place_px(x_m, to_y_m, self.view))

    def line(self, **options: Any) -> StopLine:
        fields: dict[str, Any] = {
            "line_id": "north",
            "movement": "straight",
            "line_px": self.across(0.0),
            "further_on_px": self.across(5.0),
            "direction": (0.0, -1.0 if self.view is View.DEPARTING else 1.0),
            "view": self.view,
            "scale_px_per_m": PX_PER_M,
            "head_ids": tuple(signal.head_id for signal in self.signals),
        }
        return StopLine(**{**fields, **self.options, **options})

    def site(self, **options: Any) -> Site:
        camera = Camera(
            camera_id="cam", width_px=WIDTH_PX, height_px=HEIGHT_PX, stop_lines=self.lines or (self.line(),)
        )
        heads = tuple(
            Head(head_id=signal.head_id, camera_id="cam", box_px=(10.0, 10.0, 30.0, 70.0), kind=signal.kind)
            for signal in self.signals
        )
        return Site(
            site_id="s",
            name="Somewhere",
            time_zone="Asia/Shanghai",
            plate_profile="ga36",
            heads=heads,
            cameras=(camera,),
            **options,
        )

    def observations(
        self,
        *vehicles: Vehicle,
        until_s: float = 30.0,
        dropped: Iterable[tuple[float, float]] = (),
        reports: Iterable[SignalReport] = (),
    ) -> list[Observation]:
        """All frames up to ``until_s`` but those in the intervals ``dropped``; with ``reports`` from ``STARTED_AT`` on."""
        waiting = sorted(reports, key=lambda report: report.at)
        started_at = STARTED_AT if waiting else None
        holes = tuple(dropped)
        found = []
        for index in range(round(until_s * self.fps)):
            time_s = index / self.fps
            if any(start <= time_s < end for start, end in holes):
                continue
            tracks = [(one, point) for one in vehicles if (point := one.seen(time_s, self.view)) is not None]
            lamps = tuple(
                LampSample(head_id=signal.head_id, state=signal.at(time_s), confidence=0.95)
                for signal in self.signals
            )
            plates = tuple(
                a_reading(point.track_id, one.plate) for one, point in tracks if one.plate is not None
            )
            stamp = a_stamp(time_s, self.fps, "cam", started_at)
            due = []
            while waiting and stamp.captured_at is not None and waiting[0].at <= stamp.captured_at:
                due.append(waiting.pop(0))
            found.append(
                Observation(
                    stamp=stamp,
                    signals=tuple(due),
                    tracks=tuple(point for _, point in tracks),
                    lamps=lamps,
                    plates=plates,
                )
            )
        return found

    def judge(
        self,
        *vehicles: Vehicle,
        until_s: float = 30.0,
        dropped: Iterable[tuple[float, float]] = (),
        reports: Iterable[SignalReport] = (),
        **site: Any,
    ) -> list[Finding]:
        """The findings of all rules, in the order in which they were said."""
        seen = self.observations(*vehicles, until_s=until_s, dropped=dropped, reports=reports)
        return [output for output in fold(seen, self.site(**site)) if isinstance(output, Finding)]


def a_junction(view: View = View.DEPARTING) -> Junction:
    """One whose only head turned red at 10 s."""
    return Junction(view=view).with_heads(a_cycle(red_s=10.0))


def fold(seen: Iterable[Observation], site: Site) -> list[Output]:
    """Everything the rules say of the observations of the site's first camera."""
    camera_id = site.cameras[0].camera_id
    state = engine.initial(site, camera_id)
    said: list[Output] = []
    for observation in seen:
        state, outputs = engine.step(state, observation, site, camera_id, None)
        said.extend(outputs)
    said.extend(engine.finish(state, site, camera_id))
    return said


def verdicts(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """(rule, status) of each finding."""
    return [(finding.rule.value, finding.status.value) for finding in findings]
