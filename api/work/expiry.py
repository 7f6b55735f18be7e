"""What a run folder tells besides its packages, as long as it may: lines of events and passages, pictures, observations."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from api.work.event_lines import Row, lines_text
from api.work.run_folder import CHECKPOINT, EVENTS, OBSERVATIONS, PASSAGES, write_file
from evidence.durable import Disk
from evidence.passage_file import FOLDER as PICTURES
from rules.errors import StoplineError

NAMELESS: Row = {"plate": None, "reasons": [], "evidence": None, "manifest": None}
"""What the line of a removed case says no more; its times and ``manifest_sha256``, which the chain has too, stay."""

Change = Callable[[str, Sequence[Row]], Sequence[Row]]
"""The rows that are to stand, of 'events' or 'passages'; equal ones where nothing is to change."""


class LineDamagedError(StoplineError):
    """A line of the run folder that is not as Stopline writes it; nothing was changed."""

    code = "input_unreadable"

    def __init__(self, path: Path, number: int, why: str) -> None:
        super().__init__(
            f"{path}:{number}: is no line of ours ({why}); nothing in this file was changed; restore it"
        )
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Passages whose date has come: how many, how many of them with a picture, and how many have no date at all."""

    passages: int
    pictures: int
    undated: int


def forget_events(folder: Path, case_ids: Collection[str]) -> None:
    """No line of the folder's events says any more who these cases were about. Raises LineDamagedError, OutputError."""
    wanted = frozenset(case_ids)

    def nameless(what: str, rows: Sequence[Row]) -> Sequence[Row]:
        if what != "events":
            return rows
        return [{**row, **NAMELESS} if row["id"] in wanted else row for row in rows]

    if wanted:
        _rewrite(folder, nameless)


def expired_passages(folder: Path, now: datetime) -> Expired:
    """Which passages ``now`` is too late for; nothing is changed. Raises LineDamagedError."""
    gone: set[tuple[Any, ...]] = set()
    pictures: set[str] = set()
    undated: set[tuple[Any, ...]] = set()

    def seen(what: str, rows: Sequence[Row]) -> Sequence[Row]:
        for row in rows if what == "passages" else ():
            if row.get("expires_at") is None:
                undated.add(_key(row))
            elif _is_over(row, now):
                gone.add(_key(row))
                if row.get("picture") is not None:
                    pictures.add(str(_picture(folder, row["picture"])))
        return rows

    _rewrite(folder, seen)
    return Expired(passages=len(gone), pictures=len(pictures), undated=len(undated))


def remove_passages(folder: Path, now: datetime, disk: Disk) -> Expired:
    """The passages whose date has come are gone, their pictures first, so that a crash leaves no picture without a line.

    Raises LineDamagedError, OutputError, and DiskError.
    """
    found = expired_passages(folder, now)
    if not found.passages:
        return found

    def kept(what: str, rows: Sequence[Row]) -> Sequence[Row]:
        if what != "passages":
            return rows
        pictures = [row["picture"] for row in rows if _is_over(row, now) and row.get("picture") is not None]
        for picture in pictures:
            disk.unlink(folder / _picture(folder, picture))
        if pictures and (folder / PICTURES).is_dir():
            disk.settle(folder / PICTURES)
        return [row for row in rows if not _is_over(row, now)]

    _rewrite(folder, kept)
    return found


def observed_until(folder: Path) -> datetime | None:
    """When the last frame of the folder's observations was taken; None without observations, or a wall clock."""
    path = folder / OBSERVATIONS
    if not path.is_file():
        return None
    last = ""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                last = line
                number += 1
        at = json.loads(last)["captured_at"] if last else None
        return None if at is None else datetime.fromisoformat(at)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as exc:
        raise LineDamagedError(path, number, str(exc)) from exc


def observations_over(folder: Path, days: int, now: datetime) -> bool:
    """Whether the observations' last frame is older than so many days: they hold plates of who passed. Raises LineDamagedError."""
    until = observed_until(folder)
    return until is not None and now >= until + timedelta(days=days)


def _is_over(row: Row, now: datetime) -> bool:
    return row.get("expires_at") is not None and datetime.fromisoformat(row["expires_at"]) <= now


def _key(row: Row) -> tuple[Any, ...]:
    return (row["camera"], row["segment"], row["t_s"], row["gate"], row["direction"], row["track"])


def _picture(folder: Path, path: str) -> PurePosixPath:
    """The path, which leads to a picture of a passage and nowhere else."""
    parts = PurePosixPath(path)
    if len(parts.parts) != 2 or parts.parts[0] != PICTURES or parts.name in ("", ".."):
        raise LineDamagedError(folder / PASSAGES, 0, f"{path!r} is no picture of a passage")
    return parts


def _rewrite(folder: Path, change: Change) -> None:
    """Every file of the folder that holds such rows has the changed ones; one that stays equal is not written."""
    for what, name in (("events", EVENTS), ("passages", PASSAGES)):
        path = folder / name
        if path.is_file():
            rows = _rows(path)
            changed = change(what, rows)
            if changed != rows:
                write_file(path, lines_text(changed).encode())
    for path in sorted((folder / CHECKPOINT).glob("source-*.json")):
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            parts = {what: list(change(what, record[what])) for what in ("events", "passages")}
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise LineDamagedError(path, 1, str(exc)) from exc
        if any(record[what] != rows for what, rows in parts.items()):
            text = json.dumps({**record, **parts}, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
            write_file(path, text.encode())


def _rows(path: Path) -> list[Row]:
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if not isinstance(row, dict) or not {"camera", "t_s"} <= row.keys():
                    raise ValueError("its fields are missing")
                rows.append(row)
    except (OSError, ValueError, RecursionError) as exc:
        raise LineDamagedError(path, len(rows) + 1, str(exc)) from exc
    return rows
