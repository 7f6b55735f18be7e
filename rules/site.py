"""One junction or kerb section as the rules see it: lines, heads, zones and limits, in pixels of each camera's picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rules.observation import Box, ObjectClass, Point

Segment = tuple[Point, Point]
"""A finite line from one point to another, in pixels."""


class View(StrEnum):
    """Which end of a vehicle the camera sees on this approach."""

    APPROACHING = "approaching"
    DEPARTING = "departing"


class HeadKind(StrEnum):
    """The shape of a head's lenses: a round one always shows a lamp, an arrow may be off and then controls nothing."""

    ROUND = "round"
    ARROW_LEFT = "arrow_left"
    ARROW_STRAIGHT = "arrow_straight"
    ARROW_RIGHT = "arrow_right"
    ARROW_U_TURN = "arrow_u_turn"


class TurnOnRed(StrEnum):
    """Whether a round red lets a movement go; a red arrow forbids it in any case."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"
    AFTER_STOP = "after_stop"


class PlatePolicy(StrEnum):
    """Whose plates are read: nobody's, those of watched vehicles, or those of every vehicle that passes."""

    OFF = "off"
    CANDIDATES = "candidates"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One signal head of the site, seen by ``camera_id`` at ``box_px``; its lamps lie evenly along the box's longer side."""

    head_id: str
    camera_id: str
    box_px: Box
    kind: HeadKind = HeadKind.ROUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One way over a stop line: the heads that allow it, and the line that only its traffic crosses when it leaves."""

    name: str
    head_ids: tuple[str, ...]
    on_red: TurnOnRed = TurnOnRed.FORBIDDEN
    exit_px: Segment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A lane at a stop line: ``share`` (0..1) of the line from its first end, and the movements allowed from it."""

    lane_id: str
    share: tuple[float, float]
    movements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """A stop line of one movement or, with ``movements``, of several that lanes and exits tell apart.

    ``direction`` is the unit vector of travel in the picture. ``scale_px_per_m`` is pixels per metre along
    ``direction`` on the ground at the line; it converts distances near the line and class lengths.
    ``head_ids`` are the heads that allow the movement: all must be red for an offence. One that is not among
    the site's heads is seen by no camera: its state stays unknown, and nobody is accused by it.
    A red after an amber that was surely shorter than ``min_amber_s`` accuses nobody. With ``movements``,
    ``movement`` joins their names and ``head_ids`` are the heads of all. ``waiting_for`` is the line before a
    waiting area that this line ends: who was reported there is not reported here again.
    """

    line_id: str
    movement: str
    line_px: Segment
    further_on_px: Segment
    direction: Point
    view: View
    scale_px_per_m: float
    head_ids: tuple[str, ...]
    grace_s: float = 0.3
    standing_s: float = 3.0
    min_amber_s: float = 3.0
    movements: tuple[Movement, ...] = ()
    lanes: tuple[Lane, ...] = ()
    waiting_for: str | None = None

    @property
    def ways(self) -> tuple[Movement, ...]:
        """Every movement over the line."""
        return self.movements or (Movement(name=self.movement, head_ids=self.head_ids),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A weekly window of local time. ``days`` are 0 = Monday..6; it ends on the next day where ``end_min`` <= ``start_min``."""

    days: frozenset[int]
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParkingZone:
    """A no-parking zone. Without ``windows`` it holds all day and needs no wall clock."""

    zone_id: str
    polygon_px: tuple[Point, ...]
    allowed_stop_s: float
    windows: tuple[Window, ...] = ()
    exempt_classes: frozenset[ObjectClass] = frozenset()
    max_unseen_share: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A counting line across the road: crossings are recorded as passages, forward being along ``direction``."""

    gate_id: str
    line_px: Segment
    direction: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One fixed view of the site."""

    camera_id: str
    width_px: int
    height_px: int
    stop_lines: tuple[StopLine, ...] = ()
    no_parking: tuple[NoParkingZone, ...] = ()
    gates: tuple[Gate, ...] = ()
    plates: PlatePolicy = PlatePolicy.CANDIDATES
    max_gap_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One junction or kerb section with its cameras. ``time_zone`` is an IANA name, for display and schedules."""

    site_id: str
    name: str
    time_zone: str
    plate_profile: str
    heads: tuple[Head, ...]
    cameras: tuple[Camera, ...] = field(default=())

    def camera(self, camera_id: str) -> Camera:
        """The camera of that id. Raises KeyError where there is none."""
        for camera in self.cameras:
            if camera.camera_id == camera_id:
                return camera
        raise KeyError(camera_id)
