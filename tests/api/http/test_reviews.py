"""Deciding: once, with a code where it is rejected, and only where the evidence allows it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.work.review import RejectCode
from evidence.custody import Custody
from evidence.records import Decision
from tests.api.http.conftest import HELD, NOW, RED, UNREADABLE, Served, assert_problem
from tests.builders.signing import a_signer


def state(served: Served, case_id: str) -> Decision:
    case = served.records.case(case_id)
    assert case is not None
    return case.decision


def test_confirming_is_kept_with_who_and_when(served: Served) -> None:
    response = served.decide(RED, decision="confirm", note="  clear  ")
    assert response.status_code == 201
    case = response.json()
    assert case["decision"] == "confirmed"
    assert case["confirm_bar"]["code"] == "already_decided"
    assert case["reviews"] == [
        {
            "decision": "confirmed",
            "code": None,
            "note": "clear",
            "reviewer": "Li",
            "decided_at": NOW.isoformat().replace("+00:00", "Z"),
            "decided_local": "2026-03-02T17:15:30.000+08:00",
        }
    ]
    assert state(served, RED) is Decision.CONFIRMED
    assert served.get(f"violations/{RED}").json() == case


@pytest.mark.parametrize("code", list(RejectCode))
def test_every_code_rejects(served: Served, code: RejectCode) -> None:
    response = served.decide(RED, decision="reject", code=code, note="看不清")
    assert response.status_code == 201
    assert response.json()["reviews"][0]["code"] == code.value
    assert state(served, RED) is Decision.REJECTED


@pytest.mark.parametrize("second", [{"decision": "confirm"}, {"decision": "reject", "code": "stopped"}])
def test_a_second_decision_is_refused(served: Served, second: dict[str, str]) -> None:
    served.decide(RED, decision="reject", code="too-close")
    assert_problem(served.decide(RED, **second), 409, "already_decided", "already rejected")
    assert len(served.get(f"violations/{RED}").json()["reviews"]) == 1


def test_of_simultaneous_decisions_one_wins(served: Served) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: served.decide(RED, decision="confirm").status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7


def test_an_unknown_case_cannot_be_decided(served: Served) -> None:
    for body in ({"decision": "confirm"}, {"decision": "reject", "code": "stopped"}):
        assert_problem(served.decide("nobody", **body), 404, "case_unknown")


def test_a_case_with_lost_evidence_can_only_be_rejected(served: Served) -> None:
    served.lose(RED, "scene-3.jpg")
    assert_problem(served.decide(RED, decision="confirm"), 409, "confirm_refused", "missing or altered")
    assert state(served, RED) is Decision.OPEN
    assert served.decide(RED, decision="reject", code="evidence-missing").status_code == 201


def test_a_held_case_can_only_be_rejected(served: Served) -> None:
    assert_problem(served.decide(HELD, decision="confirm"), 409, "confirm_refused", "second review")
    assert served.decide(HELD, decision="reject", code="too-close").status_code == 201


def test_an_incomplete_package_may_be_confirmed_by_who_can_read_the_picture(served: Served) -> None:
    assert served.decide(UNREADABLE, decision="confirm").status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"decision": "reject"}, "#/code", "missing"),
        ({"decision": "reject", "code": "because"}, "#/code", "enum"),
        ({"decision": "reject", "code": "other"}, "#/note", "value_error"),
        ({"decision": "reject", "code": "other", "note": "  "}, "#/note", "value_error"),
        ({"decision": "confirm", "code": "too-close"}, "#/code", "extra_forbidden"),
        ({"decision": "maybe"}, "#", "union_tag_invalid"),
        ({}, "#", "union_tag_not_found"),
        ({"decision": "confirm", "reviewer": "Wang"}, "#/reviewer", "extra_forbidden"),
        ({"decision": "confirm", "note": "x" * 2001}, "#/note", "string_too_long"),
        ({"decision": "confirm", "note": 7}, "#/note", "string_type"),
        ({"decision": "confirm", "a/b~c": 1}, "#/a~1b~0c", "extra_forbidden"),
    ],
)
def test_a_wrong_body_is_answered_with_where_and_what(
    served: Served, body: dict[str, Any], pointer: str, code: str
) -> None:
    problem = assert_problem(served.decide(RED, **body), 422, "request_invalid", pointer)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert state(served, RED) is Decision.OPEN


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"3", b"\xff\xfe", b'{"decision": "confirm", "reviewer": NaN}']
)
def test_a_body_that_is_no_object_is_refused(served: Served, content: bytes) -> None:
    response = served.client.post(
        f"/api/v1/violations/{RED}/reviews", content=content, headers={"content-type": "application/json"}
    )
    assert response.status_code in (400, 422)
    problem = assert_problem(response, response.status_code, response.json()["code"])
    assert problem["code"] in ("request_invalid", "http_400")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_does_not_say_it_is_json_is_refused(served: Served, media_type: str | None) -> None:
    """A form or a plain text can be posted by any page; JSON cannot, without asking first."""
    headers = {} if media_type is None else {"content-type": media_type}
    content = b'{"decision": "confirm"}'
    response = served.client.post(f"/api/v1/violations/{RED}/reviews", content=content, headers=headers)
    assert_problem(response, 422, "request_invalid")
    assert state(served, RED) is Decision.OPEN


def test_a_huge_body_is_refused(served: Served) -> None:
    response = served.decide(RED, decision="confirm", note="x" * 70_000)
    assert_problem(response, 413, "body_too_large")
    unannounced = served.client.post(
        f"/api/v1/violations/{RED}/reviews",
        content=iter([b"[" * 40_000] * 2),
        headers={"content-type": "application/json"},
    )
    assert_problem(unannounced, 413, "body_too_large")


def test_a_case_whose_time_was_over_is_neither_listed_nor_shown_nor_decided(served: Served) -> None:
    case = served.records.case(RED)
    assert case is not None
    custody = Custody(served.folder, served.records, a_signer(), lambda: NOW)
    custody.add_case(case.record)
    assert custody.bury(case) is not None
    assert RED not in [item["id"] for item in served.get("violations").json()["items"]]
    for path in (RED, f"{RED}/clip", f"{RED}/manifest", f"{RED}/pictures/scene-1.jpg"):
        assert_problem(served.get(f"violations/{path}"), 410, "case_removed", "its time was over")
    assert_problem(served.decide(RED, decision="confirm"), 410, "case_removed")
    assert_problem(served.decide(RED, decision="reject", code="stopped"), 410, "case_removed")
