"""Counts requests and how long they took, by route, for Prometheus and the log: no address, so no plate, is kept."""

from __future__ import annotations

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.clock import Clock
from api.records.queue_figures import QueueFigures

LOG = logging.getLogger(__name__)
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)


class RequestFigures:
    """The figures of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "stopline_http_answers",
            "Answered requests.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "stopline_http_answer_seconds",
            "From a request's first byte to its answer's last.",
            ("method", "route"),
            buckets=BOUNDS_S,
            registry=self._registry,
        )
        self._open = Gauge(
            "stopline_cases_open", "Cases that wait for a decision.", ("status",), registry=self._registry
        )
        self._oldest = Gauge(
            "stopline_cases_oldest_timestamp_seconds",
            "When the oldest of them happened; 0 where none waits.",
            registry=self._registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One more request was answered."""
        self._answers.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self, queue: QueueFigures) -> str:
        """All figures as Prometheus reads them."""
        self._open.clear()
        for status, number in queue.open_by_status:
            self._open.labels(status).set(number)
        self._oldest.set(0 if queue.oldest_at is None else queue.oldest_at.timestamp())
        return generate_latest(self._registry).decode()


class Counting:
    """ASGI middleware that tells ``figures`` and the log of each answer."""

    def __init__(self, app: ASGIApp, figures: RequestFigures, clock: Clock) -> None:
        self._app = app
        self._figures = figures
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.elapsed_s()
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in METHODS else "other"
            seconds = self._clock.elapsed_s() - began
            self._figures.answered(method, route, status, seconds)
            facts = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
            LOG.info(
                "request_answered", extra=facts | {"request_id": scope.get("state", {}).get("request_id")}
            )


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Anybody can make up others, and each would be a curve of its own."""
