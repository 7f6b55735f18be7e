"""Proof: the offline verifier finds every change to evidence: single bytes, files, packages, links, keys, a cut-off end."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.street_run import run, the_street
from benchmarks.tampering import KINDS, WAYS, Evidence, cut_off, derive
from evidence.keys import PublishedKey, published_file
from evidence.records_sql import SqlRecords
from evidence.verification import Result
from tests.builders.signing import a_custody, a_signer

SECONDS = 24.0
SEED = 22
CHUNK = 100
"""Changes between two notes of how far it is."""


def prove(trial: Trial) -> Verdict:
    """``trial.size`` changes of one byte, then each way of changing more than that."""
    good = Evidence(trial.folder / "good")
    if not good.trust.is_file():
        _make(good, trial.folder)
    sound = good.verify().result is Result.VERIFIED and good.verify(given=False).result is Result.VERIFIED
    chunks: list[Figures] = []
    for number in range(0, trial.size, CHUNK):
        count = min(CHUNK, trial.size - number)
        chunks.append(trial.once(f"bytes from {number}", partial(_bytes, good, number, count)))
    found = {kind: sum(int(chunk[f"{kind}: found"]) for chunk in chunks) for kind in KINDS}
    tried = {kind: sum(int(chunk[f"{kind}: tried"]) for chunk in chunks) for kind in KINDS}
    missed: list[str] = []
    for way in WAYS:
        copied = good.copy(trial.folder / "changed")
        way.change(copied)
        if copied.verify(given=way.given).result is not way.wanted:
            missed.append(way.name)
    cut = good.copy(trial.folder / "changed")
    cut_off(cut)
    alone = cut.verify(given=False)
    says = f"complete up to number {len(cut.links())}, later ones cannot be judged"
    admits = alone.result is Result.VERIFIED and any(
        check.says == says for part in alone.parts for check in part.checks
    )
    return Verdict(
        passed=sound and found == tried and sum(tried.values()) == trial.size and not missed and admits,
        figures={
            "packages": len(good.packages),
            "sound_before": sound,
            "bytes_changed": sum(tried.values()),
            "bytes_found": sum(found.values()),
            **{f"bytes_changed_in_{kind.replace(' ', '_').replace('.', '_')}": tried[kind] for kind in KINDS},
            "ways_tried": len(WAYS),
            "ways_missed": ", ".join(missed),
            "cut_off_without_checkpoint_is_admitted": admits,
        },
    )


def _make(good: Evidence, folder: Path) -> None:
    shutil.rmtree(good.root, ignore_errors=True)
    good.data.mkdir(parents=True)
    film = the_street(SECONDS).film(folder / "street.mp4")
    run(good.data, film, SECONDS)
    with closing(SqlRecords(good.data / "records.sqlite")) as records:
        custody = a_custody(good.data, records)
        custody.checkpoint("north")
        good.given.write_text(custody.checkpoint("north").line + "\n", encoding="utf-8")
    for package in good.packages:
        derive(package, a_signer())
    good.trust.write_bytes(published_file([PublishedKey(key=a_signer().public, label="proof")]))


def _bytes(good: Evidence, number: int, count: int) -> Figures:
    """That many changes of one byte, each taken back afterwards."""
    chance = random.Random(SEED + number)
    kinds = good.kinds()
    figures = {f"{kind}: {what}": 0 for kind in KINDS for what in ("tried", "found")}
    for _ in range(count):
        kind = chance.choice(KINDS)
        path = chance.choice(kinds[kind])
        data = path.read_bytes()
        place = chance.randrange(len(data))
        changed = bytes([chance.choice([value for value in range(256) if value != data[place]])])
        path.write_bytes(data[:place] + changed + data[place + 1 :])
        try:
            figures[f"{kind}: tried"] += 1
            figures[f"{kind}: found"] += good.verify().result is Result.NOT_VERIFIED
        finally:
            path.write_bytes(data)
    return figures


PROOF = Proof(
    claim="Offline, with the published key and a checkpoint kept elsewhere, 'stopline evidence verify --all' finds every random "
    "change of one byte in packages, manifests, signatures, links, checkpoints, derived files and their lists, and every file, "
    "package or link that was added, removed, renamed, swapped or reordered, a cut-off end, and evidence that another key "
    "signed anew.",
    small=200,
    full=10_000,
    prove=prove,
)
