"""A controller's feed from a real broker: what comes is merged or counted, a lost broker is found again, secrets stay secret."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.broker_address import broker_address
from ingest.errors import BrokerRefusedError, BrokerUnreachableError, SourceKindError
from ingest.mqtt_feed import MAX_PAYLOAD_BYTES, MqttFeed
from ingest.signal_message import FeedHeads
from rules.observation import LampState, SignalReport
from tests.broker import PASSWORD, USER, Broker, serve_broker

NOW = datetime(2024, 5, 1, tzinfo=UTC)
HEADS = FeedHeads(head_ids=frozenset({"main"}), groups={(0, 7, 2): ("main",)})
WAIT_S = 10.0


class Standing:
    """A clock that stands at ``NOW``."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with serve_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


def feed(url: str, password: str = PASSWORD, timeout_s: float = 10.0) -> MqttFeed:
    address = broker_address(url)
    assert address is not None
    return MqttFeed(address, password=password, heads=HEADS, clock=Standing(), timeout_s=timeout_s)


def until(done: Callable[[], bool]) -> None:
    """Looks often, since nobody is told when a message has come."""
    ends_at = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < ends_at, "nothing came in time"
        time.sleep(0.01)


def taken(subscription: MqttFeed, count: int) -> list[SignalReport]:
    found: list[SignalReport] = []

    def enough() -> bool:
        report = subscription.take()
        found.extend([] if report is None else [report])
        return len(found) >= count

    until(enough)
    return found


def message(at_s: float, state: str = "red", **more: object) -> str:
    return json.dumps(
        {"head": "main", "state": state, "at": (NOW + timedelta(seconds=at_s)).isoformat(), **more}
    )


def test_messages_of_heads_and_of_intersections_come_in_their_order(broker: Broker) -> None:
    spat = {
        "id": 7,
        "at": NOW.isoformat(),
        "states": [{"signalGroup": 2, "eventState": "protected-clearance"}],
    }
    with closing(feed(broker.url("junction/+/state"))) as subscription, broker.controller() as controller:
        controller.publish("junction/7/state", message(-0.2), qos=1).wait_for_publish(WAIT_S)
        controller.publish("junction/7/other", message(-0.2, "green"), qos=1).wait_for_publish(WAIT_S)
        controller.publish("junction/7/state", json.dumps(spat), qos=1).wait_for_publish(WAIT_S)
        red, amber = taken(subscription, 2)
        assert (red.state, amber.state) == (LampState.RED, LampState.AMBER)
        assert (red.at, amber.at) == (NOW - timedelta(seconds=0.2), NOW)
        assert subscription.counts()["messages"] == 2


def test_a_report_is_no_surer_than_the_quickest_message_was_quick(broker: Broker) -> None:
    with closing(feed(broker.url())) as subscription, broker.controller() as controller:
        for at_s in (-0.9, -0.4, -0.7, 0.5):
            controller.publish("junction/a", message(at_s), qos=1).wait_for_publish(WAIT_S)
        errors_s = [report.error_s for report in taken(subscription, 4)]
        assert errors_s == pytest.approx(
            [0.9, 0.4, 0.4, 0.5]
        )  # 0.5 s of the future: the clock is off by that at least


def test_nonsense_wrong_clocks_and_strangers_are_counted_and_the_first_nonsense_is_told(
    broker: Broker,
) -> None:
    with closing(feed(broker.url())) as subscription, broker.controller() as controller:
        for payload in (
            "{",
            "[" * 20_000,
            b"\xff\xfe",
            json.dumps({"head": "main", "state": "red"}),
            " " * (MAX_PAYLOAD_BYTES + 1),
            message(3.0),
            message(0.0, head="stranger"),
            message(0.0, "teal"),
        ):
            controller.publish("junction/a", payload, qos=1).wait_for_publish(WAIT_S)
        assert [report.state for report in taken(subscription, 1)] == [LampState.UNKNOWN]
        counts = subscription.counts()
        assert counts["first_malformed"].startswith("topic junction/a: is no JSON")
        assert {
            name: counts[name] for name in ("malformed", "wrong_clock", "unmapped", "unknown_states")
        } == {
            "malformed": 5,
            "wrong_clock": 1,
            "unmapped": 1,
            "unknown_states": 1,
        }


def test_a_broker_that_went_away_and_came_back_is_found_again(tmp_path: Path) -> None:
    with serve_broker(tmp_path) as first:
        subscription = feed(first.url())
    with closing(subscription):
        until(lambda: subscription.counts()["disconnects"] == 1)
        assert subscription.take() is None
        with serve_broker(tmp_path, first.port) as again, again.controller() as controller:
            found: list[SignalReport] = []

            def heard() -> bool:
                controller.publish("junction/a", message(0.0), qos=1).wait_for_publish(WAIT_S)
                report = subscription.take()
                found.extend([] if report is None else [report])
                return bool(found)

            until(heard)
        assert found[0].state is LampState.RED


@pytest.mark.parametrize(
    ("user", "password", "topic"),
    [
        (USER, "wrong hunter3", "junction/#"),
        ("nobody", PASSWORD, "junction/#"),
        (USER, PASSWORD, "secrets/#"),
    ],
)
def test_an_account_or_a_topic_that_the_broker_refuses_is_an_error_without_the_password(
    broker: Broker, user: str, password: str, topic: str
) -> None:
    with pytest.raises(BrokerRefusedError) as caught:
        feed(broker.url(topic, user), password)
    assert f"mqtt://***@127.0.0.1:{broker.port}/" in str(caught.value)
    assert password not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"
    assert not caught.value.retryable


def test_nobody_there_and_somebody_who_does_not_answer_are_errors() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(BrokerUnreachableError, match="refused"):
            feed(f"mqtt://127.0.0.1:{port}/a")
        silent.listen()
        with pytest.raises(BrokerUnreachableError, match=r"no answer within 0\.5 s"):
            feed(f"mqtt://127.0.0.1:{port}/a", timeout_s=0.5)


def test_addresses() -> None:
    assert broker_address("log.jsonl") is None
    assert broker_address("rtsp://camera/1") is None
    address = broker_address("MQTTS://north%40city@broker.example/v2x/+/spat/#")
    assert address is not None
    assert (address.host, address.port, address.tls) == ("broker.example", 8883, True)
    assert (address.user, address.topic) == ("north@city", "v2x/+/spat/#")
    assert address.text == "MQTTS://***@broker.example/v2x/+/spat/#"


@pytest.mark.parametrize(
    "text",
    ["mqtt://", "mqtt://host", "mqtt://host/", "mqtt://host:x/a", "mqtt://host/a/#/b", "mqtt://host/a+"],
)
def test_an_address_that_is_wrong_says_how_one_is_written(text: str) -> None:
    with pytest.raises(SourceKindError, match="write mqtt://USER@HOST:PORT/TOPIC"):
        broker_address(text)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SourceKindError, match="STOPLINE_MQTT_PASSWORD_FILE") as caught:
        broker_address("mqtt://signals:hunter2@host/topic")
    assert "hunter2" not in str(caught.value)
