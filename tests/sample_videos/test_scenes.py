"""The scene scripts themselves."""

from __future__ import annotations

from sample_videos.clips import CLIPS
from sample_videos.render.plates import plate_picture
from tests.sample_videos.clip_files import ALL_CLIPS


def test_there_is_a_script_for_every_clip() -> None:
    assert set(CLIPS) == set(ALL_CLIPS)


def test_plates_have_their_colours_and_ink() -> None:
    blue, green, yellow = (
        plate_picture(text, colour)
        for text, colour in (("皖A12B3Q", "blue"), ("苏AD12345", "green"), ("粤B8K071", "yellow"))
    )
    assert blue.shape == (140, 440, 3) and green.shape == (140, 480, 3) and yellow.shape == (140, 440, 3)
    assert blue[100:130, 200, 2].mean() > 120 > blue[100:130, 200, 0].mean()
    assert (blue > 230).all(axis=2).mean() > 0.1
    assert (yellow < 40).all(axis=2).mean() > 0.1
