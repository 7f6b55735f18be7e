"""A data folder with drawn cases, and a client of the application over it, through a real server on loopback."""

from __future__ import annotations

import shutil
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.http.app import create_app
from api.work.access import Role
from api.work.data_folder import open_records
from api.work.service import Service
from evidence.records_sql import SqlRecords
from tests.builders.case_folder import fill, held, parking, red_light, unreadable
from tests.builders.service import a_service, token

NOW = datetime(2026, 3, 2, 9, 15, 30, tzinfo=UTC)
SHORT = (19.6, 20.4)

RED = "north-red_light-s0-f000500-t7"
UNREADABLE = "north-red_light-s0-f000900-t9"
HELD = "north-red_light-s0-f001300-t12"
PARKED = "kerb-no_parking-s0-f001000-t3"


@dataclass(frozen=True)
class Served:
    """The application over ``folder``, and a client that speaks to it as a program would."""

    folder: Path
    records: SqlRecords
    app: FastAPI
    client: httpx.Client
    service: Service

    def get(self, path: str, **headers: str) -> Any:
        """The answer to GET ``/api/v1/<path>``."""
        return self.client.get(f"/api/v1/{path}", headers=headers)

    def decide(self, case_id: str, **body: Any) -> Any:
        """The answer to a decision on that case by Li, the officer, who claims it first; a claim that is refused is the answer."""
        claimed = self.client.put(f"/api/v1/violations/{case_id}/claim")
        if claimed.status_code != 200:
            return claimed
        return self.submit(case_id, claimed.headers["etag"], {"claim": claimed.json()["number"], **body})

    def submit(self, case_id: str, etag: str, body: Any, key: str | None = None) -> Any:
        """The answer to that decision from that version."""
        headers = {"If-Match": etag, "Idempotency-Key": uuid.uuid4().hex if key is None else key}
        return self.client.post(f"/api/v1/violations/{case_id}/reviews", json=body, headers=headers)

    def as_of(self, role: Role, name: str, sites: tuple[str, ...] | None = None) -> httpx.Client:
        """A client that acts as another, new account; whoever asks closes it."""
        headers = {"Authorization": token(self.service, role, name, sites)}
        return httpx.Client(base_url=self.client.base_url, timeout=30, trust_env=False, headers=headers)

    def lose(self, case_id: str, name: str) -> None:
        """The store loses that file."""
        (self.folder / "evidence" / case_id / name).unlink()


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as drawn, to be copied."""
    folder = tmp_path_factory.mktemp("drawn")
    fill(
        folder, [red_light(clip_s=SHORT), unreadable(clip_s=SHORT), held(clip_s=SHORT), parking(clip_s=SHORT)]
    )
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[FastAPI, str]]:
    """An application that is listening, whose desk each test replaces, and its address."""
    app = create_app(cast(Service, None))
    listener = socket.create_server(("127.0.0.1", 0))
    uvicorn_server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", proxy_headers=False)
    )
    thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield app, f"http://127.0.0.1:{listener.getsockname()[1]}"
    uvicorn_server.should_exit = True
    thread.join(timeout=30)
    listener.close()


@pytest.fixture
def served(server: tuple[FastAPI, str], drawn: Path, tmp_path: Path) -> Iterator[Served]:
    app, address = server
    folder = tmp_path / "data"
    shutil.copytree(drawn, folder)
    records = open_records(folder)
    service = a_service(folder, records, lambda: NOW)
    app.state.service = service
    headers = {"Authorization": token(service, Role.OFFICER, "li")}
    with httpx.Client(base_url=address, timeout=30, trust_env=False, headers=headers) as client:
        yield Served(folder, records, app, client, service)
    app.state.service = None
    records.close()


def assert_problem(response: Any, status: int, code: str, *words: str) -> Any:
    """The answer is a complete problem document with that status, code and those words; returns it."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert response.status_code == problem["status"] == status, problem
    assert problem["code"] == code
    assert problem["type"] == f"urn:stopline:problem:{code}"
    assert problem["title"]
    assert problem["request_id"] == response.headers["x-request-id"]
    for word in words:
        assert word in problem["detail"]
    assert "Traceback" not in response.text
    assert 'File "' not in response.text
    return problem
