"""Signing in at an identity provider that runs: the way there and back, and each lie on it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.http.access import COOKIE
from api.identity_settings import IdentityProvider
from api.records.audit import AuditQuery
from api.work.access import Role
from api.work.accounts import AccountChange
from api.work.identity import IdentityCheck
from api.work.service import Service
from evidence.errors import ExtraMissingError
from tests.api.http.conftest import NOW, Served, assert_problem
from tests.builders.identity_provider import CLIENT, SECRET, Provider, a_provider
from tests.builders.service import a_service, account, token

THERE = "/api/v1/sessions/identity"
BACK = f"{THERE}/callback"
CURRENT = "/api/v1/sessions/current"
SUBJECT = "officer-7"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with a_provider(lambda: NOW) as running:
        yield running


@pytest.fixture
def service(served: Served, provider: Provider) -> Service:
    asked = IdentityProvider(issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET)
    served.app.state.service = a_service(served.folder, served.records, lambda: NOW, identity=asked)
    found = served.app.state.service
    assert isinstance(found, Service)
    return found


@pytest.fixture
def wang(service: Service, provider: Provider) -> str:
    """An officer who is linked to the provider's subject."""
    account_id = account(service, Role.OFFICER, "wang")
    service.accounts.identify(None, account_id, provider.issuer, SUBJECT)
    return account_id


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.client.base_url, timeout=30, trust_env=False) as client:
        yield client


def way_back(browser: httpx.Client) -> str:
    """Where the provider sends the browser that went to it."""
    answer = browser.get(THERE)
    assert answer.status_code == 303
    with httpx.Client(trust_env=False) as elsewhere:
        return elsewhere.get(answer.headers["location"]).headers["location"]


def refusals(service: Service) -> list[Any]:
    """What the audit says of sign-ins that were refused, the newest first."""
    found = service.audit.found(AuditQuery(action="session.begun"), before_number=None, limit=50)
    lines = [json.loads(line.line) for line in found]
    return [line["facts"].get("why") for line in lines if line["outcome"] == "refused"]


def assert_refused(browser: httpx.Client, service: Service, address: str, why: str) -> None:
    answer = browser.get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?identity=refused")
    assert COOKIE not in answer.cookies
    assert_problem(browser.get(CURRENT), 401, "sign_in_required")
    assert refusals(service)[0] == f"identity:{why}"


def test_a_linked_account_gets_a_new_session_like_any_other(
    browser: httpx.Client, service: Service, wang: str
) -> None:
    browser.cookies.set(COOKIE, "planted")
    there = browser.get(f"{THERE}?next=https://elsewhere.example/")
    cookie = there.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", f"Path={THERE}"} <= set(cookie.split("; "))
    query = parse_qs(urlsplit(there.headers["location"]).query)
    assert query["redirect_uri"] == [f"{browser.base_url}{BACK}".replace("//api", "/api")]
    assert "elsewhere" not in there.headers["location"]
    answer = browser.get(f"{way_back(browser)}&next=https://elsewhere.example/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?identity=done")
    session = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(COOKIE))
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(session.split("; "))
    assert answer.cookies[COOKIE] != "planted"
    browser.cookies.clear()
    browser.cookies.set(COOKIE, answer.cookies[COOKIE])
    current = browser.get(CURRENT).json()
    assert (current["account_id"], current["must_change_password"]) == (wang, False)
    assert_problem(browser.delete(CURRENT), 403, "csrf_missing")
    signed_out = browser.delete(CURRENT, headers={"X-CSRF-Token": current["csrf_token"]})
    assert signed_out.status_code == 204
    lines = service.audit.found(AuditQuery(target=f"account:{wang}"), before_number=None, limit=9)
    actions = [json.loads(line.line)["action"] for line in lines]
    assert actions[:3] == ["session.ended", "session.begun", "account.linked"]
    assert SUBJECT not in "".join(line.line for line in lines)


AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    "lie",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"exp": AT - 61}},
        {"claims": {"exp": None}},
        {"claims": {"iat": AT + 3600}},
        {"claims": {"aud": "another client"}},
        {"claims": {"aud": "another client", "azp": CLIENT}},
        {"claims": {"aud": [CLIENT, "another client"]}},
        {"claims": {"azp": "another client"}},
        {"claims": {"iss": "https://elsewhere.example"}},
        {"claims": {"sub": None}},
        {"alg": "none"},
        {"alg": "HS256"},
        {"other_key": True},
    ],
    ids=str,
)
def test_a_token_that_is_not_in_order_signs_nobody_in(
    browser: httpx.Client, service: Service, provider: Provider, wang: str, lie: dict[str, Any]
) -> None:
    address = way_back(browser)
    for name, value in lie.items():
        setattr(provider, name, value)
    assert_refused(browser, service, address, "token")


def test_a_way_back_that_this_browser_did_not_begin_signs_nobody_in(
    browser: httpx.Client, served: Served, service: Service, wang: str
) -> None:
    with httpx.Client(base_url=served.client.base_url, timeout=30, trust_env=False) as attacker:
        planted = way_back(attacker)
    assert_refused(browser, service, planted, "state")
    way_back(browser)
    assert_refused(browser, service, planted, "state")
    assert_refused(browser, service, BACK, "state")
    address = way_back(browser)
    assert_refused(browser, service, address.replace("iss=http", "iss=https"), "issuer")
    state = parse_qs(urlsplit(way_back(browser)).query)["state"][0]
    assert_refused(browser, service, f"{BACK}?error=access_denied&state={state}", "declined")


def test_a_code_counts_once(browser: httpx.Client, service: Service, wang: str) -> None:
    address = way_back(browser)
    cookies = dict(browser.cookies)
    assert browser.get(address).headers["location"].endswith("done")
    browser.cookies.clear()
    browser.cookies.update(cookies)
    assert_refused(browser, service, address, "code")


def test_who_is_linked_to_no_open_account_is_refused_and_none_is_made(
    browser: httpx.Client, service: Service, provider: Provider, wang: str
) -> None:
    before = len(service.accounts.page(after_name="", limit=50))
    provider.subject = "wang"  # the name of an account is no link
    assert_refused(browser, service, way_back(browser), "not_linked")
    assert len(service.accounts.page(after_name="", limit=50)) == before
    provider.subject = SUBJECT
    version = service.accounts.account(wang).version
    service.accounts.change(None, wang, AccountChange(closed=True), version=version)
    assert_refused(browser, service, way_back(browser), "closed")


def test_refusals_slow_the_address_down(browser: httpx.Client, service: Service, wang: str) -> None:
    for _ in range(30):
        browser.get(BACK)
    for address in (BACK, THERE):
        assert browser.get(address).headers["location"] == "/sign-in?identity=wait"
    assert len(refusals(service)) == 30


def broken(**discovery: Any) -> Callable[[Provider], None]:
    return lambda provider: provider.discovery.update(discovery)


@pytest.mark.parametrize(
    "harm",
    [
        lambda provider: setattr(provider, "fault", 503),
        lambda provider: setattr(provider, "fault", 302),
        broken(issuer="https://elsewhere.example"),
        broken(authorization_endpoint="http://elsewhere.example/authorize"),
        broken(authorization_endpoint="javascript:alert(1)"),
        broken(authorization_endpoint=None),
        broken(more="x" * 300_000),
    ],
)
def test_a_provider_that_fails_is_said_and_passwords_still_work(
    browser: httpx.Client, service: Service, provider: Provider, wang: str, harm: Callable[[Provider], None]
) -> None:
    harm(provider)
    assert browser.get(THERE).headers["location"] == "/sign-in?identity=unavailable"
    body = {"name": "wang", "password": "wang's own long password"}
    assert browser.post("/api/v1/sessions", json=body).status_code == 201


def test_a_provider_that_goes_away_meanwhile_is_said(
    browser: httpx.Client, service: Service, provider: Provider, wang: str
) -> None:
    address = way_back(browser)
    provider.discovery["jwks_uri"] = "x"
    provider.fault = 500
    assert browser.get(address).headers["location"] == "/sign-in?identity=unavailable"
    assert refusals(service) == []


def test_an_administrator_links_an_account_and_its_one_time_password_is_over(
    browser: httpx.Client, service: Service, provider: Provider
) -> None:
    headers = {"Authorization": token(service, Role.ADMINISTRATOR, "root")}
    made, password = service.accounts.add(
        None, name="wang", display_name="Wang", role=Role.OFFICER, site_ids=None
    )
    link = f"/api/v1/users/{made.id}/identity"
    assert browser.put(link, json={"subject": SUBJECT}, headers=headers).status_code == 204
    refused = browser.post("/api/v1/sessions", json={"name": "wang", "password": password})
    assert_problem(refused, 401, "sign_in_refused")
    assert browser.get(way_back(browser)).headers["location"].endswith("done")
    other = account(service, Role.OFFICER, "li2")
    taken = browser.put(f"/api/v1/users/{other}/identity", json={"subject": SUBJECT}, headers=headers)
    assert_problem(taken, 409, "identity_taken")
    for body in ({}, {"subject": ""}, {"subject": "\x00"}, {"subject": "x" * 256}):
        assert_problem(browser.put(link, json=body, headers=headers), 422, "request_invalid")
    assert browser.put(link, json={"subject": None}, headers=headers).status_code == 204
    assert_problem(browser.get(CURRENT), 401, "sign_in_required")
    assert_refused(browser, service, way_back(browser), "not_linked")
    nobody = f"/api/v1/users/{'0' * 32}/identity"
    assert_problem(browser.put(nobody, json={"subject": SUBJECT}, headers=headers), 404, "account_unknown")


def test_without_a_provider_there_is_no_way(served: Served, browser: httpx.Client) -> None:
    assert browser.get("/api/v1/sessions/ways").json() == {"identity_provider": False}
    for address in (THERE, BACK):
        assert_problem(browser.get(address), 404, "identity_off")


def test_a_provider_without_the_extra_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "authlib.oauth2.client", None)
    with pytest.raises(ExtraMissingError, match=r"pip install -e '.\[oidc\]'"):
        IdentityCheck(IdentityProvider(issuer="https://id.example", client_id="x"), lambda: NOW)


def test_the_clients_secret_is_shown_nowhere() -> None:
    provider = IdentityProvider(issuer="https://id.example", client_id="x", client_secret=SECRET)
    assert SECRET not in repr(provider)
