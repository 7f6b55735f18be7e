"""A signal controller's live feed over MQTT: subscribed, read as it comes, and every oddity counted; the only door to paho."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.errors import BrokerError, BrokerRefusedError, BrokerUnreachableError, SourceKindError
from ingest.ports import Clock
from ingest.redact import redact_url
from ingest.signal_message import FeedCounts, FeedHeads, MessageError, read_message
from rules.observation import SignalReport

SCHEMES = ("mqtt", "mqtts")
PORTS = {"mqtt": 1883, "mqtts": 8883}
QOS = 1
"""At least once: what comes twice is a duplicate, and counted."""

MAX_PAYLOAD_BYTES = 64 * 1024
"""A SPaT message of a large junction is 2 kB; more is none."""

MAX_WAITING = 10_000
"""Messages that nobody has taken yet: minutes of a busy feed. Beyond it the oldest go, and are counted."""

AHEAD = timedelta(seconds=1.0)
"""A message that is dated so much later than it comes is of a wrong clock: nobody may be a second off (GA/T 832-2014)."""

KEEPALIVE_S = 15
RECONNECT_S = (1, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a feed is: ``mqtt://[USER@]HOST[:PORT]/TOPIC``, or mqtts:// for TLS; ``topic`` may have ``+`` and ``#``."""

    text: str
    host: str
    port: int
    tls: bool
    user: str | None
    topic: str


def broker_address(text: str) -> BrokerAddress | None:
    """The address, or None for a text that is none. Raises SourceKindError for one that is wrong, or holds a password."""
    scheme = re.match(r"([a-z0-9+.-]+)://", text, re.IGNORECASE)
    if scheme is None or scheme.group(1).lower() not in SCHEMES:
        return None
    name, kind = redact_url(text), scheme.group(1).lower()
    rest = text[len(scheme.group(0)) :]
    # A topic may hold # and ?, which urlsplit would take for a fragment and a query.
    place, _, topic = rest.partition("/")
    try:
        parts = urlsplit(f"{kind}://{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not _is_filter(topic):
        raise SourceKindError(
            name,
            "is no address of a feed; write mqtt://USER@HOST:PORT/TOPIC, + for one level and # for the rest",
        )
    if parts.password is not None:
        raise SourceKindError(
            name,
            "holds a password, which others can read there; put it into a file and name that in "
            "STOPLINE_MQTT_PASSWORD_FILE",
        )
    user = None if not parts.username else unquote(parts.username)
    return BrokerAddress(
        text=name,
        host=host,
        port=PORTS[kind] if port is None else port,
        tls=kind == "mqtts",
        user=user,
        topic=topic,
    )


def _is_filter(topic: str) -> bool:
    """Whether one may subscribe to it: + and # stand for whole levels, # for the last ones."""
    *before, last = topic.split("/")
    return (
        0 < len(topic) <= 1000
        and all(level == "+" or not set(level) & set("+#\0") for level in before)
        and (last in ("+", "#") or not set(last) & set("+#\0"))
    )


class MqttFeed:
    """A subscription whose messages wait until ``take`` asks for them; connected when it is made, and again by itself.

    A message is read as ``read_message`` takes it, near the time at which it came. One that makes no sense is
    counted, and the first of them told; one dated more than a second later than it comes is of a wrong
    clock, counted and without effect. A report's error is at least the least delay with which any came, since
    nobody here knows whether the network or a clock is behind it. While the broker is away nothing comes,
    and the state is unknown as soon as the last message has held long enough.

    Raises BrokerUnreachableError, BrokerRefusedError. Account and password appear nowhere.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        password: str | None,
        heads: FeedHeads,
        clock: Clock,
        timeout_s: float = 10.0,
    ) -> None:
        self._address = address
        self._heads = heads
        self._clock = clock
        self._counts = FeedCounts()
        self._came: deque[tuple[str, bytes, datetime]] = deque()
        self._read: deque[SignalReport] = deque()
        self._dropped = self._malformed = self._wrong_clock = self._disconnects = 0
        self._first_malformed: str | None = None
        self._least_delay_s: float | None = None
        self._settled = Event()
        self._error: BrokerError | None = None
        self._client = self._connected(password, timeout_s)

    def take(self) -> SignalReport | None:
        """The next report, in the order in which they came; None while there is none."""
        while not self._read and self._came:
            topic, payload, came_at = self._came.popleft()
            try:
                self._read.extend(self._reports(payload, came_at))
            except (ValueError, RecursionError) as exc:
                self._malformed += 1
                if self._first_malformed is None:
                    reason = str(exc) if isinstance(exc, MessageError) else f"is no JSON: {exc}"
                    self._first_malformed = f"topic {topic}: {reason}"
        return self._read.popleft() if self._read else None

    def counts(self) -> dict[str, Any]:
        """How many messages were read so far, and what was wrong with how many."""
        return {
            "messages": self._counts.messages,
            "unknown_states": sum(self._counts.unknown_states.values()),
            "unmapped": self._counts.unmapped,
            "malformed": self._malformed,
            "first_malformed": self._first_malformed,
            "wrong_clock": self._wrong_clock,
            "dropped": self._dropped,
            "disconnects": self._disconnects,
        }

    def close(self) -> None:
        """Unsubscribes by leaving."""
        self._client.on_disconnect = None
        self._client.disconnect()
        self._client.loop_stop()

    def _reports(self, payload: bytes, came_at: datetime) -> list[SignalReport]:
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise MessageError(f"has {len(payload)} bytes; {MAX_PAYLOAD_BYTES} at most are wanted")
        found = []
        for report in read_message(json.loads(payload), self._heads, self._counts, came_at):
            if report.at - came_at > AHEAD:
                self._wrong_clock += 1
                continue
            delay_s = (came_at - report.at).total_seconds()
            least_s = delay_s if self._least_delay_s is None else min(delay_s, self._least_delay_s)
            self._least_delay_s = least_s
            found.append(replace(report, error_s=max(report.error_s, abs(least_s))))
        return found

    def _connected(self, password: str | None, timeout_s: float) -> mqtt.Client:
        address = self._address
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = timeout_s
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        if address.user is not None:
            client.username_pw_set(address.user, password)
        if address.tls:
            client.tls_set()
        try:
            client.connect(address.host, address.port, KEEPALIVE_S)
        except OSError as exc:
            raise BrokerUnreachableError(address.text, exc.strerror or type(exc).__name__) from exc
        client.loop_start()
        if not self._settled.wait(timeout_s):
            self._error = BrokerUnreachableError(address.text, f"no answer within {timeout_s:g} s")
        if self._error is not None:
            client.on_disconnect = None
            client.disconnect()
            client.loop_stop()
            raise self._error
        return client

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refused(str(reason).lower())
        else:
            client.subscribe(self._address.topic, QOS)

    def _on_subscribe(
        self,
        client: mqtt.Client,
        userdata: Any,
        number: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refused("topic not allowed")
        self._settled.set()

    def _refused(self, reason: str) -> None:
        self._error = BrokerRefusedError(self._address.text, reason)
        self._settled.set()

    def _on_disconnect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._disconnects += 1
        if not self._settled.is_set():
            # Some brokers hang up on an account that they refuse, and say nothing.
            self._refused(f"hung up: {str(reason).lower()}")

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        if len(self._came) >= MAX_WAITING:
            self._came.popleft()
            self._dropped += 1
        self._came.append((message.topic, bytes(message.payload), self._clock.now()))
