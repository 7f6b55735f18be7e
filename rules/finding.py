"""What the rules say: findings with the stamps of their photos, watches, keeps, releases and passages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.code_proposal import CodeProposal
from rules.lost import Lost
from rules.observation import Box, FrameStamp, LampState, ObjectClass, Point
from rules.snapshot import Snapshot


class Rule(StrEnum):
    """The rules by the names that events, records and pages use."""

    RED_LIGHT = "red_light"
    STOPPED_PAST_LINE = "stopped_past_line"
    RIGHT_TURN_WITHOUT_STOP = "right_turn_without_stop"
    NO_PARKING = "no_parking"
    CROSSWALK_RED = "crosswalk_red"


class Status(StrEnum):
    """``asserted`` accuses; ``held`` says what is missing and accuses nobody; ``exempt`` is recorded only."""

    ASSERTED = "asserted"
    HELD = "held"
    EXEMPT = "exempt"


class PhotoRole(StrEnum):
    """What a photo must show."""

    BEFORE_LINE = "before_line"
    PAST_LINE = "past_line"
    FURTHER_ON = "further_on"
    FIRST = "first"
    MIDDLE = "middle"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A frame that proves a part of the finding, with the accused vehicle and the tested points in it."""

    role: PhotoRole
    stamp: FrameStamp
    box_px: Box
    leading_px: Point | None = None
    trailing_px: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePoint:
    """The accused vehicle in one analysed frame, as its rule saw it.

    Red light: ``leading_m`` and ``trailing_m`` are the signed distances of the tested points to the stop
    line along the approach (negative before the line, positive past it), in metres by the site's scale.
    Parking: both are None.
    """

    index: int
    media_s: float
    box_px: Box
    leading_px: Point | None = None
    trailing_px: Point | None = None
    leading_m: float | None = None
    trailing_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSpan:
    """One state of one head over media time, as derived; ``onset_s`` bounds when it began, None where that was not seen."""

    head_id: str
    state: LampState
    from_s: float
    to_s: float
    onset_s: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellSpan:
    """A stretch of a parking dwell in media seconds, seen or not."""

    from_s: float
    to_s: float
    seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateAlternative:
    """Another reading of the whole plate with its share of the vote (0..1)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateResult:
    """The vote over a track's readings. ``text`` is None when it is unreadable or no reading fits the grammar.

    ``char_confidences`` belongs to ``text`` (empty when None). ``corners_px`` and ``stamp`` point at the
    best single reading, for the close-up; None when no plate was ever found.
    """

    text: str | None
    confidence: float
    char_confidences: tuple[float, ...]
    alternatives: tuple[PlateAlternative, ...]
    readings: int
    stamp: FrameStamp | None
    corners_px: tuple[Point, Point, Point, Point] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule said so: what, where, when, how surely, and which frames prove it.

    ``t_s`` is media seconds of the event within ``stamp.segment`` (red light: the leading point reaches
    the line; stopped past line: the standing time is reached; parking: the allowed stop is exceeded) and
    ``t_error_s`` bounds it; ``stamp`` is of the first analysed frame at or after ``t_s``.
    ``time_into_red_s`` is the middle of the interval, ``time_into_red_min_s`` what we assert; the maximum
    is None where the onset was not seen, and ``grace_s`` is what the site grants after it. ``reasons`` are
    sentences for the officer. ``place_id`` is the stop line's, zone's or crosswalk's id in the site file;
    ``movement`` and ``lane_id`` are None where unknown, ``earlier_tracks`` are those under which the vehicle
    was seen before ``track_id``. ``line_px`` and ``further_line_px`` (or ``zone_px``) are what was tested.
    ``photos`` are in the order in which they are shown; ``missing`` names each photo the rule wanted and
    could not get, with why.
    """

    id: str
    rule: Rule
    camera_id: str
    place_id: str
    track_id: int
    stamp: FrameStamp
    t_s: float
    t_error_s: float
    at_px: Point
    object_class: ObjectClass
    status: Status
    reasons: tuple[str, ...]
    plate: PlateResult | None = None
    time_into_red_s: float | None = None
    time_into_red_min_s: float | None = None
    time_into_red_max_s: float | None = None
    crossing_s: tuple[float, float] | None = None
    grace_s: float | None = None
    dwell_s: float | None = None
    unseen_s: float | None = None
    allowed_stop_s: float | None = None
    earlier_tracks: tuple[int, ...] = ()
    codes: tuple[CodeProposal, ...] = ()
    movement: str | None = None
    lane_id: str | None = None
    photos: tuple[Photo, ...] = ()
    missing: tuple[tuple[PhotoRole, str], ...] = ()
    trace: tuple[TracePoint, ...] = ()
    signal: tuple[SignalSpan, ...] = ()
    dwell: tuple[DwellSpan, ...] = ()
    line_px: tuple[Point, Point] | None = None
    further_line_px: tuple[Point, Point] | None = None
    zone_px: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Look closely at this track until ``until_s`` (media seconds): raise the cadence, read its plate."""

    track_id: int
    why: str
    until_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """This frame may become a photo of ``rule``. ``cut_now``: the packets may be gone later, take the still at once."""

    rule: Rule
    track_id: int
    role: PhotoRole
    stamp: FrameStamp
    cut_now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Nothing kept for this track by ``rule`` is needed any more."""

    rule: Rule
    track_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A vehicle passed a gate line (``direction`` 'forward' or 'backward'), or, with ``gate_id`` None, was seen with its plate.

    ``lane`` counts from 1 at the gate's first end, None without lanes; ``snapshot`` is None where no picture is wanted.
    """

    camera_id: str
    gate_id: str | None
    direction: str | None
    track_id: int
    stamp: FrameStamp
    t_s: float
    at_px: Point
    object_class: ObjectClass
    plate: PlateResult | None
    lane: int | None = None
    snapshot: Snapshot | None = None


class DisarmCause(StrEnum):
    """Why a rule did not trust itself."""

    CAMERA_MOVED = "camera_moved"
    BLURRED = "blurred"
    DARK = "dark"
    COVERED = "covered"
    CLOCK = "clock"
    LAMP = "lamp"
    SHORT_AMBER = "short_amber"
    SIGNAL_SOURCE = "signal_source"
    SUSPENDED = "suspended"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disarmed:
    """Nobody was accused at ``place_id`` (None: at any place of the camera) from ``from_s`` to ``to_s`` (media seconds).

    Said once when it begins, with ``to_s`` None, and once when it ends. ``reason`` is a sentence.
    """

    camera_id: str
    place_id: str | None
    cause: DisarmCause
    reason: str
    from_s: float
    to_s: float | None


Output = Finding | Watch | Keep | Release | Passage | Disarmed | Lost
