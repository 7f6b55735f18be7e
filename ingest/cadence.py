"""Chooses which frames are looked at, and whose plates are read in them: by what the rules watch, never by load."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from rules.observation import LampState, Observation

TIME_TOLERANCE_S = 1e-6
"""Media times are floats: an interval counts as over when it is shorter by no more than this."""

WATCHED_INTERVAL_S = 0.08
"""Two pictures of 25 a second. A rule interpolates between two looks: in the sample clips no event was lost, with YOLOX-nano
neither, which at 0.12 s lost riders that it sees in every other look."""

IDLE_INTERVAL_S = 0.12
"""At 50 km/h a vehicle drives 1.7 m meanwhile: it is watched before it reaches a line. At 0.16 s YOLOX-nano lost sight of a parked
car for too long."""

ONSETS = (LampState.RED, LampState.RED_AMBER)
"""States whose beginning or end decides whether a crossing was an offence."""


@dataclass(slots=True)
class _Turns:
    reads: int = 0
    last_s: float | None = None


class PlateCadence:
    """At most ``max_reads`` plates a frame, and each track at most once in ``plate_interval_s`` of media time.

    Those with the fewest reads come first, then those that waited longest, then the lower track id.
    A read is a frame in which the plate was asked for and the track was seen, whether a plate was found or
    not: who never shows one does not keep the others waiting. What is chosen depends on observations and
    media time alone, never on load.
    """

    def __init__(self, *, max_reads: int = 2, plate_interval_s: float = 0.2) -> None:
        self._max_reads = max_reads
        self._interval_s = plate_interval_s
        self._turns: dict[int, _Turns] = {}
        self._seen: frozenset[int] = frozenset()

    def choose(self, watched: Iterable[int], media_s: float) -> tuple[int, ...]:
        """The tracks whose plates shall be read in the frame at ``media_s``, out of the watched ones seen last."""
        turns = {track: self._turns.get(track, _Turns()) for track in watched}
        self._turns = turns
        due = [track for track, turn in turns.items() if track in self._seen and self._is_due(turn, media_s)]
        due.sort(key=lambda track: (turns[track].reads, turns[track].last_s or 0.0, track))
        return tuple(due[: self._max_reads])

    def note(self, chosen: Iterable[int], observation: Observation) -> None:
        """Takes in what a frame showed, and whose plates had been asked for in it."""
        if observation.tracks is None:
            return
        self._seen = frozenset(point.track_id for point in observation.tracks)
        for track in chosen:
            if track in self._seen and track in self._turns:
                self._turns[track].reads += 1
                self._turns[track].last_s = observation.stamp.media_s

    def _is_due(self, turn: _Turns, media_s: float) -> bool:
        return turn.last_s is None or media_s - turn.last_s >= self._interval_s - TIME_TOLERANCE_S


class LookCadence:
    """One frame in ``watched_interval_s`` of media time while a rule watches somebody, else one in ``idle_interval_s``.

    For ``after_change_s`` after a head turned red, or red ended, every frame is looked at: who is watched then is told by
    the first of them, and where everybody was when it changed by the others. What is chosen depends on observations and
    media time alone, never on load.
    """

    def __init__(
        self,
        *,
        watched_interval_s: float = WATCHED_INTERVAL_S,
        idle_interval_s: float = IDLE_INTERVAL_S,
        after_change_s: float = 1.0,
    ) -> None:
        self._watched_interval_s = watched_interval_s
        self._idle_interval_s = idle_interval_s
        self._after_change_s = after_change_s
        self._states: dict[str, LampState] = {}
        self._every_until_s = 0.0
        self._looked_s: float | None = None

    @classmethod
    def within(cls, max_gap_s: float) -> Self:
        """Looks that are never so far apart that a camera with this ``max_gap_s`` would call it a gap."""
        most_s = max_gap_s / 2
        return cls(
            watched_interval_s=min(WATCHED_INTERVAL_S, most_s), idle_interval_s=min(IDLE_INTERVAL_S, most_s)
        )

    def is_due(self, media_s: float, *, watching: bool) -> bool:
        """Whether the frame at ``media_s`` is to be looked at, while somebody is watched or nobody."""
        if self._looked_s is None or media_s < self._every_until_s:
            return True
        interval_s = self._watched_interval_s if watching else self._idle_interval_s
        return media_s - self._looked_s >= interval_s - TIME_TOLERANCE_S

    def note(self, observation: Observation) -> None:
        """Takes in what a frame showed, looked at or not."""
        now_s = observation.stamp.media_s
        if observation.tracks is not None:
            self._looked_s = now_s
        for lamp in observation.lamps:
            if lamp.state is LampState.UNKNOWN:
                continue
            before = self._states.get(lamp.head_id, lamp.state)
            if (before in ONSETS) is not (lamp.state in ONSETS):
                self._every_until_s = now_s + self._after_change_s
            self._states[lamp.head_id] = lamp.state
