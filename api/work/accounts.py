"""Accounts: made, changed and closed by an administrator; the first one is made by the server itself."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from api.clock import Now
from api.records import identities, people
from api.records.audit import AuditEntry, append
from api.records.people import Account
from api.work import throttle
from api.work.access import Principal, Role, SessionRequiredError
from api.work.passwords import Passwords
from api.work.secrets import kept, new_secret
from evidence.database import Database
from rules.errors import StoplineError

FIRST = "admin"
"""The sign-in name of the first administrator."""

WORDS = 4
LINK_LASTS = timedelta(hours=1)
"""Long enough for a demonstration that renders its clips meanwhile, short enough for a terminal's history."""


class AccountUnknownError(StoplineError):
    """No account has that id or name."""

    code = "account_unknown"

    def __init__(self, which: str) -> None:
        super().__init__(f"there is no account {which}")


class AccountExistsError(StoplineError):
    """Another account has that sign-in name."""

    code = "account_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an account {name} already")


class IdentityTakenError(StoplineError):
    """That person at the identity provider is linked to another account."""

    code = "identity_taken"

    def __init__(self) -> None:
        super().__init__("that subject is linked to another account already")


class StaleError(StoplineError):
    """Somebody changed it meanwhile; ``version`` is the one that stands."""

    code = "stale"

    def __init__(self, what: str, version: int) -> None:
        super().__init__(f"{what} was changed meanwhile; look at it again")
        self.version = version


class LastAdministratorError(StoplineError):
    """Without this account nobody could make another."""

    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__("this is the last open account of an administrator")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """What is to be otherwise; None leaves it."""

    display_name: str | None = None
    role: Role | None = None
    site_ids: tuple[str, ...] | None = None
    every_site: bool = False
    closed: bool | None = None


class Accounts:
    """The accounts of ``database``; every change stands in the audit."""

    def __init__(self, database: Database, passwords: Passwords, now: Now) -> None:
        self._database = database
        self._passwords = passwords
        self._now = now

    def first_administrator(self) -> str | None:
        """The one-time password of the first administrator, whose account is made; None where there are accounts."""
        with self._database.read() as tx:
            if people.has_accounts(tx):
                return None
        password = new_password()
        hashed = self._passwords.hashed(password, name=FIRST)
        with self._database.write() as tx:
            if people.has_accounts(tx):
                return None
            account = self._new(FIRST, FIRST, Role.ADMINISTRATOR, None, hashed)
            people.add_account(tx, account)
            append(tx, self._entry(None, "account.made", account, (("role", account.role),)))
        return password

    def add(
        self,
        by: Principal | None,
        *,
        name: str,
        display_name: str,
        role: Role,
        site_ids: tuple[str, ...] | None,
        must_change: bool = True,
    ) -> tuple[Account, str]:
        """The new account and its password, to be changed at the first sign-in unless told otherwise. Raises AccountExistsError."""
        password = new_password()
        hashed = self._passwords.hashed(password, name=name)
        account = replace(self._new(name, display_name, role, site_ids, hashed), must_change=must_change)
        with self._database.write() as tx:
            if people.account_named(tx, name) is not None:
                raise AccountExistsError(name)
            people.add_account(tx, account)
            append(tx, self._entry(by, "account.made", account, (("role", role.value),)))
        return account, password

    def change(
        self, by: Principal | None, account_id: str, change: AccountChange, *, version: int
    ) -> Account:
        """The account as changed; its sessions are over where it may do less or other things than before.

        Raises AccountUnknownError, StaleError, LastAdministratorError.
        """
        now = self._now()
        with self._database.write() as tx:
            before = _there(people.account_of(tx, account_id), account_id)
            if before.version != version:
                raise StaleError("the account", before.version)
            closed_at = before.closed_at
            if change.closed is not None:
                closed_at = (before.closed_at or now) if change.closed else None
            after = replace(
                before,
                display_name=before.display_name if change.display_name is None else change.display_name,
                role=before.role if change.role is None else change.role.value,
                site_ids=None
                if change.every_site
                else (before.site_ids if change.site_ids is None else change.site_ids),
                closed_at=closed_at,
                version=before.version + 1,
            )
            was_open_administrator = before.role == Role.ADMINISTRATOR.value and before.closed_at is None
            is_one = after.role == Role.ADMINISTRATOR.value and after.closed_at is None
            if was_open_administrator and not is_one and people.open_administrators(tx) == 1:
                raise LastAdministratorError
            people.keep_account(tx, after)
            if (before.role, before.site_ids, before.closed_at) != (
                after.role,
                after.site_ids,
                after.closed_at,
            ):
                people.end_sessions(tx, account_id)
            if after.closed_at is not None:
                people.end_tokens(tx, account_id)
            facts = (("role", after.role), ("closed", str(after.closed_at is not None).lower()))
            append(tx, self._entry(by, "account.changed", after, facts))
        return after

    def reset_password(self, by: Principal | None, account_id: str) -> str:
        """A one-time password of the account; all its sessions are over. Raises AccountUnknownError."""
        password = new_password()
        hashed = self._passwords.hashed(password, name="")
        with self._database.write() as tx:
            account = _there(people.account_of(tx, account_id), account_id)
            after = replace(account, password_hash=hashed, must_change=True, version=account.version + 1)
            people.keep_account(tx, after)
            people.end_sessions(tx, account_id)
            append(tx, self._entry(by, "account.password_reset", account))
        return password

    def change_own_password(self, by: Principal, old: str, new: str) -> bool:
        """Whether the old one was right: then the new one counts, and all sessions are over.

        Raises PasswordRefusedError, SessionRequiredError for a token, TooManyAttemptsError: whoever found an open browser
        guesses no faster than at the sign-in.
        """
        if by.csrf_token is None:
            raise SessionRequiredError
        now = self._now()
        hashed = self._passwords.hashed(new, name=self.account(by.account_id).name)
        with self._database.write() as tx:
            account = _there(people.account_of(tx, by.account_id), by.account_id)
            throttle.begin(tx, throttle.account_key(account.name), now)
        if not self._passwords.fits(old, account.password_hash):
            return False
        with self._database.write() as tx:
            account = _there(people.account_of(tx, by.account_id), by.account_id)
            after = replace(account, password_hash=hashed, must_change=False, version=account.version + 1)
            people.keep_account(tx, after)
            people.end_sessions(tx, account.id)
            throttle.forget(tx, throttle.account_key(account.name), now)
            append(tx, self._entry(by, "account.password_changed", account))
        return True

    def link(self, account_id: str) -> str:
        """The secret of a link with which the account signs in once, soon. Raises AccountUnknownError."""
        secret = new_secret()
        now = self._now()
        with self._database.write() as tx:
            account = _there(people.account_of(tx, account_id), account_id)
            people.add_link(tx, kept(secret), account.id, now + LINK_LASTS)
            append(tx, self._entry(None, "account.link_made", account))
        return secret

    def identify(self, by: Principal | None, account_id: str, issuer: str, subject: str | None) -> None:
        """The account is linked to that subject of the issuer, and to no other; None: to nobody. Its sessions are over.

        A one-time password, which somebody else knows, counts no more once there is a link; one's own stays. Raises
        AccountUnknownError, IdentityTakenError.
        """
        with self._database.write() as tx:
            account = _there(people.account_of(tx, account_id), account_id)
            if subject is None:
                identities.drop_identity(tx, account_id)
            else:
                if identities.linked_account(tx, issuer, subject) not in (None, account_id):
                    raise IdentityTakenError
                identities.keep_identity(tx, account_id, issuer, subject)
                if account.must_change:
                    account = replace(account, password_hash=None, must_change=False)
            people.keep_account(tx, replace(account, version=account.version + 1))
            people.end_sessions(tx, account_id)
            append(tx, self._entry(by, "account.unlinked" if subject is None else "account.linked", account))

    def account(self, account_id: str) -> Account:
        """The account. Raises AccountUnknownError."""
        with self._database.read() as tx:
            return _there(people.account_of(tx, account_id), account_id)

    def named(self, name: str) -> Account:
        """The account with that sign-in name. Raises AccountUnknownError."""
        with self._database.read() as tx:
            return _there(people.account_named(tx, name), name)

    def page(self, *, after_name: str, limit: int) -> Sequence[Account]:
        """Up to ``limit`` accounts whose names follow, by name."""
        with self._database.read() as tx:
            return people.accounts_after(tx, after_name, limit)

    def _new(
        self, name: str, display_name: str, role: Role, site_ids: tuple[str, ...] | None, hashed: str
    ) -> Account:
        return Account(
            id=uuid.uuid4().hex,
            name=name,
            display_name=display_name,
            role=role.value,
            site_ids=site_ids,
            password_hash=hashed,
            must_change=True,
            created_at=self._now(),
            closed_at=None,
            version=1,
        )

    def _entry(
        self, by: Principal | None, action: str, account: Account, facts: tuple[tuple[str, str], ...] = ()
    ) -> AuditEntry:
        return AuditEntry(
            at=self._now(),
            actor_id=None if by is None else by.account_id,
            action=action,
            target=f"account:{account.id}",
            facts=facts,
        )


def new_password() -> str:
    """A one-time password that can be read out and typed: groups of characters that look like no other."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(WORDS))


def _there(account: Account | None, which: str) -> Account:
    if account is None:
        raise AccountUnknownError(which)
    return account
