"""Accounts, sessions, tokens and sign-in links in SQL; secrets are kept as hashes only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from evidence.records_tables import METADATA, UtcDateTime

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("display_name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("site_ids", Text, nullable=True),
    Column("password_hash", String, nullable=True),
    Column("must_change", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("version", Integer, nullable=False),
)
"""``site_ids`` is a JSON list, NULL for every site; ``must_change``: the password was given by somebody else."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("sha256", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf_token", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("label", String, nullable=False),
    Column("sha256", String, nullable=False, unique=True),
    Column("permissions", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=True),
)

LINKS_IN = Table(
    "sign_in_links",
    METADATA,
    Column("sha256", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

FAILURES = Table(
    "sign_in_failures",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_sign_in_failures", "key", "at"),
    sqlite_autoincrement=True,
)
"""``key`` is ``account:`` or ``address:`` and a hash of which, or ``token:`` and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person's account; ``site_ids`` None means every site. ``version`` counts its changes from 1."""

    id: str
    name: str
    display_name: str
    role: str
    site_ids: tuple[str, ...] | None
    password_hash: str | None
    must_change: bool
    created_at: datetime
    closed_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser."""

    sha256: str
    account_id: str
    csrf_token: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A personal token of an account, with what it permits."""

    id: str
    account_id: str
    label: str
    permissions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


def add_account(connection: Connection, account: Account) -> None:
    """The account is kept. Its id and name must be new."""
    connection.execute(ACCOUNTS.insert().values(_columns(account)))


def keep_account(connection: Connection, account: Account) -> None:
    """The account is as given."""
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(_columns(account)))


def account_of(connection: Connection, account_id: str) -> Account | None:
    """The account of that id."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id)).one_or_none()
    return None if row is None else _account(row)


def account_named(connection: Connection, name: str) -> Account | None:
    """The account with that sign-in name."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).one_or_none()
    return None if row is None else _account(row)


def accounts_after(connection: Connection, name: str, limit: int) -> Sequence[Account]:
    """Up to ``limit`` accounts whose names follow ``name``, by name."""
    wanted = select(ACCOUNTS).where(ACCOUNTS.c.name > name).order_by(ACCOUNTS.c.name).limit(limit)
    return [_account(row) for row in connection.execute(wanted)]


def has_accounts(connection: Connection) -> bool:
    """Whether there is any account."""
    return connection.execute(select(ACCOUNTS.c.id).limit(1)).first() is not None


def open_administrators(connection: Connection) -> int:
    """How many accounts of administrators are open."""
    wanted = select(func.count()).where(ACCOUNTS.c.role == "administrator", ACCOUNTS.c.closed_at.is_(None))
    return int(connection.execute(wanted).scalar_one())


def add_session(connection: Connection, session: Session) -> None:
    """The session is kept."""
    connection.execute(
        SESSIONS.insert().values(
            sha256=session.sha256,
            account_id=session.account_id,
            csrf_token=session.csrf_token,
            created_at=session.created_at,
            seen_at=session.seen_at,
        )
    )


def session_of(connection: Connection, sha256: str) -> Session | None:
    """The session whose secret has that hash."""
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.sha256 == sha256)).one_or_none()
    if row is None:
        return None
    return Session(
        sha256=row.sha256,
        account_id=row.account_id,
        csrf_token=row.csrf_token,
        created_at=row.created_at,
        seen_at=row.seen_at,
    )


def session_seen(connection: Connection, sha256: str, at: datetime) -> None:
    """The session was used last at that time."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.sha256 == sha256).values(seen_at=at))


def end_session(connection: Connection, sha256: str) -> None:
    """That session is over."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.sha256 == sha256))


def end_sessions(connection: Connection, account_id: str) -> None:
    """All sessions and sign-in links of the account are over."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.account_id == account_id))
    connection.execute(delete(LINKS_IN).where(LINKS_IN.c.account_id == account_id))


def end_old(connection: Connection, *, seen_before: datetime, begun_before: datetime, at: datetime) -> None:
    """Sessions that were last seen or begun before those times are gone, and links that were over ``at`` that time."""
    connection.execute(
        delete(SESSIONS).where((SESSIONS.c.seen_at <= seen_before) | (SESSIONS.c.created_at <= begun_before))
    )
    connection.execute(delete(LINKS_IN).where(LINKS_IN.c.expires_at <= at))


def end_tokens(connection: Connection, account_id: str) -> None:
    """All tokens of the account are over."""
    connection.execute(delete(TOKENS).where(TOKENS.c.account_id == account_id))


def add_token(connection: Connection, token: Token, sha256: str) -> None:
    """The token is kept, its secret as that hash."""
    connection.execute(
        TOKENS.insert().values(
            id=token.id,
            account_id=token.account_id,
            label=token.label,
            sha256=sha256,
            permissions=json.dumps(token.permissions),
            created_at=token.created_at,
            expires_at=token.expires_at,
            used_at=token.used_at,
        )
    )


def token_of(connection: Connection, sha256: str) -> Token | None:
    """The token whose secret has that hash."""
    row = connection.execute(select(TOKENS).where(TOKENS.c.sha256 == sha256)).one_or_none()
    return None if row is None else _token(row)


def tokens_of(connection: Connection, account_id: str) -> Sequence[Token]:
    """The tokens of the account, oldest first."""
    wanted = (
        select(TOKENS).where(TOKENS.c.account_id == account_id).order_by(TOKENS.c.created_at, TOKENS.c.id)
    )
    return [_token(row) for row in connection.execute(wanted)]


def token_used(connection: Connection, token_id: str, at: datetime) -> None:
    """The token was used last at that time."""
    connection.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(used_at=at))


def end_token(connection: Connection, account_id: str, token_id: str) -> bool:
    """Whether the account had that token, which is over."""
    gone = connection.execute(
        delete(TOKENS)
        .where(TOKENS.c.account_id == account_id, TOKENS.c.id == token_id)
        .returning(TOKENS.c.id)
    )
    return gone.first() is not None


def add_link(connection: Connection, sha256: str, account_id: str, expires_at: datetime) -> None:
    """The sign-in link is kept, its secret as that hash."""
    connection.execute(LINKS_IN.insert().values(sha256=sha256, account_id=account_id, expires_at=expires_at))


def take_link(connection: Connection, sha256: str, at: datetime) -> str | None:
    """The account of that link, which is used up; None where there is none, or its time is over."""
    taken = connection.execute(
        delete(LINKS_IN)
        .where(LINKS_IN.c.sha256 == sha256)
        .returning(LINKS_IN.c.account_id, LINKS_IN.c.expires_at)
    ).first()
    return None if taken is None or taken.expires_at <= at else str(taken.account_id)


def add_failure(connection: Connection, key: str, at: datetime) -> None:
    """A sign-in of that key failed."""
    connection.execute(FAILURES.insert().values(key=key, at=at))


def failures_since(connection: Connection, key: str, since: datetime) -> tuple[int, datetime | None]:
    """How many sign-ins of that key failed since then, and when the last of them did."""
    wanted = select(func.count(), func.max(FAILURES.c.at)).where(FAILURES.c.key == key, FAILURES.c.at > since)
    number, last = connection.execute(wanted).one()
    return int(number), last


def forget_failures(connection: Connection, key: str, before: datetime) -> None:
    """The failures of that key are forgotten, and those of anybody from before that time."""
    connection.execute(delete(FAILURES).where((FAILURES.c.key == key) | (FAILURES.c.at <= before)))


def _columns(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "role": account.role,
        "site_ids": None if account.site_ids is None else json.dumps(account.site_ids),
        "password_hash": account.password_hash,
        "must_change": account.must_change,
        "created_at": account.created_at,
        "closed_at": account.closed_at,
        "version": account.version,
    }


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        role=row.role,
        site_ids=None if row.site_ids is None else tuple(json.loads(row.site_ids)),
        password_hash=row.password_hash,
        must_change=row.must_change,
        created_at=row.created_at,
        closed_at=row.closed_at,
        version=row.version,
    )


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        account_id=row.account_id,
        label=row.label,
        permissions=tuple(json.loads(row.permissions)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
