"""The proofs of evidence at their small size: killed runs, full disks, and how long it stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks import (
    proof_evidence_full_disk,
    proof_evidence_kill,
    proof_outages,
    proof_replay_kill,
    proof_retention,
    proof_store_kill,
)
from benchmarks.proof import Figures, Proof


@dataclass
class SmallTrial:
    """A trial that remembers nothing."""

    size: int
    folder: Path
    shared: Path
    steps: dict[str, Figures] = field(default_factory=dict)

    def once(self, step: str, work: Callable[[], Figures]) -> Figures:
        self.steps[step] = work()
        return self.steps[step]


def tried(proof: Proof, folder: Path) -> tuple[Mapping[str, int | float | str | bool], SmallTrial]:
    trial = SmallTrial(size=proof.small, folder=folder, shared=folder)
    verdict = proof.prove(trial)
    assert verdict.passed, (verdict.figures, trial.steps)
    return verdict.figures, trial


@pytest.mark.timeout(600)
def test_killed_runs_end_as_if_nothing_had_been(tmp_path: Path) -> None:
    figures, trial = tried(proof_evidence_kill.PROOF, tmp_path)
    assert figures["kills"] == 2 * trial.size
    assert figures["cases"] == 14


@pytest.mark.timeout(600)
def test_a_full_disk_costs_nothing_but_time(tmp_path: Path) -> None:
    figures, trial = tried(proof_evidence_full_disk.PROOF, tmp_path)
    assert figures["times_full"] == len(trial.steps) > 1
    assert figures["cases"] == 6


@pytest.mark.timeout(300)
def test_nothing_goes_early_and_everything_in_time(tmp_path: Path) -> None:
    figures, _ = tried(proof_retention.PROOF, tmp_path)
    assert int(figures["removed"]) > 20
    assert int(figures["killed"]) > 0


@pytest.mark.footage
def test_a_killed_replay_of_a_real_recording_is_completed_by_resume(shared: Path, tmp_path: Path) -> None:
    trial = SmallTrial(size=proof_replay_kill.PROOF.small, folder=tmp_path, shared=shared)
    verdict = proof_replay_kill.PROOF.prove(trial)
    assert verdict.passed, (verdict.figures, trial.steps)
    assert int(verdict.figures["cases"]) > 4


@pytest.mark.timeout(600)
def test_a_replay_that_is_killed_has_every_case_once_in_folder_and_bucket(tmp_path: Path) -> None:
    figures, trial = tried(proof_store_kill.PROOF, tmp_path)
    assert figures["folder_cases"] == figures["s3_cases"] == 8
    assert len(trial.steps) == 2 * trial.size


@pytest.mark.timeout(600)
def test_outages_lose_nothing_below_the_budgets_and_count_what_is_above(tmp_path: Path) -> None:
    figures, _ = tried(proof_outages.PROOF, tmp_path)
    assert figures["store_away_cases"] == figures["disk_full_cases"]
    assert int(figures["store_away_spool_over_budget_unkept"]) > 0
