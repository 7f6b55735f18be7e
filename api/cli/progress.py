"""Shows how far a run is: bars on a terminal, a line every ten seconds elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
from enum import StrEnum
from types import TracebackType
from typing import Self, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api.work.progress import Advance

PLAIN_EVERY_S = 10.0
JSON_EVERY_S = 1.0
BAR_EVERY_S = 0.2


class ProgressKind(StrEnum):
    """How progress is shown; AUTO is a bar on a terminal and plain elsewhere."""

    AUTO = "auto"
    BAR = "bar"
    PLAIN = "plain"
    JSON = "json"
    NONE = "none"


progress_option = click.option(
    "--progress",
    type=click.Choice([kind.value for kind in ProgressKind]),
    default=ProgressKind.AUTO.value,
    show_default=True,
    help="How to show progress on stderr: auto is a bar on a terminal, else a line every 10 s.",
)
"""The option of every command that replays."""


class Shown:
    """Nothing is shown; what shows something derives from this. A context, so that a terminal is left in order."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put in order."""

    def begun(self, at: Advance) -> None:
        """As a Progress."""

    def advanced(self, at: Advance) -> None:
        """As a Progress."""

    def ended(self, at: Advance, outcome: str) -> None:
        """As a Progress."""

    def noted(self, text: str) -> None:
        """As a Progress."""


class PlainLines(Shown):
    """A line per source when it begins and ends, and one every ten seconds of work."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._next_s: dict[int, float] = {}

    def begun(self, at: Advance) -> None:
        length = "" if at.length_s is None else f", {at.length_s:.1f} s"
        self._say(at, f"begun{length}")
        self._next_s[at.number] = PLAIN_EVERY_S

    def advanced(self, at: Advance) -> None:
        if at.wall_s < self._next_s.get(at.number, PLAIN_EVERY_S):
            return
        self._next_s[at.number] = at.wall_s + PLAIN_EVERY_S
        of = "" if at.length_s is None else f" of {at.length_s:.1f}"
        self._say(at, f"{at.media_s:.1f}{of} s, {_speed(at)}, {_events(at)}")

    def ended(self, at: Advance, outcome: str) -> None:
        self._say(at, f"{outcome}: {at.frames} frames in {at.wall_s:.1f} s, {_speed(at)}, {_events(at)}")

    def noted(self, text: str) -> None:
        print(f"note: {text}", file=self._out, flush=True)

    def _say(self, at: Advance, text: str) -> None:
        print(f"[{at.number}/{at.of}] {at.source}: {text}", file=self._out, flush=True)


class JsonLines(Shown):
    """One JSON object per line when a source begins and ends, and at most every second between."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._next_s: dict[int, float] = {}

    def begun(self, at: Advance) -> None:
        self._next_s[at.number] = JSON_EVERY_S
        self._say("begun", at)

    def advanced(self, at: Advance) -> None:
        if at.wall_s >= self._next_s.get(at.number, JSON_EVERY_S):
            self._next_s[at.number] = at.wall_s + JSON_EVERY_S
            self._say("advanced", at)

    def ended(self, at: Advance, outcome: str) -> None:
        self._say("ended", at, outcome)

    def noted(self, text: str) -> None:
        print(json.dumps({"note": text}, ensure_ascii=False), file=self._out, flush=True)

    def _say(self, what: str, at: Advance, outcome: str | None = None) -> None:
        fields = {
            "progress": what,
            "source": at.source,
            "number": at.number,
            "of": at.of,
            "length_s": at.length_s,
            "media_s": round(at.media_s, 3),
            "frames": at.frames,
            "events": at.events,
            "wall_s": round(at.wall_s, 3),
            "times_real_time": round(at.times_real_time, 2),
        }
        if outcome is not None:
            fields["outcome"] = outcome
        print(json.dumps(fields, ensure_ascii=False), file=self._out, flush=True)


class Bars(Shown):
    """A bar per source with frames, speed, events and the time that remains."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[int, TaskID] = {}
        self._next_s: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begun(self, at: Advance) -> None:
        self._tasks[at.number] = self._bars.add_task(
            f"{at.number}/{at.of} {at.source}", total=at.length_s, text=""
        )

    def advanced(self, at: Advance) -> None:
        if at.wall_s >= self._next_s.get(at.number, 0.0):
            self._next_s[at.number] = at.wall_s + BAR_EVERY_S
            self._update(at, f"{at.frames} frames, {_speed(at)}, {_events(at)}")

    def ended(self, at: Advance, outcome: str) -> None:
        self._update(at, f"{outcome}: {at.frames} frames, {_speed(at)}, {_events(at)}")

    def noted(self, text: str) -> None:
        self._bars.console.print(f"note: {text}", markup=False)

    def _update(self, at: Advance, text: str) -> None:
        if at.number in self._tasks:
            self._bars.update(self._tasks[at.number], completed=at.media_s, text=text)


def shown_progress(kind: ProgressKind, out: TextIO, *, no_color: bool) -> Shown:
    """The progress of that kind on ``out``."""
    if kind is ProgressKind.AUTO:
        kind = ProgressKind.BAR if out.isatty() else ProgressKind.PLAIN
    match kind:
        case ProgressKind.BAR:
            return Bars(Console(file=out, no_color=no_color or None, highlight=False))
        case ProgressKind.JSON:
            return JsonLines(out)
        case ProgressKind.PLAIN:
            return PlainLines(out)
        case _:
            return Shown()


def _speed(at: Advance) -> str:
    return f"{at.times_real_time:.1f}x real time"


def _events(at: Advance) -> str:
    return f"{at.events} event{'' if at.events == 1 else 's'}"
