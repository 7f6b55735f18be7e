"""Takes the passages in the journals of live cameras into the records, each line once, also after a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.records import passages
from api.records.passages import StoredPassage
from api.work.live_journal import DAY, FOLDER
from api.work.live_journal import PASSAGES as FILE
from evidence.database import Database, RecordsError

MOST_BYTES = 1024 * 1024
"""At once, of one journal: two or three thousand passages."""


class PassageJournals:
    """The journals below ``data``. ``site_of`` names a camera's site, None where the camera is not published any more."""

    def __init__(self, data: Path, database: Database, site_of: Callable[[str], str | None]) -> None:
        self._root = data / FOLDER
        self._data = data
        self._database = database
        self._site_of = site_of
        self._taken: dict[Path, int] = {}

    def keep(self) -> bool:
        """Whether the records have all lines; where they are away, the next call goes on where this one was."""
        is_whole = True
        for path in sorted(self._root.glob(f"*/*/{FILE}")) if self._root.is_dir() else ():
            if not DAY.fullmatch(path.parent.name):
                continue
            try:
                is_whole &= self._take(path)
            except FileNotFoundError:
                continue  # its day was over meanwhile
            except (OSError, RecordsError):
                return False
        return is_whole

    def _take(self, path: Path) -> bool:
        camera_id, day = path.parent.parent.name, path.parent.name
        site_id = self._site_of(camera_id)
        if site_id is None:
            return True
        if path not in self._taken:
            with self._database.read() as tx:
                self._taken[path] = passages.taken(tx, camera_id, day)
        while self._taken[path] < path.stat().st_size:
            with path.open("rb") as file:
                file.seek(self._taken[path])
                read = file.read(MOST_BYTES)
            whole = read[: read.rfind(b"\n") + 1]
            if not whole:
                return False  # a line that is being written
            found = [
                _passage(line, site_id, path.parent.relative_to(self._data)) for line in whole.splitlines()
            ]
            taken = self._taken[path] + len(whole)
            with self._database.write() as tx:
                passages.take(tx, camera_id, day, taken, [one for one in found if one is not None])
            self._taken[path] = taken
        return True


def _passage(line: bytes, site_id: str, folder: Path) -> StoredPassage | None:
    """What the line tells; None for one that a crash cut, and for one without a date: it could never expire."""
    try:
        row: Any = json.loads(line)
        if row["captured_at"] is None or row["expires_at"] is None:
            return None
        plate, picture = row["plate"], row["picture"]
        at_ms = round(row["t_s"] * 1000)
        return StoredPassage(
            id=f"{row['camera']}-s{row['segment']}-t{row['track']}-{at_ms}-{row['gate'] or ''}",
            site_id=site_id,
            camera_id=row["camera"],
            gate_id=row["gate"],
            direction=row["direction"],
            lane=row["lane"],
            vehicle_class=row["vehicle_class"],
            plate_text=None if plate is None else plate["text"],
            plate_confidence=None if plate is None else plate["confidence"],
            passed_at=datetime.fromisoformat(row["captured_at"]).astimezone(UTC),
            expires_at=datetime.fromisoformat(row["expires_at"]).astimezone(UTC),
            picture_path=None if picture is None else (folder / picture).as_posix(),
            picture_sha256=row["picture_sha256"],
        )
    except (ValueError, KeyError, TypeError):
        return None
