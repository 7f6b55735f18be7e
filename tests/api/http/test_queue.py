"""Listing cases: order, filters, cursors, and what is wrong with a request."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.api.http.conftest import HELD, PARKED, RED, UNREADABLE, Served, assert_problem


def ids(served: Served, query: str = "") -> list[str]:
    response = served.get(f"violations{query}")
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


def test_the_list_holds_asserted_cases_in_order_of_recording(served: Served) -> None:
    assert ids(served) == [RED, UNREADABLE, PARKED]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=held", [HELD]),
        ("?status=any", [RED, UNREADABLE, HELD, PARKED]),
        ("?status=exempt", []),
        ("?rule=no_parking", [PARKED]),
        ("?camera=kerb", [PARKED]),
        ("?plate=8364s", [RED]),
        ("?plate=浙", [RED]),
        ("?plate=%25", []),
        ("?plate=", [RED, UNREADABLE, PARKED]),
        ("?package=incomplete", [UNREADABLE]),
        ("?package=complete&rule=red_light", [RED]),
        ("?decision=confirmed", []),
    ],
)
def test_filters(served: Served, query: str, expected: list[str]) -> None:
    assert ids(served, query) == expected


def test_a_decided_case_leaves_the_open_queue(served: Served) -> None:
    served.decide(RED, decision="reject", code="too-close")
    assert ids(served, "?decision=open") == [UNREADABLE, PARKED]
    assert ids(served, "?decision=rejected") == [RED]


def test_an_item_says_what_the_queue_shows(served: Served) -> None:
    item = served.get("violations?camera=north").json()["items"][1]
    assert item == {
        "id": UNREADABLE,
        "url": f"/api/v1/violations/{UNREADABLE}",
        "rule": "red_light",
        "site_id": "crossroads",
        "camera_id": "north",
        "place_id": "line-1",
        "status": "asserted",
        "t_s": 20.0,
        "captured_at": None,
        "captured_local": None,
        "time_zone": "Asia/Shanghai",
        "vehicle_class": "car",
        "plate_text": None,
        "package": "incomplete",
        "package_reasons": ["plate: no reading fits the grammar"],
        "decision": "open",
        "stage": "review",
        "due_at": None,
        "claim": None,
        "trial": None,
        "thumbnail": f"/api/v1/violations/{UNREADABLE}/pictures/scene-2.jpg",
    }
    assert served.client.get(item["thumbnail"]).headers["content-type"] == "image/jpeg"


def test_a_moment_is_sent_as_utc_and_as_people_at_the_site_tell_it(served: Served) -> None:
    item = served.get("violations").json()["items"][0]
    assert item["captured_at"] == "2026-03-02T00:30:20Z"
    assert (item["captured_local"], item["time_zone"]) == ("2026-03-02T08:30:20.000+08:00", "Asia/Shanghai")


def test_summer_time_follows_the_moment(served: Served) -> None:
    case = served.records.case(RED)
    assert case is not None
    for month in (1, 7):
        served.records.add_case(
            replace(
                case.record,
                id=f"london-{month}",
                camera_id="london",
                time_zone="Europe/London",
                captured_at=datetime(2026, month, 2, 23, 59, 59, 999_000, tzinfo=UTC),
            )
        )
    assert [item["captured_local"] for item in served.get("violations?camera=london").json()["items"]] == [
        "2026-01-02T23:59:59.999+00:00",
        "2026-07-03T00:59:59.999+01:00",
    ]


def test_an_item_without_its_manifest_is_listed_without_a_picture(served: Served) -> None:
    served.lose(RED, "manifest.json")
    assert served.get("violations").json()["items"][0]["thumbnail"] is None


def test_pages_join_without_a_gap_or_a_double_while_cases_are_added(served: Served) -> None:
    for case_id in ("a", "b", "c"):
        add(served, case_id)
    first = served.get("violations?limit=4").json()
    assert len(first["items"]) == 4
    add(served, "late")
    second = served.get(f"violations?limit=4&cursor={first['next_cursor']}").json()
    listed = [item["id"] for item in (*first["items"], *second["items"])]
    assert listed == ids(served, "?limit=200")
    assert listed[-1] == "late"
    assert second["next_cursor"] is None


def test_the_last_cursor_asks_for_what_is_new(served: Served) -> None:
    last = served.get("violations").json()["last_cursor"]
    nothing = served.get(f"violations?cursor={last}").json()
    assert nothing == {"items": [], "next_cursor": None, "last_cursor": last}
    add(served, "new")
    assert ids(served, f"?cursor={last}") == ["new"]


def test_an_empty_list_has_no_cursor(served: Served) -> None:
    assert served.get("violations?camera=nowhere").json() == {
        "items": [],
        "next_cursor": None,
        "last_cursor": None,
    }


@pytest.mark.parametrize(
    "plain",
    ["after:", "after:-1", "after:01", "after:1 ", "after:1\n", "after:٣", "before:1", "after:" + "9" * 19],
)
def test_a_cursor_of_another_make_is_refused(served: Served, plain: str) -> None:
    cursor = urlsafe_b64encode(plain.encode()).decode().rstrip("=")
    answer = served.get(f"violations?cursor={cursor}")
    assert_problem(answer, 400, "cursor_malformed", "start again without one")


@pytest.mark.parametrize(
    "cursor", ["", "x", "%00", "%F0%9F%9A%97", "YWZ0ZXI6MQ==", "YWZ0ZXI6MR", "....", "1"]
)
def test_a_malformed_cursor_is_refused(served: Served, cursor: str) -> None:
    assert_problem(served.get(f"violations?cursor={cursor}"), 400, "cursor_malformed")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("limit=many", "?limit"),
        ("rule=speeding", "?rule"),
        ("decision=maybe", "?decision"),
        ("status=guilty", "?status"),
        ("colour=red", "?colour"),
        ("cursor=" + "x" * 97, "?cursor"),
    ],
)
def test_a_wrong_or_unknown_parameter_is_named(served: Served, query: str, pointer: str) -> None:
    problem = assert_problem(served.get(f"violations?{query}"), 422, "request_invalid")
    assert {error["pointer"] for error in problem["errors"]} == {pointer}
    assert all(error["code"] and error["detail"] for error in problem["errors"])


def add(served: Served, case_id: str) -> None:
    """One more case, without files."""
    case = served.records.case(RED)
    assert case is not None
    served.records.add_case(replace(case.record, id=case_id))
