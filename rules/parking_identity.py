"""Whether a vehicle that is found standing is one that already stood there, under whatever track."""

from __future__ import annotations

from collections.abc import Sequence

from rules import standing
from rules.geometry import iou
from rules.observation import Box, ObjectClass
from rules.parking_stay import Stay
from rules.standing import Sample, Trail

HIDDEN_MAX_S = 30.0
"""A stay may bridge this much without a sighting; also how long a place must look empty to have been left."""

SWAP_S = 2.0
"""Within this time no other vehicle can have taken the place of one that drove off: the tracks were mixed up.

A car behind needs 3.3 s to move up by 7 m at 2.5 m/s², and for the first and last 0.7 s it is "at" its place.
"""


def is_double(stays: Sequence[Stay], place: Box, now_s: float) -> bool:
    """Whether the box is a second detection of a vehicle that is seen standing under its own track, or of a part of it."""
    return any(
        stay.last.stamp.media_s == now_s
        and (iou(stay.place_px, place) >= 0.6 or standing.is_part_of(place, stay.place_px))
        for stay in stays
    )


def same_vehicle(
    stays: Sequence[Stay],
    track_id: int,
    trail: Trail,
    place: Box,
    there: Sequence[Sample],
    now_s: float,
) -> int | None:
    """The index of the unseen stay whose vehicle now shows under this track, or None.

    Same place, same kind of vehicle, and either there so soon that no other vehicle can have taken the place,
    or first seen right there, whole or as much of it as was uncovered (it was hidden and did not arrive), while the
    stay's own track was not seen elsewhere. In doubt it is another vehicle, whose clock starts anew. After a
    finding doubt goes the other way, and the place may differ in extent, as a vehicle that gets uncovered does: no
    second case comes of it.
    """
    best: tuple[float, int] | None = None
    for index, stay in enumerate(stays):
        unseen_s = there[0].stamp.media_s - stay.last.stamp.media_s
        if stay.last.stamp.media_s == now_s or not _alike(stay.object_class, there[-1].object_class):
            continue
        first = trail.first.box_px
        soon, was_there = (
            unseen_s <= SWAP_S,
            standing.is_at(first, place)
            or any(standing.lies_within(first, whole) for whole in (place, stay.place_px)),
        )
        if stay.said_s is None:
            hidden = was_there and not stay.elsewhere and unseen_s <= HIDDEN_MAX_S
            same = standing.is_at(place, stay.place_px) and (soon or hidden)
        else:
            same = standing.overlaps_much(place, stay.place_px) and (
                soon or was_there or track_id in stay.tracks
            )
        shared = iou(place, stay.place_px)
        if same and (best is None or shared > best[0]):
            best = (shared, index)
    return None if best is None else best[1]


def _alike(first: ObjectClass, second: ObjectClass) -> bool:
    """Detectors take cars, buses and trucks for one another, but not for motorcycles."""
    return (first is ObjectClass.MOTORCYCLE) == (second is ObjectClass.MOTORCYCLE)
