"""Proof: ``kill -9`` at random moments of a replay into a folder and into a bucket: every case is there once afterwards."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from api.clock import SystemClock
from api.work.data_folder import open_records
from api.work.package_store import open_store
from api.work.records_place import RECORDS_FILE
from api.work.replay import replay
from api.work.replay_source import ReplayRequest
from api.work.run_folder import EVENTS, OpenMode
from benchmarks.proof import Figures, Proof, Trial, Verdict
from evidence import manifest
from evidence.bucket import Bucket
from evidence.records import CaseFilter
from evidence.store import PackageStore
from evidence.verification import State, Trust
from evidence.verify_folder import verify_data_folder
from rules.observation import LampState
from tests.builders.buckets import a_bucket
from tests.builders.runs import Silence
from tests.builders.scene import Actor, a_car, a_lamp
from tests.builders.scripted import ScriptedPipeline, a_recording, a_site
from tests.builders.signing import a_signer
from tests.s3_server import running

SECONDS = 40.0
SEED = 22
LATEST = 0.97
"""The share of an undisturbed run's time after which no kill comes: it would find the run ended."""

SOONER = 0.8
"""By how much a kill that came too late is put forward."""

WHERE = ("folder", "s3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands: recorded ids in order of recording, events, and what is wrong (empty where nothing is)."""

    recorded: tuple[str, ...]
    events: bytes
    wrong: tuple[str, ...]


def the_cars() -> tuple[Actor, ...]:
    """A car that runs the light every four seconds, and one that parks all the while."""
    runners = [
        a_car(number, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0 + 4.0 * number, 7.0 + 4.0 * number)
        for number in range(7)
    ]
    return (*runners, a_car(90, (60.0, 40.0)).stands_at((270, 150), 0.0, SECONDS - 10.0))


def run(out: Path, clip: Path, bucket: Bucket | None) -> None:
    """What ``stopline replay --resume`` does, with a scripted detector; ends when everything is stored and recorded."""
    lamp = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)
    pipeline = ScriptedPipeline(a_site(), the_cars(), (lamp,))
    request = ReplayRequest(
        sources=(str(clip),),
        site_file=pipeline.site_file,
        camera_id="cam1",
        out=out,
        mode=OpenMode.RESUME,
        signer=a_signer(),
        start_times=(),
        duration_s=None,
        bucket=bucket,
    )
    replay(request, pipeline, Silence(), SystemClock(), lambda: False)


def prove(trial: Trial) -> Verdict:
    """``trial.size`` kills for each store."""
    clip = trial.folder / "clip.mp4"
    if not clip.is_file():
        a_recording(clip.with_suffix(".part.mp4"), SECONDS, codec="libx264").replace(clip)
    chance = random.Random(SEED)
    moments = [chance.uniform(0.0, LATEST) for _ in range(trial.size)]
    figures: dict[str, int | float | str | bool] = {}
    passed = True
    with running(trial.folder / "s3") as server:
        for where in WHERE:
            bucket = a_bucket(server) if where == "s3" else None
            good, wanted, takes_s = _undisturbed(trial.folder / f"good-{where}", clip, bucket)
            rounds = [
                trial.once(
                    f"{where}: kill {number}",
                    partial(_killed, trial.folder / "data", clip, bucket, share * takes_s, wanted),
                )
                for number, share in enumerate(moments)
            ]
            kills = sum(bool(one["killed"]) for one in rounds)
            same = sum(bool(one["same_after_resume"]) for one in rounds)
            passed = passed and good and kills == trial.size and same == trial.size
            figures |= {
                f"{where}_cases": len(wanted.recorded),
                f"{where}_kills": kills,
                f"{where}_kills_that_left_something_half_done": sum(bool(one["half_done"]) for one in rounds),
                f"{where}_listed_at_a_kill_most": max(int(one["listed"]) for one in rounds),
                f"{where}_same_after_resume": same,
            }
    return Verdict(passed=passed, figures=figures)


def _undisturbed(folder: Path, clip: Path, bucket: Bucket | None) -> tuple[bool, Standing, float]:
    """Whether an undisturbed run ends well, what it leaves, and how long it takes."""
    shutil.rmtree(folder, ignore_errors=True)
    began_s = time.monotonic()
    _child(folder, clip, bucket, None)
    takes_s = time.monotonic() - began_s
    stands = standing(folder, bucket)
    return len(stands.recorded) == len(the_cars()) and not stands.wrong, stands, takes_s


def _killed(data: Path, clip: Path, bucket: Bucket | None, after_s: float, wanted: Standing) -> Figures:
    """What was found after the kill, and whether the resumed run ended like one that was never disturbed."""
    killed = False
    while not killed:  # a run may be done sooner than the undisturbed one
        shutil.rmtree(data, ignore_errors=True)
        killed = _child(data, clip, bucket, after_s)
        after_s *= 1.0 if killed else SOONER
    listed = listed_whole(data, bucket)
    half_done = any((data / "spool").glob("*"))
    _child(data, clip, bucket, None)
    stands = standing(data, bucket)
    same = (sorted(stands.recorded), stands.events, stands.wrong) == (
        sorted(wanted.recorded),
        wanted.events,
        (),
    )
    return {
        "killed": killed,
        "after_s": round(after_s, 3),
        "listed": listed,
        "half_done": half_done,
        "same_after_resume": same,
        "wrong": "; ".join(stands.wrong)[:300],
    }


def _child(out: Path, clip: Path, bucket: Bucket | None, kill_after_s: float | None) -> bool:
    """A run in a process of its own; whether it was killed. Raises RuntimeError where one that should end well does not."""
    process = multiprocessing.get_context("fork").Process(target=run, args=(out, clip, bucket))
    process.start()
    process.join(kill_after_s)
    if process.is_alive():
        process.kill()
    process.join()
    if kill_after_s is None and process.exitcode != 0:
        raise RuntimeError(f"a run that was not disturbed ended with {process.exitcode}")
    return process.exitcode == -signal.SIGKILL


def _store(data: Path, bucket: Bucket | None) -> PackageStore:
    return open_store(data, bucket, lambda: datetime.now(UTC))


def listed_whole(data: Path, bucket: Bucket | None) -> int:
    """How many cases are listed. Raises PackageMissingError or PackageDamagedError where one of them is not whole."""
    if not (data / RECORDS_FILE).is_file():
        return 0
    store = _store(data, bucket)
    with closing(open_records(data)) as records:
        cases = records.page(CaseFilter(), after_number=None, limit=1_000)
    for case in cases:
        found = manifest.verified(case.record.id, partial(store.read, case.record.id))
        assert found.sha256 == case.record.manifest_sha256, (
            f"{case.record.id} is recorded with another manifest"
        )
    return len(cases)


def standing(data: Path, bucket: Bucket | None) -> Standing:
    """What stands after a run that has ended."""
    store = _store(data, bucket)
    with closing(open_records(data)) as records:
        cases = records.page(CaseFilter(), after_number=None, limit=1_000)
    recorded = tuple(case.record.id for case in cases)
    found = verify_data_folder(data, Trust(), None, None if bucket is None else store)
    wrong = [
        f"{check.subject}: {check.says}"
        for part in found.parts
        for check in part.checks
        if check.state is State.FAILED
    ]
    if tuple(sorted(recorded)) != store.ids():
        wrong.append(f"recorded are {len(recorded)} cases, and the store has {len(store.ids())} packages")
    wrong += [f"left in the spool: {path.name}" for path in (data / "spool").glob("*")]
    wrong += [f"left in the store: {name}" for name in store.unfinished()]
    return Standing(recorded=recorded, events=(data / EVENTS).read_bytes(), wrong=tuple(wrong))


PROOF = Proof(
    claim="A replay that finds offences and is killed with SIGKILL at a random moment, with packages in a folder and in a "
    "bucket of a real S3 server, lists only whole packages; resumed, it has every case once, stored, recorded, linked and "
    "verified, the same events as a run that was never disturbed, and leaves nothing half-written.",
    small=1,
    full=200,
    prove=prove,
)
