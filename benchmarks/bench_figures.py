"""The figures of ``make bench``: of each contender over all rounds, and which of the targets they reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from api.work.truth_file import ClipTruth
from benchmarks.bench_clips import counts, f1, scored
from benchmarks.bench_task import BenchClip, Run

DECODING, STOPLINE, REPLAY, OPENVINO = "decoding", "stopline", "stopline-replay", "stopline-openvino"
ULTRALYTICS, SUPERVISION = "ultralytics", "supervision"
EVERY, BEST = "every picture", "best stride"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One contender's. ``cpu_s_per_camera_minute`` is of all rounds, ``rounds_cpu_s`` of each.

    ``cameras_sustained`` is what the machine's cores could do of that, were nothing else on them. ``said_after_s`` is by how
    much media time an event is reported after it happened, the median; ``frame_ms`` are of pictures that were looked at, or
    glanced at, ``finding_ms`` of those in which an event was reported: wall time, on a machine that does other work too.
    """

    name: str
    stride: int
    cpu_s_per_camera_minute: float
    rounds_cpu_s: tuple[float, ...]
    cameras_sustained: float
    peak_memory_mb: float
    frame_ms_median: float
    frame_ms_95: float
    finding_ms_median: float | None
    said_after_s: float | None
    found: int
    missed: int
    false: int
    f1: float
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What was to be reached, and what was; ``reached`` is None where the contender did not run."""

    what: str
    wanted: float
    reached: float | None

    @property
    def holds(self) -> bool:
        return self.reached is not None and self.reached >= self.wanted


def figures_of(
    name: str,
    stride: int,
    runs: Sequence[Run],
    clips: Sequence[BenchClip],
    truth: Mapping[str, ClipTruth],
    cores: int,
) -> Figures:
    """Of the runs of all rounds over the same clips."""
    minutes = sum(clip.seconds for clip in clips) / 60
    rounds = tuple(round(sum(clip.cpu_s for clip in run.clips) / minutes, 2) for run in runs)
    cpu_s = sum(sum(clip.cpu_s for clip in run.clips) for run in runs) / minutes / len(runs)
    scored_runs = [(run, scored(run, truth)) for run in runs]
    scores = [score for _, by_clip in scored_runs for score in by_clip.values()]
    found, missed, false = counts(scores)
    frame_ms = sorted(ms for run in runs for clip in run.clips for ms in clip.frame_ms)
    finding_ms = [ms for run in runs for clip in run.clips for ms in clip.finding_ms]
    after_s = [
        _said_s(run, match.predicted.id) - match.truth.t_s
        for run, by_clip in scored_runs
        for score in by_clip.values()
        for match in score.matches
    ]
    return Figures(
        name=name,
        stride=stride,
        cpu_s_per_camera_minute=round(cpu_s, 2),
        rounds_cpu_s=rounds,
        cameras_sustained=round(60 * cores / cpu_s, 1),
        peak_memory_mb=max(run.peak_memory_mb for run in runs),
        frame_ms_median=round(median(frame_ms), 1),
        frame_ms_95=round(frame_ms[int(0.95 * (len(frame_ms) - 1))], 1),
        finding_ms_median=round(median(finding_ms), 1) if finding_ms else None,
        said_after_s=round(median(after_s), 2) if after_s else None,
        found=found,
        missed=missed,
        false=false,
        f1=f1(found, missed, false),
        versions=dict(runs[0].versions),
    )


def _said_s(run: Run, event: str) -> float:
    """When the event of that id was reported."""
    name, _, number = event.rpartition("-")
    return next(clip.said[int(number)].said_s for clip in run.clips if clip.clip == name)


def targets(figures: Mapping[tuple[str, str], Figures]) -> tuple[Target, ...]:
    """What issue and design want, by (contender, how it looks); Stopline is the one that watches."""
    own = figures[STOPLINE, EVERY]

    def times(peer: str, how: str) -> float | None:
        other = figures.get((peer, how))
        return (
            None if other is None else round(other.cpu_s_per_camera_minute / own.cpu_s_per_camera_minute, 2)
        )

    wanted = (
        (ULTRALYTICS, EVERY, 6.0),
        (ULTRALYTICS, BEST, 2.0),
        (SUPERVISION, EVERY, 4.0),
        (SUPERVISION, BEST, 1.5),
    )
    return (
        *(
            Target(what=f"times the throughput of {peer}, {how}", wanted=least, reached=times(peer, how))
            for peer, how, least in wanted
        ),
        Target(what="of the throughput of decoding alone", wanted=0.6, reached=times(DECODING, EVERY)),
    )
