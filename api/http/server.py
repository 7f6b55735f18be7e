"""Listens and serves the application, in the calling thread or beside it."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
import uvicorn.config
from fastapi import FastAPI

from rules.errors import StoplineError

LOOPBACK = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}
STOP_WITHIN_S = 10.0
"""A little longer than the server itself gives open connections."""


class ServerError(StoplineError):
    """The server cannot listen."""

    code = "server"


class PortTakenError(ServerError):
    """Another program listens on that port."""


def listener(host: str, port: int) -> socket.socket:
    """A listening socket on that address. Raises PortTakenError, or ServerError where it cannot be had otherwise."""
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"port {port} on {host}: another program listens there; give another --port, or 0 for any that is free"
            ) from exc
        raise ServerError(f"port {port} on {host}: {exc.strerror}") from exc


def _family(host: str) -> socket.AddressFamily:
    return LOOPBACK.get(host, socket.AF_INET6 if ":" in host else socket.AF_INET)


def address_of(listening: socket.socket) -> str:
    """What to type into a browser, such as ``http://127.0.0.1:8000/``."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def server_of(app: FastAPI, *, logs_plainly: bool = True) -> uvicorn.Server:
    """A server for the application, ready to run on a listening socket; else than plainly it logs as the process is set to."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=uvicorn.config.LOGGING_CONFIG if logs_plainly else None,
            log_level="warning",
            access_log=False,  # an address can hold a plate
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
    )


@contextmanager
def served(app: FastAPI, listening: socket.socket) -> Iterator[threading.Thread]:
    """The application is served by a thread until the context ends; the thread dies only where the server failed."""
    server = server_of(app)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="review page", daemon=True
    )
    thread.start()
    try:
        yield thread
    finally:
        server.should_exit = True
        thread.join(STOP_WITHIN_S)
