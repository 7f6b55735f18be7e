"""Makes the redacted copies that cases lack, in a process of its own, for exports that take them along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from api.work.case_package import sound_package
from api.work.export import ExportError
from api.work.job_process import Ended, run_command
from evidence.derived import LIST, DerivedKind, read_list
from evidence.store import PackageStore

LONGEST_S = 1800.0
"""A clip of a minute takes one or two; what takes longer hangs."""


class Runner(Protocol):
    """Runs a command of Stopline, as ``run_command`` does."""

    def __call__(
        self,
        arguments: Sequence[str],
        output: Path,
        stop: Callable[[], bool],
        progress: Callable[[float], None],
        *,
        longest_s: float,
    ) -> Ended: ...


def make_missing(
    folder: Path,
    case_ids: Sequence[str],
    store: PackageStore,
    output: Path,
    stop: Callable[[], bool],
    run: Runner = run_command,
) -> None:
    """Each case has a redacted copy afterwards; what the command prints goes into ``output``.

    Raises ExportError where one cannot be made, StoppedError after ``stop()``, and what ``sound_package`` raises.
    """
    missing = [case_id for case_id in case_ids if not _has_copy(folder, case_id, store)]
    if not missing:
        return
    arguments = ["evidence", "redact", *missing, "--data", str(folder)]
    ended = run(arguments, output, stop, lambda share: None, longest_s=LONGEST_S)
    if ended.exit_code != 0:
        why = ended.words.splitlines()[-1] if ended.words else f"exit code {ended.exit_code}"
        raise ExportError(missing[0], f"no redacted copy of it could be made: {why}")


def _has_copy(folder: Path, case_id: str, store: PackageStore) -> bool:
    data = sound_package(folder, case_id, store).derived.read(LIST)
    return data is not None and bool(read_list(data).of_kind(DerivedKind.REDACTED))
