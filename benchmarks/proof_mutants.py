"""Proof: tests notice when a rule changes: at least 85 % of 400 random mutants of ``rules/`` make one fail."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path

from benchmarks.mutant_room import Job, Room
from benchmarks.mutation import (
    Coverage,
    Layout,
    Mentions,
    Mutant,
    changes_of,
    covering,
    layouts_of,
    mentions_of,
    sources_of,
)
from benchmarks.proof import Figures, Proof, Trial, Verdict

CHECKOUT = Path(__file__).resolve().parents[1]
SEED = 20
FULL = 400
LEAST_SHARE = 0.85
COPIED = ("api", "benchmarks", "detector", "evidence", "ingest", "rules", "tests", "pyproject.toml")
RULES = "rules"

TESTS = (
    "tests/rules",
    "tests/scenarios",
    "tests/api/test_site_file.py",
    "tests/api/test_site_schema.py",
    "tests/api/work/test_compare.py",
    "tests/api/work/test_dry_run.py",
    "tests/api/work/test_evaluate.py",
    "tests/api/work/test_lines.py",
    "tests/evidence/test_databar.py",
)
"""Those of the rules, and quick ones of other rooms in which rules take part; none that needs a picture."""

SMALL_TESTS = ("tests/rules/test_geometry.py", "tests/rules/test_plate.py", "tests/rules/test_schedule.py")
SMALL_MODULES = ("rules/geometry.py", "rules/plate_grammar.py", "rules/schedule.py")

BUDGET_S = 3.0
"""Of the tests that cover a mutant, quickest first, so many seconds of computing are tried; then it has survived."""


@dataclass(frozen=True, slots=True)
class Tests:
    """What the tests are without a mutant: how long each computes, which run a line, and which mention a name."""

    seconds: Mapping[str, float]
    covered: Coverage
    mentioned: Mentions

    def chosen(self, among: frozenset[str]) -> list[tuple[str, float]]:
        """The quickest of these tests, as many as ``BUDGET_S`` allows."""
        ordered = sorted((self.seconds[test], test) for test in among)
        spent_s = accumulate(cpu_s for cpu_s, _ in ordered)
        return [
            (test, cpu_s) for (cpu_s, test), sum_s in zip(ordered, spent_s, strict=True) if sum_s <= BUDGET_S
        ]


def prove(trial: Trial) -> Verdict:
    """``trial.size`` mutants, each against the tests that cover it, in a copy of the checkout.

    Below the full size a few mutants of small modules are tried: the claim then counts as refuted where the share
    lies two standard errors under it.
    """
    small = trial.size < FULL
    tree = _copied(trial.folder / "tree")
    sources = sources_of(tree, RULES)
    changes = [changes_of(path, text) for path, text in sources.items() if not small or path in SMALL_MODULES]
    places = [(changed, number) for changed in changes for number in range(len(changed))]
    chosen = sorted(random.Random(SEED).sample(range(len(places)), trial.size))
    mutants = (places[index][0].mutant(places[index][1]) for index in chosen)
    layouts = layouts_of(sources)
    paths = SMALL_TESTS if small else TESTS
    with Room(tree) as cold, Room(tree, paths) as warm:
        tests = _tests(warm, tree, trial.folder / "tests.json")
        rooms = Rooms(cold=cold, warm=warm)
        found = [
            trial.once(
                f"{mutant.path} {mutant.number}",
                partial(judged, mutant, rooms, layouts, tests),
            )
            for mutant in mutants
        ]
    return _verdict(trial.size, len(places), found)


@dataclass(frozen=True, slots=True)
class Rooms:
    """Where a function's body is changed in place, and where modules are loaded anew."""

    cold: Room
    warm: Room


def judged(mutant: Mutant, rooms: Rooms, layouts: Mapping[str, Layout], tests: Tests) -> Figures:
    """What became of the mutant: killed by a failed test, broken or endless, or survived (also where no test covers it)."""
    chosen = tests.chosen(covering(mutant, layouts, tests.covered, tuple(tests.seconds), tests.mentioned))
    figures: dict[str, int | float | str | bool] = {
        "line": mutant.line,
        "operator": mutant.operator,
        "change": mutant.change,
        "tests": len(chosen),
    }
    if not chosen:
        return {**figures, "outcome": "survived"}
    paths = sorted({test.partition("::")[0] for test, _ in chosen})
    function = layouts[mutant.path].function_at(mutant.line)
    job = Job(paths=paths, tests=chosen, module=mutant.module, source=mutant.source, function=function)
    answer = (rooms.warm if function else rooms.cold).ask(job)
    outcome = {"passed": "survived", "failed": "killed"}.get(answer.outcome, answer.outcome)
    return {**figures, "outcome": outcome, "by": answer.by}


def _verdict(size: int, of: int, found: Sequence[Figures]) -> Verdict:
    outcomes = Counter(str(figures["outcome"]) for figures in found)
    killed = size - outcomes["survived"]
    doubt = 0.0 if size >= FULL else 2.0 * (LEAST_SHARE * (1.0 - LEAST_SHARE) / size) ** 0.5
    figures: dict[str, int | float | str | bool] = {
        "mutants": size,
        "of_mutants": of,
        "killed_share": round(killed / size, 4),
        "killed_by_a_test": outcomes["killed"],
        "would_not_load": outcomes["broken"],
        "ran_for_ever": outcomes["endless"],
        "survived": outcomes["survived"],
        "survived_without_a_test": sum(figures["tests"] == 0 for figures in found),
    }
    return Verdict(passed=killed >= (LEAST_SHARE - doubt) * size, figures=figures)


def _tests(room: Room, tree: Path, kept: Path) -> Tests:
    """The tests of the warm room, from ``kept`` where they were measured before. Raises RuntimeError where one fails."""
    if not kept.is_file():
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(_measured(room)), encoding="utf-8")
        part.replace(kept)
    measured = json.loads(kept.read_text("utf-8"))
    names = list(measured)
    covered: dict[str, dict[int, set[str]]] = {}
    for name, (_, by_path) in measured.items():
        for path, lines in by_path.items():
            for line in lines:
                covered.setdefault(path, {}).setdefault(line, set()).add(name)
    files = {name.partition("::")[0] for name in names}
    return Tests(
        seconds={name: cpu_s for name, (cpu_s, _) in measured.items()},
        covered={
            path: {line: frozenset(ran) for line, ran in lines.items()} for path, lines in covered.items()
        },
        mentioned=mentions_of({path: (tree / path).read_text("utf-8") for path in sorted(files)}, names),
    )


def _measured(room: Room) -> dict[str, tuple[float, dict[str, list[int]]]]:
    """Of each test that is quick enough and not skipped, how long it computes and which lines it runs."""
    measured = {}
    for name in room.ask(Job(covered=RULES)).names:
        answer = room.ask(Job(tests=[(name, 0.0)], covered=RULES))
        if answer.outcome not in ("passed", "endless"):
            raise RuntimeError(f"without a mutant the tests must pass: {answer.outcome} {name}")
        if name in answer.seconds:
            measured[name] = (answer.seconds[name], answer.lines)
    return measured


def _copied(tree: Path) -> Path:
    """The copy of the checkout's code and tests, as they were when the proof began."""
    if not tree.is_dir():
        part = tree.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name in COPIED:
            if (CHECKOUT / name).is_dir():
                shutil.copytree(
                    CHECKOUT / name, part / name, ignore=shutil.ignore_patterns("__pycache__", "proofs")
                )
            else:
                shutil.copy2(CHECKOUT / name, part / name)
        part.rename(tree)
    return tree


PROOF = Proof(
    claim="At least 85 % of 400 random mutants of rules/, made by mutmut's operators, make a test fail, fail to load or run "
    "for ever; the survivors are among the steps, whose outcome is 'survived'.",
    small=6,
    full=FULL,
    prove=prove,
)
