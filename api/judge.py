"""Folds one segment's observations through the rules of one camera, with the local time of its site."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from api.time_zone import time_zone
from rules import engine
from rules.finding import Output
from rules.observation import FrameStamp, Observation
from rules.schedule import LocalTime
from rules.site import Site


class RuleJudge:
    """The rules of one camera over one segment; a new segment wants a new one."""

    def __init__(self, site: Site, camera_id: str) -> None:
        """Raises KeyError where the site has no such camera, UnknownTimeZoneError for its time zone."""
        self._site = site
        self._camera_id = camera_id
        self._zone = time_zone(site.time_zone)
        self._state = engine.initial(site, camera_id)

    def step(self, observation: Observation) -> tuple[Output, ...]:
        """What the rules say after this observation."""
        local = local_time(observation.stamp, self._zone)
        self._state, outputs = engine.step(self._state, observation, self._site, self._camera_id, local)
        return outputs

    def finish(self) -> tuple[Output, ...]:
        """What remains to be said when the segment has ended."""
        return engine.finish(self._state, self._site, self._camera_id)


def local_time(stamp: FrameStamp, zone: ZoneInfo) -> LocalTime | None:
    """What a clock on the wall showed when the frame was taken; None where nobody knows the wall clock."""
    if stamp.captured_at is None:
        return None
    return LocalTime.of(stamp.captured_at.astimezone(zone))
