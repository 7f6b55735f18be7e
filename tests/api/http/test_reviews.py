"""Deciding: once, with a code where it is rejected, and only where the evidence allows it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.work.access import Role
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
    assert response.json()["decision"] == "confirmed" and response.json()["seconds"] == 0
    shown = served.get(f"violations/{RED}")
    assert shown.headers["etag"] == response.headers["etag"]
    case = shown.json()
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
    assert [(step["kind"], step["by"], step["decision"]) for step in case["steps"]] == [
        ("review", "Li", "confirmed")
    ]


@pytest.mark.parametrize("code", list(RejectCode))
def test_every_code_rejects(served: Served, code: RejectCode) -> None:
    response = served.decide(RED, decision="reject", code=code, note="看不清")
    assert response.status_code == 201
    assert served.get(f"violations/{RED}").json()["reviews"][0]["code"] == code.value
    assert state(served, RED) is Decision.REJECTED


@pytest.mark.parametrize("second", [{"decision": "confirm"}, {"decision": "reject", "code": "stopped"}])
def test_a_second_decision_is_refused(served: Served, second: dict[str, str]) -> None:
    served.decide(RED, decision="reject", code="too-close")
    assert_problem(served.decide(RED, **second), 409, "already_decided", "already rejected")
    assert len(served.get(f"violations/{RED}").json()["reviews"]) == 1


def test_of_simultaneous_decisions_one_wins(served: Served) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: served.decide(RED, decision="confirm").status_code, range(8)))
    assert answers.count(201) == 1
    assert set(answers) <= {201, 409, 412}


def test_an_unknown_case_cannot_be_decided(served: Served) -> None:
    for body in ({"decision": "confirm"}, {"decision": "reject", "code": "stopped"}):
        assert_problem(served.decide("nobody", **body), 404, "case_unknown")


def test_a_case_with_lost_evidence_can_only_be_rejected(served: Served) -> None:
    served.lose(RED, "scene-3.jpg")
    assert_problem(served.decide(RED, decision="confirm"), 409, "confirm_refused", "missing or altered")
    assert state(served, RED) is Decision.OPEN
    assert served.decide(RED, decision="reject", code="evidence-missing").status_code == 201


@pytest.mark.parametrize("first", [{"decision": "confirm"}, {"decision": "reject", "code": "too-close"}])
def test_a_held_case_needs_a_second_review(served: Served, first: dict[str, str]) -> None:
    answer = served.decide(HELD, **first)
    assert (answer.json()["stage"], answer.json()["decision"]) == ("second_review", "open")
    problem = assert_problem(served.decide(HELD, decision="confirm"), 409, "not_independent", "second review")
    assert "current" not in problem
    etag = served.get(f"violations/{HELD}").headers["etag"]
    direct = served.submit(HELD, etag, {"decision": "confirm", "claim": 1})
    assert_problem(direct, 409, "not_independent")
    assert state(served, HELD) is Decision.OPEN


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
        ({"decision": "confirm", "note": "a\x00b"}, "#/note", "value_error"),
        ({"decision": "confirm", "claim": 2**40}, "#/claim", "less_than_equal"),
        ({"decision": "ask_opinion"}, "#/note", "missing"),
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
    headers = {"content-type": "application/json", "If-Match": '"c1.0"', "Idempotency-Key": "k"}
    response = served.client.post(f"/api/v1/violations/{RED}/reviews", content=content, headers=headers)
    assert response.status_code in (400, 422)
    problem = assert_problem(response, response.status_code, response.json()["code"])
    assert problem["code"] in ("request_invalid", "http_400")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_does_not_say_it_is_json_is_refused(served: Served, media_type: str | None) -> None:
    """A form or a plain text can be posted by any page; JSON cannot, without asking first."""
    headers = {"If-Match": '"c1.0"', "Idempotency-Key": "k"}
    headers |= {} if media_type is None else {"content-type": media_type}
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


def test_a_change_says_what_was_read_and_names_itself(served: Served) -> None:
    address = f"/api/v1/violations/{RED}/reviews"
    body = {"decision": "reject", "code": "stopped", "claim": 1}
    assert_problem(
        served.client.post(address, json=body, headers={"Idempotency-Key": "k"}), 428, "precondition_required"
    )
    assert_problem(served.submit(RED, '"7"', body), 412, "stale")
    nameless = served.client.post(address, json=body, headers={"If-Match": '"c1.0"'})
    problem = assert_problem(nameless, 422, "request_invalid")
    assert [error["pointer"] for error in problem["errors"]] == ["idempotency-key"]
    problem = assert_problem(served.submit(RED, '"c9.0"', body), 412, "case_changed")
    assert problem["current"] == {"etag": '"c1.0"', "stage": "review", "decision": "open", "holder": None}
    assert_problem(served.submit(RED, '"c1.0"', body), 412, "claim_lost")


def test_a_decision_that_is_sent_again_is_one(served: Served) -> None:
    claimed = served.client.put(f"/api/v1/violations/{RED}/claim")
    body = {"decision": "confirm", "claim": claimed.json()["number"]}
    first = served.submit(RED, claimed.headers["etag"], body, key="once")
    again = served.submit(RED, claimed.headers["etag"], body, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() and again.headers["etag"] == first.headers["etag"]
    other = served.submit(RED, claimed.headers["etag"], {**body, "note": "!"}, key="once")
    assert_problem(other, 422, "idempotency_key_reused")


def test_a_claim_is_shown_to_others_and_given_back(served: Served) -> None:
    assert served.client.put(f"/api/v1/violations/{RED}/claim").status_code == 200
    with served.as_of(Role.OFFICER, "wang") as wang:
        assert_problem(wang.put(f"/api/v1/violations/{RED}/claim"), 409, "claimed", "held by Li")
        shown = wang.get(f"/api/v1/violations/{RED}").json()["claim"]
        assert (shown["holder"], shown["is_mine"], shown["number"]) == ("Li", False, 1)
        assert wang.get("/api/v1/violations?mine=true").json()["items"] == []
        (mine,) = served.get("violations?mine=true").json()["items"]
        assert mine["claim"]["is_mine"]
        assert served.client.delete(f"/api/v1/violations/{RED}/claim").status_code == 204
        assert wang.put(f"/api/v1/violations/{RED}/claim").json()["number"] == 2


def test_a_plate_is_corrected_and_the_reading_kept(served: Served) -> None:
    claimed = served.client.put(f"/api/v1/violations/{RED}/claim")
    address = f"/api/v1/violations/{RED}/plate"
    body = {"text": "浙c8364t", "claim": claimed.json()["number"]}
    assert_problem(served.client.patch(address, json=body), 428, "precondition_required")
    headers = {"If-Match": claimed.headers["etag"]}
    assert_problem(
        served.client.patch(address, json={**body, "text": "B-X 1"}, headers=headers), 422, "plate_refused"
    )
    corrected = served.client.patch(address, json=body, headers=headers)
    assert (corrected.json()["plate_text"], corrected.json()["plate_ocr_text"]) == ("浙C8364T", "浙C8364S")
    assert corrected.headers["etag"] != claimed.headers["etag"]
    assert_problem(served.client.patch(address, json=body, headers=headers), 412, "case_changed")
    special = {**body, "text": "b-x 1", "special": True}
    headers = {"If-Match": corrected.headers["etag"]}
    assert served.client.patch(address, json=special, headers=headers).json()["plate_text"] == "B-X 1"
    assert served.decide(RED, decision="confirm").status_code == 201
    case = served.get(f"violations/{RED}").json()
    assert (case["plate_text"], case["plate_ocr_text"]) == ("B-X 1", "浙C8364S")
    assert [(reading["text"], reading["by"]) for reading in case["plate_readings"]] == [
        ("浙C8364T", "Li"),
        ("B-X 1", "Li"),
    ]
    assert [item["id"] for item in served.get("violations?plate=X 1").json()["items"]] == [RED]


def test_an_appeal_goes_its_way(served: Served) -> None:
    served.decide(RED, decision="confirm")
    address = f"/api/v1/violations/{RED}"
    with served.as_of(Role.SUPERVISOR, "chen") as chen:
        headers = {"If-Match": chen.get(address).headers["etag"], "Idempotency-Key": "a"}
        taken = chen.post(f"{address}/appeals", json={"reason": "not me"}, headers=headers)
        assert taken.status_code == 201, taken.text
        number = taken.json()["number"]
        assert chen.get("/api/v1/appeals").json()["items"] == [taken.json()]
        assert chen.get(f"/api/v1/appeals/{number}").json() == taken.json()
        assert_problem(chen.get("/api/v1/appeals/99"), 404, "supervision_unknown")
        claimed = chen.put(f"{address}/claim")
        headers = {"If-Match": claimed.headers["etag"], "Idempotency-Key": "b"}
        body = {"outcome": "void", "note": "the lamp was hidden", "claim": claimed.json()["number"]}
        ended = chen.post(f"/api/v1/appeals/{number}/decision", json=body, headers=headers)
        assert ended.json()["outcome"] == "void"
        assert chen.get(address).json()["decision"] == "void"
        assert [line["action"] for line in chen.get(f"{address}/audit").json()["items"]].count(
            "appeal.decided"
        ) == 1
    assert_problem(served.get(f"violations/{RED}/audit"), 403, "not_allowed")
    assert_problem(served.client.post(f"{address}/void", json={"reason": "x"}), 403, "not_allowed")


def test_a_rule_is_suspended_and_lifted(served: Served) -> None:
    with served.as_of(Role.SUPERVISOR, "chen") as chen:
        body = {
            "site_id": "crossroads",
            "rule": "red_light",
            "from_at": "2026-01-01T00:00:00+08:00",
            "reason": "lamp",
        }
        for wrong in ({"from_at": "2026-01-01T00:00:00"}, {"to_at": "2025-01-01T00:00:00Z"}, {"reason": " "}):
            answer = chen.post(
                "/api/v1/suspensions", json={**body, **wrong}, headers={"Idempotency-Key": "s"}
            )
            assert_problem(answer, 422, "request_invalid")
        made = chen.post("/api/v1/suspensions", json=body, headers={"Idempotency-Key": "s"})
        assert made.status_code == 201, made.text
        number = made.json()["number"]
        assert chen.get(f"/api/v1/suspensions/{number}").json() == made.json()
        withdrawn = served.get("violations?stage=withdrawn&status=any").json()["items"]
        assert [item["id"] for item in withdrawn] == [RED, HELD] and made.json()["withdrawn"] == 2
        assert RED not in [item["id"] for item in served.get("violations").json()["items"]]
        assert chen.delete(f"/api/v1/suspensions/{number}").json()["withdrawn"] == 0
        assert chen.get("/api/v1/suspensions").json()["items"][0]["lifted_by"]
    assert RED in [item["id"] for item in served.get("violations").json()["items"]]


def test_a_policy_is_set(served: Served) -> None:
    with served.as_of(Role.SUPERVISOR, "chen") as chen:
        body = {"site_id": "crossroads", "from_at": "2026-01-01T00:00:00Z", "second_review": True}
        made = chen.post("/api/v1/review-policies", json=body, headers={"Idempotency-Key": "p"})
        assert chen.get("/api/v1/review-policies?site=crossroads").json()["items"] == [made.json()]
    assert served.decide(RED, decision="confirm").json()["stage"] == "second_review"
