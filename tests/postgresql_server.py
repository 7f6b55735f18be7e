"""A real PostgreSQL server for tests: Debian's, on a free port of 127.0.0.1, gone with all its data afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_S = 60
OWNER = "postgres"
"""The system user that Debian's package makes; the server refuses to run as root."""


@dataclass(frozen=True)
class PostgresqlServer:
    """A running server; anybody on this machine may connect as ``postgres``, without a password."""

    port: int
    programs: Path

    def address(self, name: str) -> str:
        """The address of the database of that name."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{name}"

    def run(self, program: str, *arguments: str) -> str:
        """What that program of PostgreSQL prints, connected to this server."""
        command = [
            str(self.programs / program),
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            OWNER,
            *arguments,
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
        return done.stdout


def programs() -> Path | None:
    """The folder of the server's programs; None where PostgreSQL is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if debian:
        return debian[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).parent


@contextmanager
def running(where: Path) -> Iterator[PostgresqlServer]:
    """The server, made from nothing by the programs in ``where``; it is stopped at the end, whatever happened."""
    folder = Path(tempfile.mkdtemp(prefix="stopline-postgresql-"))  # the server's user must reach it
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER, OWNER)
        data = folder / "data"
        _run(
            str(where / "initdb"),
            "-D",
            str(data),
            "-U",
            OWNER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        control = str(where / "pg_ctl")
        log = str(data / "log")
        _run(control, "-D", str(data), "-o", options, "-l", log, "-w", "-t", str(READY_S), "start")
        try:
            yield PostgresqlServer(port, where)
        finally:
            _run(control, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    as_owner = ("runuser", "-u", OWNER, "--", *command) if os.geteuid() == 0 else command
    subprocess.run(as_owner, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
