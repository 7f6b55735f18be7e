"""Who else tells a live camera what its signal heads show: controllers' feeds, and other cameras of the site that see them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from api.clock import Clock
from api.site_file import SiteFile
from api.site_signals import feed_heads
from ingest.broker_address import broker_address
from ingest.mqtt_feed import MqttFeed
from ingest.other_camera import NoWallClockError, Witness
from ingest.signal_merge import WATERMARK_S, SignalJoin, SignalMerge
from rules.finding import Disarmed
from rules.observation import FrameStamp, LampState, Observation, SignalReport
from rules.site import Camera, Site

DOUBT_S = 2.0
"""What a camera sees is passed on so much later: after a second and a half it knows of a moved, blurred or covered picture."""

REPEAT_S = 0.5
"""A state that lasts is told again so often."""

MAX_WAITING = 10_000
"""Reports of other cameras that nobody has taken: the oldest go."""


def judged_heads(camera: Camera) -> frozenset[str]:
    """The heads on which the camera's rules depend."""
    named = [
        *(line.head_ids for line in camera.stop_lines),
        *(crosswalk.head_ids for crosswalk in camera.crosswalks),
        *(zone.queue.head_ids for zone in camera.no_parking if zone.queue is not None),
    ]
    return frozenset(head_id for head_ids in named for head_id in head_ids)


def witnesses(site: Site, camera_id: str) -> frozenset[str]:
    """The other cameras that see heads on which this one's rules depend."""
    judged = judged_heads(site.camera(camera_id))
    seen_by = {head.camera_id for head in site.heads if head.head_id in judged}
    return frozenset(other.camera_id for other in site.cameras if other.camera_id in seen_by - {camera_id})


def listeners(site: Site, camera_id: str) -> tuple[str, ...]:
    """The other cameras whose rules depend on heads that this one sees."""
    return tuple(other.camera_id for other in site.cameras if camera_id in witnesses(site, other.camera_id))


class LiveSignals:
    """What a camera is told of its heads, from now on until ``close``: a join for each of its segments."""

    def __init__(
        self, site_file: SiteFile, camera_id: str, *, mqtt_password: Callable[[], str | None], clock: Clock
    ) -> None:
        """Feeds that are away are looked for again and again. Raises ConfigInvalidError for a password nobody can read."""
        site = site_file.site
        self._heads = judged_heads(site.camera(camera_id))
        addresses = site_file.document.site.signal_feeds if self._heads else ()
        password = mqtt_password() if addresses else None
        self._feeds: list[tuple[str, MqttFeed, SignalMerge]] = []
        for text in addresses:
            address = broker_address(text)
            assert address is not None, "site files hold no others"
            feed = MqttFeed(
                address,
                password=password,
                heads=feed_heads(site_file.document.heads),
                clock=clock,
                patient=True,
            )
            self._feeds.append((address.text, feed, SignalMerge(feed.take)))
        self._told: deque[SignalReport] = deque(maxlen=MAX_WAITING)
        self._from_cameras = SignalMerge(self._next_told) if witnesses(site, camera_id) else None

    @property
    def wait_s(self) -> float:
        """How much later than without anybody's word a frame is judged."""
        if self._from_cameras is not None:
            return DOUBT_S + WATERMARK_S
        return WATERMARK_S if self._feeds else 0.0

    @property
    def away(self) -> tuple[str, ...]:
        """Why feeds say nothing, a sentence for each."""
        return tuple(why for _, feed, _ in self._feeds if (why := feed.away) is not None)

    def told(self, reports: Sequence[SignalReport]) -> None:
        """News from other cameras; called on any thread."""
        self._told.extend(report for report in reports if report.head_id in self._heads)

    def join(self) -> SignalJoin:
        """For a new segment: each report is given to one observation only."""
        merges = [merge for _, _, merge in self._feeds]
        if self._from_cameras is not None:
            merges.append(self._from_cameras)
        return SignalJoin(merges, self.wait_s)

    def counts(self) -> list[dict[str, Any]]:
        """As in a replay's summary: what came of each feed so far, and what was wrong with how much of it."""
        found = [
            {"source": name, **feed.counts(), "late": merge.late, "duplicates": merge.duplicates}
            for name, feed, merge in self._feeds
        ]
        if self._from_cameras is not None:
            merge = self._from_cameras
            found.append({"source": "other cameras", "messages": merge.reports, "late": merge.late})
        return found

    def close(self) -> None:
        """No more news."""
        for _, feed, _ in self._feeds:
            feed.close()

    def _next_told(self) -> SignalReport | None:
        return self._told.popleft() if self._told else None


class LiveWitness:
    """Tells others what this camera sees of its heads, once it is sure that it could be trusted while it saw it."""

    def __init__(self, max_gap_s: float, tell: Callable[[tuple[SignalReport, ...]], None]) -> None:
        self._witness = Witness(max_gap_s)
        self._tell = tell
        self._last: FrameStamp | None = None
        self._waiting: deque[tuple[float, SignalReport]] = deque()
        self._doubts: dict[str, Disarmed] = {}
        self._passed_on: dict[str, tuple[float, LampState]] = {}

    def observed(self, observation: Observation) -> None:
        """A new observation of the segment; one without a wall clock tells nothing."""
        now = observation.stamp
        try:
            reports = self._witness.add(observation)
        except NoWallClockError:
            self.ended()
            return
        if self._last is not None:
            self._waiting.extend((self._last.media_s, report) for report in reports)
        self._last = now
        self._pass_on(now.media_s - DOUBT_S)

    def disarmed(self, output: Disarmed) -> None:
        """The camera began, or ceased, to distrust itself as a whole; what it says of single places is their affair."""
        if output.place_id is None:
            self._doubts[output.cause.value] = output

    def ended(self) -> None:
        """The segment is over: what it saw last was never confirmed."""
        if self._last is not None:
            self._pass_on(self._last.media_s - DOUBT_S)
        rest = [report for _, report in self._waiting] + list(self._witness.end())
        self._waiting.clear()
        self._passed_on.clear()
        self._doubts.clear()
        self._last = None
        if rest:
            self._tell(tuple(replace(report, state=LampState.UNKNOWN) for report in rest))

    def _pass_on(self, upto_s: float) -> None:
        ripe: list[SignalReport] = []
        while self._waiting and self._waiting[0][0] <= upto_s:
            at_s, report = self._waiting.popleft()
            state = LampState.UNKNOWN if self._in_doubt(at_s) else report.state
            before = self._passed_on.get(report.head_id)
            if before is None or before[1] is not state or at_s - before[0] >= REPEAT_S:
                self._passed_on[report.head_id] = (at_s, state)
                ripe.append(replace(report, state=state))
        if ripe:
            self._tell(tuple(ripe))

    def _in_doubt(self, at_s: float) -> bool:
        return any(
            doubt.from_s <= at_s and (doubt.to_s is None or at_s <= doubt.to_s)
            for doubt in self._doubts.values()
        )
