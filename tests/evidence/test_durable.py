"""The disk: new files only, folders that appear whole, removals that a crash cannot leave looking like something."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from evidence.durable import Disk
from evidence.errors import DiskError, DiskFullError


@pytest.fixture
def disk() -> Disk:
    return Disk()


def test_a_file_is_written_once(disk: Disk, tmp_path: Path) -> None:
    disk.write(tmp_path / "a", b"first")
    with pytest.raises(DiskError, match="File exists"):
        disk.write(tmp_path / "a", b"second")
    assert disk.read(tmp_path / "a") == b"first"


def test_what_cannot_be_done_names_the_path_and_the_reason(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for attempt in (
        lambda: disk.write(tmp_path / "none" / "a", b"x"),
        lambda: disk.read(tmp_path / "none"),
        lambda: disk.settle(tmp_path / "none"),
        lambda: disk.seal(tmp_path / "none", tmp_path / "there"),
        lambda: disk.copy(tmp_path / "none", tmp_path / "there"),
        lambda: disk.make_folder(tmp_path / "file" / "below"),
    ):
        with pytest.raises(DiskError) as caught:
            attempt()
        assert not isinstance(caught.value, DiskFullError)
        assert str(tmp_path) in str(caught.value)
        assert isinstance(caught.value.__cause__, OSError)


def test_a_sealed_folder_never_replaces_another(disk: Disk, tmp_path: Path) -> None:
    for name in ("new", "old"):
        disk.make_folder(tmp_path / name)
        disk.write(tmp_path / name / "a", name.encode())
    with pytest.raises(DiskError):
        disk.seal(tmp_path / "new", tmp_path / "old")
    assert disk.read(tmp_path / "old" / "a") == b"old"


def test_a_copy_is_a_link_where_it_can_be_and_a_file_of_its_own_elsewhere(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.write(tmp_path / "a", b"data")
    disk.copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").stat().st_ino == (tmp_path / "b").stat().st_ino

    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    disk.copy(tmp_path / "a", tmp_path / "c")
    assert disk.read(tmp_path / "c") == b"data"
    assert (tmp_path / "a").stat().st_ino != (tmp_path / "c").stat().st_ino


def test_a_link_that_finds_no_room_is_a_full_disk(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    disk.write(tmp_path / "a", b"data")
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(DiskFullError):
        disk.copy(tmp_path / "a", tmp_path / "b")


def test_removing_goes_by_way_of_a_name_that_says_so(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "case-1"
    disk.make_folder(folder)
    disk.write(folder / "a", b"x")
    seen: list[list[str]] = []
    real = os.unlink

    def noting(path: str, **more: int) -> None:
        seen.append(sorted(entry.name for entry in tmp_path.iterdir()))
        real(path, **more)

    monkeypatch.setattr(os, "unlink", noting)
    disk.remove(folder)
    assert seen == [["case-1.removing"]]
    assert list(tmp_path.iterdir()) == []
    disk.remove(folder)


def test_an_interrupted_removal_is_finished_by_the_next(disk: Disk, tmp_path: Path) -> None:
    for name in ("case-1", "case-1.removing"):
        disk.make_folder(tmp_path / name)
        disk.write(tmp_path / name / "a", b"x")
    disk.remove(tmp_path / "case-1")
    assert list(tmp_path.iterdir()) == []
    disk.make_folder(tmp_path / "case-2.removing")
    disk.remove(tmp_path / "case-2.removing")
    assert list(tmp_path.iterdir()) == []


def test_only_an_empty_folder_goes_when_an_empty_one_is_meant(disk: Disk, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    disk.remove_empty(folder)
    disk.make_folder(folder)
    disk.write(folder / "a", b"x")
    disk.remove_empty(folder)
    assert folder.is_dir()
    (folder / "a").unlink()
    disk.remove_empty(folder)
    assert not folder.exists()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DiskError):
        disk.remove_empty(tmp_path / "file")
