"""The proofs at small size, and the runner that resumes them and writes their reports."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from api.clock import SystemClock
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.prove import Places, discover, main, run
from tests.builders.plate_models import plate_files

PROOFS = discover()
READ_PLATES = {"redaction", "sample_plates"}
"""Proofs that need the files that read plates."""

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A checkout of one commit, with room for reports and state."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "code.py").write_text("a = 1\n")
    for arguments in (
        ["init", "-q"],
        ["add", "code.py"],
        ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false", "commit", "-qm", "m"],
    ):
        subprocess.run(["git", *arguments], cwd=checkout, check=True)
    return Places(checkout=checkout, reports=tmp_path / "reports", state=tmp_path / "state")


@pytest.fixture
def now() -> Callable[[], datetime]:
    """A clock that moves on by a minute each time it is asked."""
    moments = (START + timedelta(minutes=n) for n in range(100))
    return lambda: next(moments)


class Counting:
    """A proof of so many steps, each done ``done`` times; it is interrupted in step ``interrupt_at``."""

    def __init__(self, *, passes: bool = True, interrupt_at: int | None = None) -> None:
        self.passes = passes
        self.interrupt_at = interrupt_at
        self.done: list[int] = []

    def prove(self, trial: Trial) -> Verdict:
        for number in range(trial.size):
            trial.once(f"step {number}", partial(self.step, trial, number))
        return Verdict(
            passed=self.passes, figures={"steps": trial.size, "files": len(list(trial.folder.iterdir()))}
        )

    def step(self, trial: Trial, number: int) -> Figures:
        if number == self.interrupt_at:
            raise KeyboardInterrupt
        (trial.folder / str(number)).touch()
        self.done.append(number)
        return {"square": number * number}

    def proof(self) -> Proof:
        return Proof(claim="Steps are done once.", small=2, full=4, prove=self.prove)


def _killed(figures: Figures, steps: Mapping[str, Figures]) -> None:
    assert figures["kills"] == 2 * len(steps) > 2
    assert figures["cases"] == 14


def _full_disk(figures: Figures, steps: Mapping[str, Figures]) -> None:
    assert figures["times_full"] == len(steps) > 1
    assert figures["cases"] == 6


def _year(figures: Figures, steps: Mapping[str, Figures]) -> None:
    assert int(figures["removed"]) > 20
    assert int(figures["killed"]) > 0


def _killed_replay(figures: Figures, steps: Mapping[str, Figures]) -> None:
    assert int(figures["cases"]) > 4


def _both_stores(figures: Figures, steps: Mapping[str, Figures]) -> None:
    assert figures["folder_cases"] == figures["s3_cases"] == 8
    assert len(steps) == int(figures["folder_kills"]) + int(figures["s3_kills"])


def _outages(figures: Figures, steps: Mapping[str, Figures]) -> None:
    assert figures["store_away_cases"] == figures["disk_full_cases"]
    assert int(figures["store_away_spool_over_budget_unkept"]) > 0


def _redacted(figures: Figures, steps: Mapping[str, Figures]) -> None:
    for medium in ("", "film_"):
        assert all(int(figures[f"{medium}{kind}s"]) >= 10 for kind in ("plate", "head", "windscreen"))
        assert int(figures[f"{medium}others_readable_before"]) > 0
        assert (
            0
            < int(figures[f"{medium}accused_readable_before"])
            <= int(figures[f"{medium}accused_readable_after"])
        )


TRIED: Mapping[str, Callable[[Figures, Mapping[str, Figures]], None]] = {
    "evidence_kill": _killed,
    "evidence_full_disk": _full_disk,
    "retention": _year,
    "replay_kill": _killed_replay,
    "store_kill": _both_stores,
    "outages": _outages,
    "redaction": _redacted,
}
"""That proofs tried what they are about, also at their small size."""


@pytest.mark.parametrize("name", PROOFS)
@pytest.mark.timeout(600)
def test_proof_passes_at_small_size(
    name: str, tmp_path: Path, request: pytest.FixtureRequest, figure: Callable[[str, object], None]
) -> None:
    proof = PROOFS[name]
    if name in READ_PLATES:
        plate_files(request.getfixturevalue("cache_dir"))
    if proof.needs_shared:
        request.getfixturevalue("shared")
    here = Path(__file__).resolve().parents[2]
    places = Places(checkout=here, reports=tmp_path / "reports", state=tmp_path / "state")
    report = run(name, proof, proof.small, places, SystemClock().now)
    for key, value in report.figures.items():
        figure(key, value)
    assert report.passed, (report.figures, report.steps)
    if name in TRIED:
        TRIED[name](report.figures, report.steps)


def test_a_report_says_what_was_measured_on_what(places: Places, now: Callable[[], datetime]) -> None:
    counting = Counting()
    assert main(["counting"], {"counting": counting.proof()}, places, now) == 0
    text = (places.reports / "counting.json").read_text()
    report = json.loads(text)
    assert report["name"] == "counting"
    assert report["claim"] == "Steps are done once."
    assert report["command"] == "make prove NAME=counting"
    assert (report["size"], report["passed"], report["figures"]) == (4, True, {"steps": 4, "files": 4})
    assert report["steps"]["step 3"] == {"square": 9}
    assert (report["started"], report["ended"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z")
    assert len(report["commit"]) == 40
    assert report["uncommitted_changes"] is False
    assert report["machine"]["cores"] >= 1
    assert report["machine"]["cpu"]
    assert platform.node() not in report["machine"].values()
    assert str(places.checkout.parent) not in text


def test_a_proof_that_fails_says_so(places: Places, now: Callable[[], datetime]) -> None:
    assert main(["counting"], {"counting": Counting(passes=False).proof()}, places, now) == 1
    assert json.loads((places.reports / "counting.json").read_text())["passed"] is False


def test_an_interrupted_proof_goes_on_where_it_was(places: Places, now: Callable[[], datetime]) -> None:
    with pytest.raises(KeyboardInterrupt):
        main(["counting"], {"counting": Counting(interrupt_at=2).proof()}, places, now)
    assert not places.reports.exists()
    journal = places.state / "counting-4.jsonl"
    journal.write_text(journal.read_text() + '{"step": "step 2", "fig')
    second = Counting()
    assert main(["counting"], {"counting": second.proof()}, places, now) == 0
    report = json.loads((places.reports / "counting.json").read_text())
    assert second.done == [2, 3]
    assert report["figures"] == {"steps": 4, "files": 4}
    assert report["resumed"] == ["2026-01-01T00:01:00Z"]
    assert list(report["steps"]) == ["step 0", "step 1", "step 2", "step 3"]


def test_other_code_starts_anew(places: Places, now: Callable[[], datetime]) -> None:
    with pytest.raises(KeyboardInterrupt):
        main(["counting"], {"counting": Counting(interrupt_at=2).proof()}, places, now)
    (places.checkout / "code.py").write_text("a = 2\n")
    second = Counting()
    assert main(["counting"], {"counting": second.proof()}, places, now) == 0
    report = json.loads((places.reports / "counting.json").read_text())
    assert second.done == [0, 1, 2, 3]
    assert (report["resumed"], report["uncommitted_changes"]) == ([], True)


def test_a_finished_proof_leaves_nothing_behind_and_runs_again(
    places: Places, now: Callable[[], datetime]
) -> None:
    counting = Counting()
    for _ in range(2):
        assert main(["counting"], {"counting": counting.proof()}, places, now) == 0
        assert list(places.state.iterdir()) == []
    assert counting.done == [0, 1, 2, 3, 0, 1, 2, 3]


def test_small_size_writes_no_report(places: Places, now: Callable[[], datetime]) -> None:
    counting = Counting()
    assert main(["counting", "--small"], {"counting": counting.proof()}, places, now) == 0
    assert counting.done == [0, 1]
    assert not places.reports.exists()


def test_names_are_listed_and_checked(
    places: Places, now: Callable[[], datetime], capsys: pytest.CaptureFixture[str]
) -> None:
    proofs = {"counting": Counting().proof()}
    assert main([], proofs, places, now) == 0
    assert capsys.readouterr().out == "counting: Steps are done once.\n"
    assert main(["other"], proofs, places, now) == 2
    assert "there are: counting" in capsys.readouterr().err
