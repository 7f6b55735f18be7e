"""What a redacted copy hides and what it shows: by class, size and score, in photos and in films."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evidence.errors import ClipError
from evidence.picture import Pixels
from evidence.redact_clip import redacted_clip
from evidence.redaction import (
    Accused,
    Hidden,
    SeenPlate,
    Sighting,
    hidden_in,
    is_reading_of,
    redacted,
)
from evidence.reencode import pictures, times
from rules.observation import Box, ObjectClass
from tests.builders.case_folder import write_clip

CAR, PERSON, MOTORCYCLE = ObjectClass.CAR, ObjectClass.PERSON, ObjectClass.MOTORCYCLE
LOW, HIGH = 0.1, 0.9


def noise(width: int = 640, height: int = 360) -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def a_plate(x: float, y: float, text: str = "浙A12345", score: float = 0.9) -> SeenPlate:
    return SeenPlate(corners_px=((x, y), (x + 60, y), (x + 60, y + 20), (x, y + 20)), score=score, text=text)


class Scripted:
    """Eyes that see what a test says: who is there, and the plate of whoever has that box."""

    def __init__(self, users: Sequence[Sighting] = (), plates: dict[Box, SeenPlate] | None = None) -> None:
        self.users, self.plates, self.looks = users, plates or {}, 0

    def road_users(self, frame: Pixels) -> Sequence[Sighting]:
        self.looks += 1
        return self.users

    def plate(self, frame: Pixels, box_px: Box) -> SeenPlate | None:
        return self.plates.get(box_px)


def in_sixths(frame: Pixels) -> Callable[[Hidden], Pixels]:
    """How copies of the frame are made."""
    return lambda hidden: redacted(frame, hidden, 6)


def hidden_rows(user: Sighting, eyes: Scripted | None = None) -> tuple[float, float]:
    """From where to where the picture is hidden in the middle column of the road user, in shares of its height."""
    frame = noise()
    found = hidden_in(frame, [user], None, eyes or Scripted(), in_sixths(frame))
    x1, y1, x2, y2 = user.box_px
    changed = (redacted(frame, found, 6) != frame).any(axis=2)[:, round((x1 + x2) / 2)]
    rows = np.flatnonzero(changed)
    return ((rows.min() - y1) / (y2 - y1), (rows.max() + 1 - y1) / (y2 - y1))


def test_the_upper_third_of_a_person_is_hidden_and_of_a_doubtful_one_all() -> None:
    box = (200.0, 100.0, 240.0, 200.0)
    top, bottom = hidden_rows(Sighting(object_class=PERSON, box_px=box, score=HIGH))
    assert top <= -0.15 and bottom == pytest.approx(1 / 3, abs=0.02)
    for score, last in ((LOW, 200.0), (HIGH, 140.0)):
        doubtful = Sighting(object_class=PERSON, box_px=(200.0, 100.0, 220.0, last), score=score)
        top, bottom = hidden_rows(doubtful)
        assert top < 0.0 and bottom > 1.0


@pytest.mark.parametrize(("score", "beside_px"), [(LOW, 30), (HIGH, 8)])
def test_beside_a_doubtful_person_three_tenths_of_the_width_are_hidden(score: float, beside_px: int) -> None:
    frame = noise()
    person = Sighting(object_class=PERSON, box_px=(200.0, 0.0, 300.0, 150.0), score=score)
    found = hidden_in(frame, [person], None, Scripted(), in_sixths(frame))
    columns = np.flatnonzero((redacted(frame, found, 6) != frame).any(axis=2)[10])
    assert (200 - columns.min(), columns.max() + 1 - 300) == pytest.approx((beside_px, beside_px), abs=2)


def test_a_rider_above_a_machines_box_is_hidden() -> None:
    top, bottom = hidden_rows(
        Sighting(object_class=MOTORCYCLE, box_px=(200.0, 100.0, 260.0, 160.0), score=HIGH)
    )
    assert top <= -0.45 and bottom > 1.0


def test_glass_and_plate_of_a_vehicle_are_hidden_and_without_a_sure_plate_all_of_it() -> None:
    box = (100.0, 50.0, 400.0, 250.0)
    car = Sighting(object_class=CAR, box_px=box, score=HIGH)
    eyes = Scripted(plates={box: a_plate(220.0, 210.0)})
    frame = noise()
    changed = (redacted(frame, hidden_in(frame, [car], None, eyes, in_sixths(frame)), 6) != frame).any(axis=2)
    assert changed[50:188, 100:400].all(), "its upper 70 %"
    assert changed[208:232, 218:282].all(), "its plate"
    assert not changed[192:200, 110:390].any(), "what nobody is recognised by stays"
    for unsure in (None, a_plate(220.0, 210.0, score=0.4)):
        eyes = Scripted(plates={} if unsure is None else {box: unsure})
        assert (
            (redacted(frame, hidden_in(frame, [car], None, eyes, in_sixths(frame)), 6) != frame)
            .any(axis=2)[50:250, 100:400]
            .all()
        )


def test_of_the_accused_the_windscreen_is_hidden_and_the_plate_kept_whatever_covers_it() -> None:
    box = (100.0, 50.0, 400.0, 250.0)
    accused = Accused(object_class=CAR, box_px=box, plate_text="浙A12345")
    itself = Sighting(object_class=CAR, box_px=(104.0, 52.0, 398.0, 255.0), score=HIGH)
    before = Sighting(object_class=PERSON, box_px=(200.0, 60.0, 300.0, 300.0), score=LOW)
    frame = noise()

    def changed(eyes: Scripted, users: Sequence[Sighting], who: Accused = accused) -> NDArray[np.bool_]:
        return np.asarray(
            (redacted(frame, hidden_in(frame, users, who, eyes, in_sixths(frame)), 6) != frame).any(axis=2)
        )

    own = Scripted(plates={box: a_plate(220.0, 210.0)})
    seen = changed(own, [itself])
    assert seen[50:188, 100:400].all() and not seen[192:260].any()
    seen = changed(own, [itself, before])
    assert not seen[211:229, 221:279].any() and seen[240:300, 200:300].all()
    higher = Scripted(plates={box: a_plate(220.0, 175.0)})
    beside = Sighting(object_class=PERSON, box_px=(305.0, 150.0, 340.0, 260.0), score=LOW)
    assert not changed(higher, [itself])[164:187, 186:314].any(), "its surroundings help to find it"
    seen = changed(higher, [itself, beside])
    assert seen[150:260, 302:340].all() and seen[164:169, 186:314].all(), "but show nothing of others"
    assert not seen[173:187, 210:290].any()
    letter = Sighting(object_class=PERSON, box_px=(268.0, 174.0, 279.0, 194.0), score=LOW)
    assert not changed(higher, [itself, letter])[164:187, 186:314].any(), "a letter of it is nobody"
    elses = Scripted(plates={box: a_plate(220.0, 210.0, "粤B99999")})
    assert changed(elses, [before])[211:229, 221:279].all(), "another plate in its box is not kept"
    unread = Accused(object_class=CAR, box_px=box, plate_text=None)
    assert changed(own, [before], unread)[211:229, 221:279].all()


class MisreadAmid(Scripted):
    """Reads a character wrongly wherever the pixel at ``misread_at`` is as it was."""

    def __init__(self, box: Box, frame: Pixels, misread_at: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.box, self.original, self.misread_at = box, frame, misread_at

    def plate(self, frame: Pixels, box_px: Box) -> SeenPlate | None:
        if frame is self.original or box_px != self.box:
            return a_plate(220.0, 150.0)
        wrong = sum(bool((frame[y, x] == self.original[y, x]).all()) for x, y in self.misread_at)
        return a_plate(220.0, 150.0, "浙A12345"[: 7 - wrong] + "X" * wrong)


def test_so_much_is_shown_around_the_accused_plate_that_it_is_read_as_well_as_before() -> None:
    box = (100.0, 50.0, 400.0, 250.0)
    accused = Accused(object_class=CAR, box_px=box, plate_text="浙A12345")
    frame = noise()

    def shown_px(misread_at: Sequence[tuple[int, int]]) -> float:
        eyes = MisreadAmid(box, frame, misread_at)
        (area,) = hidden_in(frame, [], accused, eyes, in_sixths(frame)).kept_px
        return area[1][0] - area[0][0]

    assert shown_px([]) == pytest.approx(60 * 2.2), "as much as may be"
    assert shown_px([(190, 160)]) == pytest.approx(60 * 1.8), "less where that is read better"
    always = [(250, 160), (190, 160), (200, 160)]
    assert shown_px(always) == pytest.approx(60 * 1.4), "where none is read as well, what is read best"


def test_who_is_cut_off_by_the_pictures_lower_edge_is_hidden_whole_but_for_the_accused_plate() -> None:
    """The upper 70 % of what is left of a car would end within its windscreen."""
    box = (100.0, 150.0, 400.0, 359.0)
    accused = Accused(object_class=CAR, box_px=box, plate_text="浙A12345")
    frame = noise()
    eyes = Scripted(plates={box: a_plate(220.0, 330.0)})
    changed = (redacted(frame, hidden_in(frame, [], accused, eyes, in_sixths(frame)), 6) != frame).any(axis=2)
    assert not changed[331:349, 221:279].any()
    changed[317:360, 183:317] = True
    assert changed[150:359, 100:400].all()
    for other in (CAR, PERSON, MOTORCYCLE):
        top, bottom = hidden_rows(
            Sighting(object_class=other, box_px=box, score=HIGH),
            Scripted(plates={box: a_plate(220.0, 330.0)}),
        )
        assert top < 0.0 and bottom >= 1.0


@pytest.mark.parametrize(
    ("text", "same"),
    [("浙A12345", True), ("浙A12346", True), ("苏A12346", True), ("苏B12346", False), ("浙A1234", False), ("", False)],
)  # fmt: skip
def test_a_plate_is_known_again_with_up_to_two_characters_misread(text: str, same: bool) -> None:
    assert is_reading_of(text, "浙A12345") is same
    assert not is_reading_of(text, None)


@pytest.mark.parametrize("size", [(60, 60), (61, 20), (13, 40), (300, 100)])
def test_blocks_are_at_least_a_sixth_of_the_region_and_the_original_stays(size: tuple[int, int]) -> None:
    width, height = size
    frame = noise()
    kept = frame.copy()
    copy = redacted(frame, Hidden(boxes_px=((10.0, 20.0, 10.0 + width, 20.0 + height),), kept_px=()), 6)
    assert (frame == kept).all()
    assert len({tuple(colour) for colour in copy[20 : 20 + height, 10 : 10 + width].reshape(-1, 3)}) <= 36
    least = -(-max(size) // 6)
    block = copy[20 : 20 + min(least, height), 10 : 10 + min(least, width)]
    assert (block == block[0, 0]).all()


def a_film(path: Path) -> bytes:
    write_clip(path, lambda at_s: noise(), 0.0, 1.0)
    return path.read_bytes()


class Flickering(Scripted):
    """Sees somebody only every other time."""

    def road_users(self, frame: Pixels) -> Sequence[Sighting]:
        self.looks += 1
        if self.looks % 2:
            return ()
        return [Sighting(object_class=PERSON, box_px=(100.0, 100.0, 160.0, 200.0), score=LOW)]


def test_in_a_film_somebody_is_hidden_between_looks_and_when_one_look_misses_them(
    tmp_path: Path,
) -> None:
    clip = a_film(tmp_path / "clip.mp4")
    eyes = Flickering()
    told: list[Hidden] = []
    copy = redacted_clip(clip, lambda at_s: None, (), eyes, lambda picture, hidden: told.append(hidden))
    assert times(copy) == times(clip) and len(told) == 25
    assert eyes.looks == 9, "a look about every 0.13 s"
    assert all(hidden.boxes_px for hidden in told)
    for before, after in zip(pictures(clip), pictures(copy), strict=True):
        inside = after.pixels[110:195, 105:155].astype(int)
        assert inside.std() < 20 < before.pixels[110:195, 105:155].std(), (
            "averages of noise, and the coder's own"
        )
        assert np.abs(before.pixels.astype(int) - after.pixels)[300:, 400:].mean() < 40


def test_what_is_no_film_is_said() -> None:
    with pytest.raises(ClipError, match="the clip cannot be"):
        redacted_clip(b"no film", lambda at_s: None, (), Scripted())
