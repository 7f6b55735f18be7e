"""Signing in and out through a real server: cookies, CSRF, throttling, passwords, tokens, links."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.http.access import COOKIE, CSRF_HEADER
from api.work.access import Permission, Role
from api.work.accounts import AccountChange
from api.work.sign_in import IDLE, LONGEST
from tests.api.http.conftest import NOW, RED, Served, assert_problem
from tests.builders.service import a_service, account, sign_in_browser, token

SESSIONS = "/api/v1/sessions"
CURRENT = "/api/v1/sessions/current"
REJECT = {"decision": "reject", "code": "stopped", "claim": 1}


class Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def hand(served: Served) -> Hand:
    clock = Hand()
    served.app.state.service = a_service(served.folder, served.records, clock)
    return clock


@pytest.fixture
def browser(served: Served) -> Any:
    """A client that carries cookies and nothing else."""
    with httpx.Client(base_url=served.client.base_url, timeout=30, trust_env=False) as client:
        yield client


def password_of(served: Served, name: str = "wang") -> str:
    account(served.service, Role.OFFICER, name)
    return f"{name}'s own long password"


def test_a_session_is_in_a_cookie_that_no_script_reads(served: Served, browser: httpx.Client) -> None:
    answer = browser.post(SESSIONS, json={"name": " Wang ", "password": password_of(served)})
    assert answer.status_code == 201
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert answer.json()["role"] == "officer"
    assert answer.json()["csrf_token"] not in cookie
    assert browser.get(CURRENT).json()["name"] == "Wang"
    assert browser.get("/api/v1/violations").status_code == 200


def test_a_change_needs_the_sessions_own_csrf_token(served: Served, browser: httpx.Client) -> None:
    sign_in_browser(browser, served.service, account(served.service, Role.OFFICER, "wang"))
    own = browser.headers.pop(CSRF_HEADER)
    reviews = f"/api/v1/violations/{RED}/reviews"
    for wrong in ({}, {CSRF_HEADER: "x"}, {CSRF_HEADER: own[:-1]}):
        assert_problem(browser.post(reviews, json=REJECT, headers=wrong), 403, "csrf_missing")
    claimed = browser.put(f"/api/v1/violations/{RED}/claim", headers={CSRF_HEADER: own})
    headers = {CSRF_HEADER: own, "If-Match": claimed.headers["etag"], "Idempotency-Key": "k"}
    assert browser.post(reviews, json=REJECT, headers=headers).status_code == 201


def test_who_signs_in_gets_a_session_that_nobody_could_have_planted(
    served: Served, browser: httpx.Client
) -> None:
    browser.cookies.set(COOKIE, "planted")
    answer = browser.post(SESSIONS, json={"name": "wang", "password": password_of(served)})
    new = answer.cookies[COOKIE]
    assert new != "planted"
    with httpx.Client(base_url=browser.base_url, trust_env=False, cookies={COOKIE: "planted"}) as attacker:
        assert_problem(attacker.get(CURRENT), 401, "sign_in_required")


def test_a_session_that_was_ended_does_not_come_back(served: Served, browser: httpx.Client) -> None:
    sign_in_browser(browser, served.service, account(served.service, Role.OFFICER, "wang"))
    secret = browser.cookies[COOKIE]
    assert browser.delete(CURRENT).status_code == 204
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, secret)
    assert_problem(browser.get(CURRENT), 401, "sign_in_required")


@pytest.mark.parametrize("step", [IDLE, LONGEST])
def test_a_session_ends_by_itself(served: Served, browser: httpx.Client, hand: Hand, step: timedelta) -> None:
    sign_in_browser(
        browser, served.app.state.service, account(served.app.state.service, Role.OFFICER, "wang")
    )
    passed = timedelta()
    while passed < step - timedelta(minutes=50):
        hand.at += timedelta(minutes=40)
        passed += timedelta(minutes=40)
        assert browser.get(CURRENT).status_code == 200
    hand.at = NOW + step + timedelta(seconds=1) if step == LONGEST else hand.at + step
    assert_problem(browser.get(CURRENT), 401, "sign_in_required")
    hand.at = NOW
    assert_problem(browser.get(CURRENT), 401, "sign_in_required")


def test_a_closed_or_changed_accounts_sessions_and_tokens_are_over(
    served: Served, browser: httpx.Client
) -> None:
    account_id = account(served.service, Role.OFFICER, "wang")
    for change in (AccountChange(site_ids=("elsewhere",)), AccountChange(closed=True)):
        sign_in_browser(browser, served.service, account_id)
        browser.headers.pop(CSRF_HEADER)
        version = served.service.accounts.account(account_id).version
        served.service.accounts.change(None, account_id, change, version=version)
        assert_problem(browser.get(CURRENT), 401, "sign_in_required")
    assert_problem(
        browser.post(SESSIONS, json={"name": "wang", "password": "wang's own long password"}),
        401,
        "sign_in_refused",
    )


def test_guessing_is_slowed_down_and_the_right_password_has_to_wait_too(
    served: Served, browser: httpx.Client, hand: Hand
) -> None:
    password = password_of(served)
    for _ in range(5):
        wrong = browser.post(SESSIONS, json={"name": "wang", "password": "a wrong password"})
        assert_problem(wrong, 401, "sign_in_refused")
    told = browser.post(SESSIONS, json={"name": "wang", "password": password})
    assert_problem(told, 429, "too_many_attempts")
    hand.at += timedelta(seconds=int(told.headers["retry-after"]))
    assert browser.post(SESSIONS, json={"name": "wang", "password": password}).status_code == 201


def test_an_address_that_guesses_many_names_is_slowed_down(served: Served, browser: httpx.Client) -> None:
    for number in range(30):
        browser.post(SESSIONS, json={"name": f"name{number}", "password": "a wrong password"})
    assert_problem(
        browser.post(SESSIONS, json={"name": "another", "password": "a wrong password"}),
        429,
        "too_many_attempts",
    )


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(served: Served, browser: httpx.Client) -> None:
    password_of(served)
    answers = []
    for name in ("wang", "nobody"):
        problem = browser.post(SESSIONS, json={"name": name, "password": "a wrong password"}).json()
        del problem["request_id"]
        answers.append(problem)
    assert answers[0] == answers[1]


def test_a_link_signs_in_once(served: Served, browser: httpx.Client, hand: Hand) -> None:
    service = served.app.state.service
    account_id = account(service, Role.OFFICER, "wang")
    link = service.accounts.link(account_id)
    assert browser.post(SESSIONS, json={"link": link}).status_code == 201
    assert_problem(browser.post(SESSIONS, json={"link": link}), 401, "sign_in_refused")
    old = service.accounts.link(account_id)
    hand.at += timedelta(hours=1)
    assert_problem(browser.post(SESSIONS, json={"link": old}), 401, "sign_in_refused")


def test_a_password_that_was_given_is_changed_before_anything_else(
    served: Served, browser: httpx.Client
) -> None:
    _, password = served.service.accounts.add(
        None, name="wang", display_name="Wang", role=Role.OFFICER, site_ids=None
    )
    begun = browser.post(SESSIONS, json={"name": "wang", "password": password})
    assert begun.json()["must_change_password"] is True
    browser.headers[CSRF_HEADER] = begun.json()["csrf_token"]
    assert_problem(browser.get("/api/v1/violations"), 403, "password_change_required")
    for new, code in (("short", "password_refused"), ("aaaaaaaaaaaaaa", "password_refused")):
        body = {"old": password, "new": new}
        assert_problem(browser.put("/api/v1/users/me/password", json=body), 422, code)
    body = {"old": "something else", "new": "four words are quite long"}
    assert_problem(browser.put("/api/v1/users/me/password", json=body), 401, "sign_in_refused")
    body = {"old": password, "new": "four words are quite long"}
    assert browser.put("/api/v1/users/me/password", json=body).status_code == 204
    assert_problem(browser.get(CURRENT), 401, "sign_in_required")
    begun = browser.post(SESSIONS, json={"name": "wang", "password": "four words are quite long"})
    assert begun.json()["must_change_password"] is False
    assert browser.get("/api/v1/violations").status_code == 200


def test_a_token_does_what_it_may_until_it_ends(served: Served, hand: Hand, browser: httpx.Client) -> None:
    service = served.app.state.service
    sign_in_browser(browser, service, account(service, Role.OFFICER, "wang"))
    wanted = {
        "label": "script",
        "permissions": ["read_cases"],
        "expires_at": (NOW + timedelta(days=1)).isoformat(),
    }
    made = browser.post("/api/v1/users/me/tokens", json=wanted).json()
    with httpx.Client(
        base_url=browser.base_url, trust_env=False, headers={"Authorization": f"Bearer {made['secret']}"}
    ) as program:
        assert program.get("/api/v1/violations").status_code == 200
        refused = program.post(f"/api/v1/violations/{RED}/reviews", json=REJECT)
        assert_problem(refused, 403, "not_allowed", "review")
        listed = browser.get("/api/v1/users/me/tokens").json()["items"]
        assert [token["id"] for token in listed] == [made["id"]]
        assert made["secret"] not in str(listed)
        hand.at += timedelta(days=1)
        assert_problem(program.get("/api/v1/violations"), 401, "sign_in_required")
        hand.at = NOW
        assert browser.delete(f"/api/v1/users/me/tokens/{made['id']}").status_code == 204
        assert_problem(program.get("/api/v1/violations"), 401, "sign_in_required")
    assert_problem(browser.delete(f"/api/v1/users/me/tokens/{made['id']}"), 404, "token_unknown")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"permissions": ["manage_accounts"]}, 403, "not_allowed"),
        ({"expires_at": "2026-03-02T09:00:00Z"}, 422, "token_life"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, 422, "token_life"),
        ({"expires_at": "2026-04-01T00:00:00"}, 422, "request_invalid"),
        ({"permissions": []}, 422, "request_invalid"),
        ({"label": "\x00"}, 422, "request_invalid"),
    ],
)
def test_a_token_that_nobody_may_have_is_refused(
    served: Served, browser: httpx.Client, body: dict[str, Any], status: int, code: str
) -> None:
    sign_in_browser(browser, served.service, account(served.service, Role.OFFICER, "wang"))
    wanted = {
        "label": "a",
        "permissions": [Permission.READ_CASES],
        "expires_at": "2026-04-01T00:00:00Z",
    } | body
    assert_problem(browser.post("/api/v1/users/me/tokens", json=wanted), status, code)


def test_administrators_keep_accounts(served: Served) -> None:
    headers = {"Authorization": token(served.service, Role.ADMINISTRATOR, "root")}
    client = served.client
    made = client.post(
        "/api/v1/users",
        headers=headers,
        json={"name": "Zhao", "display_name": "Zhao", "role": "engineer", "site_ids": ["s1"]},
    )
    assert made.status_code == 201
    assert made.json()["name"] == "zhao"
    taken = client.post(
        "/api/v1/users", headers=headers, json={"name": "zhao", "display_name": "Z", "role": "officer"}
    )
    assert_problem(taken, 409, "account_exists")
    url = f"/api/v1/users/{made.json()['id']}"
    seen = client.get(url, headers=headers)
    assert_problem(client.patch(url, headers=headers, json={"closed": True}), 428, "precondition_required")
    for stale in ('"v9"', "nonsense"):
        refused = client.patch(url, headers={**headers, "If-Match": stale}, json={"closed": True})
        assert_problem(refused, 412, "stale")
    changed = client.patch(url, headers={**headers, "If-Match": seen.headers["etag"]}, json={"closed": True})
    assert changed.json()["closed_at"] is not None
    assert changed.headers["etag"] != seen.headers["etag"]
    page = client.get("/api/v1/users?limit=2", headers=headers).json()
    rest = client.get(f"/api/v1/users?limit=2&cursor={page['next_cursor']}", headers=headers).json()
    assert [item["name"] for item in page["items"] + rest["items"]] == ["li", "root", "zhao"]
    assert rest["next_cursor"] is None


def test_the_last_administrator_stays(served: Served) -> None:
    headers = {"Authorization": token(served.service, Role.ADMINISTRATOR, "root")}
    root = served.service.accounts.named("root")
    url = f"/api/v1/users/{root.id}"
    for patch in ({"closed": True}, {"role": "officer"}):
        refused = served.client.patch(url, headers={**headers, "If-Match": f'"v{root.version}"'}, json=patch)
        assert_problem(refused, 409, "last_administrator")


def test_auditors_query_and_verify(served: Served) -> None:
    headers = {"Authorization": token(served.service, Role.AUDITOR, "chen")}
    served.get(f"violations/{RED}")
    page = served.client.get("/api/v1/audit", headers=headers, params={"target": f"case:{RED}", "limit": 1})
    assert [line["action"] for line in page.json()["items"]] == ["case.viewed"]
    assert page.json()["next_cursor"] is None
    everything = served.client.get("/api/v1/audit?limit=2", headers=headers).json()
    older = served.client.get(
        f"/api/v1/audit?limit=2&cursor={everything['next_cursor']}", headers=headers
    ).json()
    numbers = [line["number"] for line in everything["items"] + older["items"]]
    assert numbers == sorted(numbers, reverse=True)
    verified = served.client.post("/api/v1/audit/verification", headers=headers)
    assert verified.json()["lines"] > 4


def test_behind_a_proxy_what_the_nearest_one_says_is_the_address(
    served: Served, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guesses(number: int, told: str) -> int:
        body = {"name": f"name{number}", "password": "a wrong password"}
        return browser.post(SESSIONS, json=body, headers={"X-Forwarded-For": told}).status_code

    for number in range(30):
        assert guesses(number, told=f"10.0.0.{number}") == 401
    assert guesses(30, told="10.0.0.30") == 429  # without a proxy anybody can say so
    monkeypatch.setattr(served.app.state, "is_secure", True)
    for number in range(30):
        assert guesses(100 + number, told=f"10.0.0.{number}, 192.0.2.9") == 401
    assert guesses(130, told="10.0.0.77, 192.0.2.9") == 429
    assert guesses(131, told="192.0.2.9, 192.0.2.10") == 401
