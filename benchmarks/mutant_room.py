"""A process that has the test tools loaded and forks for each mutant: tests run against a module that is nowhere on disk.

It is run in a copy of the checkout that nobody changes (``python -m benchmarks.mutant_room``), reads one job per
line and answers each with one line of JSON. Here nothing of ``rules`` or ``tests`` may be imported.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import import_module, util
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

import coverage
import hypothesis
import pytest

LOADED_BEFORE = ("cv2", "fastapi", "jsonschema", "numpy", "playwright.sync_api", "pydantic", "rich", "yaml")
"""What the tests import from elsewhere, loaded once instead of once a mutant."""

PYTEST = "-q -x -p no:cacheprovider --timeout=0 -W ignore::pytest.PytestAssertRewriteWarning".split()
"""That its plugins were loaded before pytest began is meant; a limit in seconds of the clock would depend on the machine's load."""

LOADING_S = 60.0
LONGEST_S = 0.4
"""A test that computes for longer without a mutant, while its lines are noted, is stopped and left out: a mutant must take
seconds."""

TEST_S, TEST_TIMES = 2.0, 10.0
"""A test may compute for so long, and so many times as long as it took without a mutant; then it runs for ever."""

EXAMPLES = 20
"""Of a property so many examples are tried: with more, most properties would be left out."""

ANSWERS = 17
"""The file descriptor for answers: 1 goes nowhere."""

WAITING_S = 900
"""No mutant takes longer, whatever else the machine does."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Tests to be run in this order until one fails.

    ``tests`` are their ids, with the seconds they compute, and ``paths``, for a cold room, the files that hold
    them. ``module`` and ``source`` are the mutant, ``function``, for a warm room, the qualified name of the one
    whose body it changes. With ``covered``, a folder of the tree, a warm room changes nothing: it tells which
    lines of its modules the tests run or, where none is named, which tests there are.
    """

    paths: Sequence[str] = ()
    tests: Sequence[tuple[str, float]] = ()
    module: str = ""
    source: str = ""
    function: str = ""
    covered: str = ""


@dataclass(kw_only=True)
class Answer:
    """``outcome`` is passed, failed (``by`` that test), broken (the tests can't be loaded) or endless.

    ``seconds`` are what the tests that were not skipped computed for, ``lines`` which lines they ran, by path.
    """

    outcome: str
    by: str = ""
    ran: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


class Room:
    """The process, as who asks it sees it; to be used in a ``with``.

    A ``cold`` one has loaded nothing of the tree: it can change what runs when a module is imported, and takes
    seconds for it. A warm one has loaded the ``tests`` and their modules: it changes functions in place.
    """

    def __init__(self, tree: Path, tests: Sequence[str] = ()) -> None:
        self._tree = tree
        self._tests = tests

    def __enter__(self) -> Room:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.mutant_room", *self._tests],
            cwd=self._tree,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate()

    def ask(self, job: Job) -> Answer:
        """Its answer. Raises RuntimeError where the process has died, or the job could not be tried."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(asdict(job)) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that runs the tests has died")
        answer = Answer(**json.loads(line))
        if answer.outcome == "untried":
            raise RuntimeError(f"{job.module} {job.function} could not be tried")
        return answer


class Text(SourceLoader):
    """Loads a module from a text instead of its file, and keeps no bytecode of it."""

    def __init__(self, source: str) -> None:
        self._source = source.encode()

    def get_filename(self, fullname: str) -> str:
        return str(Path.cwd() / (fullname.replace(".", "/") + ".py"))

    def get_data(self, path: str | bytes) -> bytes:
        return self._source


class Mutated(MetaPathFinder):
    """Finds one module in a text."""

    def __init__(self, module: str, source: str) -> None:
        self._module = module
        self._text = Text(source)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        return util.spec_from_file_location(fullname, self._text.get_filename(fullname), loader=self._text)


def change_in_place(module: str, source: str, function: str) -> None:
    """Gives the loaded function of that qualified name the code that it has in ``source``.

    Raises LookupError where there is no such function.
    """
    changed = next(_codes(compile(source, sys.modules[module].__file__ or module, "exec"), function))
    found: Any = sys.modules[module]
    for name in function.split("."):
        found = vars(found)[name]
    found = found.fget if isinstance(found, property) else getattr(found, "__wrapped__", found)
    if not isinstance(found, FunctionType):
        raise LookupError(f"{module}.{function} is no function whose code can be changed")
    found.__code__ = changed


def _codes(code: CodeType, function: str) -> Iterator[CodeType]:
    for part in code.co_consts:
        if isinstance(part, CodeType):
            if part.co_qualname == function:
                yield part
            yield from _codes(part, function)


class Tests:
    """A pytest plugin: runs the tests of a job in its order, each timed and stopped when it runs for ever."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._limits_s = {
            test: LONGEST_S if job.covered else TEST_S + TEST_TIMES * cpu_s for test, cpu_s in job.tests
        }
        self.by = ""
        self.seconds: dict[str, float] = {}
        self.skipped: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = self.chosen(items)

    def chosen(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Those of the job, in its order."""
        by_name = {item.nodeid: item for item in items}
        return [by_name[test] for test, _ in self._job.tests]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        signal.setitimer(signal.ITIMER_VIRTUAL, self._limits_s[item.nodeid])
        began_s = time.process_time()
        answer = yield
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        self.seconds[item.nodeid] = time.process_time() - began_s
        return answer

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.by:
            self.by = report.nodeid
        if report.skipped:
            self.skipped.add(report.nodeid)


class Waiting:
    """A pytest plugin: once the tests are collected, it forks for each job instead of running them."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        gc.freeze()
        _answer_all(lambda job: _warm(session, job))
        os._exit(0)


def _warm(session: pytest.Session, job: Job) -> Answer:
    if not job.tests:
        return Answer(outcome="passed", names=[item.nodeid for item in session.items])
    tests = Tests(job)
    session.config.pluginmanager.register(tests)
    lines = coverage.Coverage(data_file=None, include=[f"{job.covered}/*"], config_file=False)
    if job.covered:
        lines.set_option("run:disable_warnings", ["no-data-collected"])
        lines.start()
    else:
        change_in_place(job.module, job.source, job.function)
    items = tests.chosen(session.items)
    for item, following in zip(items, [*items[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if tests.by:
            break
    answer = Answer(outcome="failed" if tests.by else "passed", by=tests.by, ran=len(tests.seconds))
    if job.covered:
        lines.stop()
        answer.seconds = {test: s for test, s in tests.seconds.items() if test not in tests.skipped}
        answer.lines = _lines_of(lines)
    return answer


def _cold(job: Job) -> Answer:
    sys.meta_path.insert(0, Mutated(job.module, job.source))
    signal.setitimer(signal.ITIMER_VIRTUAL, LOADING_S)
    tests = Tests(job)
    code = pytest.main([*PYTEST, *job.paths], plugins=[tests])
    outcomes = {pytest.ExitCode.OK: "passed", pytest.ExitCode.TESTS_FAILED: "failed"}
    outcome = outcomes.get(pytest.ExitCode(code), "broken")
    return Answer(outcome=outcome, by=tests.by, ran=len(tests.seconds))


def _lines_of(lines: coverage.Coverage) -> dict[str, list[int]]:
    data = lines.get_data()
    return {
        Path(path).relative_to(Path.cwd()).as_posix(): sorted(data.lines(path) or ())
        for path in data.measured_files()
    }


def _forked(work: Callable[[], Answer]) -> Answer:
    """The answer of a child; one that a timer has ended runs for ever."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        for number in (signal.SIGALRM, signal.SIGVTALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, WAITING_S)
        status = 1
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(asdict(work()), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        return Answer(**json.loads(text))
    if os.WIFEXITED(status):
        return Answer(outcome="untried")
    ended = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGVTALRM, signal.SIGALRM)
    return Answer(outcome="endless" if ended else "broken")


def _answer_all(work: Callable[[Job], Answer]) -> None:
    """Answers jobs, each in a child, until there are no more."""
    while line := sys.stdin.readline():
        job = Job(**json.loads(line))
        os.write(ANSWERS, (json.dumps(asdict(_forked(partial(work, job)))) + "\n").encode())


def main(paths: Sequence[str]) -> None:
    """A warm room with the tests of those files, or a cold one where there are none. What tests print goes nowhere."""
    os.dup2(1, ANSWERS)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for name in LOADED_BEFORE:
        import_module(name)
    hypothesis.settings.register_profile(
        "mutants",
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],  # it goes by the clock
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.settings.load_profile("mutants")
    if paths:
        pytest.main([*PYTEST, "-s", *paths], plugins=[Waiting()])
    else:
        _answer_all(_cold)


if __name__ == "__main__":
    main(sys.argv[1:])
