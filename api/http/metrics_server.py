"""Serves the figures of a watch: /metrics for Prometheus, /healthz for whoever restarts and alerts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from api.errors import UsageError
from api.work.live_metrics import FleetFigures, metrics_text, unhealthy

TEXT = "text/plain; version=0.0.4; charset=utf-8"
IDLE_S = 10


@contextmanager
def metrics_server(host: str, port: int) -> Iterator[tuple[str, Callable[[FleetFigures], None]]]:
    """The server's address, and what takes the figures that it shows from then on. Raises UsageError where it cannot listen."""
    shown: list[FleetFigures] = []

    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE_S

        def do_GET(self) -> None:
            if not shown:
                self._answer(503, TEXT, "nothing is known yet\n")
            elif self.path == "/metrics":
                self._answer(200, TEXT, metrics_text(shown[0]))
            elif self.path == "/healthz":
                troubles = unhealthy(shown[0])
                body = json.dumps({"ok": not troubles, "troubles": troubles}) + "\n"
                self._answer(503 if troubles else 200, "application/json", body)
            else:
                self._answer(404, TEXT, "there are /metrics and /healthz\n")

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Nobody wants to know who asked."""

    def show(figures: FleetFigures) -> None:
        shown[:] = [figures]

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as exc:
        raise UsageError(f"--metrics: cannot listen on {host}:{port}: {exc.strerror or exc}") from exc
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}", show
    finally:
        server.shutdown()
        server.server_close()
        thread.join(IDLE_S)
