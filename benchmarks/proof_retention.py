"""Proof: retention over a simulated year, with crashes, holds and missed days: nothing early, nothing late, chains verify."""

from __future__ import annotations

from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.retention_year import COUNTED, begin, wrong_in

SEED = 6
MUST_BE_ZERO = (
    "too_early",
    "under_hold",
    "too_late",
    "back",
    "named_after",
    "forgotten_early",
    "scraps",
    "passages_wrong",
    "does_not_verify",
)


def prove(trial: Trial) -> Verdict:
    """The year goes by in one piece: it takes minutes."""
    year = begin(trial.folder, SEED)
    figures: dict[str, int] = {"days": trial.size, "cases": 0, "verified": 0, "does_not_verify": 0}
    for day in year.days(trial.size):
        year.fill(day)
        away = (
            year.chance.random() < 0.3
        )  # nobody runs it on this day; not three days running, which would be late
        if away and day % 3:
            continue
        if year.chance.random() < 0.4:
            year.retain(deadline=year.chance.randrange(24))
            year.look(after_a_whole_run=False)
        year.retain()
        year.look(after_a_whole_run=True)
        if day % 7 == 6:
            year.keep_checkpoints()
            figures["does_not_verify"] += wrong_in(year.verify())
            figures["verified"] += 1
    figures |= {name: year.counts[name] for name in COUNTED}
    figures["cases"] = len(year.lives)
    figures["kept"] = sum(life.gone_at is None for life in year.lives.values())
    figures["does_not_verify"] += wrong_in(year.verify())
    return Verdict(passed=_held(figures), figures=figures)


def _held(figures: Figures) -> bool:
    happened = all(figures[name] for name in ("removed", "killed", "holds", "passages_removed", "verified"))
    return happened and not any(figures[name] for name in MUST_BE_ZERO)


PROOF = Proof(
    claim="Over a simulated year of daily runs that are now and then killed or left out, no case goes before its time or under "
    "legal hold, every one goes in time, what names it goes with it, passages go on their date with their pictures, and "
    "the chains verify against every checkpoint that was kept elsewhere.",
    small=24,
    full=365,
    prove=prove,
)
