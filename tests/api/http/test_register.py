"""The register over HTTP: the public reads what is announced, engineers write it, and trials are told with their cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.work.access import Role
from tests.api.http.conftest import RED, Served, assert_problem
from tests.api.work.test_register import DOCUMENT, picture


@pytest.fixture
def engineer(served: Served) -> Iterator[httpx.Client]:
    site = served.get(f"violations/{RED}").json()["site_id"]
    with served.as_of(Role.ENGINEER, "wu") as client:
        assert client.post("/api/v1/sites", json={"id": site, "name": "A crossing"}).status_code == 201
        client.base_url = client.base_url.join(f"/api/v1/sites/{site}/")
        yield client


def put(client: httpx.Client, etag: str, **changes: Any) -> httpx.Response:
    return client.put("register", json={**DOCUMENT, **changes}, headers={"If-Match": etag})


def anybody(served: Served) -> Any:
    with httpx.Client(base_url=served.client.base_url, timeout=30, trust_env=False) as client:
        return client.get("/api/v1/register").json()


def test_the_public_reads_what_is_announced(served: Served, engineer: httpx.Client) -> None:
    assert anybody(served) == {"items": [], "next_cursor": None}
    assert engineer.get("register").headers["etag"] == '"v0"'
    assert put(engineer, '"v0"', published_on=None).headers["etag"] == '"v1"'
    assert anybody(served)["items"] == []
    assert_problem(put(engineer, '"v0"'), 412, "register_changed")
    assert put(engineer, '"v1"').json()["document"]["name"] == "A crossing"
    (site,) = anybody(served)["items"]
    assert (site["name"], site["published_on"], site["area"]) == ("A crossing", "2026-01-10", "Old town")
    assert [section["has_equipment"] for section in site["sections"]] == [True, True]
    assert site["signs"] == [{"kind": "no_parking_sign", "set_on": "2026-01-05", "hours": "7-19"}]


def test_what_is_wrong_with_an_entry_is_named(engineer: httpx.Client) -> None:
    wrong = put(engineer, '"v0"', published_on="2026-13-01", latitude=100)
    problem = assert_problem(wrong, 422, "request_invalid")
    assert {found["pointer"] for found in problem["errors"]} == {"#/published_on", "#/latitude"}
    assert_problem(engineer.put("register", json=DOCUMENT), 428, "precondition_required")


def test_photos_of_signs(served: Served, engineer: httpx.Client) -> None:
    put(engineer, '"v0"')
    assert_problem(engineer.get("register/signs/s1/photo"), 404, "sign_unknown")
    sent = engineer.put("register/signs/s1/photo", content=picture(3000, 2000) + bytes(100_000))
    assert sent.status_code == 200, sent.text
    photo = engineer.get("register/signs/s1/photo")
    assert photo.headers["content-type"] == "image/jpeg"
    assert photo.content.startswith(b"\xff\xd8\xff")
    assert engineer.get("register").json()["photographed"] == ["s1"]
    assert_problem(engineer.put("register/signs/s1/photo", content=b"GIF89a"), 422, "photo_refused")
    assert_problem(engineer.put("register/signs/s9/photo", content=b"x"), 404, "sign_unknown")
    assert_problem(
        engineer.put("register/signs/s1/photo", content=bytes(7 * 1024 * 1024)), 413, "body_too_large"
    )
    with httpx.Client(base_url=engineer.base_url, timeout=30, trust_env=False) as nobody:
        assert_problem(nobody.get("register/signs/s1/photo"), 401, "sign_in_required")


def test_a_case_on_trial_says_so_and_cannot_be_confirmed(served: Served, engineer: httpx.Client) -> None:
    listed = {case["id"]: case["trial"] for case in served.get("violations?status=any").json()["items"]}
    assert listed[RED] == "unpublished"
    case = served.get(f"violations/{RED}").json()
    assert (case["trial"], case["confirm_bar"]["code"]) == ("unpublished", "trial")
    assert_problem(served.decide(RED, decision="confirm"), 409, "confirm_refused", "on trial")
    put(engineer, '"v0"', published_on="2020-01-01")
    assert served.get(f"violations/{RED}").json()["trial"] is None
    assert served.decide(RED, decision="confirm").status_code == 201
