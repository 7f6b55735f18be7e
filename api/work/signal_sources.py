"""What ``--signals`` names: a controller's log, its MQTT feed, or the run of another camera of the site that sees the heads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from api.clock import Clock
from api.errors import UsageError
from api.site_file import SiteFile
from api.site_signals import feed_heads
from api.work.fold import read_observations
from api.work.run_folder import OBSERVATIONS, SUMMARY
from ingest.broker_address import broker_address
from ingest.errors import FileUnreadableError, SignalFeedError
from ingest.mqtt_feed import MqttFeed
from ingest.other_camera import NoWallClockError, Untrusted, reports_of
from ingest.signal_feed import read_feed
from ingest.signal_merge import WATERMARK_S, SignalJoin, SignalMerge
from ingest.signal_message import FeedCounts
from rules.observation import SignalReport

ODDITIES: Mapping[str, str] = {
    "late": "messages came too late and changed nothing",
    "duplicates": "messages said again what was known and changed nothing",
    "unknown_states": "states were none that anybody knows, and count as unknown",
    "malformed": "messages made no sense and changed nothing",
    "wrong_clock": "messages were dated in the future and changed nothing",
    "dropped": "messages were dropped, since more came than could be taken",
    "disconnects": "times the broker was lost",
}
"""What may be wrong with a feed, by the name of its count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One opened feed by a name without secrets, and what is counted of it besides what its merge counts."""

    name: str
    merge: SignalMerge
    read: Callable[[], Mapping[str, Any]]

    def counts(self) -> dict[str, Any]:
        """What was read so far, and what was wrong with how much of it."""
        return {
            "source": self.name,
            **self.read(),
            "late": self.merge.late,
            "duplicates": self.merge.duplicates,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFeeds:
    """The opened feeds of one source, and the join that gives each of its observations what they say."""

    feeds: tuple[Feed, ...]
    join: SignalJoin


def fingerprints(
    names: Sequence[str], site_file: SiteFile, camera_id: str, *, live: bool, dated: bool
) -> tuple[str, ...]:
    """What a run depends on of each feed: the SHA-256 of a file, or a broker's address.

    ``live`` says that the source is a camera, ``dated`` that its recordings have start times. Raises UsageError
    where a feed does not fit, SourceKindError for a wrong address, FileUnreadableError.
    """
    found = []
    for name in names:
        address = broker_address(name)
        if address is not None:
            if not live:
                raise UsageError(
                    f"--signals {address.text} is live and the SOURCEs are recordings; give what was logged"
                )
            found.append(address.text)
            continue
        if live:
            raise UsageError(
                f"--signals {name} is a recording and the SOURCE is live; give the address of a feed, mqtt://HOST/TOPIC"
            )
        if not dated:
            raise UsageError("--signals is merged by the wall clock; give --start-time once per SOURCE")
        path = Path(name)
        if path.is_dir():
            _summary(path, site_file, camera_id)
        found.append(_sha256(path / OBSERVATIONS if path.is_dir() else path))
    return tuple(found)


@contextmanager
def open_signals(
    names: Sequence[str],
    site_file: SiteFile,
    camera_id: str,
    *,
    started_at: datetime | None,
    mqtt_password: str | None,
    clock: Clock,
) -> Iterator[SignalFeeds]:
    """The feeds from their beginning, or from now on where they are live; closed at the end of the context.

    Behind a live feed the observations wait for as long as a message may take. Raises BrokerError, UsageError.
    """
    heads = feed_heads(site_file.document.heads)
    feeds: list[Feed] = []
    wait_s = 0.0
    with ExitStack() as opened:
        for name in names:
            address = broker_address(name)
            if address is not None:
                live = MqttFeed(address, password=mqtt_password, heads=heads, clock=clock)
                opened.callback(live.close)
                feeds.append(Feed(name=address.text, merge=SignalMerge(live.take), read=live.counts))
                wait_s = WATERMARK_S
                continue
            counts = FeedCounts()
            path = Path(name)
            if path.is_dir():
                reports = _of_run(path, site_file, camera_id, counts)
            else:
                reports = read_feed(path, counts, heads, started_at)
            feeds.append(Feed(name=name, merge=SignalMerge(_next(reports)), read=_reading(counts)))
        yield SignalFeeds(feeds=tuple(feeds), join=SignalJoin([feed.merge for feed in feeds], wait_s))


def oddities(counts: Mapping[str, Any]) -> list[str]:
    """Sentences about what was wrong with a feed, for people."""
    told = [f"{counts[name]} {what}" for name, what in ODDITIES.items() if counts.get(name)]
    if counts.get("first_malformed"):
        told.append(f"the first that made no sense: {counts['first_malformed']}")
    if not counts["messages"]:
        told.append("not one message came")
    return told


def _next(reports: Iterator[SignalReport]) -> Callable[[], SignalReport | None]:
    return lambda: next(reports, None)


def _reading(counts: FeedCounts) -> Callable[[], Mapping[str, Any]]:
    return lambda: {
        "messages": counts.messages,
        "unknown_states": sum(counts.unknown_states.values()),
        "unmapped": counts.unmapped,
    }


def _of_run(run: Path, site_file: SiteFile, camera_id: str, counts: FeedCounts) -> Iterator[SignalReport]:
    """What the run's camera saw of the heads of this site. Raises SignalFeedError where nobody knows when."""
    summary = _summary(run, site_file, camera_id)
    known = {head.id for head in site_file.document.heads}
    max_gap_s = site_file.site.camera(summary["camera"]).max_gap_s
    untrusted: list[Untrusted] = [
        (row["segment"], row["from_s"], row["to_s"])
        for row in summary.get("disarmed_listed", ())
        if row["place"] is None
    ]
    try:
        for report in reports_of(read_observations(run / OBSERVATIONS), max_gap_s, untrusted):
            counts.messages += 1
            if report.head_id in known:
                yield report
            else:
                counts.unmapped += 1
    except NoWallClockError as exc:
        raise SignalFeedError(
            str(run), None, "nobody knows when its recordings were made; replay them with --start-time"
        ) from exc


def _summary(run: Path, site_file: SiteFile, camera_id: str) -> dict[str, Any]:
    """The summary of a run of another camera of this site. Raises UsageError for any other folder."""
    try:
        summary: dict[str, Any] = json.loads((run / SUMMARY).read_text(encoding="utf-8"))
        site_id, camera = str(summary["site"]["id"]), str(summary["camera"])
    except (OSError, KeyError, TypeError, ValueError) as exc:
        raise UsageError(f"--signals {run}: holds no finished run of 'stopline replay' ({exc})") from exc
    site = site_file.site
    if site_id != site.site_id:
        raise UsageError(
            f"--signals {run}: is a run at site {site_id!r}, and {site_file.file} is {site.site_id!r}"
        )
    others = [other.camera_id for other in site.cameras if other.camera_id != camera_id]
    if camera not in others:
        wanted = f"give a run of {' or '.join(others)}" if others else "the site has no other camera"
        raise UsageError(f"--signals {run}: is a run of camera {camera!r}; {wanted}")
    return summary


def _sha256(path: Path) -> str:
    """The SHA-256 of the file, hex. Raises FileUnreadableError."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise FileUnreadableError(str(path), exc.strerror or type(exc).__name__) from exc
