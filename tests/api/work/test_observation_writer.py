"""A live source's observations survive a full disk; what there was no room for is counted."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.work.fold import read_observations
from api.work.observation_writer import (
    MEMBER_LINES,
    ObservationWriter,
    OutputError,
    PatientObservationWriter,
)
from rules.observation import FrameStamp, Observation


def observed(index: int) -> Observation:
    stamp = FrameStamp(camera_id="north", segment=0, index=index, media_s=index / 25)
    return Observation(stamp=stamp, tracks=None, lamps=())


@contextmanager
def room(size_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def indices(path: Path) -> list[int]:
    return [observation.stamp.index for observation in read_observations(path)]


def test_both_writers_keep_every_observation(tmp_path: Path) -> None:
    for number, kind in enumerate((ObservationWriter, PatientObservationWriter)):
        path = tmp_path / f"{number}.gz"
        writer = kind(path)
        for index in range(2 * MEMBER_LINES + 3):
            writer.write(observed(index))
        writer.close()
        assert indices(path) == list(range(2 * MEMBER_LINES + 3))
        assert writer.lost == 0


def test_what_a_full_disk_does_not_take_waits_and_is_written_later(tmp_path: Path) -> None:
    path = tmp_path / "live.gz"
    writer = PatientObservationWriter(path)
    for index in range(MEMBER_LINES):
        writer.write(observed(index))
    size = path.stat().st_size
    assert size > 0
    with room(size + 10):
        for index in range(MEMBER_LINES, 4 * MEMBER_LINES):
            writer.write(observed(index))
        assert path.stat().st_size == size, "nothing half-written is left"
        assert indices(path) == list(range(MEMBER_LINES))
    for index in range(4 * MEMBER_LINES, 5 * MEMBER_LINES + 1):
        writer.write(observed(index))
    writer.close()
    assert indices(path) == list(range(5 * MEMBER_LINES + 1))
    assert writer.lost == 0


def test_beyond_its_bound_what_is_lost_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "live.gz"
    writer = PatientObservationWriter(path, most_waiting_bytes=4_000)
    with room(10):
        for index in range(20 * MEMBER_LINES):
            writer.write(observed(index))
    writer.close()
    kept = indices(path)
    assert writer.lost > 0
    assert kept == list(range(len(kept)))
    assert len(kept) + writer.lost == 20 * MEMBER_LINES


def test_what_has_no_room_at_the_end_either_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "live.gz"
    writer = PatientObservationWriter(path)
    for index in range(MEMBER_LINES):
        writer.write(observed(index))
    size = path.stat().st_size
    with room(size + 10):
        for index in range(MEMBER_LINES, 2 * MEMBER_LINES + 7):
            writer.write(observed(index))
        writer.close()
    assert indices(path) == list(range(MEMBER_LINES))
    assert writer.lost == MEMBER_LINES + 7


def test_a_recordings_observations_need_room(tmp_path: Path) -> None:
    writer = ObservationWriter(tmp_path / "recording.gz")
    writer.write(observed(0))
    with room(10), pytest.raises(OutputError, match="cannot be written") as error:
        writer.close()
    assert error.value.is_full
