"""One junction or kerb section as the rules see it: lines, heads, zones and limits, in pixels of each camera's picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from rules.observation import Box, ObjectClass, Point
from rules.site_movement import HeadKind, Lane, Movement

Segment = tuple[Point, Point]
"""A finite line from one point to another, in pixels."""


class View(StrEnum):
    """Which end of a vehicle the camera sees on this approach."""

    APPROACHING = "approaching"
    DEPARTING = "departing"


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


class UseKind(StrEnum):
    """What some classes may do in a no-parking zone."""

    BUS_STOP = "bus_stop"
    TAXI_RANK = "taxi_rank"
    LOADING = "loading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Vehicles of ``classes`` may stand for ``allowed_stop_s`` (None: as long as they like) while ``windows`` hold."""

    kind: UseKind
    classes: frozenset[ObjectClass]
    allowed_stop_s: float | None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLane:
    """The zone is a running lane: who stands in a queue does not park.

    ``direction`` is the unit vector of travel, ``head_ids`` the signals ahead. No queue stands for longer than
    ``longest_s``: whoever does is parked, and the time before counts for the driver.
    """

    direction: Point
    head_ids: tuple[str, ...] = ()
    longest_s: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParkingZone:
    """A no-parking zone. Without ``windows`` it holds all day and needs no wall clock.

    On ``holidays`` (local dates) ``holiday_windows`` hold instead; empty frees the day, None makes it a day like
    others. While ``exceptions`` hold the zone doesn't. A vehicle that still stands ``reenforce_s`` after its
    finding begins a new stay.
    """

    zone_id: str
    polygon_px: tuple[Point, ...]
    allowed_stop_s: float
    windows: tuple[Window, ...] = ()
    exempt_classes: frozenset[ObjectClass] = frozenset()
    max_unseen_share: float = 0.2
    holidays: frozenset[date] = frozenset()
    holiday_windows: tuple[Window, ...] | None = None
    exceptions: tuple[Window, ...] = ()
    uses: tuple[Use, ...] = ()
    queue: QueueLane | None = None
    reenforce_s: float = 3600.0

    @property
    def needs_clock(self) -> bool:
        """Whether the local time decides if the zone holds, or for whom."""
        by_date = bool(self.holidays) and self.holiday_windows is not None
        return bool(self.windows or self.exceptions or by_date or any(use.windows for use in self.uses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalk:
    """A crossing for those on foot and on bicycles; all of ``head_ids`` red forbid entering it.

    They are the crossing's own heads or, where it has none, the motor heads of the same direction.
    """

    crosswalk_id: str
    polygon_px: tuple[Point, ...]
    head_ids: tuple[str, ...]
    grace_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptPlate:
    """A plate that is recorded and not accused, from ``first`` to ``last`` (local dates, both included; None: no end)."""

    text: str
    why: str
    first: date | None = None
    last: date | None = None


class Pictures(StrEnum):
    """Of which way's traffic a gate takes pictures."""

    NONE = "none"
    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A counting line across the road: crossings are recorded as passages, forward being along ``direction``.

    ``lane_shares`` are the inner boundaries of its lanes, as rising shares (0..1) of the line from its first
    end; empty for a gate whose lanes nobody drew. ``pictures`` says who is pictured.
    """

    gate_id: str
    line_px: Segment
    direction: Point
    lane_shares: tuple[float, ...] = ()
    pictures: Pictures = Pictures.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One fixed view of the site."""

    camera_id: str
    width_px: int
    height_px: int
    stop_lines: tuple[StopLine, ...] = ()
    no_parking: tuple[NoParkingZone, ...] = ()
    gates: tuple[Gate, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()
    plates: PlatePolicy = PlatePolicy.CANDIDATES
    max_gap_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One junction or kerb section with its cameras. ``time_zone`` is an IANA name, for display and schedules.

    ``jurisdiction`` names the table of violation codes. What a controller reported of a head holds for
    ``feed_silence_s`` at most. Passages are to be deleted ``passage_days`` after they happened.
    """

    site_id: str
    name: str
    time_zone: str
    plate_profile: str
    heads: tuple[Head, ...]
    cameras: tuple[Camera, ...] = field(default=())
    exempt_plates: tuple[ExemptPlate, ...] = ()
    jurisdiction: str = "generic"
    feed_silence_s: float = 5.0
    passage_days: int = 30

    def camera(self, camera_id: str) -> Camera:
        """The camera of that id. Raises KeyError where there is none."""
        for camera in self.cameras:
            if camera.camera_id == camera_id:
                return camera
        raise KeyError(camera_id)
