"""Proof: store, records or disk away while offences happen: below the budgets nothing is lost, above them each is counted."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from benchmarks.live_street import LiveRun, kept, live, whole
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.proof_evidence_full_disk import FullFile, Room
from benchmarks.street_run import the_street
from evidence.budget import Budget
from evidence.durable import Disk, open_after, open_new
from evidence.store_s3 import S3Store
from tests.builders.buckets import a_bucket
from tests.relay import Relay, relayed
from tests.s3_server import running

BEFORE_S, AFTER_S = 10.0, 10.0
"""Of each run, before and after what is tried; offences happen from 6 s on, one every 2 s."""

DISK_SHARE = 0.1
"""The disk is full for a tenth of the time for which the others are away."""

FAULTY = 0.25
"""The share of requests that fail in one way or another while the server is unreliable."""

TIGHT_BYTES = 60_000
"""A budget of two or three of these small packages."""

NO_ROOM = Room(0)
MOST_LAG_S = 1.0

SMALL_SPEED = 4.0
"""At small size the film runs four times as fast as life; at full size as it is."""


def prove(trial: Trial) -> Verdict:
    """Each outage lasts ``trial.size`` seconds of the film (a full disk a tenth of that), in a run of its own."""
    seconds = BEFORE_S + trial.size + AFTER_S
    film = trial.folder / "street.mp4"
    if not film.is_file():
        the_street(seconds).film(film.with_suffix(".part.mp4")).replace(film)
    with running(trial.folder / "s3") as server, relayed(server.endpoint) as relay:
        tries: dict[str, Callable[[], Figures]] = {
            "store away": lambda: _store(trial, film, relay, seconds, away=True),
            "records away": lambda: _records(trial, film, relay, seconds),
            "store unreliable": lambda: _store(trial, film, relay, seconds, share=FAULTY),
            "disk full": lambda: _disk(trial, film, relay, seconds, Budget()),
            "store away, spool over budget": lambda: _store(
                trial, film, relay, seconds, away=True, budget=Budget(spool_bytes=TIGHT_BYTES)
            ),
            "disk full, memory over budget": lambda: _disk(
                trial, film, relay, seconds, Budget(memory_bytes=TIGHT_BYTES)
            ),
        }
        if trial.size == PROOF.full:
            tries["undisturbed"] = lambda: _store(trial, film, relay, seconds)
        found = {name: trial.once(name, work) for name, work in tries.items()}
    over = [figures for name, figures in found.items() if "over budget" in name]
    passed = (
        all(bool(figures["whole"]) and bool(figures["kept_pace"]) for figures in found.values())
        and all(int(figures["unkept"]) == 0 for name, figures in found.items() if "over budget" not in name)
        and all(int(figures["unkept"]) > 0 and bool(figures["counted"]) for figures in over)
    )
    figures: dict[str, int | float | str | bool] = {"outage_s": trial.size}
    for name, one in found.items():
        for what in ("cases", "unkept", "most_lag_s"):
            figures[f"{name.replace(',', '').replace(' ', '_')}_{what}"] = one[what]
    return Verdict(passed=passed, figures=figures)


def _store(
    trial: Trial,
    film: Path,
    relay: Relay,
    seconds: float,
    *,
    away: bool = False,
    share: float = 0.0,
    budget: Budget | None = None,
) -> Figures:
    def at(media_s: float) -> None:
        now = BEFORE_S <= media_s < seconds - AFTER_S
        relay.is_away, relay.share = away and now, share if now else 0.0

    relay.met.clear()
    figures = _tried(trial, film, relay, seconds, at, budget=budget)
    return {**figures, "requests_that_failed": relay.met.total()}


def _records(trial: Trial, film: Path, relay: Relay, seconds: float) -> Figures:
    """Another program keeps the records locked."""
    locks: list[sqlite3.Connection] = []

    def at(media_s: float) -> None:
        now = BEFORE_S <= media_s < seconds - AFTER_S
        if now and not locks:
            locks.append(sqlite3.connect(trial.folder / "data" / "records.sqlite", isolation_level=None))
            locks[0].execute("BEGIN EXCLUSIVE")
        elif locks and not now:
            locks.pop().close()

    return _tried(trial, film, relay, seconds, at)


def _disk(trial: Trial, film: Path, relay: Relay, seconds: float, budget: Budget) -> Figures:
    full_s = max(2.0, trial.size * DISK_SHARE)
    is_full = [False]

    def opened(file: BinaryIO) -> BinaryIO:
        return cast(BinaryIO, FullFile(file, NO_ROOM)) if is_full[0] else file

    def at(media_s: float) -> None:
        is_full[0] = BEFORE_S <= media_s < BEFORE_S + full_s

    disk = Disk(
        opener=lambda path: opened(open_new(path)), appender=lambda path, size: opened(open_after(path, size))
    )
    return {**_tried(trial, film, relay, seconds, at, disk=disk, budget=budget), "full_s": full_s}


def _tried(
    trial: Trial,
    film: Path,
    relay: Relay,
    seconds: float,
    at: Callable[[float], None],
    *,
    disk: Disk | None = None,
    budget: Budget | None = None,
) -> Figures:
    data = trial.folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    bucket = a_bucket(relay)
    store = S3Store(bucket, lambda: datetime.now(UTC), Disk())
    speed = 1.0 if trial.size == PROOF.full else SMALL_SPEED
    run = live(data, film, seconds, store, at, speed=speed, disk=disk, budget=budget)
    stands = kept(data, film, seconds, store)
    unkept = [one.finding_id for one in run.unkept]
    return {
        "cases": len(stands.recorded),
        "unkept": len(unkept),
        "whole": whole(run, stands, unkept),
        "wrong": "; ".join(stands.wrong)[:200],
        "counted": _counted(run),
        "kept_pace": run.last_lag_s < MOST_LAG_S
        and run.frames == round(seconds * the_street(seconds).filming.fps),
        "most_lag_s": round(run.most_lag_s, 3),
        "last_lag_s": round(run.last_lag_s, 3),
        "most_waiting_bytes": run.most_waiting_bytes,
        "notes": len(run.news),
    }


def _counted(run: LiveRun) -> bool:
    """Each finding that became no case is named once with time, rule and track, and lies in a time that is said to be lost."""
    spells = [(one.from_s, one.to_s) for one in run.disarmed if one.to_s is not None]
    ids = [one.finding_id for one in run.unkept]
    return (
        len(set(ids)) == len(ids)
        and bool(spells)
        and all(one.track_id >= 0 and one.why for one in run.unkept)
    )


PROOF = Proof(
    claim="While offences happen the store is away, the records are locked, the disk is full, or the S3 server answers 500 or "
    "503, slowly, or half: below the budgets every case is stored, recorded and linked once afterwards; above them each "
    "finding that became no case is named with time, rule and track; no frame is lost, and the pipeline is on time at the end.",
    small=4,
    full=600,
    prove=prove,
)
