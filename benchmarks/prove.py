"""Runs a named proof at full size, resumes it after an interruption, and writes down what it measured on which machine."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from api.clock import SystemClock
from api.settings import load_settings
from benchmarks.machine import Machine, this_commit, this_machine
from benchmarks.proof import Figures, Proof, Verdict

CHECKOUT = Path(__file__).resolve().parents[1]
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a run reads and writes: reports go to ``reports``, what an interrupted run leaves behind to ``state``."""

    checkout: Path
    reports: Path
    state: Path


class Journal:
    """What was done so far, one JSON line each, flushed to disk; the first line says for which code and size."""

    def __init__(self, path: Path, subject: Mapping[str, object], now: Now) -> None:
        """Continues the journal at ``path`` when it is of the same subject, otherwise begins it anew."""
        self._path = path
        lines = self._read()
        self.is_resumed = bool(lines) and lines[0]["subject"] == dict(subject)
        if not self.is_resumed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            lines = []
            self._append({"subject": dict(subject), "started": _text(now())})
        else:
            self._append({"resumed": _text(now())})
        lines = self._read()
        self.started = str(lines[0]["started"])
        self.resumed = tuple(str(line["resumed"]) for line in lines if "resumed" in line)
        self.steps: dict[str, Figures] = {line["step"]: line["figures"] for line in lines if "step" in line}

    def add(self, step: str, figures: Figures) -> None:
        """Records a finished step durably."""
        self._append({"step": step, "figures": dict(figures)})
        self.steps[step] = figures

    def _append(self, line: Mapping[str, object]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> list[dict[str, Any]]:
        """The whole lines; one that an interruption cut short is cut off."""
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole, encoding="utf-8")
        return [json.loads(line) for line in whole.splitlines()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What ``benchmarks/proofs/NAME.json`` says. Times are UTC; ``resumed`` has one for each interruption."""

    name: str
    claim: str
    command: str
    size: int
    passed: bool
    figures: Figures
    steps: Mapping[str, Figures]
    started: str
    resumed: tuple[str, ...]
    ended: str
    commit: str
    uncommitted_changes: bool
    machine: Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The Trial of one run."""

    size: int
    folder: Path
    shared: Path
    journal: Journal

    def once(self, step: str, work: Callable[[], Figures]) -> Figures:
        if step not in self.journal.steps:
            self.journal.add(step, work())
        return self.journal.steps[step]


def discover() -> dict[str, Proof]:
    """The proofs of this folder by name. Raises AttributeError where a ``proof_*.py`` holds no ``PROOF``."""
    names = sorted(path.stem.removeprefix("proof_") for path in Path(__file__).parent.glob("proof_*.py"))
    return {name: import_module(f"benchmarks.proof_{name}").PROOF for name in names}


def run(name: str, proof: Proof, size: int, places: Places, now: Now) -> Report:
    """The report of one run. When ``prove`` raises, the finished steps are kept for the next run of the same code and size."""
    commit = this_commit(places.checkout)
    scratch = places.state / f"{name}-{size}"
    journal = Journal(scratch.with_suffix(".jsonl"), {"name": name, "size": size, **asdict(commit)}, now)
    if not journal.is_resumed:
        shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, exist_ok=True)
    trial = Run(size=size, folder=scratch, shared=places.checkout.parent / "shared", journal=journal)
    verdict: Verdict = proof.prove(trial)
    report = Report(
        name=name,
        claim=proof.claim,
        command=f"make prove NAME={name}"
        if size == proof.full
        else f"python -m benchmarks.prove {name} --small",
        size=size,
        passed=verdict.passed,
        figures=dict(verdict.figures),
        steps=journal.steps,
        started=journal.started,
        resumed=journal.resumed,
        ended=_text(now()),
        commit=commit.sha,
        uncommitted_changes=commit.changes_sha256 is not None,
        machine=this_machine(),
    )
    scratch.with_suffix(".jsonl").unlink()
    shutil.rmtree(scratch)
    return report


def main(arguments: list[str], proofs: Mapping[str, Proof], places: Places, now: Now) -> int:
    """0 when the proof passed, 1 when it did not, 2 when there is none of that name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prove", description=__doc__)
    parser.add_argument("name", nargs="?", help="leave it out to list the proofs")
    parser.add_argument("--small", action="store_true", help="try the small size and write no report")
    chosen = parser.parse_args(arguments)
    if chosen.name is None:
        for name, proof in proofs.items():
            print(f"{name}: {proof.claim}")
        return 0
    if chosen.name not in proofs:
        print(
            f"there is no proof {chosen.name!r}; there are: {', '.join(proofs) or 'none yet'}",
            file=sys.stderr,
        )
        return 2
    proof = proofs[chosen.name]
    report = run(chosen.name, proof, proof.small if chosen.small else proof.full, places, now)
    text = json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"
    print(text, end="")
    if not chosen.small:
        places.reports.mkdir(parents=True, exist_ok=True)
        (places.reports / f"{chosen.name}.json").write_text(text, encoding="utf-8")
    return 0 if report.passed else 1


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


if __name__ == "__main__":
    state = load_settings().cache / "proofs"
    here = Places(checkout=CHECKOUT, reports=CHECKOUT / "benchmarks" / "proofs", state=state)
    sys.exit(main(sys.argv[1:], discover(), here, SystemClock().now))
