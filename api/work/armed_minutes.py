"""Keeps how long the rules of live cameras were armed: a watch's counters, day by day, in the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

from api.records.armed import ArmedSeconds, add_seconds
from api.work.camera_figures import CameraFigures
from evidence.database import Database, RecordsError

Key = tuple[str, str, str]
"""Day, camera and place."""


class ArmedMinutes:
    """Counts on from figures of cameras into ``database``; while the records are away it keeps what is to be added."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._before: dict[str, CameraFigures] = {}
        self._watched: dict[Key, float] = defaultdict(float)
        self._off: dict[Key, float] = defaultdict(float)

    def take(self, cameras: Iterable[CameraFigures]) -> None:
        """What the counters say more than when they were last taken counts for today (UTC); a counter that is lower began anew."""
        day = self._now().date().isoformat()
        for figures in cameras:
            before = self._before.get(figures.camera_id)
            if before is None or figures.frames < before.frames:
                before = CameraFigures(camera_id=figures.camera_id)
            self._before[figures.camera_id] = figures
            watched_s = figures.armed_s + figures.disarmed_s - before.armed_s - before.disarmed_s
            if watched_s <= 0:
                continue
            self._watched[day, figures.camera_id, ""] += watched_s
            for place_id, off_s in figures.off_s.items():
                more_s = off_s - before.off_s.get(place_id, 0.0)
                if more_s > 0:
                    self._off[day, figures.camera_id, place_id] += more_s

    def keep(self) -> bool:
        """Whether the records have all that was taken; where they are away, the next call tries again."""
        days: dict[str, list[ArmedSeconds]] = defaultdict(list)
        for key in sorted({*self._watched, *self._off}):
            day, camera_id, place_id = key
            days[day].append(
                ArmedSeconds(
                    camera_id=camera_id,
                    place_id=place_id,
                    watched_s=self._watched.get(key, 0.0),
                    off_s=self._off.get(key, 0.0),
                )
            )
        if not days:
            return True
        try:
            with self._database.write() as tx:
                for day, found in days.items():
                    add_seconds(tx, day, found)
        except RecordsError:
            return False
        self._watched.clear()
        self._off.clear()
        return True
