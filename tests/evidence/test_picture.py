"""Pixels into pictures: marks are thin and change nothing else, files are the same every time, lossless is lossless."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evidence import closeup
from evidence.picture import (
    Mark,
    PictureError,
    detail,
    frame_sha256,
    from_file,
    jpeg,
    lossless,
    rectified,
    side_by_side,
    stacked,
    with_marks,
)
from evidence.stills import scene_marks
from tests.builders.filmed import Filming, Street, number_in


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (360, 640, 3), dtype=np.uint8)


def test_marks_are_thin_and_the_frame_itself_is_left_alone(noise: np.ndarray) -> None:
    street = Street(filming=Filming(size_px=(640, 360)))
    finding = street.red_light()
    before = noise.copy()
    drawn = with_marks(noise, scene_marks(finding, finding.photos[0]))
    assert np.array_equal(noise, before)
    changed = (drawn != noise).any(axis=2).mean()
    assert 0.001 < changed < 0.02, f"{changed:.2%} of the scene is drawn over"


def test_both_points_and_both_lines_are_drawn(noise: np.ndarray) -> None:
    street = Street(filming=Filming(size_px=(640, 360)))
    finding = street.red_light()
    photo = finding.photos[0]
    drawn = with_marks(noise, scene_marks(finding, photo))
    assert photo.leading_px is not None and photo.trailing_px is not None
    assert finding.line_px is not None and finding.further_line_px is not None
    ends = [*finding.line_px, *finding.further_line_px]
    for x, y in (photo.leading_px, photo.trailing_px, *ends):
        around = np.s_[round(y) - 2 : round(y) + 3, max(0, round(x) - 2) : round(x) + 3]
        assert (drawn[around] != noise[around]).any(), f"nothing is drawn at {x}, {y}"


def test_a_zone_is_drawn_closed(noise: np.ndarray) -> None:
    corners = ((100.0, 100.0), (200.0, 100.0), (200.0, 200.0))
    drawn = with_marks(noise, [Mark(points_px=corners, colour=(255, 255, 0), closed=True)])
    for x, y in ((150, 100), (200, 150), (150, 150)):
        around = np.s_[y - 2 : y + 3, x - 2 : x + 3]
        assert (drawn[around] != noise[around]).any()


def test_jpeg_is_the_same_every_time_and_keeps_a_small_red_lamp_red(noise: np.ndarray) -> None:
    assert jpeg(noise) == jpeg(noise.copy())
    dark = np.full((64, 64, 3), 30, np.uint8)
    dark[30:33, 30:33] = (30, 30, 230)
    blue, green, red = from_file(jpeg(dark))[31, 31]
    assert red > 200 and blue < 60 and green < 60


def test_lossless_gives_the_frame_back_to_the_byte(noise: np.ndarray) -> None:
    back = from_file(lossless(noise))
    assert frame_sha256(back) == frame_sha256(noise)


def test_the_hash_is_of_the_bytes_row_by_row(noise: np.ndarray) -> None:
    assert frame_sha256(noise) == frame_sha256(np.asfortranarray(noise))
    other = noise.copy()
    other[0, 0, 0] ^= 1
    assert frame_sha256(other) != frame_sha256(noise)


def test_what_is_no_picture_is_an_error() -> None:
    with pytest.raises(PictureError):
        from_file(b"no picture")
    with pytest.raises(PictureError):
        jpeg(np.zeros((0, 0, 3), np.uint8))


def test_a_detail_is_enlarged_and_ends_with_the_frame(noise: np.ndarray) -> None:
    crop = detail(noise, (600.0, 300.0, 640.0, 340.0), margin=1.0, height_px=200)
    assert crop.shape[0] == 200
    assert crop.shape[1] == round(80 * 200 / 100), "40 px beyond the right edge are not there"
    with pytest.raises(PictureError, match="outside"):
        detail(noise, (700.0, 0.0, 720.0, 20.0), margin=0.1, height_px=100)


def test_a_slanted_plate_is_seen_straight() -> None:
    flat = np.zeros((100, 300, 3), np.uint8)
    flat[:, :150] = (255, 0, 0)
    flat[:, 150:] = (0, 255, 0)
    corners = ((60.0, 40.0), (260.0, 70.0), (255.0, 140.0), (55.0, 105.0))
    source = np.array([(0, 0), (300, 0), (300, 100), (0, 100)], np.float32)
    warp = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    frame = np.asarray(cv2.warpPerspective(flat, warp, (320, 200)), np.uint8)
    straight = rectified(frame, corners, (440, 140))
    assert straight.shape == (140, 440, 3)
    assert straight[70, 60].argmax() == 0 and straight[70, 380].argmax() == 1
    shown = closeup.plate_closeup(frame, corners)
    assert shown.shape[0] == 240 + 8 + 140
    assert np.array_equal(shown[248:, :440], straight)


def test_pictures_side_by_side_and_stacked_keep_their_pixels(noise: np.ndarray) -> None:
    small = noise[:10, :20]
    row = side_by_side((noise, small), gap_px=8)
    assert row.shape == (360, 668, 3)
    assert np.array_equal(row[:, :640], noise) and np.array_equal(row[:10, 648:], small)
    column = stacked((small, noise), gap_px=4)
    assert column.shape == (374, 640, 3)
    assert np.array_equal(column[:10, :20], small) and np.array_equal(column[14:], noise)


def test_the_lamp_strip_shows_each_head_of_each_frame(street: Street) -> None:
    site = street.site()
    finding = street.red_light()
    heads = closeup.heads_in_view(finding, site)
    assert [head.head_id for head in heads] == ["head-1"]
    columns = [closeup.lamp_column(street.draw(index), heads) for index in (0, 200, 300)]
    strip = closeup.lamp_strip(columns)
    assert strip.shape[0] == 240
    assert strip.shape[1] == 3 * columns[0].shape[1] + 2 * 8
    reds = [bool(((column[:, :, 2] > 180) & (column[:, :, 1] < 80)).any()) for column in columns]
    assert reds == [False, True, True]


def test_the_number_bars_survive_the_jpeg(street: Street, tmp_path: Path) -> None:
    picture = street.draw(730)
    assert number_in(from_file(jpeg(picture)), street.filming.size_px) == 730
