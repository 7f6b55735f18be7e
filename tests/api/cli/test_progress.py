"""Progress is shown on stderr in four ways, none of them too often."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from api.cli.progress import Bars, JsonLines, PlainLines, ProgressKind, Shown, shown_progress
from api.work.progress import Advance


def at(wall_s: float, media_s: float = 0.0, events: int = 0, length_s: float | None = 60.0) -> Advance:
    return Advance(
        source="clip.mp4",
        number=1,
        of=2,
        length_s=length_s,
        media_s=media_s,
        frames=int(media_s * 10),
        events=events,
        wall_s=wall_s,
    )


def run(shown: Shown) -> None:
    with shown:
        shown.begun(at(0.0))
        for tick in range(1, 251):
            shown.advanced(at(tick / 10, media_s=tick / 5, events=tick // 100))
        shown.ended(at(25.0, media_s=50.0, events=2), "done")


def test_plain_lines_come_every_ten_seconds() -> None:
    out = io.StringIO()
    run(PlainLines(out))
    assert out.getvalue().splitlines() == [
        "[1/2] clip.mp4: begun, 60.0 s",
        "[1/2] clip.mp4: 20.0 of 60.0 s, 2.0x real time, 1 event",
        "[1/2] clip.mp4: 40.0 of 60.0 s, 2.0x real time, 2 events",
        "[1/2] clip.mp4: done: 500 frames in 25.0 s, 2.0x real time, 2 events",
    ]


def test_a_source_that_promises_no_length_has_none() -> None:
    out = io.StringIO()
    lines = PlainLines(out)
    lines.begun(at(0.0, length_s=None))
    lines.advanced(at(11.0, media_s=5.0, length_s=None))
    assert out.getvalue() == "[1/2] clip.mp4: begun\n[1/2] clip.mp4: 5.0 s, 0.5x real time, 0 events\n"


def test_json_lines_are_objects_at_most_one_a_second() -> None:
    out = io.StringIO()
    run(JsonLines(out))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["progress"] for line in lines] == ["begun", *["advanced"] * 25, "ended"]
    assert lines[-1] == {
        "progress": "ended",
        "source": "clip.mp4",
        "number": 1,
        "of": 2,
        "length_s": 60.0,
        "media_s": 50.0,
        "frames": 500,
        "events": 2,
        "wall_s": 25.0,
        "times_real_time": 2.0,
        "outcome": "done",
    }


def test_a_bar_shows_source_frames_speed_and_events() -> None:
    out = io.StringIO()
    run(Bars(Console(file=out, force_terminal=True, width=120)))
    assert "1/2 clip.mp4" in out.getvalue()
    assert "done: 500 frames, 2.0x real time, 2 events" in out.getvalue()


@pytest.mark.parametrize("no_color", [False, True])
def test_without_colour_no_colour_is_written(no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    run(shown_progress(ProgressKind.BAR, out, no_color=no_color))
    assert bool(re.search(r"\x1b\[[39][0-9]", out.getvalue())) is not no_color


@pytest.mark.parametrize(
    ("kind", "is_terminal", "expected"),
    [
        (ProgressKind.AUTO, True, Bars),
        (ProgressKind.AUTO, False, PlainLines),
        (ProgressKind.JSON, True, JsonLines),
        (ProgressKind.PLAIN, True, PlainLines),
        (ProgressKind.BAR, False, Bars),
        (ProgressKind.NONE, True, Shown),
    ],
)
def test_auto_is_a_bar_on_a_terminal_only(
    kind: ProgressKind, is_terminal: bool, expected: type[Shown]
) -> None:
    class Out(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    assert type(shown_progress(kind, Out(), no_color=False)) is expected


def test_none_shows_nothing() -> None:
    out = io.StringIO()
    run(shown_progress(ProgressKind.NONE, out, no_color=False))
    assert out.getvalue() == ""
