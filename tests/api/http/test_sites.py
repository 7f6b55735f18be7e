"""Sites over HTTP: drafts with ETags, all problems with pointers, versions and the way back, and what a client sends wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.http.guard import MAX_BODY_BYTES
from api.work.access import Role
from tests.api.http.conftest import Served, assert_problem
from tests.builders.sites import SITE_FILE, site_file

SITE = "/api/v1/sites/crossing"


@pytest.fixture
def engineer(served: Served) -> Iterator[httpx.Client]:
    with served.as_of(Role.ENGINEER, "wu") as client:
        yield client


@pytest.fixture
def made(engineer: httpx.Client) -> httpx.Client:
    answer = engineer.post("/api/v1/sites", json={"id": "crossing", "name": "A crossing"})
    assert (answer.status_code, answer.headers["etag"]) == (201, '"v1"')
    return engineer


def put(client: httpx.Client, text: str, etag: str) -> Any:
    return client.put(f"{SITE}/config/draft", json={"text": text}, headers={"If-Match": etag})


def test_from_a_draft_to_a_version_and_back(served: Served, made: httpx.Client) -> None:
    etag = put(made, SITE_FILE, '"v1"').headers["etag"]
    assert made.post(f"{SITE}/config/validate").json() == {"is_in_order": True, "problems": []}
    published = made.post(f"{SITE}/config/versions", json={"reason": "first"}, headers={"If-Match": etag})
    assert published.status_code == 201
    assert published.json()["number"] == 1
    assert published.json()["is_delivered"] is True
    assert (served.folder / "sites" / "crossing.yaml").read_text() == SITE_FILE
    site = made.get(SITE)
    assert site.json()["cameras"] == [
        {
            "id": "north",
            "site_id": "crossing",
            "places": [{"id": "kerb", "kind": "no_parking"}, {"id": "line", "kind": "stop_line"}],
        }
    ]
    etag = put(made, site_file(grace_s=0.5), site.headers["etag"]).headers["etag"]
    differences = made.get(f"{SITE}/config/differences?before=1").json()
    assert differences["seen_by_rules"] == [
        {"camera_id": "north", "place_id": "line", "says": "stop line line: grace_s 0.3 → 0.5"}
    ]
    made.post(f"{SITE}/config/versions", json={"reason": "second"}, headers={"If-Match": etag})
    etag = made.get(SITE).headers["etag"]
    back = made.post(f"{SITE}/config/versions/1/rollback", json={"reason": "no"}, headers={"If-Match": etag})
    assert (back.status_code, back.json()["number"], back.json()["from_number"]) == (201, 3, 1)
    first = made.get(f"{SITE}/config/versions?limit=2").json()
    assert [version["number"] for version in first["items"]] == [3, 2]
    rest = made.get(f"{SITE}/config/versions?limit=2&cursor={first['next_cursor']}").json()
    assert ([version["reason"] for version in rest["items"]], rest["next_cursor"]) == (["first"], None)
    assert made.get(f"{SITE}/config/versions/1").json()["text"] == SITE_FILE


def test_every_problem_is_told_with_its_pointer(made: httpx.Client) -> None:
    wrong = SITE_FILE.replace("[0.8, 0.8]]", "[1.8, 0.8]]").replace("size_px: [1000, 500]", "size_px: [1000]")
    etag = put(made, wrong, '"v1"').headers["etag"]
    told = made.post(f"{SITE}/config/validate").json()
    pointers = [problem["pointer"] for problem in told["problems"]]
    assert "#/cameras/0/stop_lines/0/line/1" in pointers
    assert any(pointer.startswith("#/cameras/0/size_px") for pointer in pointers)
    assert all(problem["line"] and problem["detail"] for problem in told["problems"])
    refused = made.post(f"{SITE}/config/versions", json={"reason": "r"}, headers={"If-Match": etag})
    problem = assert_problem(refused, 422, "config_invalid")
    assert [found["pointer"] for found in problem["errors"]] == pointers
    assert made.get(SITE).json()["published"] is None


def test_a_change_says_what_was_looked_at(made: httpx.Client) -> None:
    for method, path, body in (
        ("PUT", "draft", {"text": "x"}),
        ("DELETE", "draft", None),
        ("POST", "versions", {"reason": "r"}),
        ("POST", "versions/1/rollback", {"reason": "r"}),
    ):
        ask: dict[str, Any] = {"method": method, "url": f"{SITE}/config/{path}", "json": body}
        assert_problem(made.request(**ask), 428, "precondition_required")
        assert_problem(made.request(**ask, headers={"If-Match": '"c1.0"'}), 412, "stale")
    put(made, SITE_FILE, '"v1"')
    late = put(made, "mine", '"v1"')
    assert_problem(late, 412, "site_changed")
    assert late.headers["etag"] == '"v2"'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": 1}, "request_invalid"),
        ({}, "request_invalid"),
        ({"text": "x", "more": 1}, "request_invalid"),
        ({"text": "\x00"}, "draft_refused"),
        ({"text": "rtsp://a:b@10.0.0.1/"}, "draft_refused"),
        ({"text": "x" * 262_145}, "request_invalid"),
        ({"text": "浙" * 90_000}, "draft_refused"),
    ],
    ids=["no text", "nothing", "too much", "a NUL", "a password", "too long", "too long in bytes"],
)
def test_drafts_that_are_not_kept(made: httpx.Client, body: Any, code: str) -> None:
    answer = made.put(f"{SITE}/config/draft", json=body, headers={"If-Match": '"v1"'})
    assert_problem(answer, 422, code)
    assert "a:b@" not in answer.text
    assert made.get(f"{SITE}/config/draft").json()["is_draft"] is False


def test_a_lone_surrogate_is_no_text(made: httpx.Client) -> None:
    headers = {"If-Match": '"v1"', "Content-Type": "application/json"}
    answer = made.put(f"{SITE}/config/draft", content=b'{"text": "\\ud800"}', headers=headers)
    assert_problem(answer, 422, "request_invalid")


def test_only_a_draft_may_be_longer_than_other_bodies(made: httpx.Client) -> None:
    text = SITE_FILE + "#" * MAX_BODY_BYTES
    assert put(made, text, '"v1"').status_code == 200
    long = made.post(f"{SITE}/config/versions", json={"reason": "r" * MAX_BODY_BYTES})
    assert_problem(long, 413, "body_too_large")
    longer = put(made, "x" * 800_000, '"v2"')
    assert_problem(longer, 413, "body_too_large")


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "x" * 41, "浙", "\x00"])
def test_ids_that_a_site_file_cannot_have(engineer: httpx.Client, name: str) -> None:
    answer = engineer.post("/api/v1/sites", json={"id": name, "name": "x"})
    problem = assert_problem(answer, 422, "request_invalid")
    assert problem["errors"][0]["pointer"] == "#/id"


def test_sites_are_listed_page_by_page(made: httpx.Client) -> None:
    made.post("/api/v1/sites", json={"id": "avenue", "name": "An avenue"})
    first = made.get("/api/v1/sites?limit=1").json()
    assert [site["id"] for site in first["items"]] == ["avenue"]
    rest = made.get(f"/api/v1/sites?limit=1&cursor={first['next_cursor']}").json()
    assert ([site["id"] for site in rest["items"]], rest["next_cursor"]) == (["crossing"], None)
    assert_problem(made.get("/api/v1/sites?cursor=nonsense"), 400, "cursor_malformed")
    assert_problem(made.post("/api/v1/sites", json={"id": "avenue", "name": "x"}), 409, "site_exists")
