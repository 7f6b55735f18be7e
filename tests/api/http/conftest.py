"""A data folder with drawn cases, and a client of the application over it, through a real server on loopback."""

from __future__ import annotations

import shutil
import socket
import threading
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
from api.work.data_folder import open_records, review_desk
from api.work.review import ReviewDesk
from evidence.records_sql import SqlRecords
from tests.builders.case_folder import fill, held, parking, red_light, unreadable

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

    def get(self, path: str, **headers: str) -> Any:
        """The answer to GET ``/api/v1/<path>``."""
        return self.client.get(f"/api/v1/{path}", headers=headers)

    def decide(self, case_id: str, **body: Any) -> Any:
        """The answer to a decision on that case by Li."""
        return self.client.post(f"/api/v1/violations/{case_id}/reviews", json={"reviewer": "Li", **body})

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
    app = create_app(cast(ReviewDesk, None))
    listener = socket.create_server(("127.0.0.1", 0))
    uvicorn_server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
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
    app.state.desk = review_desk(folder, records, lambda: NOW)
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        yield Served(folder, records, app, client)
    app.state.desk = None
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
