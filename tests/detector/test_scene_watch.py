"""A fixed camera on real footage: untouched it is never doubted, spoiled at a random moment it is found out within 5 s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import av
import cv2
import numpy as np
import pytest

from detector.picture import Pixels
from detector.scene_watch import EVERY_S, LEARN_S, SceneWatch
from rules import trust
from rules.finding import DisarmCause
from rules.observation import FrameStamp, Observation, SceneFault
from rules.site import Camera
from rules.trust import TrustState

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
CLIPS = (
    "carpark_cars",
    "carpark_person_bicycle_car",
    "hangzhou_parked_cars",
    "hanoi_crowd_at_stopline",
    "hanoi_redlight",
    "twoway_road",
    "uk_signal_cycle",
)
TITLE_S = {"uk_signal_cycle": 3.1}
"""Until when a clip shows something else than its scene."""

Figure = Callable[[str, object], None]
Spoil = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Looked:
    """One picture that was looked at: a luma plane with a time."""

    luma: Pixels
    media_s: float

    @property
    def stamp(self) -> FrameStamp:
        return FrameStamp(camera_id="cam", segment=0, index=0, media_s=self.media_s)

    @property
    def width(self) -> int:
        return int(self.luma.shape[1])

    @property
    def height(self) -> int:
        return int(self.luma.shape[0])

    def bgr(self) -> Pixels:
        raise AssertionError("the luma plane is enough")

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        return (self.luma, self.luma, self.luma)


@cache
def pictures(path: Path) -> tuple[Looked, ...]:
    """The pictures of the clip that are looked at."""
    found: list[Looked] = []
    with av.open(str(path)) as clip:
        for frame in clip.decode(video=0):
            media_s = float(frame.time or 0.0)
            if not found or media_s >= found[-1].media_s + EVERY_S:
                planes = frame.reformat(format="yuv420p").to_ndarray()
                found.append(Looked(np.array(planes[: frame.height], np.uint8), media_s))
    return tuple(found)


def moved(luma: Pixels, turn_deg: float = 0.0, right: float = 0.0, down: float = 0.0) -> Pixels:
    """Turned about its middle, and shifted by shares of its width."""
    height, width = luma.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    matrix[:, 2] += (right * width, down * width)
    return np.asarray(
        cv2.warpAffine(luma, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def covered(luma: Pixels) -> Pixels:
    """Nine tenths of it are a dull surface."""
    spoiled = luma.copy()
    spoiled[: int(0.95 * luma.shape[0]), : int(0.95 * luma.shape[1])] = 70
    return spoiled


SPOILED: dict[str, tuple[SceneFault, Spoil]] = {
    "turned by 2° left": (SceneFault.MOVED, lambda luma: moved(luma, turn_deg=2.0)),
    "turned by 2° right": (SceneFault.MOVED, lambda luma: moved(luma, turn_deg=-2.0)),
    "shifted by 3 % right": (SceneFault.MOVED, lambda luma: moved(luma, right=0.03)),
    "shifted by 3 % up": (SceneFault.MOVED, lambda luma: moved(luma, down=-0.03)),
    "out of focus by 2 px": (
        SceneFault.BLURRED,
        lambda luma: np.asarray(cv2.GaussianBlur(luma, (0, 0), 2.0)),
    ),
    "out of focus by 5 px": (
        SceneFault.BLURRED,
        lambda luma: np.asarray(cv2.GaussianBlur(luma, (0, 0), 5.0)),
    ),
    "with a third of its light": (
        SceneFault.DARK,
        lambda luma: (16 + (luma - 16.0) * 0.3).clip(0).astype(np.uint8),
    ),
    "nearly black": (SceneFault.DARK, lambda luma: (luma * 0.12).astype(np.uint8)),
    "covered": (SceneFault.COVERED, covered),
}


def disarmed_from(
    clip: tuple[Looked, ...], spoil: Spoil | None = None, at_s: float = 0.0
) -> tuple[float, DisarmCause] | None:
    """When all rules of the camera are first disarmed, and why."""
    watch, state = SceneWatch(), TrustState()
    camera = Camera(camera_id="cam", width_px=clip[0].width, height_px=clip[0].height)
    for picture in clip:
        if spoil is not None and picture.media_s >= at_s:
            picture = Looked(spoil(picture.luma), picture.media_s)
        observation = Observation(stamp=picture.stamp, tracks=None, scene=watch.look(picture))
        state, said = trust.step(state, observation, {}, camera)
        if said:
            return picture.media_s, said[0].cause
    return None


@pytest.mark.parametrize("name", CLIPS)
def test_an_untouched_camera_is_not_doubted_for_a_second(shared: Path, name: str) -> None:
    assert disarmed_from(pictures(shared / "footage" / f"{name}.mp4")) is None


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("name", CLIPS)
def test_a_spoiled_picture_disarms_within_five_seconds(
    shared: Path, figure: Figure, name: str, how: str
) -> None:
    clip = pictures(shared / "footage" / f"{name}.mp4")
    first_s = TITLE_S.get(name, 0.0) + LEARN_S + EVERY_S
    at_s = Random(f"{name} {how}").uniform(first_s, clip[-1].media_s - 5.0)
    disarmed = disarmed_from(clip, SPOILED[how][1], at_s)
    assert disarmed is not None
    figure(f"{name}, {how} at {at_s:.1f} s", f"{disarmed[1].value} after {disarmed[0] - at_s:.1f} s")
    assert at_s <= disarmed[0] <= at_s + 5.0


def test_cars_that_fill_half_of_the_picture_and_its_first_look_are_no_camera_that_moves() -> None:
    """Places that are taken on them are found again on others, now here, now there."""
    assert disarmed_from(pictures(SAMPLES / "checkpoint.mp4")) is None


def a_scene(seed: int = 7) -> Pixels:
    """A picture of random blocks, 640x360."""
    chance = np.random.default_rng(seed)
    blocks = chance.integers(40, 220, (18, 32), dtype=np.uint8)
    return np.asarray(cv2.resize(blocks, (640, 360), interpolation=cv2.INTER_NEAREST), np.uint8)


def faults_of(*shown: tuple[Pixels, float]) -> list[frozenset[SceneFault]]:
    """The faults at each look, of pictures each shown for so many seconds."""
    watch, found, now_s = SceneWatch(), [], 0.0
    for luma, for_s in shown:
        for _ in range(round(for_s / EVERY_S)):
            state = watch.look(Looked(luma, now_s))
            assert state is not None
            found.append(state.faults)
            now_s += EVERY_S
    return found


def test_a_title_that_gives_way_to_the_scene_is_no_fault() -> None:
    assert set(faults_of((a_scene(1), 3.0), (a_scene(2), 20.0))) == {frozenset()}


def test_another_scene_later_is_a_fault_from_two_seconds_on_for_as_long_as_it_is_shown() -> None:
    faults = faults_of((a_scene(1), 10.0), (a_scene(2), 20.0), (a_scene(1), 3.0))
    assert set(faults[:24]) == set(faults[60:]) == {frozenset()}
    assert all(SceneFault.COVERED in at for at in faults[24:60])


def test_how_far_the_picture_moved_and_turned_is_told() -> None:
    watch, now_s = SceneWatch(), 0.0
    for _ in range(12):
        watch.look(Looked(a_scene(), now_s))
        now_s += EVERY_S
    state = watch.look(Looked(moved(a_scene(), turn_deg=1.5, right=0.02), now_s))
    assert state is not None
    assert state.faults == {SceneFault.MOVED}
    assert state.shift == pytest.approx(0.02, abs=0.003)
    assert abs(state.turn_deg) == pytest.approx(1.5, abs=0.15)


def test_pictures_between_two_looks_are_not_looked_at() -> None:
    watch = SceneWatch()
    looked = [watch.look(Looked(a_scene(), index / 25)) is not None for index in range(50)]
    assert [index for index, was in enumerate(looked) if was] == [0, 13, 26, 39]


def test_a_wall_without_any_texture_says_nothing_of_movement() -> None:
    plain = np.full((360, 640), 128, np.uint8)
    assert set(faults_of((plain, 10.0))) == {frozenset()}


def test_a_sway_of_half_a_percent_is_followed_and_a_slow_drift_is_told_at_last() -> None:
    steps = [(moved(a_scene(), right=0.0005 * step), 0.5) for step in range(80)]
    faults = faults_of((a_scene(), 10.0), *steps)
    assert set(faults[: 20 + 40]) == {frozenset()}
    assert faults[-1] == {SceneFault.MOVED}


def shown(*parts: tuple[Pixels, float]) -> tuple[Looked, ...]:
    """The pictures at each look, each shown for so many seconds."""
    lumas = [luma for luma, for_s in parts for _ in range(round(for_s / EVERY_S))]
    return tuple(Looked(luma, number * EVERY_S) for number, luma in enumerate(lumas))


def behind_a_bus(luma: Pixels, gone: float = 0.0) -> Pixels:
    """A bus, dull and darker than the road, fills the picture but for its right edge and ``gone`` of its width."""
    hidden = luma.copy()
    side = cv2.GaussianBlur(a_scene(3), (0, 0), 12.0) // 3 + 20
    width = round((0.96 - gone) * luma.shape[1])
    hidden[:, :width] = side[:, :width]
    return hidden


def test_a_bus_that_fills_the_picture_for_two_and_a_half_seconds_is_no_fault_of_the_camera() -> None:
    passing = [(behind_a_bus(a_scene(), gone), 0.5) for gone in (0.6, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.6)]
    assert disarmed_from(shown((a_scene(), 10.0), *passing, (a_scene(), 5.0))) is None


def test_what_fills_the_picture_for_longer_is_said_to_cover_it_and_nothing_else() -> None:
    covering = shown((a_scene(), 10.0), (behind_a_bus(a_scene()), 5.0))
    assert disarmed_from(covering) == (13.0, DisarmCause.COVERED)
    assert set(faults_of((a_scene(), 10.0), (behind_a_bus(a_scene()), 5.0))[24:]) == {
        frozenset({SceneFault.COVERED})
    }


def test_a_camera_that_is_moved_while_a_bus_fills_its_picture_is_found_out_once_the_bus_has_left() -> None:
    elsewhere = moved(a_scene(), right=0.03)
    clip = shown(
        (a_scene(), 10.0), (behind_a_bus(a_scene()), 1.0), (behind_a_bus(elsewhere), 1.0), (elsewhere, 5.0)
    )
    disarmed = disarmed_from(clip)
    assert disarmed is not None
    assert disarmed[1] is DisarmCause.CAMERA_MOVED
    assert 12.0 <= disarmed[0] <= 13.5


def with_a_lorry(luma: Pixels, on_by: float) -> Pixels:
    """Two fifths of the picture are a lorry that has driven on by so much of its width; a bus hides nearly all the rest."""
    seen = behind_a_bus(luma, gone=0.06)
    lorry = moved(a_scene(5), right=on_by, down=on_by / 2)
    seen[:, : luma.shape[1] * 2 // 5] = lorry[:, : luma.shape[1] * 2 // 5]
    return seen


def test_a_lorry_of_the_first_picture_that_drives_on_is_no_camera_that_moves() -> None:
    first = a_scene()
    first[:, : first.shape[1] * 2 // 5] = a_scene(5)[:, : first.shape[1] * 2 // 5]
    driving = [(with_a_lorry(a_scene(), on_by), 0.5) for on_by in (0.012, 0.026, 0.04)]
    assert disarmed_from(shown((first, 5.0), *driving, (first, 5.0))) is None


def test_most_of_a_picture_that_jumps_to_and_fro_is_a_camera_that_moves_though_never_to_the_same_place() -> (
    None
):
    swinging = [(moved(a_scene(), right=way), 0.5) for way in (0.02, -0.03, 0.04, -0.02, 0.03)]
    disarmed = disarmed_from(shown((a_scene(), 10.0), *swinging))
    assert disarmed is not None
    assert disarmed[1] is DisarmCause.CAMERA_MOVED


def test_a_camera_that_moved_is_known_by_the_quarter_of_its_picture_that_is_not_hidden() -> None:
    def crowded(luma: Pixels) -> Pixels:
        seen = luma.copy()
        seen[:, : luma.shape[1] * 3 // 4] = 70
        return seen

    clip = shown((a_scene(), 10.0), (crowded(a_scene()), 3.0), (crowded(moved(a_scene(), right=0.03)), 5.0))
    disarmed = disarmed_from(clip)
    assert disarmed is not None
    assert disarmed[1] is DisarmCause.CAMERA_MOVED
    assert 13.0 <= disarmed[0] <= 15.0
