"""The API through a real server over a drawn data folder, with a signed-in client for each role, for proofs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from argon2 import PasswordHasher

from api.clock import SystemClock
from api.http.app import create_app
from api.http.server import address_of, listener, served
from api.work.access import GRANTS, Role
from api.work.data_folder import open_records
from api.work.service import Service, open_service

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashing is not what is proved."""


@dataclass(frozen=True, slots=True)
class ServedApi:
    """Where it is, the service behind it, and the Authorization header's value of each role."""

    address: str
    service: Service
    tokens: Mapping[Role, str]


@contextmanager
def served_api(data: Path) -> Iterator[ServedApi]:
    """The API over that folder's records, wherever they are, on a free port of this machine."""
    records = open_records(data)
    try:
        service = open_service(data, records, SystemClock().now, hasher=CHEAP)
        tokens = {role: token_of(service, role) for role in Role}
        with listener("127.0.0.1", 0) as listening, served(create_app(service), listening):
            yield ServedApi(address_of(listening).rstrip("/"), service, tokens)
        service.jobs.close()
        service.exports.close()
    finally:
        records.close()


def token_of(service: Service, role: Role) -> str:
    """What a new account of that role, for every site, sends to be known."""
    name = f"{role.value}-{uuid.uuid4().hex[:8]}"
    account, _ = service.accounts.add(
        None, name=name, display_name=name, role=role, site_ids=None, must_change=False
    )
    begun = service.sign_in.by_link(service.accounts.link(account.id), request_id=None)
    _, secret = service.sign_in.add_token(
        begun.principal,
        label="proof",
        permissions=GRANTS[role],
        expires_at=service.now() + timedelta(days=30),
        request_id=None,
    )
    return f"Bearer {secret}"
