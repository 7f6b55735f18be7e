"""Who may speak to a server without accounts, and how every answer is dressed."""

from __future__ import annotations

import logging

import pytest

from evidence.records import Decision
from tests.api.http.conftest import RED, Served, assert_problem

CONFIRM = {"decision": "confirm", "claim": 1}
REVIEWS = f"/api/v1/violations/{RED}/reviews"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "[::1]", "LocalHost:8000"]
)
def test_this_machines_names_are_answered(served: Served, host: str) -> None:
    assert served.get("violations", host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8000",
        "192.168.1.4:8000",
        "127.0.0.1:8000:9",
        "127.0.0.1:x",
        "127.0.0.1:",
        "user@localhost",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/violations", "/review", "/static/app.js"])
def test_another_host_is_refused_on_every_path(served: Served, host: str, path: str) -> None:
    assert_problem(served.client.get(path, headers={"host": host}), 421, "host_not_allowed")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "{own}", "sec-fetch-site": "same-origin"},
        {"origin": "{own}"},
        {"sec-fetch-site": "same-origin"},
        {},
    ],
)
def test_our_own_page_and_programs_may_decide(served: Served, headers: dict[str, str]) -> None:
    claimed = served.client.put(f"/api/v1/violations/{RED}/claim")
    headers = by_address(served, headers) | {"If-Match": claimed.headers["etag"], "Idempotency-Key": "k"}
    assert served.client.post(REVIEWS, json=CONFIRM, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {"origin": "http://localhost:{port}"},
        {"origin": "https://127.0.0.1:{port}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "{own}", "sec-fetch-site": "cross-site"},
    ],
)
def test_another_sites_page_may_not(served: Served, headers: dict[str, str]) -> None:
    response = served.client.post(REVIEWS, json=CONFIRM, headers=by_address(served, headers))
    assert_problem(response, 403, "cross_origin")
    case = served.records.case(RED)
    assert case is not None
    assert case.decision is Decision.OPEN


def by_address(served: Served, headers: dict[str, str]) -> dict[str, str]:
    """The headers with the server's own origin and port filled in."""
    own = str(served.client.base_url).rstrip("/")
    return {name: value.format(own=own, port=served.client.base_url.port) for name, value in headers.items()}


@pytest.mark.parametrize(
    "path", ["/api/v1/violations", "/review", "/static/app.js", "/nowhere", "/api/v1/violations/nobody"]
)
def test_every_answer_carries_the_security_headers(served: Served, path: str) -> None:
    headers = served.client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert len(headers["x-request-id"]) == 32


def test_each_request_has_an_id_of_its_own(served: Served) -> None:
    assert (
        served.get("violations").headers["x-request-id"] != served.get("violations").headers["x-request-id"]
    )


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api",
        "/api/v1",
        "/api/v1/violations/",
        "/api/v2/violations",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/static/nothing.js",
        "/static/",
        "/static/..%2findex.html",
        "/static/%2e%2e/%2e%2e/errors.py",
        "/review/a/b",
    ],
)
def test_an_unknown_address_is_a_problem_too(served: Served, path: str) -> None:
    assert_problem(served.client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", f"/api/v1/violations/{RED}"), ("PUT", "/api/v1/violations"), ("POST", "/review")],
)
def test_a_method_that_an_address_does_not_take_is_a_problem(served: Served, method: str, path: str) -> None:
    response = served.client.request(method, path)
    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


def test_a_mistake_of_ours_is_logged_under_its_id_and_shows_nothing(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.app.state.service = None
    with caplog.at_level(logging.ERROR, "api.http"):
        response = served.get("violations")
    problem = assert_problem(response, 500, "internal", "its log has the reason")
    assert "AssertionError" not in response.text
    assert [
        record.__dict__["request_id"] for record in caplog.records if record.name == "api.http.guard"
    ] == [problem["request_id"]]
    assert response.headers["content-security-policy"]


def test_records_that_broke_show_no_path(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    (served.folder / "records.sqlite").write_bytes(b"no database any more" * 4096)
    for name in ("records.sqlite-wal", "records.sqlite-shm"):
        (served.folder / name).unlink(missing_ok=True)
    served.records.close()
    response = served.get("violations")
    assert_problem(response, 500, "internal")
    assert str(served.folder) not in response.text


def test_the_page_is_served_at_each_of_its_addresses(served: Served) -> None:
    assert served.client.get("/", follow_redirects=False).headers["location"] == "/review"
    for path in ("/review", f"/review/{RED}", "/review/nobody"):
        page = served.client.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "style=" not in page.text
        assert "<script>" not in page.text
