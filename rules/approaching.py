"""What is known of one track at one stop line: its sightings, its class votes, by which exit it left, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rules.geometry import bottom_center, segments_cross
from rules.observation import VEHICLE_CLASSES, ObjectClass, Observation, TrackPoint
from rules.sighting import Sighting, sight
from rules.site import Camera, StopLine

HISTORY_S = 40.0
"""How long a track's sightings are kept; a vehicle needs far less from the line to the further-on line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approaching:
    """One track at one line.

    ``last_seen_s`` is when it was last seen at all: a vehicle whose wheels are hidden is still there.
    ``left_by`` is the movement whose exit it crossed last. ``kept`` says that a photo of it is kept,
    ``awaited`` that it is hidden after it crossed and may yet show farther on. ``names`` are the tracks under
    which it was seen before.
    """

    last_seen_s: float
    history: tuple[Sighting, ...] = ()
    classes: tuple[tuple[ObjectClass, int], ...] = ()
    left_by: str | None = None
    names: tuple[int, ...] = ()
    kept: bool = False
    awaited: bool = False
    stood: bool = False
    judged: bool = False

    @property
    def object_class(self) -> ObjectClass | None:
        """The vehicle class seen most often, the first seen of equals; None for who was only ever a pedestrian.

        A rider who comes into the picture before the machine does is one road user with it.
        """
        votes = [vote for vote in self.classes if vote[0] in VEHICLE_CLASSES]
        return max(votes, key=lambda vote: vote[1])[0] if votes else None


def with_sighting(
    track: Approaching, point: TrackPoint, observation: Observation, line: StopLine, camera: Camera
) -> Approaching:
    """The track after one more sighting of its ground point, which ends any waiting for it."""
    seen = sight(point, observation.stamp, line, track.history, camera.height_px)
    oldest_s = observation.stamp.media_s - HISTORY_S
    start = 0
    while start < len(track.history) and track.history[start].stamp.media_s < oldest_s:
        start += 1
    votes = dict(track.classes)
    votes[point.object_class] = votes.get(point.object_class, 0) + 1
    return replace(
        track,
        last_seen_s=observation.stamp.media_s,
        awaited=False,
        history=(*track.history[start:], seen),
        classes=tuple(votes.items()),
        left_by=_exit(track, seen, line, camera.max_gap_s) or track.left_by,
    )


def _exit(track: Approaching, seen: Sighting, line: StopLine, max_gap_s: float) -> str | None:
    """The movement whose exit the ground point crossed since the last sighting; None across a gap."""
    if (
        not line.movements
        or not track.history
        or seen.stamp.media_s - track.history[-1].stamp.media_s > max_gap_s
    ):
        return None
    way = (track.history[-1].ground_px, seen.ground_px)
    return next(
        (
            movement.name
            for movement in line.movements
            if movement.exit_px is not None and segments_cross(way, movement.exit_px)
        ),
        None,
    )


def foot_hidden(point: TrackPoint, others: Sequence[TrackPoint]) -> bool:
    """Whether the ground point lies inside the box of a nearer road user (one whose box ends lower)."""
    x, bottom = bottom_center(point.box_px)
    for other in others:
        left, top, right, other_bottom = other.box_px
        if left < x < right and top < bottom < other_bottom:
            return True
    return False
