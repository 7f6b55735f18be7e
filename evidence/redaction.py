"""Decides what of a frame must not be recognisable in a redacted copy, and hides it: people, plates and windscreens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from evidence.picture import Pixels, mosaic, with_area_of
from rules.geometry import box_area, iou
from rules.observation import Box, ObjectClass, Point

MARGIN = 0.08
"""Of a box's sides, hidden around it: boxes are not exact."""

UNSURE_SIDES = 0.3
"""Of an unsure person's width, hidden at either side: of one beside a trunk, or cut off above, boxes hold what is left or more."""

LEAST_MARGIN_PX = 5.0
"""Of small boxes, whose edges are off by pixels rather than by shares."""

ABOVE: Mapping[ObjectClass, float] = MappingProxyType(
    {ObjectClass.PERSON: 0.2, ObjectClass.MOTORCYCLE: 0.5, ObjectClass.BICYCLE: 0.5}
)
"""Of a box's height, hidden above it: heads stick out of boxes, and riders out of boxes that hold their machine only."""

SURE_SCORE = 0.5
"""From this score on only a part of a box is hidden; below, all of it."""

LEAST_PERSON_PX, LEAST_VEHICLE_PX = 60.0, 120.0
"""Boxes that are lower than that are hidden whole: where a head or a plate ends cannot be told to the pixel there."""

PERSON_SHARE = 1 / 3
"""The upper part of a person's box: head and shoulders."""

UPPER_SHARE: Mapping[ObjectClass, float] = MappingProxyType(
    {
        ObjectClass.CAR: 0.7,
        ObjectClass.BUS: 0.95,
        ObjectClass.TRUCK: 0.8,
        ObjectClass.MOTORCYCLE: 0.65,
        ObjectClass.BICYCLE: 0.65,
        ObjectClass.PERSON: PERSON_SHARE,
    }
)
"""The upper part of another road user: all of its glass, or head and body of a rider. On the sample clips the windscreen of a
car ends at 0.58 of its box (0.68 under a steep camera), that of a bus at 0.91, of a truck at 0.75."""

ACCUSED_SHARE: Mapping[ObjectClass, float] = MappingProxyType(
    {**UPPER_SHARE, ObjectClass.MOTORCYCLE: PERSON_SHARE, ObjectClass.BICYCLE: PERSON_SHARE}
)
"""The upper part of the accused vehicle: all of its glass, or the rider's head."""

CUT_PX = 3.0
"""A box that ends so near to the picture's lower edge is cut off there: how high it is, and what its upper part, is unknown."""

SURE_PLATE = 0.5
PLATE_MARGIN = 0.3
"""Of a plate's sides, hidden around it."""

KEPT_MARGINS = (1.2, 0.8, 0.4, 0.25, 0.12)
"""Of its sides, shown around the accused vehicle's plate, tried in turn until the copy's plate is read as well as the original's.
All but the last only where they touch nothing that is hidden of others. A plate that mosaic surrounds closely is hard to find:
of 35 px and with 0.12 ours was found no more; others lose a character with 1.2."""

ON_PLATE = 0.75
"""Of a box; boxes of letters stick out of the plate by a pixel or two."""

SAME_VEHICLE = 0.5
"""From this intersection over union on a box is the accused vehicle itself."""

VEHICLES = frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A road user in a frame; ``score`` 0 to 1."""

    object_class: ObjectClass
    box_px: Box
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPlate:
    """A plate in a frame and what it says."""

    corners_px: tuple[Point, Point, Point, Point]
    score: float
    text: str

    @property
    def box_px(self) -> Box:
        """The smallest box around it."""
        xs, ys = [x for x, _ in self.corners_px], [y for _, y in self.corners_px]
        return (min(xs), min(ys), max(xs), max(ys))


class Eyes(Protocol):
    """Finds who is in a frame, rather too many than too few. Frames are uint8 (height, width, 3), blue-green-red."""

    def road_users(self, frame: Pixels) -> Sequence[Sighting]:
        """Everyone found, riders with what they ride, perhaps twice."""
        ...

    def plate(self, frame: Pixels, box_px: Box) -> SeenPlate | None:
        """The plate of the vehicle in the box; None where none is seen."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """The vehicle that the case is about, in one frame; ``plate_text`` is None where its plate was not read."""

    object_class: ObjectClass
    box_px: Box
    plate_text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What is hidden in a frame, as boxes in pixels, and the quadrilaterals that stay visible whatever covers them."""

    boxes_px: tuple[Box, ...]
    kept_px: tuple[tuple[Point, ...], ...]


def hidden_in(
    frame: Pixels,
    users: Sequence[Sighting],
    accused: Accused | None,
    eyes: Eyes,
    copied: Callable[[Hidden], Pixels],
) -> Hidden:
    """What of the frame is to be hidden when ``users`` are in it: see the table in ``docs/redaction.md``.

    ``copied`` makes the copy in which just that is hidden: the accused vehicle's plate is read in it too.

    Raises what ``eyes`` and ``copied`` raise.
    """
    if accused is None:
        return Hidden(boxes_px=tuple(box for user in users for box in _of(frame, user, eyes)), kept_px=())
    plate = eyes.plate(frame, accused.box_px)
    if plate is not None and not is_reading_of(plate.text, accused.plate_text):
        plate = None
    others = [
        box
        for user in users
        if not _is_accused(user, accused) and not (plate and _is_within(user.box_px, plate.box_px))
        for box in _of(frame, user, eyes)
    ]
    share = ACCUSED_SHARE[accused.object_class]
    own = _whole(accused) if _is_cut(frame, accused) else _upper(accused, share)
    hidden = Hidden(boxes_px=(own, *others), kept_px=())
    return hidden if plate is None else _legible(hidden, plate, others, accused, eyes, copied)


def _legible(
    hidden: Hidden,
    plate: SeenPlate,
    others: Sequence[Box],
    accused: Accused,
    eyes: Eyes,
    copied: Callable[[Hidden], Pixels],
) -> Hidden:
    """What is hidden, but for the plate and as much around it as lets it be read in the copy as well as before."""

    def right(seen: SeenPlate | None) -> int:
        return 0 if seen is None else _characters_right(seen.text, accused.plate_text)

    trials = []
    for area in _showable(plate, others):
        trial = replace(hidden, kept_px=(area,))
        found = right(eyes.plate(copied(trial), accused.box_px))
        if found >= right(plate):
            return trial
        trials.append((found, trial))
    return max(trials, key=lambda tried: tried[0])[1]


def redacted(frame: Pixels, hidden: Hidden, blocks: int) -> Pixels:
    """A copy of the frame in which each box is a mosaic, its blocks 1/``blocks`` of its longer side."""
    copy = mosaic(frame, hidden.boxes_px, blocks)
    return with_area_of(copy, frame, hidden.kept_px) if hidden.kept_px else copy


def is_reading_of(text: str, plate_text: str | None) -> bool:
    """Whether it says that plate, with at most two characters read otherwise."""
    return plate_text is not None and _characters_right(text, plate_text) >= len(plate_text) - 2


def _characters_right(text: str, plate_text: str | None) -> int:
    """How many of the plate's characters it has in their places; none where it has another number of them."""
    if plate_text is None or len(text) != len(plate_text):
        return 0
    return sum(a == b for a, b in zip(text, plate_text, strict=True))


def _showable(plate: SeenPlate, others: Sequence[Box]) -> Iterator[tuple[Point, ...]]:
    """What may be shown of the accused vehicle around its plate, the largest first."""
    for margin in KEPT_MARGINS[:-1]:
        x1, y1, x2, y2 = grown(plate.box_px, margin / 2)
        if not any(
            x1 < right and left < x2 and y1 < bottom and top < y2 for left, top, right, bottom in others
        ):
            yield _grown_quad(plate.corners_px, margin)
    yield _grown_quad(plate.corners_px, KEPT_MARGINS[-1])


def _of(frame: Pixels, user: Sighting, eyes: Eyes) -> list[Box]:
    """The parts of another road user that are hidden: all of them where size or score leaves doubt."""
    height = user.box_px[3] - user.box_px[1]
    if user.score < SURE_SCORE or _is_cut(frame, user):
        return [_whole(user)]
    if user.object_class is ObjectClass.PERSON:
        return [_upper(user, PERSON_SHARE) if height >= LEAST_PERSON_PX else _whole(user)]
    if user.object_class is ObjectClass.BICYCLE and height >= LEAST_PERSON_PX:
        return [_upper(user, UPPER_SHARE[user.object_class])]
    plate = eyes.plate(frame, user.box_px) if height >= LEAST_VEHICLE_PX else None
    if plate is None or plate.score < SURE_PLATE:
        return [_whole(user)]
    return [_upper(user, UPPER_SHARE[user.object_class]), grown(plate.box_px, PLATE_MARGIN)]


def _is_accused(user: Sighting, accused: Accused) -> bool:
    same_kind = (user.object_class in VEHICLES) == (accused.object_class in VEHICLES)
    return same_kind and iou(user.box_px, accused.box_px) >= SAME_VEHICLE


def _is_within(box: Box, plate_box: Box) -> bool:
    """Whether nearly all of it lies on a plate that is read: nobody stands there, the detector took a letter for a person."""
    x1, y1 = max(box[0], plate_box[0]), max(box[1], plate_box[1])
    x2, y2 = min(box[2], plate_box[2]), min(box[3], plate_box[3])
    return max(0.0, x2 - x1) * max(0.0, y2 - y1) >= ON_PLATE * box_area(box)


def _is_cut(frame: Pixels, user: Sighting | Accused) -> bool:
    return bool(user.box_px[3] >= frame.shape[0] - CUT_PX)


def _upper(user: Sighting | Accused, share: float) -> Box:
    """The upper part of the box, and what is hidden around that."""
    left, top, right, _ = _whole(user)
    return (left, top, right, user.box_px[1] + share * (user.box_px[3] - user.box_px[1]))


def _whole(user: Sighting | Accused) -> Box:
    """The box and what is hidden around it."""
    x1, y1, x2, y2 = user.box_px
    sides = UNSURE_SIDES if isinstance(user, Sighting) and _is_unsure_person(user) else MARGIN
    dx, dy = max(LEAST_MARGIN_PX, sides * (x2 - x1)), max(LEAST_MARGIN_PX, MARGIN * (y2 - y1))
    above = max(dy, ABOVE.get(user.object_class, 0.0) * (y2 - y1))
    return (x1 - dx, y1 - above, x2 + dx, y2 + dy)


def _is_unsure_person(user: Sighting) -> bool:
    return user.object_class is ObjectClass.PERSON and user.score < SURE_SCORE


def grown(box: Box, margin: float) -> Box:
    """The box with ``margin`` times its sides around it."""
    x1, y1, x2, y2 = box
    dx, dy = margin * (x2 - x1), margin * (y2 - y1)
    return (x1 - dx, y1 - dy, x2 + dx, y2 + dy)


def _grown_quad(corners: Sequence[Point], margin: float) -> tuple[Point, ...]:
    x = sum(corner[0] for corner in corners) / len(corners)
    y = sum(corner[1] for corner in corners) / len(corners)
    return tuple(
        (x + (1 + margin) * (corner[0] - x), y + (1 + margin) * (corner[1] - y)) for corner in corners
    )
