"""Which recordings a folder means, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import UsageError
from api.work.recordings import recordings


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_means_every_recording_in_it_in_natural_order(tmp_path: Path) -> None:
    touch(tmp_path, "10.mp4", "2.MP4", "day/1.mkv", "notes.txt", ".hidden/3.ts", "a.mp4.part")
    found = recordings(["rtsp://cam/1", str(tmp_path), "other.bin"])
    names = [str(Path(one).relative_to(tmp_path)) for one in found[1:-1]]
    assert names == ["2.MP4", "10.mp4", ".hidden/3.ts", "day/1.mkv"]
    assert (found[0], found[-1]) == ("rtsp://cam/1", "other.bin")


def test_a_folder_without_recordings_and_one_meant_twice_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    with pytest.raises(UsageError, match="holds no recording"):
        recordings([str(tmp_path)])
    touch(tmp_path, "a.mp4")
    with pytest.raises(UsageError, match="is meant twice"):
        recordings([str(tmp_path), str(tmp_path / "a.mp4")])
