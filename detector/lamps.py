"""What each signal head shows in one frame, read from tiny crops of the decoder's own planes.

A lit lamp adds light of its own colour to one third of the head, so three things are looked at together: by how
much the chroma of a spot stands out from the rest of the head, in which direction (the hue), and where along the
head. Nothing is tuned to a camera or a clip; where the evidence is weak or divided the answer is ``unknown``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.lamp_size import MIN_LONG_PX, MIN_SHORT_PX
from detector.picture import Picture, Pixels
from rules.observation import Box, LampSample, LampState

Floats = NDArray[np.float32]

GRID_LONG = 36
"""Cells along the head; a lamp is then some 8 cells wide, so that a 5-cell mean still resolves it."""
GRID_SHORT = 12
"""Cells across the head: a three-lamp head is about three times as long as wide."""
SPOT = 5
"""Side of the mean filter in cells: an arrow or a round lamp fills it, noise and single bright pixels do not."""

SINGLE_LENS_ASPECT = 1.4
"""Below this length-to-width a box holds one lens, and its place says nothing. Three lamps in their housing are
2.5-3, a box drawn generously around them about 2; two lamps are 2."""

NEUTRAL = 128.0

LIT_FLOOR = 4.0
"""Chroma, in 8-bit steps, that a lamp must add. Unlit coloured lenses in daylight add 1-3.5 (footage), block-coded
grey surfaces 1-2; of the 1,187 lit lamps of the signal set 99 % add more."""
MIN_SHARE = 0.5
"""The answer must have more evidence than all others together; LIT_FLOOR counts as one more witness against it."""
BOTH_MAYBE, BOTH_SURELY = 0.4, 0.65
"""The weaker of red and amber as a part of the stronger: from here a second lamp may be burning (``unknown``), and
from there it is. Saturated amber carries 0.9 of red's chroma; filament lamps glow up and down over 0.1-0.2 s."""
BOTH_APART = 0.15
"""Two lamps' centres are at least 0.2 of the head's length apart; nearer spots are one lamp seen twice."""

OFF_MAX_LUMA = 110.0
"""The median luma of a head that is seen clearly; housings are black or dark grey, haze and glare lift them."""
OFF_MAX_CAST = 6.0
"""Its median chroma is this near to grey, in 8-bit steps: housings seen clearly are within 2 (footage); haze tints them,
and a bus or a tarpaulin in front of the head rarely is so grey."""
OFF_MIN_CONTRAST = 6.0
"""Standard deviation of its luma: visors, lenses and edges show. Night, fog or a wall in front have less."""
OFF_MAX_LAMP_LUMA = 160.0
"""Nothing along its middle is brighter: a sunlit visor reaches 115, an overexposed (white) lamp 200 and more."""

UNLIT_LUMA_SLACK, UNLIT_LUMA_SHARE, UNLIT_CHROMA_SLACK = 8.0, 0.25, 5.0
"""A head is dark, however little of it can be seen, where all of its middle looks, within this many steps (of luma: or
this share of it), as its unlit lamps did while another one burnt. Drawn heads by night show no edge at all, and
their unlit parts keep within 1 step; of a lamp that flashes, compression leaves up to 8 steps of its glow for as long as it is
dark. A wall or a vehicle before a head has another luma or chroma."""
UNLIT_FROM, UNLIT_SURE, UNLIT_ADAPT = 0.35, 0.8, 0.1
"""Rows at least this part of the head's length away from a lamp that burns this surely are unlit, and what is known of
them follows by this share a frame: dusk is slower."""

PLACE_SLACK, PLACE_SIGMA = 0.06, 0.10
"""Along the head, as a part of its length: full weight within the slack, then a Gaussian. A lamp's own centre lies
at 1/6, 1/2, 5/6 of the housing; boxes drawn with a margin bring the outer two to about 0.25 and 0.77, and the
spread of hand-drawn boxes around that is 0.05-0.07 (measured on even-numbered crops of the signal set)."""
ACROSS_SIGMA = 0.25
"""Across the head, as a part of its width: lamps are in the middle, sky and passing traffic at the edges."""


@dataclass(frozen=True, slots=True)
class _Lamp:
    """One lamp's colour and place: a wedge of the (U, V) plane and the part of the head's length it sits at.

    Angles are degrees from +U towards +V, rising: no weight at ``starts_deg`` and ``ends_deg``, full weight between
    ``full_from_deg`` and ``full_to_deg``.
    """

    state: LampState
    starts_deg: float
    full_from_deg: float
    full_to_deg: float
    ends_deg: float
    place: float


LAMPS = (
    # BT.601 hues: pure red 109, red LED 104, overexposed red towards pink 88, towards orange 120.
    _Lamp(LampState.RED, 60.0, 85.0, 122.0, 150.0, 0.25),
    # Orange (255,120,0) 137, amber LED 156, pure yellow 171; filament amber through a lens 126-135 (footage).
    _Lamp(LampState.AMBER, 112.0, 128.0, 170.0, 188.0, 0.50),
    # Blue-green signal LED -77, pure green -112, old yellowish lenses -129; kept off: blue sky -36..-41, leaves -151.
    _Lamp(LampState.GREEN, -150.0, -115.0, -65.0, -48.0, 0.77),
)


class LampBoxError(DetectorError):
    """A lamp box that cannot be read; ``head_id`` names the head."""

    code = "lamp_box_invalid"

    def __init__(self, head_id: str, message: str) -> None:
        super().__init__(f"signal head {head_id!r}: {message}")
        self.head_id = head_id
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class LampBox:
    """Where one signal head is in the picture: its housing, a little margin does no harm.

    The lamps run red, amber, green from the top, or from the left where the box is wider than high. A box that is
    about as wide as high holds a single lens of changing colour.
    """

    head_id: str
    box_px: Box


class LampReader:
    """Reads the same heads in every frame of one camera, and remembers how each looks where no lamp burns."""

    def __init__(self, boxes: Sequence[LampBox]) -> None:
        """Keep ``boxes``, in this order. Raises LampBoxError for a repeated head or a box that is none."""
        seen: set[str] = set()
        for box in boxes:
            if box.head_id in seen:
                raise LampBoxError(box.head_id, "is given twice; a camera reads a head from one box")
            seen.add(box.head_id)
            x1, y1, x2, y2 = box.box_px
            if not all(math.isfinite(v) for v in box.box_px) or x2 <= x1 or y2 <= y1:
                raise LampBoxError(
                    box.head_id, f"box {box.box_px} must be x1, y1, x2, y2 with x1 < x2 and y1 < y2"
                )
        self._boxes = tuple(boxes)
        self._unlit: dict[str, _Unlit] = {}

    def read(self, picture: Picture) -> tuple[LampSample, ...]:
        """One sample per box, in the order of the boxes. Raises LampBoxError when a box leaves the picture."""
        if not self._boxes:
            return ()
        planes = picture.planes()
        samples = []
        for box in self._boxes:
            x1, y1, x2, y2 = box.box_px
            if x1 < 0 or y1 < 0 or x2 > picture.width or y2 > picture.height:
                raise LampBoxError(
                    box.head_id,
                    f"box {box.box_px} must lie inside the picture of {picture.width}x{picture.height} pixels",
                )
            state, confidence = self._remembering(box.head_id, _seen(*planes, box.box_px))
            samples.append(LampSample(head_id=box.head_id, state=state, confidence=confidence))
        return tuple(samples)

    def _remembering(self, head_id: str, head: _Head | None) -> tuple[LampState, float]:
        """State and confidence of a head that was seen before."""
        if head is None:
            return LampState.UNKNOWN, 1.0
        state, confidence = _decide(head)
        known = self._unlit.get(head_id)
        if state is LampState.UNKNOWN and known is not None and known.fits(head):
            return LampState.OFF, UNLIT_SURE
        unlit = _unlit_part(head, state) if confidence >= UNLIT_SURE else None
        if unlit is not None:
            self._unlit[head_id] = unlit if known is None else known.followed(unlit)
        return state, confidence


def read_crop(bgr: Pixels) -> tuple[LampState, float]:
    """State and confidence (0..1) of a head that fills ``bgr``, uint8 (height, width, 3), blue-green-red.

    The crop is brought to 4:2:0 planes first, so that it goes the way of a decoded frame.
    """
    height, width = bgr.shape[0] // 2 * 2, bgr.shape[1] // 2 * 2
    if height < 2 or width < 2:
        return LampState.UNKNOWN, 1.0
    stacked = cv2.cvtColor(bgr[:height, :width], cv2.COLOR_BGR2YUV_I420).reshape(-1)
    y_size, uv_size = height * width, height * width // 4
    y = stacked[:y_size].reshape(height, width)
    u = stacked[y_size : y_size + uv_size].reshape(height // 2, width // 2)
    v = stacked[y_size + uv_size :].reshape(height // 2, width // 2)
    return read_head(
        y.astype(np.uint8, copy=False),
        u.astype(np.uint8, copy=False),
        v.astype(np.uint8, copy=False),
        (0.0, 0.0, float(width), float(height)),
    )


def read_head(y: Pixels, u: Pixels, v: Pixels, box_px: Box) -> tuple[LampState, float]:
    """State and confidence (0..1) of the head at ``box_px`` in planes as ``Picture.planes`` gives them.

    The confidence of a lit state is its share of all evidence; of ``off`` how far the head is from lit; of
    ``unknown`` how far the best other answer is from certain.
    """
    head = _seen(y, u, v, box_px)
    return (LampState.UNKNOWN, 1.0) if head is None else _decide(head)


@dataclass(frozen=True, slots=True)
class _Head:
    """The crop's planes, float32 (GRID_LONG, GRID_SHORT), the head standing upright with red on top.

    ``single``: it holds one lens, whose place says nothing.
    """

    luma: Floats
    u: Floats
    v: Floats
    single: bool


def _seen(y: Pixels, u: Pixels, v: Pixels, box_px: Box) -> _Head | None:
    """The head at that place, None where it is too small to be read."""
    x1, y1, x2, y2 = (round(value) for value in box_px)
    long_px, short_px = max(x2 - x1, y2 - y1), min(x2 - x1, y2 - y1)
    if long_px < MIN_LONG_PX or short_px < MIN_SHORT_PX:
        return None
    half = (slice(y1 // 2, (y2 + 1) // 2), slice(x1 // 2, (x2 + 1) // 2))
    lying = x2 - x1 > y2 - y1
    return _Head(
        luma=_grid(y[y1:y2, x1:x2], lying),
        u=_grid(u[half], lying),
        v=_grid(v[half], lying),
        single=long_px < SINGLE_LENS_ASPECT * short_px,
    )


def _grid(plane: Pixels, lying: bool) -> Floats:
    """The crop as float32 (GRID_LONG, GRID_SHORT), the head standing upright with red on top."""
    upright = np.ascontiguousarray(plane.T if lying else plane)
    shrinks = upright.shape[0] >= GRID_LONG and upright.shape[1] >= GRID_SHORT
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(upright, (GRID_SHORT, GRID_LONG), interpolation=how).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Spot:
    """The strongest evidence for one lamp: chroma steps added (>= 0), and where along the head (0..1)."""

    state: LampState
    chroma: float
    place: float


def _chroma_evidence(u: Floats, v: Floats, *, single: bool) -> tuple[_Spot, ...]:
    """The best spot of each lamp, in the order of LAMPS.

    A spot counts by the lesser of two measures. Relative to the head's median chroma it must stand out in the
    lamp's hue; haze over a backlit head tints all of it and drops out. And in absolute chroma it must lean the
    lamp's way, so that the dark end of a head flooded by its own red glow is not taken for green; only a bluish
    cast is forgiven there, for that is what sky and haze add. What both edges of a row have too lies behind the
    head (a red wall) and counts for nothing.
    """
    u_median, v_median = float(np.median(u)), float(np.median(v))
    du, dv = _mean(u - u_median), _mean(v - v_median)
    au, av = _mean(u - max(u_median, NEUTRAL)), _mean(v - min(v_median, NEUTRAL))
    size = np.hypot(du, dv)
    angle_deg = np.degrees(np.arctan2(dv, du))
    along = (np.arange(GRID_LONG, dtype=np.float32) + 0.5)[:, None] / GRID_LONG
    across = (np.arange(GRID_SHORT, dtype=np.float32) + 0.5)[None, :] / GRID_SHORT
    central = np.exp(-0.5 * ((across - 0.5) / ACROSS_SIGMA) ** 2)
    spots = []
    for lamp in LAMPS:
        rise = (angle_deg - lamp.starts_deg) / (lamp.full_from_deg - lamp.starts_deg)
        fall = (lamp.ends_deg - angle_deg) / (lamp.ends_deg - lamp.full_to_deg)
        hue = np.clip(np.minimum(rise, fall), 0.0, 1.0)
        middle = math.radians((lamp.full_from_deg + lamp.full_to_deg) / 2)
        leaning = au * math.cos(middle) + av * math.sin(middle)
        weight = central
        if not single:
            off_place = np.maximum(np.abs(along - lamp.place) - PLACE_SLACK, 0.0)
            weight = central * np.exp(-0.5 * (off_place / PLACE_SIGMA) ** 2)
        here = np.minimum(size * hue, np.maximum(leaning, 0.0))
        behind = np.minimum(here[:, :1], here[:, -1:])
        evidence = (here - behind) * weight
        row = int(np.argmax(evidence.max(axis=1)))
        spots.append(_Spot(lamp.state, float(evidence[row].max()), (row + 0.5) / GRID_LONG))
    return tuple(spots)


def _mean(plane: Floats) -> Floats:
    """Each cell's mean with its neighbours, SPOT by SPOT."""
    return cv2.blur(plane, (SPOT, SPOT), borderType=cv2.BORDER_REPLICATE).astype(np.float32, copy=False)


def _decide(head: _Head) -> tuple[LampState, float]:
    """The state that the evidence gives, and how surely."""
    spots = _chroma_evidence(head.u, head.v, single=head.single)
    red, amber, _ = spots
    total = sum(spot.chroma for spot in spots) + LIT_FLOOR
    best = max(spots, key=lambda spot: spot.chroma)
    state, share = best.state, best.chroma / total
    if best.chroma < LIT_FLOOR:
        if _is_seen_dark(head):
            return LampState.OFF, 1.0 - best.chroma / (2.0 * LIT_FLOOR)
        return LampState.UNKNOWN, 1.0 - share
    weaker, stronger = sorted((red.chroma, amber.chroma))
    apart = not head.single and amber.place - red.place >= BOTH_APART
    if apart and best.state is not LampState.GREEN and weaker >= max(LIT_FLOOR, BOTH_MAYBE * stronger):
        if weaker < BOTH_SURELY * stronger or not _is_darker_between(head.luma, red.place, amber.place):
            return LampState.UNKNOWN, 1.0 - share
        state, share = LampState.RED_AMBER, (weaker + stronger) / total
    if share < MIN_SHARE:
        return LampState.UNKNOWN, 1.0 - share
    return state, share


def _is_darker_between(luma: Floats, upper: float, lower: float) -> bool:
    """True where the housing between two places is darker than the lamps there; one lamp's halo is brightest inside."""
    middle = _mean(luma)[:, GRID_SHORT // 4 : -GRID_SHORT // 4].mean(axis=1)
    first, last = int(upper * GRID_LONG), int(lower * GRID_LONG)
    return float(middle[first : last + 1].min()) < min(float(middle[first]), float(middle[last]))


def _is_seen_dark(head: _Head) -> bool:
    """True where a head is plainly visible and none of its lamps glows, not even white."""
    cast = math.hypot(float(np.median(head.u)) - NEUTRAL, float(np.median(head.v)) - NEUTRAL)
    middle = _mean(head.luma)[:, GRID_SHORT // 4 : -GRID_SHORT // 4]
    return (
        float(np.median(head.luma)) <= OFF_MAX_LUMA
        and cast <= OFF_MAX_CAST
        and float(head.luma.std()) >= OFF_MIN_CONTRAST
        and float(middle.max()) <= OFF_MAX_LAMP_LUMA
    )


@dataclass(frozen=True, slots=True)
class _Unlit:
    """Luma, U and V of a head where no lamp burns."""

    luma: float
    u: float
    v: float

    def fits(self, head: _Head) -> bool:
        """Whether all of the head's middle looks so: whatever it shows, no lamp of it burns."""
        slack = max(UNLIT_LUMA_SLACK, UNLIT_LUMA_SHARE * self.luma)
        return all(
            float(np.abs(_middle(plane) - own).max()) <= most
            for plane, own, most in (
                (head.luma, self.luma, slack),
                (head.u, self.u, UNLIT_CHROMA_SLACK),
                (head.v, self.v, UNLIT_CHROMA_SLACK),
            )
        )

    def followed(self, now: _Unlit) -> _Unlit:
        """A little nearer to how it looks now."""
        return _Unlit(
            self.luma + UNLIT_ADAPT * (now.luma - self.luma),
            self.u + UNLIT_ADAPT * (now.u - self.u),
            self.v + UNLIT_ADAPT * (now.v - self.v),
        )


def _unlit_part(head: _Head, state: LampState) -> _Unlit | None:
    """How the head looks away from the lamp that burns; None where that cannot be told."""
    place = next((lamp.place for lamp in LAMPS if lamp.state is state), None)
    if head.single or place is None:
        return None
    along = (np.arange(GRID_LONG) + 0.5)[SPOT // 2 + 1 : -(SPOT // 2 + 1)] / GRID_LONG
    rows = np.abs(along - place) >= UNLIT_FROM
    if rows.sum() < GRID_LONG // 6:
        return None
    luma, u, v = (float(np.median(_middle(plane)[rows])) for plane in (head.luma, head.u, head.v))
    return _Unlit(luma, u, v)


def _middle(plane: Floats) -> Floats:
    """The head's cells, each with its neighbours' mean, without its edges, where the housing may end."""
    edge = SPOT // 2 + 1
    return _mean(plane)[edge:-edge, GRID_SHORT // 4 : -GRID_SHORT // 4]
