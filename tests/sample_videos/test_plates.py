"""What is drawn on plates is what our reader reads there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.plates import PlateReader
from sample_videos.render.plates import plate_picture
from sample_videos.world.demand import LETTERS, PROVINCES, invented_plate
from tests.builders.plate_models import plate_reader

WIDTHS_PX, LENS_PX = (70, 85, 110), 0.6


@pytest.fixture(scope="module")
def reader(cache_dir: Path) -> PlateReader:
    return plate_reader(cache_dir)


@pytest.mark.parametrize("colour", ["blue", "green"])
def test_a_plate_that_comes_nearer_is_read_as_it_was_written(reader: PlateReader, colour: str) -> None:
    rng = np.random.default_rng(5)
    texts = [invented_plate(rng, green=colour == "green") for _ in range(80)]
    assert {text[0] for text in texts} == set(PROVINCES)
    if colour == "blue":
        assert {letter for text in texts for letter in text} >= set(LETTERS)
    wrong = {}
    for text in texts:
        seen = [reader.recognise(_seen(plate_picture(text, colour), wide)).text for wide in WIDTHS_PX]
        read, times = Counter(seen).most_common(1)[0]
        if read != text or times == 1:
            wrong[text] = seen
    assert len(wrong) <= 0.04 * len(texts), wrong


def _seen(picture: NDArray[np.uint8], wide: int) -> NDArray[np.uint8]:
    """The plate as a lens shows it at that width, blue-green-red."""
    high = round(wide * picture.shape[0] / picture.shape[1])
    small = cv2.resize(picture[:, :, ::-1], (wide, high), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), LENS_PX).astype(np.uint8, copy=False)
