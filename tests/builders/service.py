"""A service over a data folder, with an account of each role, and clients that are signed in as them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from argon2 import PasswordHasher

from api.http.access import CSRF_HEADER
from api.identity_settings import IdentityProvider
from api.work.access import GRANTS, Principal, Role
from api.work.camera_desk import CameraReach, no_reach
from api.work.case_sight import Actor
from api.work.case_submission import Outcome, Submission, Verdict, VerdictKind
from api.work.service import Service, open_service
from evidence.keys import PublishedKey
from evidence.records_sql import SqlRecords
from evidence.store import PackageStore
from tests.builders.signing import a_signer

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A hash that costs nothing: tests sign in a thousand times."""


def a_service(
    folder: Path,
    records: SqlRecords,
    now: Callable[[], datetime],
    store: PackageStore | None = None,
    reach: Callable[[], CameraReach] = no_reach,
    footage: Path | None = None,
    identity: IdentityProvider | None = None,
) -> Service:
    """The service over that folder."""
    office = PublishedKey(key=a_signer().public, label="Test office")
    return open_service(
        folder,
        records,
        now,
        store,
        hasher=CHEAP,
        keys=lambda: (office,),
        reach=reach,
        footage=footage,
        identity=identity,
    )


def account(service: Service, role: Role, name: str, site_ids: tuple[str, ...] | None = None) -> str:
    """The id of a new account, which may sign in by link at once."""
    made, password = service.accounts.add(
        None, name=name, display_name=name.capitalize(), role=role, site_ids=site_ids
    )
    begun = service.sign_in.by_password(name, password, address="", request_id=None)
    assert service.accounts.change_own_password(begun.principal, password, f"{name}'s own long password")
    return made.id


def token(service: Service, role: Role, name: str, site_ids: tuple[str, ...] | None = None) -> str:
    """The header's value with which a program acts as that new account, whatever it may do."""
    account_id = account(service, role, name, site_ids)
    begun = service.sign_in.by_link(service.accounts.link(account_id), request_id=None)
    _, secret = service.sign_in.add_token(
        begun.principal,
        label="tests",
        permissions=GRANTS[role],
        expires_at=service.now() + timedelta(days=300),
        request_id=None,
    )
    return f"Bearer {secret}"


def sign_in_browser(client: httpx.Client, service: Service, account_id: str) -> None:
    """The client has that account's session, as a browser has it, and sends its CSRF token."""
    answer = client.post("/api/v1/sessions", json={"link": service.accounts.link(account_id)})
    assert answer.status_code == 201, answer.text
    client.headers[CSRF_HEADER] = answer.json()["csrf_token"]


def decide(service: Service, case_id: str, *, code: str | None = None) -> Outcome:
    """Li claims the case and confirms it, or with a code rejects it."""
    role = Role.OFFICER
    li = Principal(account_id="li", name="Li", role=role, site_ids=None, permissions=GRANTS[role])
    actor = Actor(principal=li)
    sight = service.work.claim(actor, case_id)
    assert sight.claim is not None
    kind = VerdictKind.CONFIRM if code is None else VerdictKind.REJECT
    submitted = Submission(
        if_match=sight.version, claim=sight.claim.number, route="decide", key=case_id, body_sha256=""
    )
    return service.work.review(actor, case_id, Verdict(kind=kind, code=code), submitted)
