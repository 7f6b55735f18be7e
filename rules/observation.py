"""What crosses from the cameras into the rules: stamps, tracked road users, lamp samples, plate readings.

Boxes are ``xyxy`` in float pixels of the original picture, origin top-left, x to the right, y down.
Everything here is frozen and holds tuples only; pixels and packets never enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Point = tuple[float, float]
"""(x_px, y_px) in the original picture."""

Box = tuple[float, float, float, float]
"""(x1_px, y1_px, x2_px, y2_px) in the original picture, x1 <= x2 and y1 <= y2."""


class ObjectClass(StrEnum):
    """The road users we tell apart; a rider and the machine under them are one of the machine's class."""

    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"
    PERSON = "person"


VEHICLE_CLASSES = frozenset(
    {
        ObjectClass.CAR,
        ObjectClass.BUS,
        ObjectClass.TRUCK,
        ObjectClass.MOTORCYCLE,
        ObjectClass.BICYCLE,
    }
)


class LampState(StrEnum):
    """What one signal head shows in one frame; ``unknown`` is an answer like any other."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    RED_AMBER = "red_amber"
    OFF = "off"
    UNKNOWN = "unknown"


class ClockSource(StrEnum):
    """Where ``captured_at`` comes from."""

    RTCP = "rtcp"
    ARRIVAL = "arrival"
    DECLARED = "declared"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameStamp:
    """When and where a frame was taken.

    ``segment`` numbers the unbroken runs of one source from 0; ``index`` numbers the decoded frames of a
    segment from 0 in presentation order. ``media_s`` counts from the segment's first frame.
    ``captured_at`` is aware UTC, or None where nobody knows the wall clock; ``error_s`` is its bound (>= 0),
    0.0 when there is no wall clock.
    """

    camera_id: str
    segment: int
    index: int
    media_s: float
    captured_at: datetime | None = None
    clock_source: ClockSource = ClockSource.NONE
    error_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPoint:
    """One tracked road user as seen (never merely predicted) in one frame. ``score`` is 0..1."""

    track_id: int
    object_class: ObjectClass
    box_px: Box
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LampSample:
    """What one head shows in one frame. ``confidence`` is 0..1 and belongs to ``state``."""

    head_id: str
    state: LampState
    confidence: float


class SignalMode(StrEnum):
    """How a controller runs its signals; all but ``automatic`` suspend enforcement."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    FAILURE = "failure"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReport:
    """What somebody else than this camera says a head shows from ``at`` (aware UTC, ± ``error_s`` >= 0) on.

    ``source`` names the controller or the other camera.
    """

    head_id: str
    state: LampState
    at: datetime
    error_s: float
    source: str
    flashing: bool = False
    mode: SignalMode = SignalMode.AUTOMATIC


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateReading:
    """One reading of the plate of one track in one frame.

    ``text`` may be empty when a plate was found but no character was. ``char_confidences`` has one value
    (0..1) per character of ``text``; ``char_alternatives`` likewise holds, per character, the next best
    (character, confidence) pairs, best first. ``detection_score`` is the plate detector's (0..1),
    ``sharpness`` the variance of the Laplacian of the rectified crop (>= 0). ``corners_px`` run
    top-left, top-right, bottom-right, bottom-left as read.
    """

    track_id: int
    text: str
    char_confidences: tuple[float, ...]
    char_alternatives: tuple[tuple[tuple[str, float], ...], ...]
    detection_score: float
    sharpness: float
    corners_px: tuple[Point, Point, Point, Point]


class SceneFault(StrEnum):
    """Why a picture cannot be judged by lines and zones that were drawn on another one."""

    MOVED = "camera_moved"
    BLURRED = "blurred"
    DARK = "dark"
    COVERED = "covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneState:
    """How one picture compares with what the camera showed when its segment began.

    ``shift`` is how far the picture's middle has moved, as a share (0..1) of its width, and ``turn_deg`` by
    how much the picture turned; both are 0.0 unless ``faults`` has MOVED.
    """

    faults: frozenset[SceneFault] = frozenset()
    shift: float = 0.0
    turn_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that the rules see of one decoded frame.

    ``tracks`` is None where detection did not run on this frame (the lamps were still sampled), and an
    empty tuple where it ran and found nobody. ``scene`` is None where the scene was not looked at.
    ``signals`` are the reports that fell due since the frame before.
    """

    stamp: FrameStamp
    tracks: tuple[TrackPoint, ...] | None
    lamps: tuple[LampSample, ...] = ()
    plates: tuple[PlateReading, ...] = ()
    scene: SceneState | None = None
    signals: tuple[SignalReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An interval between two usable samples longer than the camera's ``max_gap_s``: nothing is inferred across it."""

    camera_id: str
    segment: int
    from_s: float
    to_s: float
