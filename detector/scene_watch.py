"""Sees whether a fixed camera still shows the scene it showed at first: not moved, blurred, darkened or covered.

Some seventy small textured places of the picture, spread over it, are remembered. Traffic hides many of them at a
time and in no order, and what looks like them on a car is somewhere else at the next look; a camera that moved shifts
most of them together and stays where it is, one out of focus softens them all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.picture import Picture, Pixels
from rules.observation import SceneFault, SceneState

Doubles = NDArray[np.float64]

STILL: Doubles = np.array(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
STILL.setflags(write=False)

EVERY_S = 0.5
"""Media time between two looks: a fault that lasts for three of them is told within 2 s (the limit is 5 s)."""

WIDTH_PX = 320
"""Width at which places are compared: 3 % of the picture are 10 px then, 2° at its edge 6 px."""

PLACE_PX = 20
"""Side of a place, in pixels of the small picture."""

NEAR_PX, FAR_PX = 2, 20
"""How far a place is looked for: at every look, and once most are gone (twice the movement that must surely be told)."""

COLUMNS, ROWS = 12, 8
"""One place at most per cell of this grid, so that no building or tree has all the votes."""

MIN_CORNER = 2e-4
"""The least corner strength (smaller eigenvalue, luma 0..1) of a place: an edge alone doesn't say how far it slid."""

FOUND = 0.7
"""Normalised correlation from which a place is found: sun and dusk keep it (gain cancels), other things don't reach it."""

AGREE_PX = 1.5
"""A place this near to where a movement would have it moved along, in pixels of the small picture."""

FEWEST = 6
"""Fewer places found tell nothing about the whole picture."""

MOVED_SHARE = 0.3
"""This share of the places must be found moved together: at a crowded stop line two thirds are hidden at times."""

JUMP = 0.008
"""A camera that is knocked moves some corner of the picture by this share of its width between two looks. Poles that
sway and cameras that hover (the car-park footage) do so by less, and are followed."""

FEW_SHARE, AS_ONE_SHARE = 0.15, 0.6
"""Fewer are enough, down to this share of the places, where they are so much of all that are found anywhere near."""

SURPASS = 1.25
"""A jump is believed where so many times more places moved with it than are where they were: a turn by so little that
it leaves most of them in place can be made of those alone."""

SURE_SHARE = 0.5
"""What so many of the places do together is a movement at once; what fewer do must be seen again at the next look."""

AGAIN = 0.01
"""A camera that moved is still there at the next look, but for this share of the picture's width at any corner."""

AGAIN_S = 2.5
"""The next look counts as one after so long at most: looks that tell nothing may lie in between."""

DRIFT = 0.025
"""Followed so far at most: beyond it, lines and zones are no longer where they were drawn (hovering footage: 0.016)."""

LOST_SHARE = 0.12
"""With fewer places than this share where they were, and no common movement, something hides the scene. With twice as many
it is seen again."""

HIDDEN_S = 2.0
"""What hides it for so long covers it: a bus or lorry close to the lens is mostly gone sooner, and until then nothing is said."""

SOFT = 0.4
"""Fine detail, as a share of what it was, below which the picture is blurred: untouched footage keeps 0.4 and more,
a Gaussian blur of 2 px leaves 0.06-0.2 of it."""

FAINT = 0.4
"""Contrast of the places, as a share of what it was, below which the picture is dark or veiled."""

DARK_LUMA = 30.0
"""With less mean luma (8 bits, black is 16) nothing of the road can be told."""

LEARN_S = 4.0
"""A picture must be steady for so long before it counts as the scene: titles and cuts at the start of a file don't."""

FORGET_S = 60.0
"""A place not found for so long (a parked car that left) is given up and another one taken near it."""

ADAPT = 0.005
"""Share by which contrast and detail follow the picture at each look: dusk takes far longer than these 100 s."""


@dataclass(slots=True)
class _Place:
    """A textured place: its middle and look in the small picture, its contrast and detail, and when it was last found."""

    x: float
    y: float
    look: Pixels
    contrast: float
    detail: float
    found_s: float


@dataclass(frozen=True, slots=True)
class _Movement:
    """How places moved together (2x3: turn, scale and shift), and how many did."""

    matrix: Doubles
    agreeing: int


class SceneWatch:
    """Watches one camera over one segment; pictures come in order of time."""

    def __init__(self) -> None:
        """Having seen nothing: the first steady picture becomes the scene."""
        self._places: list[_Place] = []
        self._pose: Doubles = STILL
        self._jumped: tuple[Doubles, float] | None = None
        self._hidden_since_s: float | None = None
        self._learnt_from_s: float | None = None
        self._next_s = 0.0

    def look(self, picture: Picture) -> SceneState | None:
        """What has become of the scene, or None where this picture is not looked at.

        Reads the luma plane only.
        """
        now_s = picture.stamp.media_s
        if now_s < self._next_s:
            return None
        self._next_s = now_s + EVERY_S
        luma = picture.planes()[0]
        height = max(PLACE_PX + 2, round(luma.shape[0] * WIDTH_PX / luma.shape[1]))
        small = np.asarray(cv2.resize(luma, (WIDTH_PX, height), interpolation=cv2.INTER_AREA), np.uint8)
        if self._learnt_from_s is None:
            self._learn(luma, small, now_s)
        return self._compare(luma, small, now_s)

    def restart(self) -> None:
        """Media time begins anew, and the scene is the one that was learnt: whether the camera moved meanwhile is seen."""
        if self._learnt_from_s is None or self._next_s - self._learnt_from_s < LEARN_S:
            self._places, self._pose, self._learnt_from_s, self._next_s = [], STILL, None, 0.0
            self._jumped = self._hidden_since_s = None
            return
        self._next_s, self._jumped, self._hidden_since_s = 0.0, None, None
        self._learnt_from_s = -2 * LEARN_S
        for place in self._places:
            place.found_s = 0.0

    def _learn(self, luma: Pixels, small: Pixels, now_s: float) -> None:
        self._learnt_from_s, self._pose = now_s, STILL
        self._places = [_place(luma, small, x, y, now_s) for x, y in _corners(small)]

    def _compare(self, luma: Pixels, small: Pixels, now_s: float) -> SceneState:
        assert self._learnt_from_s is not None
        places = self._places
        found = _found(small, places, NEAR_PX)
        kept = [place for place, _ in found]
        for place in kept:
            place.found_s = now_s
        faults: set[SceneFault] = set()
        movement = _movement(found, len(kept) // 2, small)
        if movement is None or _way(movement.matrix, small) > JUMP or len(kept) < 0.5 * len(places):
            anywhere = _found(small, places, FAR_PX)
            least = max(FEW_SHARE * len(places), AS_ONE_SHARE * len(anywhere))
            least = min(MOVED_SHARE * len(places), least)
            movement = _movement(anywhere, int(least), small, _still(found))
        pose = self._pose if movement is None else _after(self._pose, movement.matrix)
        jump = movement if movement is not None and _is_jump(movement.matrix, pose, small) else None
        if jump and (self._is_there_again(pose, small, now_s) or jump.agreeing >= SURE_SHARE * len(places)):
            faults.add(SceneFault.MOVED)
        is_hidden = not faults and (movement is None or jump is not None) and self._hides(len(kept))
        if self._lasts(is_hidden, len(kept), now_s):
            faults.add(SceneFault.COVERED)
        if float(small.mean()) < DARK_LUMA:
            faults.add(SceneFault.DARK)
        if len(places) >= FEWEST and not is_hidden:
            faults |= _dulled(luma, small, kept or places)
        if now_s - self._learnt_from_s < LEARN_S and (
            len(places) < FEWEST or is_hidden or SceneFault.BLURRED in faults
        ):
            self._learn(luma, small, now_s)
            return SceneState(faults=frozenset(faults & {SceneFault.DARK}))
        if SceneFault.MOVED in faults:
            middle_x, middle_y = _moved(pose, small)[-1]
            turn_deg = float(np.degrees(np.arctan2(pose[1, 0], pose[0, 0])))
            shift = float(np.hypot(middle_x, middle_y)) / WIDTH_PX
            return SceneState(faults=frozenset(faults), shift=shift, turn_deg=turn_deg)
        if not faults and jump is None and not is_hidden:
            self._follow(luma, small, kept, movement, now_s)
        return SceneState(faults=frozenset(faults))

    def _hides(self, kept: int, share: float = LOST_SHARE) -> bool:
        """Whether so few places are where they were that something is before the scene."""
        return len(self._places) >= FEWEST and kept < share * len(self._places)

    def _lasts(self, is_hidden: bool, kept: int, now_s: float) -> bool:
        """Whether the scene is hidden, and has been without being seen again in between for ``HIDDEN_S``."""
        if not self._hides(kept, 2 * LOST_SHARE):
            self._hidden_since_s = None
        elif is_hidden and self._hidden_since_s is None:
            self._hidden_since_s = now_s
        since_s = self._hidden_since_s
        return is_hidden and since_s is not None and now_s - since_s >= HIDDEN_S

    def _is_there_again(self, pose: Doubles, small: Pixels, now_s: float) -> bool:
        """Whether the look before found the camera moved to that pose as well."""
        before, self._jumped = self._jumped, (pose, now_s)
        if before is None or now_s - before[1] > AGAIN_S:
            return False
        apart = _moved(pose, small) - _moved(before[0], small)
        return float(np.hypot(*apart.T).max()) <= AGAIN * WIDTH_PX

    def _follow(
        self, luma: Pixels, small: Pixels, kept: list[_Place], movement: _Movement | None, now_s: float
    ) -> None:
        """The scene as it is now: a little moved, in another light, and without the places that are long gone."""
        assert self._learnt_from_s is not None
        for place in kept:
            contrast, detail = _quality(luma, small, place)
            place.contrast += ADAPT * (contrast - place.contrast)
            place.detail += ADAPT * (detail - place.detail)
        if movement is not None:
            matrix = movement.matrix
            self._pose = _after(self._pose, matrix)
            for place in self._places:
                place.x, place.y = (
                    float(value) for value in matrix[:, :2] @ (place.x, place.y) + matrix[:, 2]
                )
        forget_s = LEARN_S / 2 if now_s - self._learnt_from_s < LEARN_S else FORGET_S
        places = [
            place for place in self._places if now_s - place.found_s <= forget_s and _inside(place, small)
        ]
        if len(places) == len(self._places) or len(kept) < 0.5 * len(self._places):
            return
        for x, y in _corners(small):
            if all(max(abs(x - place.x), abs(y - place.y)) >= PLACE_PX / 2 for place in places):
                places.append(_place(luma, small, x, y, now_s))
        self._places = places


def _corners(small: Pixels) -> list[tuple[int, int]]:
    """The middle of the place with the strongest corner in each cell of the grid that has one."""
    strength = cv2.cornerMinEigenVal(small.astype(np.float32) / 255.0, blockSize=PLACE_PX // 2, ksize=3)
    margin = PLACE_PX // 2 + NEAR_PX
    height, width = small.shape
    found = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            top = margin + row * (height - 2 * margin) // ROWS
            bottom = margin + (row + 1) * (height - 2 * margin) // ROWS
            left = margin + column * (width - 2 * margin) // COLUMNS
            right = margin + (column + 1) * (width - 2 * margin) // COLUMNS
            cell = strength[top:bottom, left:right]
            if cell.size == 0 or float(cell.max()) < MIN_CORNER:
                continue
            y, x = np.unravel_index(int(cell.argmax()), cell.shape)
            found.append((left + int(x), top + int(y)))
    return found


def _place(luma: Pixels, small: Pixels, x: int, y: int, now_s: float) -> _Place:
    half = PLACE_PX // 2
    look = small[y - half : y + half, x - half : x + half].copy()
    place = _Place(x=x, y=y, look=look, contrast=1.0, detail=1.0, found_s=now_s)
    place.contrast, place.detail = _quality(luma, small, place)
    return place


def _inside(place: _Place, small: Pixels) -> bool:
    half = PLACE_PX / 2
    height, width = small.shape
    return bool(half <= place.x < width - half and half <= place.y < height - half)


def _found(small: Pixels, places: list[_Place], reach_px: int) -> list[tuple[_Place, Doubles]]:
    """The places seen at most ``reach_px`` from where they are thought to be, each with where its middle is now."""
    half = PLACE_PX // 2
    found = []
    for place in places:
        x, y = round(place.x), round(place.y)
        top, left = max(0, y - half - reach_px), max(0, x - half - reach_px)
        around = small[top : max(0, y + half + reach_px), left : max(0, x + half + reach_px)]
        if around.shape[0] < PLACE_PX or around.shape[1] < PLACE_PX:
            continue
        _, best, _, at = cv2.minMaxLoc(cv2.matchTemplate(around, place.look, cv2.TM_CCOEFF_NORMED))
        if best >= FOUND:
            shift = (left + at[0] + half - x, top + at[1] + half - y)
            found.append((place, np.array((place.x + shift[0], place.y + shift[1]))))
    return found


def _movement(
    found: list[tuple[_Place, Doubles]], least: int, small: Pixels, still: int = 0
) -> _Movement | None:
    """How the places moved together.

    None where fewer than ``least`` agree, fewer than ``still`` or, for a jump, not clearly more than those.
    """
    if len(found) < FEWEST:
        return None
    before = np.array([(place.x, place.y) for place, _ in found], np.float64)
    matrix, agree = cv2.estimateAffinePartial2D(
        before,
        np.array([at for _, at in found], np.float64),
        method=cv2.RANSAC,
        ransacReprojThreshold=AGREE_PX,
        maxIters=500,
    )
    movement = _Movement(matrix=np.asarray(matrix, np.float64), agreeing=int(np.sum(agree)))
    if movement.agreeing < max(FEWEST, least, still):
        return None
    return None if _way(movement.matrix, small) > JUMP and movement.agreeing < SURPASS * still else movement


def _still(found: list[tuple[_Place, Doubles]]) -> int:
    """How many are where they were, as nearly as ``_movement`` demands of those that agree."""
    return sum(float(np.hypot(at[0] - place.x, at[1] - place.y)) <= AGREE_PX for place, at in found)


def _after(pose: Doubles, movement: Doubles) -> Doubles:
    """The pose after that further movement."""
    moved: Doubles = movement[:, :2] @ pose
    moved[:, 2] += movement[:, 2]
    return moved


def _moved(movement: Doubles, small: Pixels) -> Doubles:
    """How far it moves the corners and the middle of the picture: (5, 2) pixels of the small one, the middle last."""
    height, width = small.shape
    ends = np.array([(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)], np.float64)
    return np.asarray(ends @ movement[:, :2].T + movement[:, 2] - ends, np.float64)


def _way(movement: Doubles, small: Pixels) -> float:
    """How far it moves the corner that it moves most, as a share of the picture's width."""
    return float(np.hypot(*_moved(movement, small).T).max()) / WIDTH_PX


def _is_jump(movement: Doubles, pose: Doubles, small: Pixels) -> bool:
    """Whether a camera that only sways or hovers cannot have moved so, or to there."""
    return _way(movement, small) > JUMP or _way(pose, small) > DRIFT


def _dulled(luma: Pixels, small: Pixels, places: list[_Place]) -> set[SceneFault]:
    """Whether the places have lost their contrast or their fine detail."""
    seen = [(place, *_quality(luma, small, place)) for place in places if _inside(place, small)]
    faults: set[SceneFault] = set()
    if not seen:
        return faults
    if float(np.median([contrast / place.contrast for place, contrast, _ in seen])) < FAINT:
        faults.add(SceneFault.DARK)
    if float(np.median([detail / place.detail for place, _, detail in seen])) < SOFT:
        faults.add(SceneFault.BLURRED)
    return faults


def _quality(luma: Pixels, small: Pixels, place: _Place) -> tuple[float, float]:
    """The contrast of a place (standard deviation of its luma) and its fine detail (rms of the full picture's Laplacian)."""
    half, x, y = PLACE_PX // 2, round(place.x), round(place.y)
    contrast = float(small[y - half : y + half, x - half : x + half].std())
    scale = luma.shape[1] / small.shape[1]
    top, bottom, left, right = (round(value * scale) for value in (y - half, y + half, x - half, x + half))
    curve = cv2.Laplacian(luma[top:bottom, left:right], cv2.CV_32F)
    return max(1.0, contrast), max(1.0, float(np.sqrt(np.mean(curve**2))))
