"""Contender ``decoding``: every picture decoded by one thread, and nothing else."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import av

from benchmarks.bench_meter import Meter, run_of
from benchmarks.bench_task import BenchClip, ClipRun, read_task, write


def main(task_path: str, run_path: str) -> None:
    clips = [decoded(clip) for clip in read_task(Path(task_path)).clips]
    write(Path(run_path), run_of(clips, version, ("av",)))


def decoded(clip: BenchClip) -> ClipRun:
    """What decoding that clip takes."""
    meter = Meter(clip.name)
    frames = 0
    with av.open(clip.path) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "SLICE", 1
        meter.asked()
        for _ in container.decode(stream):
            frames += 1
            meter.known(())
            meter.asked()
    return meter.done(frames)


if __name__ == "__main__":
    main(*sys.argv[1:])
