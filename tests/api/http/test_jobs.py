"""Runs over HTTP: ordered with 202, followed by their address, only over footage of the server, cancelled and removed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest

from api.work.access import Role
from api.work.data_folder import open_records
from tests.api.http.conftest import NOW, Served, assert_problem
from tests.builders.service import a_service
from tests.builders.sites import publish

ORDER = {"site_id": "crossing", "camera_id": "north", "source": "clip.mp4"}


@pytest.fixture
def wu(served: Served) -> Iterator[httpx.Client]:
    footage = served.folder / "footage"
    footage.mkdir()
    (footage / "clip.mp4").write_bytes(b"\x00" * 2000)
    (served.folder / "secret.mp4").write_bytes(b"x")
    records = open_records(served.folder)
    service = a_service(served.folder, records, lambda: NOW, footage=footage)
    publish(service.sites)
    served.app.state.service = service
    with served.as_of(Role.ENGINEER, "wu") as client:
        yield client
    service.jobs.close()
    records.close()


def test_a_run_from_its_order_to_its_end(wu: httpx.Client) -> None:
    assert wu.get("/api/v1/runs/footage").json() == {"names": ["clip.mp4"]}
    ordered = wu.post("/api/v1/runs", json=ORDER)
    assert ordered.status_code == 202, ordered.text
    job = ordered.headers["location"]
    wait = threading.Event()
    for _ in range(600):
        told = wu.get(job).json()
        if told["state"] == "failed":
            break
        assert told["state"] in ("waiting", "running")
        wait.wait(0.1)
    assert "FOOTAGE/clip.mp4" in told["why"]
    (listed,) = wu.get("/api/v1/runs").json()["items"]
    assert listed == told
    assert_problem(wu.post("/api/v1/dry-runs", json={"run_id": told["id"]}), 409, "run_not_done")
    assert wu.delete(job).status_code == 204
    assert_problem(wu.get(job), 404, "job_unknown")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"source": "../secret.mp4"}, 404, "footage_unknown"),
        ({"source": "%2e%2e/secret.mp4"}, 404, "footage_unknown"),
        ({"source": "/etc/passwd"}, 404, "footage_unknown"),
        ({"source": "rtsp://10.0.0.7/x"}, 404, "footage_unknown"),
        ({"source": "--overwrite"}, 404, "footage_unknown"),
        ({"truth": "../../etc/passwd"}, 404, "footage_unknown"),
        ({"source": "a\x00b"}, 422, "request_invalid"),
        ({"source": ""}, 422, "request_invalid"),
        ({"source": "x" * 501}, 422, "request_invalid"),
        ({"camera_id": "south"}, 404, "camera_unknown"),
        ({"site_id": "nowhere"}, 404, "site_unknown"),
        ({"version": 2**63}, 422, "request_invalid"),
        ({"version": 7}, 404, "site_version_unknown"),
        ({"started_at": "2026-01-01T00:00:00"}, 422, "request_invalid"),
        ({"started_at": "9999-12-31T23:59:59-12:00"}, 422, "request_invalid"),
        ({"more": 1}, 422, "request_invalid"),
    ],
)
def test_orders_that_are_not_taken(
    wu: httpx.Client, changes: dict[str, object], status: int, code: str
) -> None:
    answer = wu.post("/api/v1/runs", json={**ORDER, **changes})
    problem = assert_problem(answer, status, code)
    if code == "request_invalid":
        assert problem["errors"][0]["pointer"] == f"#/{next(iter(changes))}"
    assert wu.get("/api/v1/runs").json()["items"] == []


def test_without_a_folder_there_is_no_footage(served: Served) -> None:
    publish(served.service.sites)
    with served.as_of(Role.ENGINEER, "wu") as wu:
        assert wu.get("/api/v1/runs/footage").json() == {"names": []}
        assert_problem(wu.post("/api/v1/runs", json=ORDER), 404, "no_footage")
