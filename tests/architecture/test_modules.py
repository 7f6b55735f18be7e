"""House rules that a look at the source can hold: length, names, docstrings, who reads the clock and the environment."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.source import CHECKOUT, ROOMS, Module, modules

RULES_LINES = 250
OTHER_LINES = 400
ATTIC_NAMES = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"})

CLOCK_MODULE = "api/clock.py"
"""The only module that reads a clock; everybody else is handed a Clock or a stamp."""

CLOCKS = frozenset(
    {f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")}
    | {"datetime.date.today"}
    | {f"time.{name}" for name in ("ctime", "gmtime", "localtime")}
    | {
        f"time.{name}{suffix}"
        for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
        for suffix in ("", "_ns")
    }
)

SETTINGS_MODULE = "api/settings.py"
"""The only module that reads the environment."""

ENVIRONMENT = ("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.path.expandvars")
ENVIRONMENT_KEYWORDS = frozenset({"envvar", "auto_envvar_prefix"})
"""Arguments by which click reads the environment."""


def overlong(module: Module, decisions: str) -> bool:
    """Whether the module is too long and no line of DECISIONS.md that speaks of lines names it in backticks."""
    allowed = RULES_LINES if module.room == "rules" else OTHER_LINES
    excused = any(f"`{module.path}`" in line and " lines" in line for line in decisions.splitlines())
    return len(module.text.splitlines()) > allowed and not excused


def docstring_fault(module: Module) -> str | None:
    """What is wrong with the module's docstring: its first line must be one sentence. Empty files need none."""
    if not module.text.strip():
        return None
    docstring = ast.get_docstring(module.tree)
    if not docstring:
        return "has no docstring"
    first = docstring.splitlines()[0]
    if re.search(r"[.!?] [A-Z]", first) or not first.endswith((".", ":", ")")):
        return f"says more or less than one sentence in the first line of its docstring: {first!r}"
    return None


def clock_reads(module: Module) -> list[str]:
    """Where the module reads a clock, as 'path:line uses name'."""
    if module.path == CLOCK_MODULE:
        return []
    return [f"{module.path}:{line} uses {name}" for line, name in module.uses() if name in CLOCKS]


def environment_reads(module: Module) -> list[str]:
    """Where the module reads the environment, as 'path:line uses name'."""
    if module.path == SETTINGS_MODULE:
        return []
    names = [(line, name) for line, name in module.uses() if name in ENVIRONMENT]
    names += [
        (node.lineno, keyword.arg)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in ENVIRONMENT_KEYWORDS
    ]
    return [f"{module.path}:{line} uses {name}" for line, name in names]


def test_no_module_is_too_long() -> None:
    path = CHECKOUT / "DECISIONS.md"
    decisions = path.read_text(encoding="utf-8")
    found = [
        f"{module.path}: {len(module.text.splitlines())}"
        for module in modules(*ROOMS, "benchmarks")
        if overlong(module, decisions)
    ]
    assert not found, f"split by meaning, or say why in DECISIONS.md ('`path` has N lines because'): {found}"


def test_no_module_is_named_like_an_attic() -> None:
    found = [
        module.path
        for module in modules(*ROOMS, "benchmarks", "tests")
        if ATTIC_NAMES & set(re.split(r"[/_]", module.path.removesuffix(".py").lower()))
    ]
    assert not found, f"name these after what they hold: {found}"


def test_every_module_says_in_one_sentence_what_it_is() -> None:
    faults = [
        f"{module.path} {fault}"
        for module in modules(*ROOMS, "benchmarks")
        if (fault := docstring_fault(module))
    ]
    assert not faults, "\n".join(faults)


def test_nobody_calls_a_clock() -> None:
    found = [line for module in modules(*ROOMS) for line in clock_reads(module)]
    assert not found, f"take a Clock or a stamp ({CLOCK_MODULE} alone reads the time):\n" + "\n".join(found)


def test_only_the_settings_read_the_environment() -> None:
    found = [line for module in modules(*ROOMS) for line in environment_reads(module)]
    assert not found, f"{SETTINGS_MODULE} alone reads the environment:\n" + "\n".join(found)


def sample(text: str, path: str = "rules/sample.py") -> Module:
    module = Module(path)
    module.__dict__["text"] = text
    return module


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("import time\ntime.time()", True),
        ("import time as t\nclock = t.monotonic", True),
        ("from time import perf_counter as now\nnow()", True),
        ("from datetime import datetime\ndatetime.now(tz)", True),
        ("import datetime as dt\ndt.datetime.now(dt.UTC)", True),
        ("from datetime import date\ndate.today()", True),
        ("from datetime import datetime\ndatetime(2026, 1, 1)", False),
        ("import time\ntime.sleep(1)", False),
        ("def time() -> float: ...\ntime()", False),
    ],
)
def test_clock_reads_are_seen(text: str, reads: bool) -> None:
    assert bool(clock_reads(sample(text))) is reads
    assert not clock_reads(sample(text, CLOCK_MODULE))


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("import os\nos.environ['A']", True),
        ("from os import environ\nenviron.get('A')", True),
        ("from os import getenv as get\nget('A')", True),
        ("import os.path\nos.path.expandvars('$A')", True),
        ("click.option('--a', envvar='A')", True),
        ("import os\nos.replace('a', 'b')", False),
    ],
)
def test_environment_reads_are_seen(text: str, reads: bool) -> None:
    assert bool(environment_reads(sample(text))) is reads
    assert not environment_reads(sample(text, SETTINGS_MODULE))


def test_long_modules_need_a_word_in_the_decisions() -> None:
    assert overlong(sample("x = 1\n" * 251), "")
    assert not overlong(sample("x = 1\n" * 250), "")
    assert not overlong(sample("x = 1\n" * 400, "api/sample.py"), "")
    assert overlong(sample("x = 1\n" * 401, "api/sample.py"), "`api/sample.py` is fine")
    assert not overlong(sample("x = 1\n" * 401, "api/sample.py"), "`api/sample.py` has 401 lines because.")


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("", True),
        ('"""One sentence."""', True),
        ('"""One sentence.\n\nThen more. And more."""', True),
        ('"""One sentence. Two sentences."""', False),
        ('"""no end"""', False),
        ("x = 1", False),
    ],
)
def test_docstring_faults_are_seen(text: str, is_fine: bool) -> None:
    assert (docstring_fault(sample(text)) is None) is is_fine
