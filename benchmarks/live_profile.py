"""Where the processor's time goes while cameras are watched: ``python -m benchmarks.live_profile --cameras 1 --cameras 4``.

``--cameras N`` watches live cameras: on a machine that is busy or too small fewer of their pictures are looked at. ``--recorded``
replays the same clips by the same loop on one thread, every picture looked at: that depends on the code alone. ``--watched``
puts them in the place of live cameras, as ``make bench`` does: as few pictures are looked at as there, whatever the machine does.

The processes are sampled by py-spy (``pip install py-spy``; it is no dependency). Each sample counts for the part of the work whose
code is innermost in it; shares are turned into milliseconds by the processor time that the kernel counted. Idle threads
are not sampled. The report is ``benchmarks/live_profile.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from api.bootstrap import default_detector
from api.settings import load_settings
from api.work.run_folder import read_summary
from benchmarks.bench_clips import bench_clips
from benchmarks.bench_stopline import WATCH
from benchmarks.bench_task import Task, read_run, write
from benchmarks.machine import this_commit, this_machine
from benchmarks.proof_live_cameras import CLIPS, SAMPLES, watched
from detector.weights import load_weights

CHECKOUT = Path(__file__).resolve().parents[1]
REPORT = CHECKOUT / "benchmarks" / "live_profile.json"
RATE_HZ = 200

PARTS = (
    ("inference", ("run (detector/weights.py", "run (detector/openvino_runner.py")),
    ("letterbox", ("(detector/preprocess.py",)),
    ("boxes", ("(detector/postprocess.py", "(detector/riders.py", "(detector/yolo.py")),
    ("tracking", ("(detector/tracker.py", "(detector/motion.py")),
    ("lamps", ("(detector/lamps.py",)),
    ("scene watch", ("(detector/scene_watch.py",)),
    ("colour conversion", ("(ingest/picture.py",)),
    ("decoding", ("_decoded (ingest/decoding.py",)),
    ("receiving", ("(ingest/packet_pump.py",)),
    ("packets and stamps", ("(ingest/",)),
    ("rules", ("(rules/",)),
    ("evidence", ("(evidence/",)),
    ("records and reports", ("(api/",)),
)
"""The parts of the work, and how the frames of their code begin in a sample: ``function (folder/module.py``, or the place alone."""


NOT_WORKING = ("_find_and_load", "load_weights (", "wait (threading.py")
"""What samples of loading hold, and of threads that wait: py-spy takes some of these for busy."""


def part_of(stack: Sequence[str]) -> str:
    """The part that a sample belongs to, by its innermost frame that is of one; its outermost frame comes first."""
    for frame in reversed(stack):
        for part, places in PARTS:
            if any(place in frame for place in places):
                return part
    return "other"


def shares(lines: Iterable[str]) -> dict[str, float]:
    """The share of each part in samples as py-spy writes them (``frame;frame;... count``), the largest first."""
    counts = Counter[str]()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if stack:
            counts[part_of(stack.split(";"))] += int(count)
    return {part: count / counts.total() for part, count in counts.most_common()}


def sample(folder: Path, py_spy: str, workers: Sequence[int], seconds: int) -> None:
    """Samples of all workers over so many seconds stand in ``folder``."""
    command = [py_spy, "record", "--format", "raw", "--rate", str(RATE_HZ)]
    running = [
        subprocess.Popen(
            [*command, "--duration", str(seconds), "--pid", str(pid), "--output", str(folder / f"{pid}.txt")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for pid in workers
    ]
    for process in running:
        _, told = process.communicate()
        if process.returncode:
            raise SystemExit(f"py-spy failed: {told.strip()}")


def recorded(py_spy: str) -> dict[str, object]:
    """The figures of the clips replayed one after another, with cases and without plates, and the milliseconds of each part."""
    pictures, cpu_s, lines = 0, 0.0, list[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for clip in CLIPS:
            out, written = folder / clip, folder / f"{clip}.txt"
            site, film = (str(SAMPLES / f"{clip}.{kind}") for kind in ("yaml", "mp4"))
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "api.cli",
                    "replay",
                    film,
                    "--site",
                    site,
                    "--out",
                    str(out),
                    "--no-plates",
                    "--quiet",
                ],
                cwd=CHECKOUT,
                env={**os.environ, "STOPLINE_THREADS": "1"},
            )
            command = [py_spy, "record", "--format", "raw", "--rate", str(RATE_HZ), "--pid", str(process.pid)]
            subprocess.run(
                [*command, "--duration", "3600", "--output", str(written)],
                stdout=subprocess.DEVNULL,
                check=True,
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"the replay of {clip} failed")
            cpu_s += used.ru_utime + used.ru_stime
            pictures += read_summary(out)["frames"]
            lines += written.read_text("utf-8").splitlines()
    per_picture_ms = 1000 * cpu_s / pictures
    return {
        "recorded": list(CLIPS),
        "inference": load_settings().inference.value,
        "pictures": pictures,
        "cpu_ms_per_picture": round(per_picture_ms, 2),
        "cpu_ms_per_picture_by_part": {
            part: round(share * per_picture_ms, 2) for part, share in shares(lines).items()
        },
    }


def as_watched(py_spy: str) -> dict[str, object]:
    """The figures of the clips in the place of live cameras, one after another; what importing and loading take is left out."""
    weights = default_detector(load_settings())
    loaded = load_weights(weights)
    task = Task(
        clips=bench_clips(CLIPS),
        weights=str(weights),
        input_px=(loaded.width_px, loaded.height_px),
        class_names=loaded.classes.names,
        vehicles=(),
        options=(WATCH,),
    )
    with tempfile.TemporaryDirectory() as name:
        given, back, samples = (Path(name) / file for file in ("task.json", "run.json", "samples.txt"))
        write(given, task)
        work = [sys.executable, "-m", "benchmarks.bench_stopline", str(given), str(back)]
        command = [
            py_spy,
            "record",
            "--format",
            "raw",
            "--rate",
            str(RATE_HZ),
            "--output",
            str(samples),
            "--",
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(
            [*command, *work], cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL, check=True
        )
        run = read_run(back)
        lines = samples.read_text("utf-8").splitlines()
    pictures = sum(clip.frames for clip in run.clips)
    per_picture_ms = 1000 * sum(clip.cpu_s for clip in run.clips) / pictures
    working = [line for line in lines if not any(one in line for one in NOT_WORKING)]
    return {
        "watched": list(CLIPS),
        "inference": load_settings().inference.value,
        "pictures": pictures,
        "cpu_ms_per_picture": round(per_picture_ms, 2),
        "cpu_ms_per_picture_by_part": {
            part: round(share * per_picture_ms, 2) for part, share in shares(working).items()
        },
    }


def profile(cameras: int, seconds: int, py_spy: str) -> dict[str, object]:
    """The figures of so many cameras, and the milliseconds of each part per decoded picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = dict(watched(folder, cameras, seconds, partial(sample, folder, py_spy)))
        lines = [
            line for path in sorted(folder.glob("*.txt")) for line in path.read_text("utf-8").splitlines()
        ]
    per_picture_ms = float(figures["cpu_ms_per_picture"])
    parts = {part: round(share * per_picture_ms, 2) for part, share in shares(lines).items()}
    return {**figures, "samples": len(lines), "cpu_ms_per_picture_by_part": parts}


def _asked(chosen: argparse.Namespace) -> list[str]:
    """What was asked for, without where things lie on this machine."""
    recorded = [f"--{way}" for way in ("recorded", "watched") if getattr(chosen, way)]
    cameras = [f"--cameras {count}" for count in chosen.cameras or ()]
    return [*recorded, *cameras, *([f"--seconds {chosen.seconds}"] if cameras else [])]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_profile", description=__doc__)
    parser.add_argument("--cameras", type=int, action="append", help="how many; again for another profile")
    parser.add_argument("--recorded", action="store_true", help="the clips, replayed")
    parser.add_argument("--watched", action="store_true", help="the clips, in the place of live cameras")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--py-spy", default=shutil.which("py-spy"), help="where it is, unless on the PATH")
    parser.add_argument("--output", type=Path, default=REPORT)
    chosen = parser.parse_args(arguments)
    if chosen.py_spy is None:
        parser.error("there is no py-spy on the PATH (pip install py-spy)")
    report = {
        "command": " ".join(["python -m benchmarks.live_profile", *_asked(chosen)]),
        "commit": this_commit(CHECKOUT).sha,
        "machine": asdict(this_machine()),
        "profiles": [
            *([recorded(chosen.py_spy)] if chosen.recorded else []),
            *([as_watched(chosen.py_spy)] if chosen.watched else []),
            *(profile(count, chosen.seconds, chosen.py_spy) for count in chosen.cameras or ()),
        ],
    }
    chosen.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report["profiles"], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
