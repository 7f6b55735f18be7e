"""Stands before the app: refuses what does not come from this machine's own pages, and dresses every answer."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import fault_response, plain_problem, problem_response

LOG = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
"""A decision with its longest note takes less than a tenth of it."""

LARGER_BODIES = (
    (re.compile(r"/api/v1/(?:sites|cameras)/[^/]+/config/draft"), 768 * 1024),
    (re.compile(r"/api/v1/sites/[^/]+/register/signs/[^/]+/photo"), 6 * 1024 * 1024),
)
"""What may be sent to a few addresses: a site file with every character escaped, and a photo as a telephone takes it."""

BODY_WITHIN_S = 20.0
"""A body of that size passes the slowest line in a second; who drips it holds a connection."""

LINGER_S, LINGER_BYTES = 1.0, 16 * 1024 * 1024
"""So long, and so much of it, a body that was refused is thrown away: closed at once, its sender would see a broken connection
and no answer."""

HOSTS = ("localhost", "127.0.0.1", "[::1]")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CLOSING = {"Connection": "close"}
"""What else the client sends is not read."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware before every route and file.

    Each request gets an id (``request.state.request_id``, header X-Request-ID). A Host that is not one of
    the server's names is refused: it would come from a page that let its own name point here. A request that
    changes something is refused unless the browser says that it comes from our own page; a program that
    sends neither Origin nor Sec-Fetch-Site is no browser and passes. A body that is longer than its address takes
    is refused before it is read, and one that is not there after ``body_within_s``; then the connection is closed. What
    escapes the app is logged and answered without its text.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Sequence[str] = HOSTS,
        scheme: str = "http",
        body_within_s: float = BODY_WITHIN_S,
    ) -> None:
        self._app = app
        self._hosts = tuple(hosts)
        self._scheme = scheme
        self._body_within_s = body_within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        keep = "no-cache" if scope["path"].startswith("/static/") else "no-store"
        started = False
        body_bytes = 0
        most_bytes = most_body_bytes(scope["path"])
        body_until: float | None = asyncio.get_running_loop().time() + self._body_within_s

        async def receive_bounded() -> Message:
            nonlocal body_bytes, body_until
            try:
                async with asyncio.timeout_at(body_until):
                    message = await receive()
            except TimeoutError as exc:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, headers=CLOSING) from exc
            body_bytes += len(message.get("body", b""))
            if body_bytes > most_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers=CLOSING)
            if not message.get("more_body", False):
                body_until = None  # from now on it waits for the end of the connection
            return message

        status = 0

        async def send_dressed(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers["X-Request-ID"] = request_id
                headers.setdefault("Cache-Control", keep)
            elif status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _throw_away(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        refusal = _refusal(
            request_id, scope["method"], Headers(scope=scope), self._hosts, self._scheme, most_bytes
        )
        if refusal is not None:
            await refusal(scope, receive, send_dressed)
            return
        try:
            await self._app(scope, receive_bounded, send_dressed)
        except Exception:
            LOG.exception("request_failed", extra={"request_id": request_id})
            if started:
                raise  # half an answer is out: the connection must break
            await fault_response(request_id)(scope, receive, send_dressed)


async def _throw_away(receive: Receive) -> None:
    """What is left of the body is read, for a while."""
    left = LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message["body"])


def most_body_bytes(path: str) -> int:
    """How long a body to that address may be."""
    return next((most for address, most in LARGER_BODIES if address.fullmatch(path)), MAX_BODY_BYTES)


def _refusal(
    request_id: str, method: str, headers: Headers, hosts: Sequence[str], scheme: str, most_bytes: int
) -> Response | None:
    host = headers.get("host", "").lower()
    name, colon, port = host.rpartition(":")
    if host not in hosts and not (colon and name in hosts and port.isdecimal()):
        return problem_response(
            request_id,
            HTTPStatus.MISDIRECTED_REQUEST,
            "host_not_allowed",
            "Host not allowed",
            f"this server answers to {', '.join(hosts)} only",
        )
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most_bytes:
        return plain_problem(request_id, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, CLOSING)
    if method in SAFE_METHODS:
        return None
    own = f"{scheme}://{host}"
    origin = headers.get("origin", own).lower()
    site = headers.get("sec-fetch-site", "same-origin")
    if origin != own or site != "same-origin":
        return problem_response(
            request_id,
            HTTPStatus.FORBIDDEN,
            "cross_origin",
            "Cross-origin request",
            "a change must come from this server's own page",
        )
    return None
