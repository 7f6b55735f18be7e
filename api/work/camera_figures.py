"""What is counted of each live camera, for metrics, health and alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ingest.decoding import Skipped
from rules.finding import Disarmed, Finding
from rules.observation import LampState, Observation

DELAY_BOUNDS_S = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the classes into which delays of findings are counted."""


class CameraState(StrEnum):
    """What a camera is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    UNUSABLE = "unusable"
    LEASED_ELSEWHERE = "leased_elsewhere"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFigures:
    """One camera's figures since its worker took it on. ``code`` and ``message`` say what is wrong, None while nothing is.

    ``frames`` were decoded, ``analysed`` looked at; ``lag_s`` is how far behind the camera the newest of them is.
    ``drops`` counts what was left out, by cause. ``armed_s`` and ``disarmed_s`` are seconds of pictures, by whether some rule
    distrusted itself; ``off_s`` of those by the place that did, '' where all of the camera's did. ``delays`` counts findings
    by how long after their last photo they were said (``DELAY_BOUNDS_S``, then more). ``feeds_away`` says of each signal feed
    that is away why. ``fence`` is the number of the lease, 0 without one.
    """

    camera_id: str
    state: CameraState = CameraState.CONNECTING
    code: str | None = None
    message: str | None = None
    since: datetime | None = None
    frames: int = 0
    analysed: int = 0
    lag_s: float = 0.0
    last_frame_at: datetime | None = None
    clock_source: str = "none"
    clock_error_s: float = 0.0
    connections: int = 0
    gaps: int = 0
    gap_s: float = 0.0
    drops: Mapping[str, int] = field(default_factory=dict)
    lamps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    armed_s: float = 0.0
    disarmed_s: float = 0.0
    off_s: Mapping[str, float] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    passages: int = 0
    cases: int = 0
    unkept: int = 0
    lost: int = 0
    unwritten: int = 0
    feeds_away: tuple[str, ...] = ()
    delays: tuple[int, ...] = (0,) * (len(DELAY_BOUNDS_S) + 1)
    delay_s: float = 0.0
    fence: int = 0


class CameraMeter:
    """Counts for one camera on its own thread; ``figures`` may be asked for on any."""

    def __init__(self, camera_id: str, max_gap_s: float) -> None:
        self._camera_id, self._max_gap_s = camera_id, max_gap_s
        self._state = CameraState.CONNECTING
        self._code: str | None = None
        self._message: str | None = None
        self._since: datetime | None = None
        self._frames = self._analysed = self._connections = self._gaps = self._passages = 0
        self._cases = self._unkept = self._lost = self._unwritten = self._fence = 0
        self._feeds_away: tuple[str, ...] = ()
        self._lag_s = self._gap_s = self._armed_s = self._disarmed_s = self._delay_s = 0.0
        self._last_frame_at: datetime | None = None
        self._clock: tuple[str, float] = ("none", 0.0)
        self._ended_drops: Counter[str] = Counter()
        self._drops: Counter[str] = Counter()
        self._lamps: dict[str, tuple[int, int]] = {}
        self._findings: Counter[str] = Counter()
        self._delays = [0] * (len(DELAY_BOUNDS_S) + 1)
        self._spells: set[tuple[str | None, str]] = set()
        self._off_s: dict[str, float] = {}
        self._frame_s: float | None = None
        self._analysed_s: float | None = None

    def is_in(
        self, state: CameraState, at: datetime, code: str | None = None, message: str | None = None
    ) -> None:
        """The camera is in that state from now on."""
        if state is not self._state or self._since is None:
            self._since = at
        self._state, self._code, self._message = state, code, message

    def leased(self, number: int) -> None:
        self._fence = number

    def connected(self) -> None:
        """A new segment begins: media time anew, and no rule distrusts itself yet."""
        self._connections += 1
        self._ended_drops += self._drops
        self._drops = Counter()
        self._spells = set()
        self._frame_s = self._analysed_s = None

    def saw(self, observation: Observation, now: datetime, lag_s: float) -> None:
        """A frame was judged."""
        stamp = observation.stamp
        self._frames += 1
        self._lag_s, self._last_frame_at = lag_s, now
        self._clock = (stamp.clock_source.value, stamp.error_s)
        if self._frame_s is not None:
            step_s = min(stamp.media_s - self._frame_s, self._max_gap_s)
            if self._spells:
                self._disarmed_s += step_s
                places = {place_id for place_id, _ in self._spells}
                for place_id in ("",) if None in places else tuple(one or "" for one in places):
                    self._off_s[place_id] = self._off_s.get(place_id, 0.0) + step_s
            else:
                self._armed_s += step_s
        self._frame_s = stamp.media_s
        for lamp in observation.lamps:
            samples, unknown = self._lamps.get(lamp.head_id, (0, 0))
            self._lamps[lamp.head_id] = (samples + 1, unknown + (lamp.state is LampState.UNKNOWN))
        if observation.tracks is None:
            return
        self._analysed += 1
        if self._analysed_s is not None and stamp.media_s - self._analysed_s > self._max_gap_s:
            self._gaps += 1
            self._gap_s += stamp.media_s - self._analysed_s
        self._analysed_s = stamp.media_s

    def dropped(self, skipped: Skipped, not_analysed: int, over_bytes: int) -> None:
        """What the current segment left out so far."""
        self._drops = Counter(
            packets_damaged=skipped.packets_damaged,
            packets_not_decoded=skipped.packets_skipped,
            frames_damaged=skipped.frames_damaged,
            frames_doubtful=skipped.frames_doubtful,
            frames_not_advancing=skipped.frames_not_advancing,
            frames_not_analysed=not_analysed,
            packets_over_budget=over_bytes,
        )

    def offline(self, seconds: float) -> None:
        """Nothing was seen between two segments for so long."""
        self._gaps += 1
        self._gap_s += seconds

    def disarmed(self, output: Disarmed) -> None:
        spell = (output.place_id, output.cause.value)
        if output.to_s is None:
            self._spells.add(spell)
        else:
            self._spells.discard(spell)

    def found(self, finding: Finding, delay_s: float | None) -> None:
        """A rule said so, ``delay_s`` after its last photo was taken."""
        self._findings[finding.status.value] += 1
        if delay_s is not None:
            self._delay_s += delay_s
            self._delays[sum(delay_s > bound for bound in DELAY_BOUNDS_S)] += 1

    def counted(
        self, *, passages: int = 0, cases: int = 0, unkept: int = 0, lost: int = 0, unwritten: int = 0
    ) -> None:
        self._passages += passages
        self._cases += cases
        self._unkept += unkept
        self._lost += lost
        self._unwritten += unwritten

    def feeds_are(self, away: tuple[str, ...]) -> None:
        """Why signal feeds are away."""
        self._feeds_away = away

    def figures(self) -> CameraFigures:
        """The figures as of now."""
        return CameraFigures(
            camera_id=self._camera_id,
            state=self._state,
            code=self._code,
            message=self._message,
            since=self._since,
            frames=self._frames,
            analysed=self._analysed,
            lag_s=self._lag_s if self._state is CameraState.LIVE else 0.0,
            last_frame_at=self._last_frame_at,
            clock_source=self._clock[0],
            clock_error_s=self._clock[1],
            connections=self._connections,
            gaps=self._gaps,
            gap_s=self._gap_s,
            drops=dict(self._ended_drops + self._drops),
            lamps=dict(self._lamps),
            armed_s=self._armed_s,
            disarmed_s=self._disarmed_s,
            off_s=dict(self._off_s),
            findings=dict(self._findings),
            passages=self._passages,
            cases=self._cases,
            unkept=self._unkept,
            lost=self._lost,
            unwritten=self._unwritten,
            feeds_away=self._feeds_away,
            delays=tuple(self._delays),
            delay_s=self._delay_s,
            fence=self._fence,
        )
