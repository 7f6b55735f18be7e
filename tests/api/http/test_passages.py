"""Passages over HTTP: a purpose is wanted, page by page, and what a client can send wrongly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from api.records import passages
from evidence.canonical import sha256_hex
from tests.api.http.conftest import NOW, Served, assert_problem
from tests.api.work.test_passages import PLATE, STORED

WHY = {"purpose": "crime", "reference": "A/2026-118"}
PASSAGES = "/api/v1/passages"


@pytest.fixture
def filled(served: Served) -> Served:
    """Three passages, one of them with a picture."""
    (served.folder / "front.jpg").write_bytes(b"a front")
    rows = [
        replace(STORED, id=f"p{n}", passed_at=NOW + timedelta(seconds=n), expires_at=NOW + timedelta(days=30))
        for n in range(3)
    ]
    rows[1] = replace(rows[1], picture_path="front.jpg", picture_sha256=sha256_hex(b"a front"))
    with served.records.database.write() as tx:
        passages.take(tx, "gate-1", "2026-03-02", 1, rows)
    return served


def test_passages_are_searched_page_by_page_and_shown(filled: Served) -> None:
    seen: list[str] = []
    asked = {**WHY, "plate": PLATE.lower(), "limit": "1"}
    while True:
        answer = filled.client.get(PASSAGES, params=asked)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        page = answer.json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert seen == ["p2", "p1", "p0"]
    items = {item["id"]: item for item in filled.client.get(PASSAGES, params=WHY).json()["items"]}
    assert items["p0"]["picture_url"] is None
    shown = filled.client.get(items["p1"]["picture_url"], params=WHY)
    assert (shown.content, shown.headers["content-type"]) == (b"a front", "image/jpeg")
    assert_problem(filled.client.get(f"{PASSAGES}/p0/picture", params=WHY), 410, "passage_picture_gone")
    assert_problem(filled.client.get(f"{PASSAGES}/nothing/picture", params=WHY), 404, "passage_unknown")
    assert_problem(filled.client.get(items["p1"]["picture_url"]), 422, "request_invalid", "purpose")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"purpose": None}, "purpose"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"reference": None}, "reference"),
        ({"reference": "ab"}, "reference"),
        ({"reference": "my neighbour"}, "reference"),
        ({"reference": PLATE}, "reference"),
        ({"plate": "12"}, "plate"),
        ({"plate": "AB\x0012"}, "plate"),
        ({"plate": "A" * 17}, "plate"),
        ({"since": "2026-03-02"}, "since"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"direction": "up"}, "direction"),
        ({"limit": "201"}, "limit"),
        ({"camera": "a\x00"}, "camera"),
        ({"more": "1"}, "more"),
    ],
)
def test_what_cannot_be_searched_is_said(served: Served, wrong: dict[str, str | None], says: str) -> None:
    asked = {name: value for name, value in {**WHY, **wrong}.items() if value is not None}
    assert_problem(served.client.get(PASSAGES, params=asked), 422, "request_invalid", says)


@pytest.mark.parametrize("cursor", ["x", "YWZ0ZXI6MQ", "ZHVlOjE6LTE"])
def test_a_cursor_of_somebody_elses_is_refused(served: Served, cursor: str) -> None:
    answer = served.client.get(PASSAGES, params={**WHY, "cursor": cursor})
    assert_problem(answer, 400, "cursor_malformed")
