"""Proof: fifty officers review at once while two replays run beside the service, and no answer is an error or late."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import quantiles

from argon2 import PasswordHasher

from api.clock import SystemClock
from api.register_document import RegisterDocument
from api.work.access import Role
from api.work.data_folder import open_records
from api.work.job_process import NICENESS
from api.work.service import Service, open_service
from benchmarks.clips import SAMPLES
from benchmarks.proof import Figures, Proof, Trial, Verdict
from evidence.records import CaseFilter, CaseRecord
from tests.builders.case_folder import fill, red_light
from tests.builders.sites import engineer, publish, site_file

FULL = 600
REVIEWERS = 50
SMALL_REVIEWERS = 5
CLIP = "junction_red_departing"
THINK_S = "3-8"
HURRIED_S = "0.2-0.5"
"""In a trial of seconds nobody would come to a decision otherwise."""

CASES_A_REVIEWER_S = 0.05
"""More than a reviewer decides in a second: the queue does not run empty."""

LIMIT_MS, RATIO = 300.0, 2.0
BUSY_TIMES = 3.0
"""A small trial runs beside other tests: it allows three times the limits."""

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Nobody signs in by a password here."""

STOPLINE = (sys.executable, "-m", "api.cli")


def prove(trial: Trial) -> Verdict:
    """``trial.size`` seconds without replays, then as many with two of them at the priority that runs of the service have."""
    is_full = trial.size >= FULL
    reviewers = REVIEWERS if is_full else SMALL_REVIEWERS
    found = {}
    for name, replays in (("alone", 0), ("beside", 2)):
        found[name] = trial.once(name, partial(_run, trial, name, reviewers, replays, is_full))
    p95_ms = {name: float(figures["read_p95_ms"]) for name, figures in found.items()}
    ratio = p95_ms["beside"] / p95_ms["alone"]
    figures: dict[str, int | float | str | bool] = {"reviewers": reviewers, "seconds": trial.size}
    for name, told in found.items():
        figures |= {f"{name}_{key}": value for key, value in told.items()}
    figures["read_p95_ratio"] = round(ratio, 2)
    granted = 1.0 if is_full else BUSY_TIMES
    return Verdict(
        passed=all(told["errors"] == 0 and int(told["decisions"]) > 0 for told in found.values())
        and int(found["beside"]["replays_ended"]) >= is_full
        and p95_ms["beside"] <= granted * LIMIT_MS
        and ratio <= granted * RATIO,
        figures=figures,
    )


def _run(trial: Trial, name: str, reviewers: int, replays: int, is_full: bool) -> Figures:
    folder = trial.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "data"
    data.mkdir(parents=True)
    site, place = _first_cases(data, is_full)
    wanted = round(trial.size * reviewers * (CASES_A_REVIEWER_S if is_full else 0.5))
    links = _filled(data, wanted, reviewers, site, place)
    (folder / "links.json").write_text(json.dumps(links), encoding="utf-8")
    with ExitStack() as stack:
        address = stack.enter_context(_serving(data))
        loops = [stack.enter_context(_replaying(folder / f"replay-{number}")) for number in range(replays)]
        subprocess.run(
            [
                *(sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("reviewers.py"))),
                *("--headless", "--host", address.rstrip("/"), "--run-time", f"{trial.size}s"),
                *("--users", str(reviewers), "--spawn-rate", "5", "--exit-code-on-error", "0"),
            ],
            env={
                **os.environ,
                "STOPLINE_LINKS": str(folder / "links.json"),
                "STOPLINE_FIGURES": str(folder / "answers.csv"),
                "STOPLINE_THINK_S": THINK_S if is_full else HURRIED_S,
            },
            check=True,
            timeout=trial.size + 120,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ended = sum(len(took_s) for took_s in loops)
    return {**_figures(folder / "answers.csv"), "replays_ended": ended}


def _first_cases(data: Path, is_full: bool) -> tuple[str, str]:
    """The folder has cases: of a replay of a 1080p sample clip, or, in a small trial, a drawn one; their site file and site."""
    if not is_full:
        fill(data, [red_light(clip_s=(20.0, 21.0))])
        return site_file("crossroads", "north"), "crossroads"
    site = (SAMPLES / f"{CLIP}.yaml").read_text("utf-8")
    subprocess.run([*STOPLINE, *_replay(data)], check=True, stderr=subprocess.DEVNULL)
    with closing(open_records(data)) as records:
        return site, records.page(CaseFilter(), after_number=None, limit=1)[0].record.site_id


def _replay(out: Path) -> list[str]:
    clip = SAMPLES / f"{CLIP}.mp4"
    site = SAMPLES / f"{CLIP}.yaml"
    return ["replay", str(clip), "--site", str(site), "--out", str(out), "--progress", "none", "--no-plates"]


def _filled(data: Path, wanted: int, reviewers: int, site: str, site_id: str) -> list[str]:
    """So many cases, whose packages are links to the first ones, in a published site; a sign-in link for each reviewer."""
    with closing(open_records(data)) as records:
        first = [case.record for case in records.page(CaseFilter(), after_number=None, limit=99)]
        for number in range(wanted):
            record = first[number % len(first)]
            records.add_case(_copied(data, record, number))
        service = open_service(data, records, SystemClock().now, hasher=CHEAP)
        publish(service.sites, site, site_id)
        entry = {"kind": "junction", "name": site_id, "area": "a", "published_on": "2020-01-01"}
        service.register.put(engineer(), site_id, RegisterDocument.model_validate(entry), looked_at=0)
        return [_link(service, number) for number in range(reviewers)]


def _copied(data: Path, record: CaseRecord, number: int) -> CaseRecord:
    case_id = f"{record.id}-{number}"
    shutil.copytree(data / record.evidence_path, data / "evidence" / case_id, copy_function=os.link)
    return replace(
        record,
        id=case_id,
        evidence_path=f"evidence/{case_id}",
        manifest_path=f"evidence/{case_id}/manifest.json",
    )


def _link(service: Service, number: int) -> str:
    name = f"officer-{number}"
    account, _ = service.accounts.add(
        None, name=name, display_name=name, role=Role.OFFICER, site_ids=None, must_change=False
    )
    return service.accounts.link(account.id)


@contextmanager
def _serving(data: Path) -> Iterator[str]:
    """``stopline serve`` as a process; its address."""
    server = subprocess.Popen(
        [*STOPLINE, "serve", "--data", str(data), "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    try:
        found = re.search(r"http://\S+/", server.stderr.readline())
        assert found is not None
        yield found[0]
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)


@contextmanager
def _replaying(out: Path) -> Iterator[list[float]]:
    """One replay of a sample clip after the other, at low priority; the seconds that each took that ended meanwhile."""
    took_s: list[float] = []
    stop = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def go_on() -> None:
        while not stop.is_set():
            shutil.rmtree(out, ignore_errors=True)
            began = time.monotonic()
            command = ["nice", "-n", str(NICENESS), *STOPLINE, *_replay(out)]
            running[:] = [subprocess.Popen(command, stderr=subprocess.DEVNULL)]
            if running[0].wait() == 0:
                took_s.append(time.monotonic() - began)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield took_s
    finally:
        stop.set()
        for process in running:
            process.kill()
        thread.join()


def _figures(answers: Path) -> Figures:
    """Percentiles in ms by kind of answer, and what was no answer as it should be."""
    took: dict[str, list[float]] = {}
    wrong: Counter[str] = Counter()
    decided = 0
    with answers.open(newline="", encoding="utf-8") as file:
        for name, ms, error, status in csv.reader(file):
            took.setdefault(name.split()[0], []).append(float(ms))
            if error:
                wrong[f"{name}: {error}"] += 1
            decided += name == "write review" and status == "201"
    told: dict[str, int | float | str | bool] = {
        "answers": sum(len(times) for times in took.values()),
        "errors": sum(wrong.values()),
        "first_errors": "; ".join(error for error, _ in wrong.most_common(3)),
        "decisions": decided,
    }
    for kind, times in sorted(took.items()):
        cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
        told |= {f"{kind}_p50_ms": round(cuts[49], 1), f"{kind}_p95_ms": round(cuts[94], 1)}
    return told


PROOF = Proof(
    claim="Fifty officers with 3 to 8 s of thought between two steps review cases for ten minutes while two replays of 1080p run "
    "at low priority: no answer is an error, the 95th percentile of reads is at most 300 ms, and at most twice that without them.",
    small=6,
    full=FULL,
    prove=prove,
)
