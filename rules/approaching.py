"""What is known of one track at one stop line: its sightings, its class votes, by which exit it left, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rules.class_vote import ClassVotes, likeliest, likely, with_vote
from rules.geometry import bottom_center, segments_cross
from rules.observation import VEHICLE_CLASSES, Box, ObjectClass, Observation, TrackPoint
from rules.sighting import Sighting, sight
from rules.site import Camera, StopLine

HISTORY_S = 40.0
"""How long a track's sightings are kept; a vehicle needs far less from the line to the further-on line."""

JUDGED_HISTORY_S = 2.0
"""And of one that is judged: only its pace and the size of its box are still looked at, over a second at most."""


SEEN_BEFORE_SHARE = 0.2
"""Nobody is hidden behind the lowest part of a box, this share of its height."""


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
    classes: ClassVotes = ()
    left_by: str | None = None
    names: tuple[int, ...] = ()
    kept: bool = False
    awaited: bool = False
    stood: bool = False
    judged: bool = False

    @property
    def object_class(self) -> ObjectClass | None:
        """The likeliest class of vehicle; None for who was only ever a pedestrian.

        A rider who comes into the picture before the machine does is one road user with it.
        """
        votes = self._vehicle_votes
        return likeliest(votes) if votes else None

    @property
    def other_classes(self) -> tuple[ObjectClass, ...]:
        """The classes of vehicle that it may be as well: detectors take a car seen from behind for a truck, or a bus."""
        return tuple(voted for voted in likely(self._vehicle_votes) if voted is not self.object_class)

    @property
    def _vehicle_votes(self) -> ClassVotes:
        return tuple(vote for vote in self.classes if vote[0] in VEHICLE_CLASSES)


def with_sighting(
    track: Approaching, point: TrackPoint, observation: Observation, line: StopLine, camera: Camera
) -> Approaching:
    """The track after one more sighting of its ground point, which ends any waiting for it."""
    now_s, history = observation.stamp.media_s, track.history
    seen = sight(point, observation.stamp, line, history, camera.height_px)
    oldest_s = now_s - (JUDGED_HISTORY_S if track.judged else HISTORY_S)
    start = 0
    while start < len(history) and history[start].stamp.media_s < oldest_s:
        start += 1
    return Approaching(
        last_seen_s=now_s,
        history=(*history[start:], seen) if start else (*history, seen),
        classes=with_vote(track.classes, point.object_class),
        left_by=_exit(track, seen, line, camera.max_gap_s) or track.left_by,
        names=track.names,
        kept=track.kept,
        stood=track.stood,
        judged=track.judged,
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
    for movement in line.movements:
        if movement.exit_px is not None and segments_cross(way, movement.exit_px):
            return movement.name
    return None


def still_there(track: Approaching, now_s: float) -> Approaching:
    """The track of a vehicle that is seen, and whose wheels are not."""
    return replace(track, last_seen_s=now_s, awaited=False)


def feet_hidden(seen: Sequence[TrackPoint]) -> frozenset[int]:
    """The tracks whose ground point lies inside the box of a nearer road user (one whose box ends lower).

    Who seems to end near its lower edge is seen before it: what it hides ends at its outline, higher up.
    """
    hidden = set()
    nearer: list[Box] = []
    for point in sorted(seen, key=lambda point: point.box_px[3], reverse=True):
        x, y = bottom_center(point.box_px)
        for left, top, right, bottom in nearer:
            if left < x < right and top < y < bottom - SEEN_BEFORE_SHARE * (bottom - top):
                hidden.add(point.track_id)
                break
        nearer.append(point.box_px)
    return frozenset(hidden)
