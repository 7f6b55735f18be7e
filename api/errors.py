"""Why api has errors of its own: the caller must learn whose mistake it was, and exit codes follow from it.

StoplineError
├── ConfigInvalidError     a site file or setting that cannot be used; every problem found is listed
├── UsageError             arguments that contradict each other or the folder they point at
├── AllInputsFailedError   not one of the sources could be read
├── SomeInputsFailedError  some sources could not be read; the results of the others stand
├── UndeliveredError       sealed packages wait for a store or records that were away at the end of the run
└── InterruptedRunError    stopped by the user; what was finished is kept
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from rules.errors import StoplineError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a configuration: file, line (from 1), field, and what would be right.

    ``place`` is the field as keys and list indices from the top of the document, where it is one.
    """

    file: str
    line: int | None
    field: str
    message: str
    place: tuple[str | int, ...] = dataclass_field(default=(), compare=False)

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class ConfigInvalidError(StoplineError):
    """A configuration that cannot be used; ``problems`` are all that were found, by line."""

    code = "config_invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(StoplineError):
    """Arguments that cannot be obeyed."""

    code = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFailure:
    """A source that could not be read (to its end), and why."""

    source: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.message}" if self.source not in self.message else self.message


class SourcesFailedError(StoplineError):
    """Sources that could not be read; ``failures`` says which and why."""

    def __init__(self, failures: Iterable[SourceFailure]) -> None:
        self.failures = tuple(failures)
        super().__init__("\n".join(str(failure) for failure in self.failures))


class AllInputsFailedError(SourcesFailedError):
    """Not one of the sources could be read."""

    code = "input_unreadable"


class SomeInputsFailedError(SourcesFailedError):
    """Some sources could not be read; the results of the others are complete."""

    code = "some_inputs_failed"


class UndeliveredError(StoplineError):
    """The run is done, and sealed packages wait in the spool for a store or records that were away at its end."""

    code = "undelivered"
    retryable = True


class InterruptedRunError(StoplineError):
    """Stopped by the user; finished sources are kept and ``--resume`` goes on after them."""

    code = "interrupted"
    retryable = True
