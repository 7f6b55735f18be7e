"""A signal controller's live feed over MQTT: subscribed, read as it comes, and every oddity counted; the only door to paho."""

from __future__ import annotations

import json
import sys
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker_address import BrokerAddress
from ingest.errors import BrokerError, BrokerRefusedError, BrokerUnreachableError
from ingest.ports import Clock
from ingest.signal_message import FeedCounts, FeedHeads, MessageError, read_message
from rules.observation import SignalReport

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


class MqttFeed:
    """A subscription whose messages wait until ``take`` asks for them; connected when it is made, and again by itself.

    A message is read as ``read_message`` takes it, near the time at which it came. One that makes no sense is
    counted, and the first of them told; one dated more than a second later than it comes is of a wrong
    clock, counted and without effect. A report's error is at least the least delay with which any came, since
    nobody here knows whether the network or a clock is behind it. While the broker is away nothing comes,
    and the state is unknown as soon as the last message has held long enough.

    Raises BrokerUnreachableError, BrokerRefusedError; where it is ``patient``, a broker that is away or refuses is
    only told by ``away``, and tried again and again. Account and password appear nowhere.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        password: str | None,
        heads: FeedHeads,
        clock: Clock,
        timeout_s: float = 10.0,
        patient: bool = False,
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
        self._error: BrokerError | None = BrokerUnreachableError(address.text, "not connected yet")
        self._client = self._begun(password, timeout_s)
        if not patient:
            self._wait_for_answer(timeout_s)

    @property
    def away(self) -> str | None:
        """Why nothing can come now; None while it is subscribed."""
        return None if self._error is None else str(self._error)

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

    def _begun(self, password: str | None, timeout_s: float) -> mqtt.Client:
        """A client that connects, and connects again, on a thread of its own."""
        address = self._address
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = timeout_s
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        if address.user is not None:
            client.username_pw_set(address.user, password)
        if address.tls:
            client.tls_set()
        client.connect_async(address.host, address.port, KEEPALIVE_S)
        client.loop_start()
        return client

    def _wait_for_answer(self, timeout_s: float) -> None:
        if not self._settled.wait(timeout_s):
            self._error = BrokerUnreachableError(self._address.text, f"no answer within {timeout_s:g} s")
        if self._error is not None:
            error = self._error
            self.close()
            raise error

    def _on_connect_fail(self, client: mqtt.Client, userdata: Any) -> None:
        """Called where no connection comes about; what hindered it is being handled just now."""
        error = sys.exc_info()[1]
        reason = getattr(error, "strerror", None) or type(error).__name__
        self._refused(BrokerUnreachableError(self._address.text, reason))

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refused(BrokerRefusedError(self._address.text, str(reason).lower()))
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
            self._refused(BrokerRefusedError(self._address.text, "topic not allowed"))
        else:
            self._error = None
        self._settled.set()

    def _refused(self, error: BrokerError) -> None:
        self._error = error
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
        hung_up = f"hung up: {str(reason).lower()}"
        if not self._settled.is_set():
            # Some brokers hang up on an account that they refuse, and say nothing.
            self._refused(BrokerRefusedError(self._address.text, hung_up))
        elif self._error is None:
            self._error = BrokerUnreachableError(self._address.text, hung_up)

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        if len(self._came) >= MAX_WAITING:
            self._came.popleft()
            self._dropped += 1
        self._came.append((message.topic, bytes(message.payload), self._clock.now()))
