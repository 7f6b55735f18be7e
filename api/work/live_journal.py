"""What a live camera leaves besides its cases: a folder a day, with its events, passages, segments and what was lost."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from api.work.event_lines import Row
from evidence.passage_album import PassageAlbum
from evidence.passage_file import PassagePicture
from evidence.ports import Footage
from rules.finding import Passage

FOLDER = "live"
EVENTS, PASSAGES, SEGMENTS, LOST = "events.jsonl", "passages.jsonl", "segments.jsonl", "lost.jsonl"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class LiveJournal:
    """Appends to the files of the current day (UTC); a full disk loses lines, which ``unwritten`` is told, and ends nothing."""

    def __init__(
        self, data: Path, camera_id: str, now: Callable[[], datetime], unwritten: Callable[[int], None]
    ) -> None:
        self._root = data / FOLDER / camera_id
        self._now, self._unwritten = now, unwritten

    @property
    def today(self) -> Path:
        """The folder of the current day."""
        return self._root / self._now().date().isoformat()

    def add(self, name: str, *rows: Row) -> None:
        """The rows stand at the end of today's file of that name."""
        if not rows:
            return
        text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
        try:
            folder = self.today
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            self._unwritten(len(rows))


class DailyAlbum:
    """An album of passages whose pictures lie in the folder of their day."""

    def __init__(self, journal: LiveJournal, footage: Footage[Any]) -> None:
        self._journal, self._footage = journal, footage
        self._day: Path | None = None
        self._album: PassageAlbum | None = None

    def take(self, passage: Passage) -> PassagePicture | None:
        """As PassageAlbum, its path relative to the day's folder."""
        day = self._journal.today
        if self._album is None or self._day != day:
            self._day, self._album = day, PassageAlbum(day, self._footage, goes_on=True)
        return self._album.take(passage)


def expire(data: Path, keep_days: Callable[[str], int], today: date) -> int:
    """The days of cameras that are older than ``keep_days`` of the camera are gone, with events, passages and pictures.

    Returns how many.
    """
    gone = 0
    root = data / FOLDER
    for folder in root.glob("*/*") if root.is_dir() else ():
        if DAY.fullmatch(folder.name) and folder.is_dir():
            age = today - date.fromisoformat(folder.name)
            if age > timedelta(days=keep_days(folder.parent.name)):
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
    return gone
