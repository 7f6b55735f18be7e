"""Health and figures through a real server, with records, store and disk that fail."""

from __future__ import annotations

import pytest

from api.work import health
from api.work.access import Role
from tests.api.http.conftest import RED, Served
from tests.builders.service import token


def test_it_is_alive_and_ready(served: Served) -> None:
    assert served.client.get("/healthz").json() == {"ok": True}
    ready = served.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ok": True, "troubles": []})


def test_a_full_disk_makes_it_unready(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 1 << 62)
    answer = served.client.get("/readyz")
    assert answer.status_code == 503
    assert [trouble["code"] for trouble in answer.json()["troubles"]] == ["disk_full"]
    assert str(served.folder) not in answer.text
    assert served.client.get("/healthz").status_code == 200


def test_records_that_broke_make_it_unready(served: Served) -> None:
    (served.folder / "records.sqlite").write_bytes(b"no database any more" * 4096)
    for name in ("records.sqlite-wal", "records.sqlite-shm"):
        (served.folder / name).unlink(missing_ok=True)
    served.records.close()
    answer = served.client.get("/readyz")
    assert answer.status_code == 503
    assert [trouble["code"] for trouble in answer.json()["troubles"]] == ["records_unavailable"]


def test_figures_tell_of_requests_and_of_the_queue_and_of_no_case(served: Served) -> None:
    headers = {"Authorization": token(served.service, Role.AUDITOR, "prometheus")}
    served.get(f"violations/{RED}")
    served.client.request("BREW", "/api/v1/violations")
    text = served.client.get("/metrics", headers=headers).text
    assert 'route="/api/v1/violations/{case_id}",status="200"' in text
    assert 'stopline_cases_open{status="asserted"} 3.0' in text
    assert 'stopline_cases_open{status="held"} 1.0' in text
    assert "stopline_cases_oldest_timestamp_seconds 1." in text
    assert RED not in text
    assert "BREW" not in text
