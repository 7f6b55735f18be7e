"""Lamp states of drawn heads: every state, standing and lying, through haze, glare and bad boxes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.lamps import LampBox, LampBoxError, LampReader, read_crop
from rules.observation import Box, FrameStamp, LampState

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

RED, AMBER, GREEN = (30, 20, 250), (0, 160, 255), (170, 230, 20)  # blue, green, red
STATES: dict[LampState, tuple[Colour | None, Colour | None, Colour | None]] = {
    LampState.RED: (RED, None, None),
    LampState.AMBER: (None, AMBER, None),
    LampState.GREEN: (None, None, GREEN),
    LampState.RED_AMBER: (RED, AMBER, None),
    LampState.OFF: (None, None, None),
}
SHOWN = pytest.mark.parametrize("state", list(STATES))


def draw_head(
    lamps: tuple[Colour | None, ...], *, width_px: int = 28, background: Colour = (180, 170, 165)
) -> Pixels:
    """A head of three lamps in its housing with a margin of background, uint8 (height, width, 3)."""
    scale = 8
    unit = width_px * scale
    picture = np.full((unit * 9 // 4, unit, 3), background, np.uint8)
    cv2.rectangle(picture, (unit // 7, unit // 9), (unit * 6 // 7, unit * 77 // 36), (28, 28, 28), -1)
    for place, colour in zip((0.2, 0.5, 0.8), lamps, strict=True):
        centre = (unit // 2, round(picture.shape[0] * place))
        cv2.circle(picture, centre, unit // 4, (60, 62, 64), -1)  # the unlit lens catches some daylight
        cv2.ellipse(picture, centre, (unit // 4, unit // 4), 0, 180, 360, (90, 90, 90), unit // 30)
        if colour is not None:
            cv2.circle(picture, centre, unit // 4 - unit // 30, colour, -1)
    size = (width_px, width_px * 9 // 4)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class DrawnFrame:
    """A frame as a decoder gives it, made from a drawn picture of even width and height."""

    picture: Pixels

    @property
    def stamp(self) -> FrameStamp:
        return FrameStamp(
            camera_id="drawn",
            segment=0,
            index=0,
            media_s=0.0,
            captured_at=datetime(2025, 1, 1, tzinfo=UTC),
        )

    @property
    def width(self) -> int:
        return int(self.picture.shape[1])

    @property
    def height(self) -> int:
        return int(self.picture.shape[0])

    def bgr(self) -> Pixels:
        raise AssertionError("lamps are read without converting the whole picture")

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        stacked = cv2.cvtColor(self.picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False).reshape(-1)
        whole, quarter = self.width * self.height, self.width * self.height // 4
        half = (self.height // 2, self.width // 2)
        return (
            stacked[:whole].reshape(self.height, self.width),
            stacked[whole : whole + quarter].reshape(half),
            stacked[whole + quarter :].reshape(half),
        )


@SHOWN
@pytest.mark.parametrize("width_px", [12, 28, 90])
def test_each_state_is_read_from_tiny_to_large(state: LampState, width_px: int) -> None:
    read, confidence = read_crop(draw_head(STATES[state], width_px=width_px))
    assert read is state
    assert 0.5 <= confidence <= 1.0


@SHOWN
def test_a_lying_head_runs_red_amber_green_from_the_left(state: LampState) -> None:
    upright = draw_head(STATES[state])
    lying = np.ascontiguousarray(upright.transpose(1, 0, 2))
    assert read_crop(lying)[0] is state


@SHOWN
@pytest.mark.parametrize("background", [(235, 180, 135), (40, 90, 60), (30, 40, 160), (250, 250, 250)])
def test_sky_leaves_a_red_wall_and_glare_behind_the_head_change_nothing(
    state: LampState, background: Colour
) -> None:
    assert read_crop(draw_head(STATES[state], background=background))[0] in (state, LampState.UNKNOWN)


@SHOWN
def test_bluish_haze_over_the_whole_head_gives_the_state_or_unknown(state: LampState) -> None:
    clear = draw_head(STATES[state]).astype(np.float32)
    hazy = (0.3 * clear + 0.7 * np.array((225, 205, 190), np.float32)).astype(np.uint8)
    assert read_crop(hazy)[0] in (
        {LampState.UNKNOWN} if state is LampState.OFF else {state, LampState.UNKNOWN}
    )


@pytest.mark.parametrize("glow", [RED, AMBER, GREEN])
def test_a_head_flooded_by_one_lamps_glow_is_never_taken_for_another_colour(glow: Colour) -> None:
    """At night a lamp burns white and its glow covers the box, less at the far end: there the hue seems opposite."""
    index = (RED, AMBER, GREEN).index(glow)
    height, width = 63, 28
    along = (np.arange(height)[:, None] + 0.5) / height
    across = (np.arange(width)[None, :] + 0.5) / width - 0.5
    distance = np.hypot(along - (0.2, 0.5, 0.8)[index], across / 2)[..., None]
    picture = np.array(glow, np.float32) * np.exp(-distance * 1.2) + 255 * np.exp(-((distance / 0.12) ** 2))
    read, _ = read_crop(np.clip(picture, 0, 255).astype(np.uint8))
    assert read in ((LampState.RED, LampState.AMBER, LampState.GREEN)[index], LampState.UNKNOWN)


@pytest.mark.parametrize(("colour", "state"), [(RED, "red"), (AMBER, "amber"), (GREEN, "green")])
def test_a_single_lens_is_told_by_its_colour_alone(colour: Colour, state: str) -> None:
    picture = np.full((24, 24, 3), 30, np.uint8)
    cv2.circle(picture, (12, 12), 7, colour, -1)
    assert read_crop(picture)[0] == state


def test_a_second_lamp_at_half_strength_is_unknown_not_red_amber() -> None:
    half = tuple(channel // 2 + 15 for channel in AMBER)
    assert read_crop(draw_head((RED, (half[0], half[1], half[2]), None)))[0] is LampState.UNKNOWN


@pytest.mark.parametrize("grey", [0, 40, 128, 255])
def test_a_plain_surface_in_front_of_the_head_is_unknown_not_off(grey: int) -> None:
    assert read_crop(np.full((60, 28, 3), grey, np.uint8))[0] is LampState.UNKNOWN


def test_an_overexposed_white_lamp_is_unknown_not_off() -> None:
    assert read_crop(draw_head((None, None, (255, 255, 255))))[0] is LampState.UNKNOWN


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (11, 5), (40, 4)])
def test_a_head_too_small_to_tell_is_unknown(shape: tuple[int, int]) -> None:
    assert read_crop(np.full((*shape, 3), RED, np.uint8))[0] is LampState.UNKNOWN


def test_the_reader_reads_every_box_in_order_without_converting_the_picture() -> None:
    picture = np.full((120, 200, 3), (180, 170, 165), np.uint8)
    for column, state in ((20, LampState.GREEN), (101, LampState.RED)):
        head = draw_head(STATES[state])
        picture[30 : 30 + head.shape[0], column : column + head.shape[1]] = head
    boxes = (
        LampBox(head_id="left-turn", box_px=(101.0, 30.0, 129.0, 93.0)),
        LampBox(head_id="straight", box_px=(19.6, 29.8, 48.3, 93.2)),
    )
    samples = LampReader(boxes).read(DrawnFrame(picture))
    assert [(sample.head_id, sample.state) for sample in samples] == [
        ("left-turn", LampState.RED),
        ("straight", LampState.GREEN),
    ]
    assert all(0.5 <= sample.confidence <= 1.0 for sample in samples)


def test_no_boxes_give_no_samples() -> None:
    assert LampReader(()).read(DrawnFrame(np.zeros((8, 8, 3), np.uint8))) == ()


@pytest.mark.parametrize(
    "box_px",
    [(10.0, 10.0, 10.0, 40.0), (10.0, 40.0, 30.0, 10.0), (float("nan"), 0.0, 9.0, 20.0)],
)
def test_a_box_that_is_none_is_refused(box_px: Box) -> None:
    with pytest.raises(LampBoxError, match=r"signal head 'straight'.*x1 < x2") as caught:
        LampReader([LampBox(head_id="straight", box_px=box_px)])
    assert caught.value.head_id == "straight"


def test_a_head_given_twice_is_refused() -> None:
    box = LampBox(head_id="straight", box_px=(0.0, 0.0, 10.0, 30.0))
    with pytest.raises(LampBoxError, match="twice"):
        LampReader([box, box])


@pytest.mark.parametrize("box_px", [(-1.0, 0.0, 10.0, 30.0), (0.0, 0.0, 10.0, 41.0), (35.0, 0.0, 45.0, 30.0)])
def test_a_box_outside_the_picture_is_an_error_that_names_both(box_px: Box) -> None:
    reader = LampReader([LampBox(head_id="straight", box_px=box_px)])
    with pytest.raises(LampBoxError, match=r"'straight'.*inside the picture of 40x40"):
        reader.read(DrawnFrame(np.zeros((40, 40, 3), np.uint8)))


def night(lamps: tuple[Colour | None, ...], surface: int = 14) -> DrawnFrame:
    """A head by night: what does not burn is one dark surface without any edge."""
    head = np.full((64, 28, 3), surface, np.uint8)
    for row, colour in zip((12, 32, 52), lamps, strict=True):
        if colour is not None:
            cv2.circle(head, (14, row), 8, colour, -1)
    return DrawnFrame(head)


def read_in_turn(*frames: DrawnFrame) -> list[LampState]:
    reader = LampReader([LampBox(head_id="straight", box_px=(0.0, 0.0, 28.0, 64.0))])
    return [reader.read(frame)[0].state for frame in frames]


@pytest.mark.parametrize("burnt", [LampState.RED, LampState.GREEN])
def test_a_head_that_shows_no_edge_is_off_where_it_looks_as_its_unlit_lamps_did(burnt: LampState) -> None:
    dark = night(STATES[LampState.OFF])
    assert read_in_turn(dark, night(STATES[burnt]), dark) == [LampState.UNKNOWN, burnt, LampState.OFF]


@pytest.mark.parametrize("surface", [0, 40, 90])
def test_something_of_another_brightness_before_the_head_is_unknown(surface: int) -> None:
    covered = night(STATES[LampState.OFF], surface=surface)
    assert read_in_turn(night(STATES[LampState.GREEN], surface=20), covered)[1] is LampState.UNKNOWN


def test_something_of_another_colour_before_the_head_is_unknown() -> None:
    tarpaulin = DrawnFrame(np.full((64, 28, 3), (40, 14, 2), np.uint8))
    assert read_in_turn(night(STATES[LampState.GREEN]), tarpaulin)[1] is LampState.UNKNOWN


def test_what_is_known_of_unlit_lamps_follows_the_light() -> None:
    dusk = [night(STATES[LampState.GREEN], surface=surface) for surface in range(60, 20, -1)]
    dark = night(STATES[LampState.OFF], surface=20)
    assert read_in_turn(dusk[0], dark)[1] is LampState.UNKNOWN
    settled = [night(STATES[LampState.GREEN], surface=20)] * 40
    assert read_in_turn(*dusk, *settled, dark)[-1] is LampState.OFF
