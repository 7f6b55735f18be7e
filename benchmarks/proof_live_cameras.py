"""Proof: eight live 1080p25 cameras of a real RTSP server on two cores, watched for ten minutes, without lag or loss."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import NoReturn

from api.bootstrap import default_detector
from api.cli.watch import PipelinesOf
from api.clock import SystemClock
from api.settings import Settings, load_settings
from api.site_file import parse_site_file
from api.work.live_metrics import FleetFigures
from api.work.watch import WatchRequest, cores, watch
from benchmarks.proof import Figures, Proof, Trial, Verdict
from tests.rtsp import serve

CLIPS = ("junction_red_departing", "junction_red_approaching")
"""The 1080p25 traffic clips of the sample world; the quiet one would be no test."""

CAMERAS = 8
SMALL_CAMERAS = 1
SMALL_S = 60
"""Below so many seconds of watching it is a try of the method, with one camera."""

SETTLE_S = 20.0
"""Connecting, loading models and learning the scene are not measured."""

MOST_LAG_S = 1.0
SAMPLES = Path(__file__).resolve().parents[1] / "sample_videos"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Seen:
    """What was shown of a watch, once a second, from the end of settling on."""

    figures: list[FleetFigures] = field(default_factory=list)

    def rising_lag_s(self) -> float:
        """By how much the mean lag of the last third exceeds that of the first, of the worst camera."""
        third = max(1, len(self.figures) // 3)
        first, last = self.figures[:third], self.figures[-third:]
        return max(
            _mean([shown.cameras[at].lag_s for shown in last])
            - _mean([shown.cameras[at].lag_s for shown in first])
            for at in range(len(first[0].cameras))
        )


def prove(trial: Trial) -> Verdict:
    """Watches as many cameras as are claimed, and, where that is too many, fewer and fewer until they are not."""
    if trial.size < SMALL_S:
        figures = trial.once("watched", lambda: watched(trial.folder, SMALL_CAMERAS, trial.size))
        return Verdict(passed=figures["cameras_live"] == SMALL_CAMERAS, figures=figures)
    figures, sustained = dict[str, int | float | str | bool](), 0
    for count in (CAMERAS, 6, 4, 3, 2, 1):
        figures = dict(trial.once(f"{count} cameras", partial(watched, trial.folder, count, trial.size)))
        if is_sustained(figures):
            sustained = count
            break
    return Verdict(passed=sustained == CAMERAS, figures={"cameras_sustained": sustained, **figures})


def is_sustained(figures: Figures) -> bool:
    """Whether nothing was left out, and nobody fell behind."""
    return (
        bool(figures["all_live"])
        and float(figures["rising_lag_s"]) < 0.2
        and float(figures["most_lag_s"]) < MOST_LAG_S
        and figures["frames_left_out"] == 0
        and figures["unkept"] == 0
    )


During = Callable[[Sequence[int], int], None]
"""Lets so many seconds pass, in which the workers with these process ids are measured."""


def waited(workers: Sequence[int], seconds: int) -> None:
    """Nothing happens but the watching itself."""
    time.sleep(seconds)


def watched(folder: Path, count: int, seconds: int, during: During = waited) -> Figures:
    """The figures of so many cameras after so many seconds."""
    data, sites = folder / f"data-{count}", folder / f"sites-{count}"
    for path in (data, sites):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    settings = Settings.of(
        {"STOPLINE_CAMERA_NETWORKS": "127.0.0.0/8", "STOPLINE_CACHE": str(load_settings().cache)}
    )
    clips = [SAMPLES / f"{CLIPS[at % len(CLIPS)]}.mp4" for at in range(count)]
    with serve(clips[0], _absent, *clips[1:], loop=True) as server:
        for at in range(count):
            _publish(sites, at, f"rtsp://127.0.0.1:{server.port}/camera{at or ''}")
        request = WatchRequest(
            sites=[sites],
            data=data,
            settings=settings,
            pipelines=PipelinesOf(weights=default_detector(settings), read_plates=False),
            workers=cores(),
        )
        return _measured(request, server.process.pid, count, seconds, during)


def _measured(request: WatchRequest, server: int, count: int, seconds: int, during: During) -> Figures:
    shown: list[FleetFigures] = []
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            watch(request, SystemClock(), lambda event, **facts: None, stop.is_set, shown.append)
        except BaseException as exc:  # noqa: BLE001 - it is raised below
            failures.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    _wait(lambda: bool(failures) or (bool(shown) and all(one.frames for one in shown[-1].cameras)), 180)
    if failures:
        raise failures[0]
    time.sleep(min(SETTLE_S, seconds))
    first, before, server_before = len(shown), _cpu_s(_workers(request.data)), _cpu_s([server])
    began_s = time.monotonic()
    during(_workers(request.data), seconds)
    spent_s = time.monotonic() - began_s
    cpu_s, server_cpu_s = _cpu_s(_workers(request.data)) - before, _cpu_s([server]) - server_before
    memory_mb = sum(_memory_mb(pid) for pid in _workers(request.data))
    seen, last = Seen(shown[first - 1 :]), shown[-1]
    stop.set()
    thread.join(120)
    if failures:
        raise failures[0]
    start = seen.figures[0]
    frames = sum(one.frames for one in last.cameras) - sum(one.frames for one in start.cameras)
    left_out = ("frames_not_analysed", "packets_not_decoded", "packets_over_budget")
    lags_s = [one.lag_s for figures in seen.figures for one in figures.cameras]
    delays = [sum(one.delays) for one in last.cameras]
    return {
        "cameras": count,
        "seconds": round(spent_s, 1),
        "cameras_live": sum(one.state.value == "live" for one in last.cameras),
        "all_live": all(one.state.value == "live" and one.connections == 1 for one in last.cameras),
        "pictures_per_s": round(frames / spent_s / count, 2),
        "frames_left_out": _left_out(last, *left_out),
        "median_lag_s": round(median(lags_s), 3),
        "most_lag_s": round(max(lags_s), 3),
        "rising_lag_s": round(seen.rising_lag_s(), 3),
        "findings": sum(delays),
        "mean_finding_delay_s": round(sum(one.delay_s for one in last.cameras) / max(1, sum(delays)), 3),
        "cases": sum(one.cases for one in last.cameras),
        "unkept": sum(one.unkept for one in last.cameras),
        "pictures": frames,
        "cpu_ms_per_picture": round(1000 * cpu_s / max(1, frames), 2),
        "cpu_s_per_camera_minute": round(cpu_s / count / spent_s * 60, 2),
        "server_cpu_s_per_camera_minute": round(server_cpu_s / count / spent_s * 60, 2),
        "workers_memory_mb": round(memory_mb, 1),
        "load_before": round(os.getloadavg()[2], 2),
    }


def _left_out(shown: FleetFigures, *causes: str) -> int:
    return sum(one.drops.get(cause, 0) for one in shown.cameras for cause in causes)


def _publish(sites: Path, at: int, address: str) -> None:
    """The clip's own site file, its camera under another name and with the stream."""
    clip = CLIPS[at % len(CLIPS)]
    text = (SAMPLES / f"{clip}.yaml").read_text(encoding="utf-8")
    camera_id = parse_site_file(text.encode(), clip).site.cameras[0].camera_id
    name = f"cam{at}"
    for before, after in (
        (f"camera: {camera_id}", f"camera: {name}"),
        (f"id: {camera_id}\n", f"id: {name}\n  stream: {json.dumps({'address': address})}\n"),
    ):
        text = text.replace(before, after)
    (sites / f"{name}.yaml").write_text(text, encoding="utf-8")


def _workers(data: Path) -> list[int]:
    """The worker processes, by the crash file that each has open."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            links = [str(one.readlink()) for one in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(link.startswith(str(data / "workers")) for link in links):
            found.append(int(process.name))
    return found


def _cpu_s(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _wait(holds: Callable[[], bool], within_s: float) -> None:
    until_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until_s:
            raise TimeoutError(f"the cameras were not live within {within_s} s")
        time.sleep(0.2)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _absent(reason: str) -> NoReturn:
    raise RuntimeError(reason)


PROOF = Proof(
    claim="Eight live 1080p25 cameras of a real RTSP server are watched on two cores without growing lag or a frame left out.",
    small=10,
    full=600,
    prove=prove,
)
