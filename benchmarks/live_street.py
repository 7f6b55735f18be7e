"""The drawn street as a live camera: its frames come when they are due, whatever happens to store, records and disk meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.street_run import ALLOWED_STOP_S, its_findings, the_street
from evidence.budget import Budget, Unkept
from evidence.case_builder import BuiltCase
from evidence.courier import Courier, Pace
from evidence.durable import Disk
from evidence.records import CaseFilter
from evidence.spool import Spool
from evidence.store import PackageStore
from evidence.verification import State, Trust
from evidence.verify_folder import verify_data_folder
from ingest.packet_ring import PacketRing
from rules.finding import Disarmed
from tests.builders.casework import Bench
from tests.builders.filmed import frames_of, spoken

PACE = Pace(first_s=0.2, most_s=2.0, end_s=60.0)
MOST_CASES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """What a run came to. ``lag_s``: by how much the frame that was latest came after it was due, and the last one."""

    found: tuple[str, ...]
    built: tuple[str, ...]
    unkept: tuple[Unkept, ...]
    disarmed: tuple[Disarmed, ...]
    news: tuple[str, ...]
    frames: int
    most_lag_s: float
    last_lag_s: float
    most_waiting_bytes: int
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What stands after a run: the cases in the records, the packages in the store, links, and what does not verify."""

    recorded: tuple[str, ...]
    stored: tuple[str, ...]
    linked: int
    wrong: tuple[str, ...]
    spooled: tuple[str, ...]


def live(
    data: Path,
    film: Path,
    seconds: float,
    store: PackageStore,
    at: Callable[[float], None],
    *,
    speed: float = 1.0,
    disk: Disk | None = None,
    budget: Budget | None = None,
) -> LiveRun:
    """The street through the builder and the courier, ``speed`` times as fast as life.

    ``at`` is told each media second before it is handled.
    """
    street, budget = the_street(seconds), Budget() if budget is None else budget
    findings = its_findings(street)
    say = spoken(findings)
    news: list[str] = []
    built: list[BuiltCase] = []
    lags: list[float] = []
    bench = Bench(
        street=street, film=film, data_dir=data, allowed_stop_s=ALLOWED_STOP_S, disk=disk, going_on=budget
    )
    with (
        closing(bench),
        Courier(data, store, bench.custody(), budget=budget, pace=PACE, disk=disk) as courier,
    ):
        bench.delivery = courier
        ring = PacketRing()
        builder = bench.builder(ring)
        began_s = time.monotonic()
        for stamp in frames_of(film, ring):
            due_s = began_s + stamp.media_s / speed
            time.sleep(max(0.0, due_s - time.monotonic()))
            at(stamp.media_s)
            built += builder.said(say(stamp), stamp)
            news += courier.news()
            lags.append(time.monotonic() - due_s)
        at(seconds)
        built += builder.finish()
        courier.close()
        news += courier.news()
    return LiveRun(
        found=tuple(sorted(finding.id for finding in findings)),
        built=tuple(sorted(case.finding.id for case in built)),
        unkept=builder.unkept,
        disarmed=builder.disarmed,
        news=tuple(news),
        frames=len(lags),
        most_lag_s=max(lags),
        last_lag_s=lags[-1],
        most_waiting_bytes=courier.most_bytes,
        left=courier.waiting,
    )


def kept(data: Path, film: Path, seconds: float, store: PackageStore) -> Kept:
    """What stands in the data folder and its store."""
    with closing(Bench(street=the_street(seconds), film=film, data_dir=data)) as bench:
        cases = bench.records.page(CaseFilter(), after_number=None, limit=MOST_CASES)
        linked = len(bench.links()) if cases else 0
    checks = [check for part in verify_data_folder(data, Trust(), None, store).parts for check in part.checks]
    return Kept(
        recorded=tuple(sorted(case.record.id for case in cases)),
        stored=store.ids(),
        linked=linked,
        wrong=tuple(f"{check.subject}: {check.says}" for check in checks if check.state is State.FAILED),
        spooled=Spool(data / "spool", Disk()).sealed_ids(),
    )


def whole(run: LiveRun, stands: Kept, without: Sequence[str] = ()) -> bool:
    """Every finding but those ``without`` is a case once, stored, recorded, linked and verified, and nothing waits."""
    wanted = tuple(sorted(set(run.found) - set(without)))
    return (
        run.built == wanted == stands.recorded == stands.stored
        and stands.linked == len(wanted)
        and not (stands.wrong or stands.spooled or run.left)
    )
