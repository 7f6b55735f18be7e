"""Where a signal controller's live feed is: the address of an MQTT broker, and the topic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ingest.errors import SourceKindError
from ingest.redact import redact_url

SCHEMES = ("mqtt", "mqtts")
PORTS = {"mqtt": 1883, "mqtts": 8883}


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
