"""Bodies that are too large, too slow, too deep or packed: refused, while others are served."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic

import httpx
import pytest

from api.http import server
from api.http.app import create_app
from api.http.guard import MAX_BODY_BYTES
from tests.api.http.conftest import Served, assert_problem

SESSIONS = "/api/v1/sessions"
WITHIN_S = 0.5


@pytest.fixture
def impatient(served: Served) -> Iterator[tuple[str, int]]:
    """Host and port of another application over the service, which waits half a second for a body."""
    app = create_app(served.service, body_within_s=WITHIN_S)
    with server.listener("127.0.0.1", 0) as listening, server.served(app, listening):
        yield listening.getsockname()[:2]


def head(address: tuple[str, int], *fields: str) -> bytes:
    """The head of a request that signs in, with those fields."""
    lines = [f"POST {SESSIONS} HTTP/1.1", f"Host: 127.0.0.1:{address[1]}", *fields, "", ""]
    return "\r\n".join(["Content-Type: application/json", *lines][1:]).encode()


def answer_of(connection: socket.socket) -> tuple[int, str]:
    """Status and text of the answer, after which the server closed the connection."""
    text = b""
    while piece := connection.recv(65536):
        text += piece
    return int(text.split(b" ", 2)[1]), text.partition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize("drips", [True, False])
def test_a_body_that_drips_is_given_up_and_its_connection_closed(
    impatient: tuple[str, int], drips: bool
) -> None:
    with socket.create_connection(impatient, timeout=10) as connection:
        began = monotonic()
        connection.sendall(head(impatient, "Content-Length: 60000"))
        connection.settimeout(0.05)
        while monotonic() - began < 5:
            if drips:
                connection.sendall(b" ")
            try:
                first = connection.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                continue
            assert first
            break
        connection.settimeout(10)
        status, text = answer_of(connection)
    assert (status, json.loads(text)["code"]) == (408, "body_too_slow")
    assert monotonic() - began >= WITHIN_S


def test_others_are_served_while_many_drip(impatient: tuple[str, int]) -> None:
    with ExitStack() as stack:
        dripping = [stack.enter_context(socket.create_connection(impatient, timeout=10)) for _ in range(60)]
        for connection in dripping:
            connection.sendall(head(impatient, "Content-Length: 60000") + b"{")
        answer = httpx.get(f"http://127.0.0.1:{impatient[1]}/healthz", trust_env=False, timeout=10)
        assert answer.status_code == 200
        assert {answer_of(connection)[0] for connection in dripping} == {408}


def test_a_body_that_says_it_is_too_large_is_not_read(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=10) as connection:
        connection.sendall(head(impatient, f"Content-Length: {MAX_BODY_BYTES + 1}"))
        status, text = answer_of(connection)
    assert (status, json.loads(text)["code"]) == (413, "body_too_large")


def test_who_sends_too_much_gets_the_answer_and_no_broken_connection(impatient: tuple[str, int]) -> None:
    for _ in range(5):
        with socket.create_connection(impatient, timeout=10) as connection:
            connection.sendall(head(impatient, f"Content-Length: {4 << 20}"))
            for _ in range(64):
                connection.sendall(b" " * (64 << 10))
            status, text = answer_of(connection)
        assert (status, json.loads(text)["code"]) == (413, "body_too_large")


def test_a_body_that_does_not_say_how_large_it_is_is_read_no_further(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=10) as connection:
        connection.sendall(head(impatient, "Transfer-Encoding: chunked"))
        for _ in range(9):
            connection.sendall(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        status, text = answer_of(connection)
    assert (status, json.loads(text)["code"]) == (413, "body_too_large")


def test_the_largest_body_is_read(served: Served) -> None:
    body = json.dumps({"link": "x"}).ljust(MAX_BODY_BYTES)
    answer = served.client.post(SESSIONS, content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 401, "sign_in_refused")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b" " * (64 << 20)), "gzip"),
        (b"[" * MAX_BODY_BYTES, "identity"),
        (b'{"link":' * 5000, "identity"),
        (b'{"link":' + b"9" * 60_000 + b"}", "identity"),
        (b'{"link": 1e999999}', "identity"),
        (b"\xff\xfe", "identity"),
        (b"", "identity"),
        (b'{"link": "a", "link": {"link": "b"}}', "identity"),
    ],
)
def test_a_packed_deep_or_odd_body_is_a_mistake_of_the_client(
    served: Served, body: bytes, encoding: str
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = served.client.post(SESSIONS, content=body, headers=headers)
    assert_problem(answer, 422, "request_invalid")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "\x00", "password": "\x00"},
        {"name": "\ud800", "password": "\udfff"},
        {"link": "\x00\ud800"},
        {"name": "İ" * 80, "password": "p" * 200},
    ],
)
def test_odd_characters_do_not_fit(served: Served, body: dict[str, str]) -> None:
    answer = served.client.post(
        SESSIONS, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (401, 422), answer.text
