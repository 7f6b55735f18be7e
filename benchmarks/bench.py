"""Stopline beside decoding alone, ultralytics and supervision, in one run: ``make bench``.

The peers run where their packages are (``make bench`` puts them into ``bench-venv`` in the cache folder); without it they are
left out, and the report says so. Each round every contender takes each clip once, in turn, so that all share one weather.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from api.bootstrap import default_detector
from api.clock import SystemClock
from api.settings import load_settings
from api.work.truth_file import ClipTruth
from benchmarks import bench_figures as names
from benchmarks.bench_clips import CLIPS, bench_clips, bench_truth
from benchmarks.bench_figures import BEST, EVERY, Figures, figures_of, targets
from benchmarks.bench_report import results_text
from benchmarks.bench_task import BenchClip, Run, Task, read_run, write
from benchmarks.machine import this_commit, this_machine
from benchmarks.peer_weights import convert
from detector.weights import load_weights
from rules.observation import VEHICLE_CLASSES

CHECKOUT = Path(__file__).resolve().parents[1]
PEERS = "bench-venv"
STRIDES = (25, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2)
"""Tried from the largest on: the first that keeps the F1 of every picture is the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Who takes part: a module of this folder, and how it is started."""

    name: str
    module: str
    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    is_peer: bool = False


CONTENDERS = (
    Contender(name=names.DECODING, module="bench_decoding"),
    Contender(name=names.STOPLINE, module="bench_stopline", options=("watch",)),
    Contender(name=names.REPLAY, module="bench_stopline"),
    Contender(
        name=names.OPENVINO,
        module="bench_stopline",
        options=("watch",),
        environment=(("STOPLINE_INFERENCE", "openvino"),),
    ),
    Contender(name=names.ULTRALYTICS, module="peer_ultralytics", is_peer=True),
    Contender(name=names.SUPERVISION, module="peer_supervision", is_peer=True),
)


class Field:
    """Where contenders compete: the clips, the network for each, and a folder for what is passed to and fro."""

    def __init__(
        self, folder: Path, clips: Sequence[BenchClip], truth: Mapping[str, ClipTruth], peers: Path | None
    ) -> None:
        """``peers`` is the Python of the peers' environment, None where there is none."""
        self.clips, self.truth, self.peers = tuple(clips), truth, peers
        self._folder = folder
        weights = default_detector(load_settings())
        loaded = load_weights(weights)
        self.input_px = (loaded.width_px, loaded.height_px)
        self.weights_sha256 = loaded.sha256
        class_names = loaded.classes.names
        self._task = Task(
            clips=self.clips,
            weights=str(weights),
            input_px=self.input_px,
            class_names=class_names,
            vehicles=tuple(sorted(one.value for one in VEHICLE_CLASSES)),
        )
        self._peer_weights = folder / "peer.onnx"
        convert(weights, self._peer_weights, self.input_px, class_names)

    def run(self, contender: Contender, stride: int = 1) -> Run:
        """The contender over all clips, in a process of its own. Raises CalledProcessError where it fails."""
        task = replace(self._task, stride=stride, options=contender.options)
        python = sys.executable
        if contender.is_peer:
            assert self.peers is not None, "a peer needs its environment"
            task, python = replace(task, weights=str(self._peer_weights)), str(self.peers)
        given, back = self._folder / "task.json", self._folder / "run.json"
        write(given, task)
        back.unlink(missing_ok=True)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(CHECKOUT),
            "YOLO_CONFIG_DIR": str(self._folder),
            **dict(contender.environment),
        }
        command = [python, "-m", f"benchmarks.{contender.module}", str(given), str(back)]
        subprocess.run(command, check=True, cwd=self._folder, env=environment, stdout=sys.stderr)
        return read_run(back)

    def figures(self, contender: Contender, stride: int, runs: Sequence[Run]) -> Figures:
        """What those runs come to."""
        return figures_of(contender.name, stride, runs, self.clips, self.truth, this_machine().cores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """All figures, in the order of the table; ``strides`` are those that were tried of each peer."""

    rows: tuple[tuple[str, Figures], ...]
    strides: Mapping[str, Sequence[Figures]]
    skipped: Mapping[str, str]


def compare(field: Field, contenders: Iterable[Contender], rounds: int) -> Compared:
    """Round after round, each contender in turn; a peer's best stride is sought in the first."""
    skipped: dict[str, str] = {}
    runs: dict[tuple[Contender, str, int], list[Run]] = {}
    strides: dict[str, list[Figures]] = {}
    for contender in contenders:
        why = _lacks(contender, field)
        if why is not None:
            skipped[contender.name] = why
            continue
        runs[contender, EVERY, 1] = []
    for number in range(rounds):
        for contender, how, stride in tuple(runs):
            run = field.run(contender, stride)
            runs[contender, how, stride].append(run)
            every = _told(field, contender, stride, run)
            if number == 0 and contender.is_peer:
                best, strides[contender.name] = _best(field, contender, every)
                runs[contender, BEST, best[0]] = [best[1]]
    rows = [(how, field.figures(contender, stride, done)) for (contender, how, stride), done in runs.items()]
    return Compared(rows=tuple(sorted(rows, key=_place)), strides=strides, skipped=skipped)


def _best(field: Field, contender: Contender, every: Figures) -> tuple[tuple[int, Run], list[Figures]]:
    """The largest stride that keeps the F1 of every picture, and all that were tried."""
    tried = []
    for stride in STRIDES:
        run = field.run(contender, stride)
        tried.append(_told(field, contender, stride, run))
        if tried[-1].f1 >= every.f1:
            return (stride, run), tried
    run = field.run(contender, 1)
    return (1, run), tried


def _told(field: Field, contender: Contender, stride: int, run: Run) -> Figures:
    """The figures of that one run, shown on the terminal."""
    one = field.figures(contender, stride, [run])
    print(
        f"{one.name}, one picture in {stride}: {one.cpu_s_per_camera_minute:.1f} CPU s per camera-minute, "
        f"{one.cameras_sustained:.1f} cameras, {one.peak_memory_mb:.0f} MB, F1 {one.f1:.3f} "
        f"({one.found} found, {one.missed} missed, {one.false} false)",
        file=sys.stderr,
        flush=True,
    )
    return one


def _lacks(contender: Contender, field: Field) -> str | None:
    """Why it cannot take part, None where it can."""
    if contender.is_peer and field.peers is None:
        return "its environment is not there; 'make bench' makes it"
    if contender.name == names.OPENVINO and find_spec("openvino") is None:
        return "openvino is not installed"
    return None


def _place(row: tuple[str, Figures]) -> tuple[int, int]:
    order = [contender.name for contender in CONTENDERS]
    return order.index(row[1].name), row[1].stride


def write_results(
    compared: Compared, field: Field, command: str, rounds: int, folder: Path, began: datetime
) -> None:
    """``results.json`` and ``RESULTS.md`` stand in ``folder``."""
    commit = this_commit(CHECKOUT)
    goals = targets({(one.name, how): one for how, one in compared.rows})
    facts = {
        "command": command,
        "began": began.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z"),
        "commit": commit.sha,
        "uncommitted_changes": commit.changes_sha256 is not None,
        "machine": asdict(this_machine()),
        "clips": [clip.name for clip in field.clips],
        "media_s": sum(clip.seconds for clip in field.clips),
        "events": sum(
            event.count for clip in field.clips for event in field.truth[clip.name].events if event.required
        ),
        "rounds": rounds,
        "weights": "stopline_default.onnx",
        "weights_sha256": field.weights_sha256,
        "input_px": list(field.input_px),
        "contenders": [{"looks": how, **asdict(one)} for how, one in compared.rows],
        "targets": [{**asdict(goal), "holds": goal.holds} for goal in goals],
        "strides": {
            peer: [
                {"stride": one.stride, "f1": one.f1, "cpu_s_per_camera_minute": one.cpu_s_per_camera_minute}
                for one in tried
            ]
            for peer, tried in compared.strides.items()
        },
        "skipped": dict(compared.skipped),
    }
    (folder / "results.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    text = results_text(facts, compared.rows, goals)
    (folder / "RESULTS.md").write_text(text, encoding="utf-8")
    print(text)


def peers_python() -> Path | None:
    """The Python of the peers' environment, where it is complete."""
    folder = load_settings().cache / PEERS
    lock = CHECKOUT / "benchmarks" / "requirements-peers.lock"
    made_of = folder / "requirements.lock"
    is_complete = made_of.is_file() and made_of.read_bytes() == lock.read_bytes()
    return folder / "bin" / "python" if is_complete else None


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clip", action="append", choices=CLIPS, help="again for another; all without it")
    parser.add_argument("--only", action="append", choices=[one.name for one in CONTENDERS])
    parser.add_argument("--output", type=Path, default=CHECKOUT / "benchmarks", help="folder of the results")
    chosen = parser.parse_args(arguments)
    began = SystemClock().now()
    with tempfile.TemporaryDirectory() as folder:
        field = Field(Path(folder), bench_clips(chosen.clip or CLIPS), bench_truth(), peers_python())
        contenders = [one for one in CONTENDERS if chosen.only is None or one.name in chosen.only]
        compared = compare(field, contenders, chosen.rounds)
        command = "make bench" if not arguments else " ".join(["python -m benchmarks.bench", *_asked(chosen)])
        write_results(compared, field, command, chosen.rounds, chosen.output, began)
    return 0


def _asked(chosen: argparse.Namespace) -> list[str]:
    """What was asked for, without where things lie on this machine."""
    return [
        f"--rounds {chosen.rounds}",
        *(f"--clip {clip}" for clip in chosen.clip or ()),
        *(f"--only {name}" for name in chosen.only or ()),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
