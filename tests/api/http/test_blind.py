"""Until a second review is in, who may give it gets the same bytes whether the first one confirmed or rejected."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from api.http.app import describe_api
from api.work.access import Role
from api.work.data_folder import open_records
from tests.api.http.conftest import HELD, NOW, Served
from tests.builders.service import a_service, token

FILLED = {"{case_id}": HELD, "{name}": "scene-1.jpg", "{number}": "1"}
ENDLESS_OR_OF_THE_PROCESS = ("/api/v1/events", "/metrics")
"""A stream, and counts of all requests that the server had: neither is of the case."""


def answers(served: Served, authorization: str) -> dict[str, tuple[int, bytes, str | None]]:
    """What each GET route of the API answers to that person."""
    found = {}
    headers = {"Authorization": authorization}
    with httpx.Client(base_url=served.client.base_url, timeout=30, trust_env=False, headers=headers) as asker:
        for path, operations in describe_api()["paths"].items():
            if "get" not in operations or path in ENDLESS_OR_OF_THE_PROCESS:
                continue
            for name, value in FILLED.items():
                path = path.replace(name, value)
            for query in ("", "?status=any", "?status=held&decision=open", "?status=any&plate=9"):
                answer = asker.get(path + query)
                content = answer.content.replace(answer.headers["x-request-id"].encode(), b"")
                found[path + query] = (answer.status_code, content, answer.headers.get("etag"))
    return found


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
def test_both_worlds_look_the_same(served: Served, tmp_path: Path, role: Role) -> None:
    second = token(served.service, role, "second")
    served.service.database.forget()
    other = tmp_path / "other"
    shutil.copytree(served.folder, other)
    assert served.decide(HELD, decision="confirm").json()["stage"] == "second_review"
    confirmed = answers(served, second)
    records = open_records(other)
    served.app.state.service = a_service(other, records, lambda: NOW)
    rejected_by = served.decide(HELD, decision="reject", code="stopped", note="it stood")
    assert rejected_by.json()["stage"] == "second_review"
    rejected = answers(served, second)
    records.close()
    assert confirmed[f"/api/v1/violations/{HELD}"][0] == 200
    assert {path for path in confirmed if confirmed[path] != rejected[path]} == set()
