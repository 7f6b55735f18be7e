"""What proofs do with what was seen: looking once, following road users over the frames that are kept, switching identities."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from benchmarks.proof_dropped_frames import with_identities_switched
from benchmarks.seeing import Remembering, tracked_again
from detector.detection import Detection
from detector.picture import Picture, Pixels
from rules.observation import FrameStamp, LampSample, LampState, ObjectClass, Observation, SceneState

FRAMES = 20


def stamp(index: int) -> FrameStamp:
    return FrameStamp(camera_id="cam", segment=0, index=index, media_s=index / 10.0)


def car(index: int) -> Detection:
    x = 100.0 + 4.0 * index
    return Detection(
        object_class=ObjectClass.CAR, box_px=(x, 50.0, x + 80.0, 110.0), score=0.9, class_score=0.9
    )


FOUND = {index: (car(index),) for index in range(FRAMES)}


def observed() -> list[Observation]:
    """A car that drives by; the scene is looked at in every fifth frame."""
    lamps = (LampSample(head_id="main", state=LampState.RED, confidence=0.9),)
    return tracked_again(
        [
            Observation(
                stamp=stamp(index),
                tracks=None,
                lamps=lamps,
                scene=SceneState(shift=index / 100.0) if index % 5 == 0 else None,
            )
            for index in range(FRAMES)
        ],
        FOUND,
        lambda _: True,
    )


@dataclass(frozen=True)
class Shown:
    """A picture of which only its time matters."""

    index: int
    width = 640
    height = 360

    @property
    def stamp(self) -> FrameStamp:
        return stamp(self.index)

    def bgr(self) -> Pixels:
        raise NotImplementedError

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        raise NotImplementedError


class Looking:
    """A detector that counts the pictures it is given."""

    def __init__(self) -> None:
        self.looked: list[int] = []

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        self.looked.append(picture.stamp.index)
        return (car(picture.stamp.index),)


def test_a_picture_is_looked_at_once_and_spoiled_ones_apart_from_others() -> None:
    looking = Looking()
    clean: dict[int, tuple[Detection, ...]] = {}
    spoiled: dict[int, tuple[Detection, ...]] = {}
    for _ in range(2):
        detector = Remembering(looking, clean, spoiled, spoiled_s=0.2)
        assert [detector.detect(Shown(index)) for index in range(4)] == [FOUND[index] for index in range(4)]
    assert looking.looked == [0, 1, 2, 3]
    assert (sorted(clean), sorted(spoiled)) == ([0, 1], [2, 3])


def test_nobody_looks_while_all_rules_are_disarmed() -> None:
    looking = Looking()
    found: dict[int, tuple[Detection, ...]] = {}
    assert Remembering(looking, found, found, is_blind=lambda: True).detect(Shown(0)) == ()
    assert (looking.looked, found) == ([], {})


def test_the_frames_that_are_kept_are_followed_anew_and_a_lost_look_at_the_scene_comes_with_the_next() -> (
    None
):
    kept = tracked_again(observed(), FOUND, lambda one: one.index % 3 == 1)
    assert [observation.stamp.index for observation in kept] == [1, 4, 7, 10, 13, 16, 19]
    assert [observation.tracks[0].box_px for observation in kept if observation.tracks] == [
        car(index).box_px for index in (1, 4, 7, 10, 13, 16, 19)
    ]
    assert {point.track_id for one in kept for point in one.tracks or ()} == {1}
    assert [one.scene.shift if one.scene else None for one in kept] == [
        0.0,
        None,
        0.05,
        0.1,
        None,
        0.15,
        None,
    ]
    assert all(one.lamps for one in kept)


def test_each_track_gets_another_number_once() -> None:
    before = observed()
    numbers = [
        one.tracks[0].track_id
        for one in with_identities_switched(before, Random(1))
        if one.tracks is not None
    ]
    assert len(numbers) == FRAMES
    assert len(set(numbers)) == 2
    assert numbers == sorted(numbers)
