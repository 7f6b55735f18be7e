"""Pictures of passing vehicles: nobody behind glass or on a saddle can be recognised, plates can, and the frame is not altered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evidence.passage_album import PassageAlbum, unrecognisable
from evidence.passage_file import FOLDER, find_picture, picture_path
from evidence.picture import PictureError, Pixels, from_file, pixelated
from ingest.packet_ring import PacketRing
from rules.finding import Passage
from rules.observation import Box, FrameStamp, ObjectClass
from rules.snapshot import Snapshot
from tests.builders.filmed import Filming, Street, frames_of

RNG = np.random.default_rng(5)
CAR: Box = (40.0, 20.0, 140.0, 120.0)


def noise(width: int = 200, height: int = 150) -> Pixels:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def a_passage(
    stamp: FrameStamp,
    box: Box = CAR,
    object_class: ObjectClass = ObjectClass.CAR,
    *others: tuple[ObjectClass, Box],
) -> Passage:
    return Passage(
        camera_id="north",
        gate_id="gate",
        direction="forward",
        track_id=7,
        stamp=stamp,
        t_s=stamp.media_s,
        at_px=(90.0, 120.0),
        object_class=object_class,
        plate=None,
        snapshot=Snapshot(stamp=stamp, box_px=box, others=others),
    )


STAMP = FrameStamp(camera_id="north", segment=0, index=12, media_s=0.48)


def made(frame: Pixels, passage: Passage) -> Pixels:
    assert passage.snapshot is not None
    return unrecognisable(frame, passage, passage.snapshot)


def changed(before: Pixels, after: Pixels) -> NDArray[np.bool_]:
    return np.asarray(np.any(before != after, axis=2))


def test_above_the_bonnet_nothing_is_left_but_the_averages_of_large_blocks_and_below_it_every_pixel() -> None:
    frame = noise()
    shown = made(frame, a_passage(STAMP))
    assert shown.shape == (100, 100, 3)
    car = frame[20:120, 40:140]
    assert changed(car, shown)[:60].mean() > 0.999
    assert np.array_equal(shown[60:], car[60:])
    colours = {tuple(pixel) for pixel in shown[:60].reshape(-1, 3)}
    assert len(colours) <= 6 * 4


def test_a_face_is_no_wider_than_a_block_so_two_faces_give_the_same_picture() -> None:
    one = noise()
    other = one.copy()
    rows, columns = np.mgrid[40:50, 60:70]
    order = RNG.permutation(rows.size)
    other[rows, columns] = one[rows, columns].reshape(-1, 3)[order].reshape((*rows.shape, 3))
    assert np.array_equal(made(one, a_passage(STAMP)), made(other, a_passage(STAMP)))


@pytest.mark.parametrize(
    ("object_class", "share"),
    [
        (ObjectClass.BUS, 0.92),
        (ObjectClass.TRUCK, 0.77),
        (ObjectClass.MOTORCYCLE, 0.65),
        (ObjectClass.BICYCLE, 0.65),
    ],
)
def test_taller_glass_and_riders_are_covered_farther_down(object_class: ObjectClass, share: float) -> None:
    frame = noise()
    shown = made(frame, a_passage(STAMP, CAR, object_class))
    covered = changed(frame[20:120, 40:140], shown).mean(axis=1) > 0.9
    assert covered[: round(share * 100)].all()
    assert not covered[round(share * 100) :].any()


def test_a_person_in_front_of_the_vehicle_is_covered_from_head_to_foot() -> None:
    frame = noise()
    shown = made(
        frame, a_passage(STAMP, CAR, ObjectClass.CAR, (ObjectClass.PERSON, (50.0, 70.0, 70.0, 118.0)))
    )
    covered = changed(frame[20:120, 40:140], shown)
    assert covered[50:98, 10:30].mean() > 0.99
    assert not covered[60:, 31:].any()


def test_the_box_is_cut_at_the_edge_of_the_frame_and_outside_there_is_no_picture() -> None:
    frame = noise()
    assert made(frame, a_passage(STAMP, (-20.0, 100.0, 60.0, 200.0))).shape == (50, 60, 3)
    with pytest.raises(PictureError):
        made(frame, a_passage(STAMP, (300.0, 10.0, 400.0, 90.0)))


def test_the_frame_itself_stays_as_it_was() -> None:
    frame = noise()
    kept = frame.copy()
    made(frame, a_passage(STAMP))
    pixelated(frame, CAR)
    assert np.array_equal(frame, kept)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[PacketRing, list[FrameStamp]]:
    street = Street(filming=Filming(seconds=2.0, noise=True))
    ring = PacketRing()
    path = street.film(tmp_path_factory.mktemp("street") / "street.mp4")
    return ring, list(frames_of(path, ring))


def test_a_picture_is_taken_from_the_footage_into_the_folder_with_its_hash(
    tmp_path: Path, footage: tuple[PacketRing, list[FrameStamp]]
) -> None:
    ring, stamps = footage
    passage = a_passage(stamps[20])
    album = PassageAlbum(tmp_path, ring)
    picture = album.take(passage)
    assert picture is not None
    assert picture.path == picture_path(passage) == "passages/north-s0-f000020-t7-gate-forward.jpg"
    shown = from_file((tmp_path / picture.path).read_bytes()).astype(int)
    wanted = made(ring.decode_frame(stamps[20]), passage).astype(int)
    assert np.abs(shown - wanted).mean() < 3.0
    assert find_picture(tmp_path, passage) == picture
    assert album.take(passage) == picture, "the same passage gives the same bytes, and may be taken again"
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [Path(picture.path).name]


def test_what_was_taken_for_a_source_that_is_dropped_is_gone(
    tmp_path: Path, footage: tuple[PacketRing, list[FrameStamp]]
) -> None:
    ring, stamps = footage
    album = PassageAlbum(tmp_path, ring)
    album.take(a_passage(stamps[20]))
    album.abandon()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_passage_that_wants_no_picture_gets_none_and_a_frame_that_is_gone_is_counted(
    tmp_path: Path, footage: tuple[PacketRing, list[FrameStamp]]
) -> None:
    ring, stamps = footage
    album = PassageAlbum(tmp_path, ring)
    assert album.take(replace(a_passage(stamps[20]), snapshot=None)) is None
    assert album.missing == 0
    assert album.take(a_passage(replace(stamps[20], index=9999, media_s=400.0))) is None
    assert album.missing == 1
    assert not (tmp_path / FOLDER).exists()
