"""Every route × every role × own site, other site, nobody: allowed or refused as this table says."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from api.http.app import describe_api
from api.records.audit import AuditQuery
from api.work.access import GRANTS, Permission, Role
from tests.api.http.conftest import RED, Served, assert_problem
from tests.builders.service import token
from tests.builders.sites import SITE_FILE, publish

SITE = "crossing"
ANYBODY, SIGNED_IN = "anybody", "signed in"
P = Permission

TABLE: dict[tuple[str, str], Permission | str] = {
    ("GET", "/healthz"): ANYBODY,
    ("GET", "/readyz"): ANYBODY,
    ("GET", "/metrics"): P.READ_STATISTICS,
    ("POST", "/sessions"): ANYBODY,
    ("GET", "/sessions/ways"): ANYBODY,
    ("GET", "/sessions/identity"): ANYBODY,
    ("GET", "/sessions/identity/callback"): ANYBODY,
    ("GET", "/events"): SIGNED_IN,
    ("GET", "/sessions/current"): SIGNED_IN,
    ("DELETE", "/sessions/current"): SIGNED_IN,
    ("PUT", "/users/me/password"): SIGNED_IN,
    ("GET", "/users/me/tokens"): SIGNED_IN,
    ("POST", "/users/me/tokens"): SIGNED_IN,
    ("DELETE", "/users/me/tokens/{token_id}"): SIGNED_IN,
    ("GET", "/users"): P.MANAGE_ACCOUNTS,
    ("POST", "/users"): P.MANAGE_ACCOUNTS,
    ("GET", "/users/{account_id}"): P.MANAGE_ACCOUNTS,
    ("PATCH", "/users/{account_id}"): P.MANAGE_ACCOUNTS,
    ("PUT", "/users/{account_id}/identity"): P.MANAGE_ACCOUNTS,
    ("POST", "/users/{account_id}/password-reset"): P.MANAGE_ACCOUNTS,
    ("POST", "/exports"): P.EXPORT,
    ("GET", "/exports/{export_id}"): P.EXPORT,
    ("GET", "/exports/{export_id}/file"): P.EXPORT,
    ("DELETE", "/exports/{export_id}"): P.EXPORT,
    ("GET", "/audit"): P.READ_AUDIT,
    ("POST", "/audit/verification"): P.READ_AUDIT,
    ("GET", "/violations"): P.READ_CASES,
    ("GET", "/violations/{case_id}"): P.READ_CASES,
    ("GET", "/violations/{case_id}/pictures/{name}"): P.READ_CASES,
    ("GET", "/violations/{case_id}/clip"): P.READ_CASES,
    ("GET", "/violations/{case_id}/clip/copy"): P.READ_CASES,
    ("GET", "/violations/{case_id}/trace"): P.READ_CASES,
    ("GET", "/violations/{case_id}/manifest"): P.READ_CASES,
    ("GET", "/violations/{case_id}/frames"): P.READ_CASES,
    ("GET", "/violations/{case_id}/frames/{number}"): P.READ_CASES,
    ("GET", "/violations/{case_id}/audit"): P.READ_CASE_AUDIT,
    ("GET", "/violations/{case_id}/reviews"): P.READ_CASES,
    ("POST", "/violations/{case_id}/reviews"): P.REVIEW,
    ("PUT", "/violations/{case_id}/claim"): P.REVIEW,
    ("DELETE", "/violations/{case_id}/claim"): P.REVIEW,
    ("PATCH", "/violations/{case_id}/plate"): P.REVIEW,
    ("POST", "/violations/{case_id}/void"): P.SUPERVISE,
    ("POST", "/violations/{case_id}/appeals"): P.SUPERVISE,
    ("GET", "/appeals"): P.SUPERVISE,
    ("GET", "/appeals/{number}"): P.SUPERVISE,
    ("POST", "/appeals/{number}/decision"): P.SUPERVISE,
    ("GET", "/suspensions"): P.READ_SITES,
    ("POST", "/suspensions"): P.SUPERVISE,
    ("GET", "/suspensions/{number}"): P.READ_SITES,
    ("DELETE", "/suspensions/{number}"): P.SUPERVISE,
    ("GET", "/review-policies"): P.READ_SITES,
    ("POST", "/review-policies"): P.SUPERVISE,
    ("GET", "/sites"): P.READ_SITES,
    ("POST", "/sites"): P.CONFIGURE,
    ("GET", "/sites/{site_id}"): P.READ_SITES,
    ("GET", "/sites/{site_id}/config/draft"): P.CONFIGURE,
    ("PUT", "/sites/{site_id}/config/draft"): P.CONFIGURE,
    ("DELETE", "/sites/{site_id}/config/draft"): P.CONFIGURE,
    ("POST", "/sites/{site_id}/config/validate"): P.CONFIGURE,
    ("GET", "/sites/{site_id}/config/versions"): P.READ_SITES,
    ("POST", "/sites/{site_id}/config/versions"): P.CONFIGURE,
    ("GET", "/sites/{site_id}/config/versions/{number}"): P.CONFIGURE,
    ("POST", "/sites/{site_id}/config/versions/{number}/rollback"): P.CONFIGURE,
    ("GET", "/sites/{site_id}/config/differences"): P.CONFIGURE,
    ("GET", "/cameras"): P.READ_SITES,
    ("GET", "/cameras/{camera_id}"): P.READ_SITES,
    ("GET", "/cameras/{camera_id}/snapshot"): P.CONFIGURE,
    ("POST", "/cameras/{camera_id}/connection-test"): P.CONFIGURE,
    ("GET", "/cameras/{camera_id}/config/draft"): P.CONFIGURE,
    ("PUT", "/cameras/{camera_id}/config/draft"): P.CONFIGURE,
    ("POST", "/cameras/{camera_id}/config/validate"): P.CONFIGURE,
    ("GET", "/cameras/{camera_id}/config/versions"): P.READ_SITES,
    ("POST", "/cameras/{camera_id}/config/versions"): P.CONFIGURE,
    ("POST", "/runs"): P.RUN,
    ("GET", "/runs"): P.RUN,
    ("GET", "/runs/footage"): P.RUN,
    ("POST", "/dry-runs"): P.RUN,
    ("GET", "/jobs/{job_id}"): P.RUN,
    ("DELETE", "/jobs/{job_id}"): P.RUN,
    ("GET", "/passages"): P.SEARCH_PASSAGES,
    ("GET", "/passages/{passage_id}/picture"): P.SEARCH_PASSAGES,
    ("GET", "/coverage"): P.READ_STATISTICS,
    ("GET", "/coverage/armed-minutes"): P.READ_STATISTICS,
    ("GET", "/statistics"): P.READ_STATISTICS,
    ("GET", "/register"): ANYBODY,
    ("GET", "/sites/{site_id}/register"): P.READ_SITES,
    ("PUT", "/sites/{site_id}/register"): P.CONFIGURE,
    ("PUT", "/sites/{site_id}/register/signs/{sign_id}/photo"): P.CONFIGURE,
    ("GET", "/sites/{site_id}/register/signs/{sign_id}/photo"): P.READ_SITES,
}
"""Who may use which route of the API; a route that is missing here fails the first test."""

BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/violations/{case_id}/reviews"): {"decision": "confirm", "claim": 1},
    ("PATCH", "/violations/{case_id}/plate"): {"text": "浙A12345", "claim": 1},
    ("POST", "/violations/{case_id}/void"): {"reason": "r"},
    ("POST", "/violations/{case_id}/appeals"): {"reason": "r"},
    ("PUT", "/sites/{site_id}/config/draft"): {"text": SITE_FILE},
    ("PUT", "/cameras/{camera_id}/config/draft"): {"text": SITE_FILE},
    ("POST", "/cameras/{camera_id}/config/versions"): {"reason": "r"},
    ("PUT", "/sites/{site_id}/register"): {"kind": "junction", "name": "n", "area": "a"},
    ("POST", "/sites/{site_id}/config/versions"): {"reason": "r"},
    ("POST", "/sites/{site_id}/config/versions/{number}/rollback"): {"reason": "r"},
}
"""What a request needs so that it reaches the case it names; others may be refused as incomplete."""

FILLED = {
    "{case_id}": RED,
    "{name}": "scene-1.jpg",
    "{number}": "1",
    "{account_id}": "0" * 32,
    "{token_id}": "0" * 32,
    "{export_id}": "0" * 32,
    "{site_id}": SITE,
    "{job_id}": "0" * 32,
    "{camera_id}": "north",
    "{sign_id}": "sign",
    "{passage_id}": "p",
}


AT_THE_ROOT = ("/healthz", "/readyz", "/metrics")
"""Where machines expect them."""


QUERIES = {
    "/sites/{site_id}/config/differences": "?before=1",
    "/coverage/armed-minutes": "?first=2026-03-01&last=2026-03-02",
    "/statistics": "?first=2026-03-01&last=2026-03-02",
    "/passages": "?purpose=crime&reference=A-1",
    "/passages/{passage_id}/picture": "?purpose=crime&reference=A-1",
}
"""What an address needs besides."""


def address(path: str) -> str:
    path_of = path
    for name, value in FILLED.items():
        path = path.replace(name, value)
    path += QUERIES.get(path_of, "")
    return path if path in AT_THE_ROOT else f"/api/v1{path}"


def ask(client: httpx.Client, route: tuple[str, str], authorization: str | None) -> httpx.Response:
    """The answer; nobody asks where there is no ``authorization``."""
    if_match = '"v1"' if route[1].startswith(("/sites", "/cameras")) else '"c1.0"'
    headers = {"If-Match": if_match, "Idempotency-Key": "k"}
    headers |= {} if authorization is None else {"Authorization": authorization}
    with (
        httpx.Client(base_url=client.base_url, timeout=30, trust_env=False, headers=headers) as asker,
        asker.stream(route[0], address(route[1]), json=BODIES.get(route, {})) as answer,
    ):
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):  # which has no end
            answer.read()
        return answer


@pytest.fixture
def people(served: Served) -> dict[str, str]:
    """What each role, for every site and for another one only, sends to be known."""
    own = {role.value: token(served.service, role, role.value) for role in Role}
    other = {
        f"{role.value} elsewhere": token(served.service, role, f"{role.value}-elsewhere", ("elsewhere",))
        for role in Role
    }
    return own | other


def test_the_table_has_every_route_and_no_other() -> None:
    routes = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in describe_api()["paths"].items()
        for method in operations
    }
    assert routes - set(TABLE) == set(), "routes that no row of TABLE says who may use"
    assert set(TABLE) - routes == set(), "rows of TABLE without a route"


def test_who_may_use_which_route_and_each_refusal_is_audited(served: Served, people: dict[str, str]) -> None:
    refused = []
    for route, wanted in TABLE.items():
        nobody = ask(served.client, route, None)
        if wanted != ANYBODY:
            assert_problem(nobody, 401, "sign_in_required")
            assert_problem(ask(served.client, route, "Bearer stopline_nonsense"), 401, "sign_in_required")
        for role in Role:
            answer = ask(served.client, route, people[role.value])
            if isinstance(wanted, Permission) and wanted not in GRANTS[role]:
                refused.append(assert_problem(answer, 403, "not_allowed", str(wanted))["request_id"])
            else:
                assert answer.status_code not in {401, 403} or wanted == ANYBODY, (route, role)
    told = served.service.audit.found(
        AuditQuery(action="request.refused"), before_number=None, limit=len(refused) + 1
    )
    assert [json.loads(line.line)["request_id"] for line in reversed(told)] == refused


def test_what_the_role_lacks_stands_in_the_audit(served: Served, people: dict[str, str]) -> None:
    ask(served.client, ("GET", "/users"), people["officer"])
    line = json.loads(served.service.audit.found(AuditQuery(), before_number=None, limit=1)[0].line)
    assert (line["action"], line["target"]) == ("request.refused", "GET /api/v1/users")
    assert (line["outcome"], line["facts"]) == ("refused", {"why": "permission:manage_accounts"})


def test_a_case_of_another_site_is_as_if_it_were_not_there(served: Served, people: dict[str, str]) -> None:
    for route, wanted in TABLE.items():
        if "{case_id}" not in route[1]:
            continue
        for role in Role:
            if wanted not in GRANTS[role]:
                continue
            answer = ask(served.client, route, people[f"{role.value} elsewhere"])
            assert_problem(answer, 404, "case_unknown")
            line = json.loads(served.service.audit.found(AuditQuery(), before_number=None, limit=1)[0].line)
            assert (line["target"], line["outcome"]) == (f"case:{RED}", "refused")
    elsewhere = people["officer elsewhere"]
    listed = served.client.get("/api/v1/violations?status=any", headers={"Authorization": elsewhere})
    assert listed.json()["items"] == []


def test_another_site_is_as_if_it_were_not_there(served: Served, people: dict[str, str]) -> None:
    publish(served.service.sites)
    named = [
        (route, wanted)
        for route, wanted in TABLE.items()
        if "{site_id}" in route[1] or "{camera_id}" in route[1]
    ]
    assert named
    for route, wanted in named:
        for role in Role:
            if wanted not in GRANTS[role]:
                continue
            answer = ask(served.client, route, people[f"{role.value} elsewhere"])
            of_camera = "{camera_id}" in route[1]
            assert_problem(answer, 404, "camera_unknown" if of_camera else "site_unknown")
            line = json.loads(served.service.audit.found(AuditQuery(), before_number=None, limit=1)[0].line)
            assert (line["target"], line["outcome"]) == (f"site:{SITE}", "refused")
            assert SITE not in answer.json()["detail"].replace(f"there is no site {SITE}", "")
    headers = {"Authorization": people["engineer elsewhere"]}
    assert served.client.get("/api/v1/sites", headers=headers).json()["items"] == []


def test_each_look_at_a_case_stands_in_the_audit(served: Served) -> None:
    served.get(f"violations/{RED}")
    served.get(f"violations/{RED}/pictures/scene-1.jpg")
    found = served.service.audit.found(AuditQuery(target=f"case:{RED}"), before_number=None, limit=9)
    told = [json.loads(line.line) for line in found]
    assert [(line["action"], line["facts"], line["outcome"]) for line in told] == [
        ("case.viewed", {"part": "picture"}, "done"),
        ("case.viewed", {}, "done"),
    ]
    assert "浙" not in "".join(line.line for line in found)
