"""Measures a contender while it works: processor and wall time per clip, and how long each picture took."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.bench_task import ClipRun, Run, Said


class Meter:
    """Of one clip, from where it is made to ``done``. Nothing that is loaded before counts."""

    def __init__(self, clip: str) -> None:
        self._clip = clip
        self._said: list[Said] = []
        self._frame_ms: list[float] = []
        self._finding_ms: list[float] = []
        self._cpu_s, self._began_s = cpu_s(), time.perf_counter()
        self._asked_s = self._began_s

    def asked(self) -> None:
        """The next picture is asked for."""
        self._asked_s = time.perf_counter()

    def known(self, said: Sequence[Said]) -> None:
        """What the picture tells is known."""
        taken_ms = 1000 * (time.perf_counter() - self._asked_s)
        self._frame_ms.append(taken_ms)
        if said:
            self._said += said
            self._finding_ms.append(taken_ms)

    def done(self, frames: int) -> ClipRun:
        """So many pictures were decoded."""
        return ClipRun(
            clip=self._clip,
            frames=frames,
            cpu_s=cpu_s() - self._cpu_s,
            wall_s=time.perf_counter() - self._began_s,
            said=tuple(self._said),
            frame_ms=tuple(round(one, 2) for one in self._frame_ms),
            finding_ms=tuple(round(one, 2) for one in self._finding_ms),
        )


def cpu_s() -> float:
    """The processor time of this process so far, all threads and ended children included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_memory_mb() -> float:
    """The most memory that this process ever had. Linux tells it of the program; elsewhere it may be its parent's, if larger."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_of(clips: Sequence[ClipRun], version_of: Callable[[str], str], packages: Sequence[str]) -> Run:
    """The run of this process, with the versions of those packages."""
    return Run(
        clips=tuple(clips),
        peak_memory_mb=round(peak_memory_mb(), 1),
        versions={package: version_of(package) for package in packages},
    )
