"""What a live camera writes besides its cases, and what is told where the disk takes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from api.work.camera_figures import CameraMeter
from api.work.live_journal import EVENTS, FOLDER, LiveJournal

NOW = datetime(2026, 5, 1, 23, 59, tzinfo=UTC)


def journal(data: Path, meter: CameraMeter) -> LiveJournal:
    return LiveJournal(data, "north", lambda: NOW, lambda lines: meter.counted(unwritten=lines))


def test_rows_stand_in_the_file_of_their_day(tmp_path: Path) -> None:
    meter = CameraMeter("north", 0.5)
    for number in range(2):
        journal(tmp_path, meter).add(EVENTS, {"number": number})
    lines = (tmp_path / FOLDER / "north" / "2026-05-01" / EVENTS).read_text("utf-8").splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1]
    assert meter.figures().unwritten == 0


def test_lines_that_find_no_place_are_counted_and_end_nothing(tmp_path: Path) -> None:
    meter = CameraMeter("north", 0.5)
    (tmp_path / FOLDER).write_text("no folder can be made where a file stands")
    journal(tmp_path, meter).add(EVENTS, {"number": 1}, {"number": 2})
    assert meter.figures().unwritten == 2
