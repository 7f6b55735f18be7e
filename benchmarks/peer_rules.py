"""The checks that ``make bench`` puts behind its peers' trackers, as their guides show them: a line, a zone, a timer.

The signal's true state is given to them: they have no eye for lamps, and this is in their favour.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.bench_task import Kerb, Point, RedLine, Said

GRACE_S = 0.3
"""As Stopline's sites have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A road user in one picture, by its bottom centre."""

    track: int
    object_class: str
    at_px: Point


class Classes:
    """The class that a track was given most often so far."""

    def __init__(self) -> None:
        self._votes: dict[int, Counter[str]] = defaultdict(Counter)

    def of(self, seen: Tracked) -> str:
        """The picture's own class is counted too."""
        self._votes[seen.track][seen.object_class] += 1
        return self._votes[seen.track].most_common(1)[0][0]


class RedLineCheck:
    """Whoever crosses the line in the direction of travel on red, once."""

    def __init__(self, line: RedLine) -> None:
        self._line = line
        self._before: dict[int, tuple[float, Point]] = {}
        self._said: set[int] = set()

    def step(self, t_s: float, seen: Iterable[tuple[Tracked, str]]) -> list[Said]:
        """The crossings since the picture before; their moment lies between the two, in proportion."""
        said = []
        for one, object_class in seen:
            before = self._before.get(one.track)
            self._before[one.track] = (t_s, one.at_px)
            if before is None or one.track in self._said:
                continue
            share = crossing(self._line.line_px, before[1], one.at_px)
            if share is None or not self._is_ahead(before[1], one.at_px):
                continue
            at_s = before[0] + share * (t_s - before[0])
            if is_red(self._line, at_s):
                self._said.add(one.track)
                at_px = tuple(a + share * (b - a) for a, b in zip(before[1], one.at_px, strict=True))
                said.append(
                    Said(
                        rule="red_light",
                        object_class=object_class,
                        t_s=at_s,
                        said_s=t_s,
                        at_px=(at_px[0], at_px[1]),
                    )
                )
        return said

    def _is_ahead(self, before: Point, now: Point) -> bool:
        dx, dy = self._line.direction
        return (now[0] - before[0]) * dx + (now[1] - before[1]) * dy > 0


class KerbTimer:
    """Whoever is in the zone for longer than allowed, once."""

    def __init__(self, kerb: Kerb) -> None:
        self._kerb = kerb
        self._since_s: dict[int, float] = {}
        self._said: set[int] = set()

    def step(self, t_s: float, seen: Sequence[tuple[Tracked, str]], inside: Sequence[bool]) -> list[Said]:
        """``inside`` says of each whether it is in the zone. A track that is not seen meanwhile keeps its time."""
        said = []
        for (one, object_class), is_inside in zip(seen, inside, strict=True):
            if not is_inside:
                self._since_s.pop(one.track, None)
                continue
            since_s = self._since_s.setdefault(one.track, t_s)
            if t_s - since_s >= self._kerb.allowed_stop_s and one.track not in self._said:
                self._said.add(one.track)
                said.append(
                    Said(
                        rule="no_parking",
                        object_class=object_class,
                        t_s=since_s + self._kerb.allowed_stop_s,
                        said_s=t_s,
                        at_px=one.at_px,
                    )
                )
        return said


def is_red(line: RedLine, t_s: float) -> bool:
    """Whether crossing at that time is an offence: the signal is red, and has been for the grace."""
    return any(from_s + GRACE_S <= t_s < to_s for from_s, to_s in line.red_s)


def crossing(line: tuple[Point, Point], before: Point, now: Point) -> float | None:
    """The share (0..1) of the way at which it crosses the line between its ends; None where it does not."""
    (ax, ay), (bx, by) = line
    wx, wy = now[0] - before[0], now[1] - before[1]
    lx, ly = bx - ax, by - ay
    across = wx * ly - wy * lx
    if across == 0.0:
        return None
    share = ((ax - before[0]) * ly - (ay - before[1]) * lx) / across
    along = ((ax - before[0]) * wy - (ay - before[1]) * wx) / across
    return share if 0.0 < share <= 1.0 and 0.0 <= along <= 1.0 else None


def foot(line: tuple[Point, Point], point: Point) -> Point:
    """The point of the line that is nearest to it: where it crossed, as far as a zone that tells no place can say."""
    (ax, ay), (bx, by) = line
    lx, ly = bx - ax, by - ay
    share = ((point[0] - ax) * lx + (point[1] - ay) * ly) / (lx * lx + ly * ly)
    return (ax + share * lx, ay + share * ly)
