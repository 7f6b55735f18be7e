"""What the API takes and gives about people, field by field."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from api.http.body import Body, Moment
from api.records.audit import AuditLine, AuditQuery
from api.records.people import Account, Token
from api.work.access import Permission, Principal, Role
from api.work.accounts import AccountChange

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,79}$"),
]
Shown = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]*$")
]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._:-]{1,200}$")]
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Credentials(Body):
    """How somebody signs in: with name and password, or with a link's secret."""

    name: str | None = Field(None, max_length=80, description="The sign-in name.")
    password: Password | None = Field(None)
    link: str | None = Field(
        None, max_length=200, description="The secret of a sign-in link, which is used up."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.link is None) == (self.name is None or self.password is None):
            raise ValueError("give name and password, or link")
        return self


class SessionModel(Body):
    """Who is signed in."""

    account_id: str
    name: str = Field(description="As people read it.")
    role: Role
    site_ids: list[str] | None = Field(description="Null: every site.")
    permissions: list[Permission]
    csrf_token: str | None = Field(
        description="To be sent in X-CSRF-Token with each change; null where a token signs in."
    )
    must_change_password: bool = Field(description="Nothing else is permitted until it is changed.")

    @classmethod
    def of(cls, principal: Principal) -> SessionModel:
        """The principal as sent."""
        return cls(
            account_id=principal.account_id,
            name=principal.name,
            role=principal.role,
            site_ids=None if principal.site_ids is None else list(principal.site_ids),
            permissions=sorted(principal.permissions),
            csrf_token=principal.csrf_token,
            must_change_password=principal.must_change,
        )


class PasswordChange(Body):
    """A new password of one's own."""

    old: Password
    new: str = Field(min_length=1, max_length=1000, description="12 to 200 characters.")


class NewAccount(Body):
    """An account to be made."""

    name: Name = Field(description="The sign-in name: lower-case letters, digits and ._@-")
    display_name: Shown
    role: Role
    site_ids: list[Id] | None = Field(None, max_length=1000, description="Null: every site.")


class AccountPatch(Body):
    """What is to be otherwise."""

    display_name: Shown | None = None
    role: Role | None = None
    site_ids: list[Id] | None = Field(None, max_length=1000)
    every_site: bool = Field(False, description="The account is for every site from now on.")
    closed: bool | None = Field(None, description="A closed account signs in no more; its deeds stay.")

    def change(self) -> AccountChange:
        """The change as the accounts take it."""
        return AccountChange(
            display_name=self.display_name,
            role=self.role,
            site_ids=None if self.site_ids is None else tuple(self.site_ids),
            every_site=self.every_site,
            closed=self.closed,
        )


class AccountIdentity(Body):
    """Who the account is at the identity provider."""

    subject: str | None = Field(
        pattern=r"^[\x20-\x7e]{1,255}$",
        description="The value of the claim that names people there, 'sub' unless set otherwise. Null: nobody.",
    )


class SignInWays(Body):
    """How people may sign in."""

    identity_provider: bool = Field(
        description="Whether GET /sessions/identity leads to an identity provider."
    )


class AccountModel(Body):
    """An account."""

    id: str
    name: str
    display_name: str
    role: Role
    site_ids: list[str] | None = Field(description="Null: every site.")
    must_change_password: bool
    created_at: datetime
    closed_at: datetime | None
    version: int = Field(description="Counts its changes; the ETag.")

    @classmethod
    def of(cls, account: Account) -> AccountModel:
        """The account as sent."""
        return cls(
            id=account.id,
            name=account.name,
            display_name=account.display_name,
            role=Role(account.role),
            site_ids=None if account.site_ids is None else list(account.site_ids),
            must_change_password=account.must_change,
            created_at=account.created_at,
            closed_at=account.closed_at,
            version=account.version,
        )


class NewAccountMade(AccountModel):
    """An account that was made, or whose password was reset."""

    one_time_password: str = Field(description="Shown this once; to be changed at the first sign-in.")


class AccountPage(Body):
    """Accounts by name."""

    items: list[AccountModel]
    next_cursor: str | None = Field(description="Goes on after this page; null where nothing follows.")


class NewToken(Body):
    """A personal token to be made."""

    label: Shown = Field(description="What it is for.")
    permissions: list[Permission] = Field(
        min_length=1, max_length=20, description="No more than one has oneself."
    )
    expires_at: Moment = Field(description="With an offset; within 366 days.")


class TokenModel(Body):
    """A personal token."""

    id: str
    label: str
    permissions: list[Permission]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(description="To the minute.")

    @classmethod
    def of(cls, token: Token) -> TokenModel:
        """The token as sent."""
        return cls(**_fields(token))


class TokenMade(TokenModel):
    """A token that was made."""

    secret: str = Field(description="Shown this once; sent as 'Authorization: Bearer …'.")

    @classmethod
    def made(cls, token: Token, secret: str) -> TokenMade:
        """The token with its secret."""
        return cls(**_fields(token), secret=secret)


class TokenList(Body):
    """One's own tokens, oldest first."""

    items: list[TokenModel]


def _fields(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "label": token.label,
        "permissions": [Permission(name) for name in token.permissions],
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }


class AuditFilter(Body):
    """Which lines of the audit are wanted."""

    actor: Id | None = Field(None, description="Only what this account did.")
    action: Id | None = Field(None, description="Only this action, such as case.viewed.")
    target: Id | None = Field(None, description="Only what was done to this, such as case:ID.")
    since: Moment | None = Field(None, description="From this time on, with an offset.")
    until: Moment | None = Field(None, description="Before this time, with an offset.")
    cursor: str | None = Field(None, max_length=64, description="As given in 'next_cursor'; opaque.")
    limit: int = Field(50, ge=1, le=200)

    def wanted(self) -> AuditQuery:
        """The query that the audit understands."""
        return AuditQuery(
            actor_id=self.actor, action=self.action, target=self.target, since=self.since, until=self.until
        )


class AuditLineModel(Body):
    """A line of the audit, as hashed."""

    number: int
    at: datetime
    actor_id: str | None = Field(description="Null where nobody was signed in, or the server itself acted.")
    action: str
    target: str
    outcome: str
    site_id: str | None
    request_id: str | None
    facts: dict[str, str]
    previous_sha256: str
    sha256: str

    @classmethod
    def of(cls, line: AuditLine) -> AuditLineModel:
        """The line as sent."""
        return cls(**json.loads(line.line), sha256=line.sha256)


class AuditPage(Body):
    """Lines of the audit, the newest first."""

    items: list[AuditLineModel]
    next_cursor: str | None = Field(description="Goes on with older lines; null where none is.")


class AuditVerified(Body):
    """The audit verifies."""

    lines: int = Field(description="How many lines there are, each fitting the one before.")
