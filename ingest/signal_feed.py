"""Reads what a signal controller logged, as JSON lines or CSV, into reports for the rules."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from ingest.errors import FileUnreadableError, SignalFeedError
from ingest.signal_message import FeedCounts, FeedHeads, MessageError, read_message
from rules.observation import SignalReport


def read_feed(
    path: Path, counts: FeedCounts, heads: FeedHeads | None = None, near: datetime | None = None
) -> Iterator[SignalReport]:
    """The reports of a ``.csv`` file or of a file of JSON lines, in its order; ``counts`` grows with them.

    A line holds a message as ``read_message`` takes it, of any head unless ``heads`` says which; a CSV file
    has the columns ``head state at`` and perhaps ``mode error_s``. ``near`` (aware) tells the year of messages
    that say none. Raises SignalFeedError naming line and field, FileUnreadableError.
    """
    known = FeedHeads() if heads is None else heads
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = _csv_rows(path, lines) if path.suffix.lower() == ".csv" else _json_rows(path, lines)
            for number, row in rows:
                try:
                    reports = read_message(row, known, counts, near)
                except MessageError as exc:
                    raise SignalFeedError(str(path), number, str(exc)) from exc
                yield from reports
    except UnicodeDecodeError as exc:
        raise SignalFeedError(str(path), None, "is not UTF-8 text") from exc
    except OSError as exc:
        raise FileUnreadableError(str(path), exc.strerror or type(exc).__name__) from exc


def _csv_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, object]]:
    reader = csv.DictReader(lines)
    missing = {"head", "state", "at"} - set(reader.fieldnames or ())
    if missing:
        raise SignalFeedError(str(path), 1, f"has no column {', '.join(sorted(missing))}")
    try:
        for row in reader:
            yield reader.line_num, {key: value for key, value in row.items() if key and value}
    except csv.Error as exc:
        raise SignalFeedError(str(path), reader.line_num, f"is no CSV: {exc}") from exc


def _json_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise SignalFeedError(str(path), number, f"is no JSON: {exc}") from exc
