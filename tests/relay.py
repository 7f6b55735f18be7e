"""A relay in front of a real S3 server that fails as servers fail: away, 500, 503, slow, or closing a connection half-way."""

from __future__ import annotations

import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SLOW_S = 1.0
HOP = frozenset({"connection", "transfer-encoding", "keep-alive"})


class Fault(StrEnum):
    """What happens to a request."""

    AWAY = "away"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    BUSY = "busy"
    SLOW = "slow"
    HALF_SENT = "half_sent"
    HALF_ANSWERED = "half_answered"


RANDOM = tuple(fault for fault in Fault if fault is not Fault.AWAY)


class Relay:
    """Passes requests on, except as told. ``is_away``: nobody answers; ``share`` of the requests meet a random fault.

    ``knows_condition`` False: a request with a condition is answered 501, as servers do that have none.
    ``before_put`` is called before each PUT without condition is passed on.
    """

    def __init__(self, endpoint: str, seed: int) -> None:
        self.target = urlsplit(endpoint)
        self.is_away = False
        self.share = 0.0
        self.knows_condition = True
        self.before_put: Callable[[], None] = lambda: None
        self.met: Counter[Fault] = Counter()
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self.endpoint = ""

    def fault(self) -> Fault | None:
        """What the next request meets."""
        with self._lock:
            found = None
            if self.is_away:
                found = Fault.AWAY
            elif self._chance.random() < self.share:
                found = self._chance.choice(RANDOM)
            if found is not None:
                self.met[found] += 1
            return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    relay: Relay

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a connection that was closed on purpose, is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        assert isinstance(self.server, _Server)
        relay = self.server.relay
        fault = relay.fault()
        size = int(self.headers.get("Content-Length", 0))
        if fault is Fault.AWAY:
            self._hang_up()
            return
        if fault is Fault.HALF_SENT:
            self.rfile.read(size // 2)
            self._hang_up()
            return
        body = self.rfile.read(size)
        if not relay.knows_condition and self.command == "PUT":
            if "If-None-Match" in self.headers:
                self._answer(501, [], b"<Error><Code>NotImplemented</Code></Error>")
                return
            relay.before_put()
        if fault in (Fault.ERROR_BEFORE, Fault.BUSY):
            self._answer(500 if fault is Fault.ERROR_BEFORE else 503, [], b"")
            return
        if fault is Fault.SLOW:
            time.sleep(SLOW_S)
        upstream = http.client.HTTPConnection(relay.target.hostname or "", relay.target.port, timeout=30)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            data = answer.read()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
            status = answer.status
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return
        finally:
            upstream.close()
        if fault is Fault.ERROR_AFTER:
            self._answer(500, [], b"")
        else:
            self._answer(status, headers, data, half=fault is Fault.HALF_ANSWERED)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any

    def _answer(
        self, status: int, headers: list[tuple[str, str]], data: bytes, *, half: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        if half:
            with suppress(OSError):
                self.flush_headers()
                self.wfile.write(data[: len(data) // 2])
            self._hang_up()
            return
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


@contextmanager
def relayed(endpoint: str, seed: int = 1) -> Iterator[Relay]:
    """A relay in front of that endpoint, on a free port of this machine."""
    relay = Relay(endpoint, seed)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.relay = relay
    relay.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
