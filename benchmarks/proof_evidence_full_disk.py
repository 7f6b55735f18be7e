"""Proof: a disk that fills up while evidence is written costs nothing but time."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from benchmarks.data_folder import Content, content, listed_whole
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.street_run import its_findings, run, the_street
from evidence.database import RecordsError
from evidence.durable import Disk, open_after, open_new
from evidence.errors import DiskFullError
from evidence.spool import Spool
from rules.errors import StoplineError

SECONDS = 24.0
SMALL_BYTES = 1_000_000
STEP_BYTES = 64 * 1024


@dataclass
class Room:
    """How many bytes a disk still takes."""

    left: int


class FullFile:
    """A file on a disk with so much room: it takes what fits, then says that the disk is full."""

    def __init__(self, file: BinaryIO, room: Room) -> None:
        self._file, self._room = file, room

    def write(self, data: bytes) -> int:
        fits = min(len(data), self._room.left)
        self._room.left -= fits
        self._file.write(data[:fits])
        if fits < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return fits

    def __enter__(self) -> FullFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class CountingDisk(Disk):
    """Notes how many bytes each file had."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def write(self, path: Path, data: bytes) -> None:
        self.sizes.append(len(data))
        super().write(path, data)

    def append(self, path: Path, size: int, data: bytes) -> None:
        self.sizes.append(len(data))
        super().append(path, size, data)


def prove(trial: Trial) -> Verdict:
    """The disk is full within every ``trial.size``-th file that a run writes; at full size also a real file system."""
    film = trial.folder / "street.mp4"
    if not film.is_file():
        the_street(SECONDS).film(film.with_suffix(".part.mp4")).replace(film)
    good = trial.folder / "good"
    counting = CountingDisk()
    shutil.rmtree(good, ignore_errors=True)
    good.mkdir()
    run(good, film, SECONDS, disk=counting)
    wanted = content(good)
    tried, same = 0, 0
    for number in range(0, len(counting.sizes), trial.size):
        room = sum(counting.sizes[:number]) + counting.sizes[number] // 2

        def full(room: int = room) -> Figures:
            return _full(trial.folder / "data", film, room, wanted)

        figures = trial.once(f"full within file {number}", full)
        tried += 1
        said_clearly = figures["error"] == DiskFullError.code
        same += bool(figures["same_after_resume"]) and said_clearly and figures["left_in_spool"] == 0
    real: Figures = {}
    if trial.size == PROOF.full:
        real = trial.once("tmpfs", lambda: _real_file_system(trial.folder, film, wanted))
    passed = (
        listed_whole(good) == len(its_findings(the_street(SECONDS)))
        and same == tried
        and not wanted.left
        and not wanted.wrong
        and len(wanted.linked) == len(its_findings(the_street(SECONDS)))
        and (not real or (bool(real["same_after_resume"]) and int(real["times_full"]) > 0))
    )
    return Verdict(
        passed=passed,
        figures={
            "cases": listed_whole(good),
            "files_written": len(counting.sizes),
            "bytes_written": sum(counting.sizes),
            "times_full": tried,
            "same_after_resume": same,
            **{f"tmpfs_{name}": value for name, value in real.items()},
        },
    )


def _full(data: Path, film: Path, room_bytes: int, wanted: Content) -> Figures:
    """A run on a disk with that much room, then one with enough."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    room = Room(room_bytes)
    error = ""
    try:
        run(data, film, SECONDS, disk=_disk(room))
    except DiskFullError as exc:
        error = exc.code
    listed = listed_whole(data)
    sealed = Spool(data / "spool", Disk()).sealed_ids()
    left = len({path.name for path in (data / "spool").iterdir()}.difference(sealed))
    run(data, film, SECONDS)
    return {
        "room_bytes": room_bytes,
        "error": error,
        "listed": listed,
        "left_in_spool": left,
        "same_after_resume": content(data) == wanted,
        "first_difference": wanted.first_difference(content(data)),
    }


def _disk(room: Room) -> Disk:
    """A disk with that much room."""
    return Disk(
        opener=lambda path: cast(BinaryIO, FullFile(open_new(path), room)),
        appender=lambda path, size: cast(BinaryIO, FullFile(open_after(path, size), room)),
    )


def _real_file_system(folder: Path, film: Path, wanted: Content) -> Figures:
    """A tmpfs that grows by 64 KB whenever a run, records and all, has found it full. Needs root; raises elsewhere."""
    mount = folder / "tmpfs"
    mount.mkdir(exist_ok=True)
    size = SMALL_BYTES
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)], check=True)
    times_full = records_full = most_listed = 0
    try:
        data = mount / "data"
        data.mkdir()
        while True:
            try:
                run(data, film, SECONDS)
                break
            except (DiskFullError, RecordsError, OSError) as exc:
                times_full += 1
                records_full += isinstance(exc, RecordsError)
                if not isinstance(exc, StoplineError) and exc.errno != errno.ENOSPC:
                    raise
            size += STEP_BYTES
            subprocess.run(["mount", "-o", f"remount,size={size}", str(mount)], check=True)
            most_listed = max(most_listed, listed_whole(data))
        same = content(data) == wanted
    finally:
        subprocess.run(["umount", str(mount)], check=True)
    return {
        "times_full": times_full,
        "times_full_in_records": records_full,
        "most_listed_when_full": most_listed,
        "bytes_needed": size,
        "same_after_resume": same,
    }


PROOF = Proof(
    claim="A disk that fills up within any file that evidence is written to is said clearly, leaves only whole "
    "packages listed, and with room again --resume ends with the same bytes as a run that always had room.",
    small=20,
    full=1,
    prove=prove,
)
