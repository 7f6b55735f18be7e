"""Runs one command of Stopline in a process of its own: at low priority, with its progress, and stopped whenever that is wanted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rules.errors import StoplineError

STOPLINE = (sys.executable, "-m", "api.cli")
NICENESS = 15
"""The cameras that are watched and the pages come first."""

POLL_S = 0.25
STOP_WITHIN_S = 10.0
LONGEST_S = 12 * 3600.0
"""A night: what takes longer hangs."""

MOST_OUTPUT_BYTES = 16 * 1024 * 1024
LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended: its exit code (negative: the signal that killed it), what it printed, and its last words on stderr."""

    exit_code: int
    output: bytes
    words: str


class StoppedError(StoplineError):
    """It was stopped, since somebody wanted so."""

    code = "stopped"


def run_command(
    arguments: Sequence[str],
    output: Path,
    stop: Callable[[], bool],
    progress: Callable[[float], None],
    program: Sequence[str] = STOPLINE,
    longest_s: float = LONGEST_S,
) -> Ended:
    """Waits for the command; its stdout goes into the file ``output``. Raises StoppedError after ``stop()``.

    One that takes longer than ``longest_s`` is killed, as one that a signal killed.
    """
    words: deque[str] = deque(maxlen=LAST_LINES)
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    assert process.stderr is not None
    reader = threading.Thread(target=_listen, args=(process.stderr, words, progress), daemon=True)
    reader.start()
    left = longest_s / POLL_S
    try:
        while True:
            try:
                process.wait(POLL_S)
                break
            except subprocess.TimeoutExpired:
                left -= 1
                if stop():
                    raise StoppedError from None
                if left <= 0:
                    words.append(f"it took longer than {longest_s:.0f} s")
                    break
    finally:
        _end(process)
        reader.join(STOP_WITHIN_S)
        process.stderr.close()
    with output.open("rb") as printed:
        return Ended(process.returncode, printed.read(MOST_OUTPUT_BYTES), "\n".join(words))


def _listen(lines: IO[bytes], words: deque[str], progress: Callable[[float], None]) -> None:
    with suppress(OSError, ValueError):  # it was closed
        for line in lines:
            text = line.decode(errors="replace").strip()
            try:
                told = json.loads(text)
                share = _share(told)
            except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError):
                if text:
                    words.append(text[:500])
                continue
            if share is not None:
                progress(share)


def _share(told: dict[str, float | str | None]) -> float | None:
    """How far the whole is, by a line of ``--progress json``; None for another line."""
    if "progress" not in told or not told["length_s"]:
        return None
    number, of = float(told["number"] or 1), float(told["of"] or 1)
    part = min(1.0, float(told["media_s"] or 0) / float(told["length_s"]))
    return (number - 1 + part) / of


def _end(process: subprocess.Popen[bytes]) -> None:
    """It runs no more, nor what it began."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN_S)
