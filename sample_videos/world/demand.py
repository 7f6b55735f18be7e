"""Who sets out when: random flows and single trips of a script, thinned until the script comes true without a collision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import cos, sin
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sample_videos.world.kinds import KINDS
from sample_videos.world.paths import Path
from sample_videos.world.signals import Program
from sample_videos.world.traffic import Control, Drive, Traffic, Trip, drive_all, pose

PAINTS: tuple[tuple[float, float, float], ...] = (
    (0.72, 0.72, 0.71),
    (0.72, 0.72, 0.71),
    (0.016, 0.016, 0.018),
    (0.016, 0.016, 0.018),
    (0.36, 0.37, 0.39),
    (0.13, 0.135, 0.14),
    (0.30, 0.018, 0.016),
    (0.018, 0.055, 0.22),
    (0.10, 0.075, 0.055),
    (0.42, 0.38, 0.30),
    (0.05, 0.12, 0.10),
    (0.55, 0.16, 0.02),
)
MIX: dict[str, float] = {
    "sedan": 0.36,
    "hatchback": 0.22,
    "suv": 0.25,
    "van": 0.08,
    "bus": 0.02,
    "truck": 0.03,
}
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁苏浙赣鄂桂晋陕闽粤川"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
TOLERANCE_S = 0.12
LEFT_OUT = FilePath(__file__).with_name("left_out.json")
"""Which trips had to be left out, by demand: finding that out takes a minute, checking it a few seconds."""


def invented_plate(rng: Generator, *, green: bool = False) -> str:
    """A text that fits the grammar of GA 36: province, authority, then five characters (six on green plates)."""
    head = f"{PROVINCES[rng.integers(len(PROVINCES))]}{LETTERS[rng.integers(8)]}"
    digits = "".join(str(rng.integers(10)) for _ in range(5))
    if green:
        return head + "DF"[rng.integers(2)] + digits
    letters = [LETTERS[rng.integers(24)] if rng.random() < 0.3 else digit for digit in digits]
    return head + "".join(letters)


@dataclass
class Demand:
    """Trips in the making. ``wanted`` gives, by trip, when its front wheels shall reach its first stop
    line, and to how many seconds; on a path in ``clear`` no flow sets out between the two times."""

    rng: Generator
    trips: list[Trip] = field(default_factory=list)
    wanted: dict[int, tuple[float, float]] = field(default_factory=dict)
    clear: list[tuple[Path, float, float]] = field(default_factory=list)

    def add(self, kind: str, way: Path, depart_s: float, speed_mps: float, **more: Any) -> Trip:
        """A trip of the script or of a flow."""
        rng = self.rng
        measured = KINDS[kind]
        plate = ""
        if measured.object_class in ("car", "bus", "truck"):
            plate = invented_plate(rng, green=measured.object_class == "car" and rng.random() < 0.25)
        trip = Trip(
            trip_id=len(self.trips) + 1,
            kind=measured,
            path=way,
            depart_s=depart_s,
            speed_mps=speed_mps,
            plate=plate,
            paint=PAINTS[rng.integers(len(PAINTS))],
            gap_m=float(rng.uniform(0.6, 1.8)),
            headway_s=float(rng.uniform(0.9, 1.4)),
            accel=float(rng.uniform(1.4, 2.0)),
        )
        self.trips.append(replace(trip, **more))
        return self.trips[-1]

    def arriving(
        self, kind: str, way: Path, at_s: float, speed_mps: float, controls: tuple[Control, ...], **more: Any
    ) -> Trip:
        """A trip whose front wheels reach its first stop line at ``at_s`` without slowing down, whatever the signal."""
        trip = self.add(
            kind, way, at_s - controls[0].s_m / speed_mps, speed_mps, controls=controls, runs_red=True, **more
        )
        self.wanted[trip.trip_id] = (at_s, TOLERANCE_S)
        return trip

    def jumping(
        self, kind: str, way: Path, green_s: float, waits_from_s: float, controls: tuple[Control, ...]
    ) -> Trip:
        """A trip that waits first at the line and sets off some two seconds before green."""
        at = controls[0].s_m
        trip = self.add(
            kind,
            way,
            waits_from_s - at / 11.0,
            11.0,
            controls=controls,
            jumps_s=3.6,
            who="sets off before green",
            gap_m=2.2,
        )
        self.wanted[trip.trip_id] = (green_s - 1.0, 0.8)
        return trip

    def flow(
        self,
        way: Path,
        from_s: float,
        to_s: float,
        every_s: float,
        *,
        speed_mps: float = 11.0,
        mix: Mapping[str, float] = MIX,
        controls: tuple[Control, ...] = (),
        **more: Any,
    ) -> None:
        """Random arrivals, ``every_s`` apart on average and never nearer than 1.8 s."""
        names, shares = list(mix), np.array(list(mix.values()))
        at = from_s + self.rng.exponential(every_s / 2)
        while at < to_s:
            kind = names[self.rng.choice(len(names), p=shares / shares.sum())]
            if not any(way is path and since <= at <= until for path, since, until in self.clear):
                self.add(kind, way, at, speed_mps * self.rng.uniform(0.88, 1.1), controls=controls, **more)
            at += 1.8 + self.rng.exponential(max(every_s - 1.8, 0.1))

    def solve(
        self, programs: Mapping[str, Program], *, from_s: float, to_s: float, remember: bool
    ) -> Traffic:
        """The traffic in which each wanted trip is on time and nobody collides.

        Trips of the flows that stand in the way are left out, one after another; ``remember`` notes which in
        ``LEFT_OUT``, for a clip that is kept. Raises ValueError when the script itself is impossible.
        """
        scripted = {trip.trip_id for trip in self.trips if trip.who or trip.trip_id in self.wanted}
        key = self._key(programs, from_s, to_s)
        found = json.loads(LEFT_OUT.read_text("utf-8")) if LEFT_OUT.exists() else {}
        left_out: set[int] = set(found.get(key, ()))
        for _ in range(60):
            trips = [trip for trip in self.trips if trip.trip_id not in left_out]
            traffic = drive_all(trips, programs, from_s=from_s, to_s=to_s)
            wrong = self._late(traffic, scripted) | colliding(traffic, to_s, scripted)
            if not wrong:
                if remember and left_out and key not in found:
                    LEFT_OUT.write_text(
                        json.dumps(found | {key: sorted(left_out)}, indent=0) + "\n", encoding="utf-8"
                    )
                return traffic
            left_out |= wrong
        raise ValueError("no traffic fits the script after 60 attempts")

    def _key(self, programs: Mapping[str, Program], from_s: float, to_s: float) -> str:
        """Names this demand: other trips or signals have another key."""
        facts = [
            (
                t.kind.name,
                t.depart_s,
                t.speed_mps,
                t.start_m,
                t.controls,
                t.holds,
                t.runs_red,
                t.stops_past_m,
                t.jumps_s,
                t.gap_m,
                t.headway_s,
                t.accel,
                t.path.points[0].tolist(),
                t.path.points[-1].tolist(),
                t.path.length_m,
            )
            for t in self.trips
        ]
        text = repr((facts, sorted(self.wanted.items()), sorted(programs.items()), from_s, to_s))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _late(self, traffic: Traffic, scripted: set[int]) -> set[int]:
        """Who is in the way of trips that aren't on time: the last one who set out before on the same path."""
        drives = {drive.trip.trip_id: drive for drive in traffic.drives}
        blocking: set[int] = set()
        for trip_id, (at_s, within_s) in self.wanted.items():
            drive = drives.get(trip_id)
            reached = None if drive is None else traffic.reaches(drive, drive.trip.controls[0].s_m)
            if reached is not None and abs(reached - at_s) <= within_s:
                continue
            trip = self.trips[trip_id - 1]
            free = [
                d.trip
                for d in traffic.drives
                if d.trip.trip_id not in scripted and d.trip.depart_s <= trip.depart_s + 1.0
            ]
            before = [other for other in free if _lane(other) == _lane(trip)] or [
                other
                for other in free
                if abs(_lane(other)[1] - _lane(trip)[1]) < 2.5 and _lane(other)[0] == _lane(trip)[0]
            ]
            if not before:
                raise ValueError(f"trip {trip_id} ({trip.who}) is not on time: {reached} instead of {at_s}")
            before.sort(key=lambda other: other.depart_s)
            blocking |= {
                other.trip_id
                for other in before[-1:] + [o for o in before[:-1] if o.depart_s > trip.depart_s - 6.0]
            }
        return blocking


def _lane(trip: Trip) -> tuple[float, float]:
    x, y = trip.path.points[0]
    return round(float(x), 1), round(float(y), 1)


def circles(drive: Drive, s_m: float) -> NDArray[np.float64]:
    """Four points along the middle of the road user, (4, 2): with half the width around them they cover it."""
    x, y, heading = pose(drive.trip, s_m)
    reach = max(drive.trip.kind.length_m / 2 - drive.trip.kind.width_m / 2, 0.0)
    return np.array(
        [(x + cos(heading) * f * reach, y + sin(heading) * f * reach) for f in (1.0, 0.33, -0.33, -1.0)]
    )


def colliding(traffic: Traffic, to_s: float, spared: set[int] | Sequence[int] = ()) -> set[int]:
    """Of each pair that touches, the one to leave out: the later one, unless it is ``spared``.

    Raises ValueError where two spared ones touch.
    """
    out: set[int] = set()
    for t in np.arange(max(traffic.from_s, -10.0), to_s, 0.4):
        here = [
            (d, m)
            for d in traffic.drives
            if d.trip.kind.name != "person" and (m := traffic.moment(d, float(t))) is not None
        ]
        if len(here) < 2:
            continue
        points = np.array([circles(d, m.s_m) for d, m in here])
        middles = points.mean(axis=1)
        for i in range(len(here)):
            near = np.flatnonzero(np.hypot(*(middles[i + 1 :] - middles[i]).T) < 13.0) + i + 1
            for j in near:
                gap = np.sqrt(((points[i][:, None] - points[j][None]) ** 2).sum(axis=2)).min()
                if gap < (here[i][0].trip.kind.width_m + here[j][0].trip.kind.width_m) / 2 * 0.96:
                    pair = sorted((here[i][0].trip, here[j][0].trip), key=lambda trip: trip.depart_s)
                    free = [trip for trip in pair if trip.trip_id not in spared]
                    if not free:
                        raise ValueError(
                            f"{pair[0].who or pair[0].trip_id} and {pair[1].who or pair[1].trip_id} collide at {t:.1f} s"
                        )
                    out.add(free[-1].trip_id)
    return out
