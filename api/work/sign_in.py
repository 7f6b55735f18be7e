"""Signing in and out: sessions of browsers, tokens of programs, and how often one may try."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.clock import Now
from api.records import identities, people
from api.records.audit import AuditEntry, Outcome, append
from api.records.people import Account, Session, Token
from api.work import throttle
from api.work.access import (
    GRANTS,
    NotAllowedError,
    Permission,
    Principal,
    Role,
    SessionRequiredError,
)
from api.work.passwords import Passwords
from api.work.secrets import kept, new_secret
from evidence.database import Database
from rules.errors import StoplineError

IDLE = timedelta(hours=1)
"""A session that was not used for so long is over: OWASP asks for 15 to 30 minutes where much is at stake, and an officer
who reads a file of a case for half an hour should not lose what was typed."""
LONGEST = timedelta(hours=12)
"""A session ends with the shift, used or not."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session or token was used last; each writes."""

REFUSED_TOKENS = 20
"""Unknown tokens in WINDOW that stand in the audit, and of each known one that is over the first: nobody can fill it."""

TOKEN_PREFIX = "stopline_"  # so that scanners for secrets find one that was published
TOKEN_LONGEST = timedelta(days=366)


class SignInRefusedError(StoplineError):
    """Name and password do not fit, or the link is used up: which of them is not said."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("name and password do not fit, or the link was used or is over")


class TokenUnknownError(StoplineError):
    """The account has no such token."""

    code = "token_unknown"

    def __init__(self, token_id: str) -> None:
        super().__init__(f"you have no token {token_id}")


class TokenLifeError(StoplineError):
    """A token would end before it begins, or live too long."""

    code = "token_life"

    def __init__(self) -> None:
        super().__init__(f"a token ends after now, and within {TOKEN_LONGEST.days} days")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session that has just begun: ``secret`` is for the browser's cookie, and kept nowhere else."""

    secret: str
    principal: Principal


class SignIn:
    """Who is behind a request to ``database``'s service; every sign-in, its failure and its end stand in the audit."""

    def __init__(self, database: Database, passwords: Passwords, now: Now) -> None:
        self._database = database
        self._passwords = passwords
        self._now = now

    def by_password(self, name: str, password: str, *, address: str, request_id: str | None) -> NewSession:
        """A new session. Raises SignInRefusedError, TooManyAttemptsError."""
        now = self._now()
        key = throttle.account_key(name)
        with self._database.write() as tx:
            throttle.check(tx, throttle.address_key(address), now)
            throttle.begin(tx, key, now)
            account = people.account_named(tx, name)
        is_right = self._passwords.fits(password, None if account is None else account.password_hash)
        if account is None or not is_right or account.closed_at is not None:
            self._failed(account, address, request_id)
            raise SignInRefusedError
        return self._begin(account.id, request_id, forget=key, seen=account)

    def by_link(self, secret: str, *, address: str = "", request_id: str | None) -> NewSession:
        """A new session of the link's account; the link is used up. Raises SignInRefusedError, TooManyAttemptsError."""
        now = self._now()
        with self._database.write() as tx:
            throttle.check(tx, throttle.address_key(address), now)
            account_id = people.take_link(tx, kept(secret), now)
        if account_id is None:
            self._failed(None, address, request_id)
            raise SignInRefusedError
        return self._begin(account_id, request_id)

    def check_address(self, address: str) -> None:
        """One more may try to sign in from that address. Raises TooManyAttemptsError."""
        with self._database.read() as tx:
            throttle.check(tx, throttle.address_key(address), self._now())

    def by_identity(self, issuer: str, subject: str, *, address: str, request_id: str | None) -> NewSession:
        """A new session of the account that is linked to that subject. Raises SignInRefusedError."""
        with self._database.read() as tx:
            account_id = identities.linked_account(tx, issuer, subject)
            account = None if account_id is None else people.account_of(tx, account_id)
        if account is None or account.closed_at is not None:
            self._failed(account, address, request_id, why="not_linked" if account is None else "closed")
            raise SignInRefusedError
        return self._begin(account.id, request_id, seen=account)

    def identity_refused(self, why: str, *, address: str, request_id: str | None) -> None:
        """What an identity provider sent back proved nothing; it stands in the audit and slows the address down."""
        self._failed(None, address, request_id, why=why)

    def principal(self, secret: str) -> Principal | None:
        """Who is behind that session; None where it is over."""
        now = self._now()
        sha256 = kept(secret)
        with self._database.read() as tx:
            session = people.session_of(tx, sha256)
            account = None if session is None else people.account_of(tx, session.account_id)
        if session is None or account is None or account.closed_at is not None:
            return None
        if now - session.seen_at >= IDLE or now - session.created_at >= LONGEST:
            with self._database.write() as tx:
                people.end_session(tx, sha256)
            return None
        if now - session.seen_at >= SEEN_EVERY:
            with self._database.write() as tx:
                people.session_seen(tx, sha256, now)
        return _principal(account, csrf_token=session.csrf_token)

    def principal_of_token(self, secret: str) -> Principal | None:
        """Who is behind that token; None where it is unknown or over."""
        if not secret.startswith(TOKEN_PREFIX):
            return None
        now = self._now()
        with self._database.read() as tx:
            token = people.token_of(tx, kept(secret))
            account = None if token is None else people.account_of(tx, token.account_id)
        if token is None or account is None or account.closed_at is not None or token.expires_at <= now:
            self._refused_token(token, now)
            return None
        if token.used_at is None or now - token.used_at >= SEEN_EVERY:
            with self._database.write() as tx:
                people.token_used(tx, token.id, now)
        scope = frozenset(Permission(name) for name in token.permissions)
        return _principal(account, scope=scope)

    def end(self, secret: str, by: Principal, *, request_id: str | None) -> None:
        """The session is over."""
        with self._database.write() as tx:
            people.end_session(tx, kept(secret))
            append(tx, self._own(by, "session.ended", f"account:{by.account_id}", request_id))

    def add_token(
        self,
        by: Principal,
        *,
        label: str,
        permissions: frozenset[Permission],
        expires_at: datetime,
        request_id: str | None,
    ) -> tuple[Token, str]:
        """A new token of one's own, and its secret.

        Raises NotAllowedError for more than one may oneself, TokenLifeError, SessionRequiredError for a token: it would
        outlive itself.
        """
        now = self._now()
        if by.csrf_token is None:
            raise SessionRequiredError
        if not now < expires_at <= now + TOKEN_LONGEST:
            raise TokenLifeError
        for permission in sorted(permissions - by.permissions):
            raise NotAllowedError(permission)
        secret = new_secret(TOKEN_PREFIX)
        token = Token(
            id=uuid.uuid4().hex,
            account_id=by.account_id,
            label=label,
            permissions=tuple(sorted(permission.value for permission in permissions)),
            created_at=now,
            expires_at=expires_at,
            used_at=None,
        )
        with self._database.write() as tx:
            people.add_token(tx, token, kept(secret))
            append(tx, self._own(by, "token.made", f"token:{token.id}", request_id))
        return token, secret

    def tokens(self, by: Principal) -> Sequence[Token]:
        """One's own tokens, oldest first."""
        with self._database.read() as tx:
            return people.tokens_of(tx, by.account_id)

    def end_token(self, by: Principal, token_id: str, *, request_id: str | None) -> None:
        """The token is over. Raises TokenUnknownError."""
        with self._database.write() as tx:
            if not people.end_token(tx, by.account_id, token_id):
                raise TokenUnknownError(token_id)
            append(tx, self._own(by, "token.ended", f"token:{token_id}", request_id))

    def refused(self, by: Principal | None, what: str, *, request_id: str | None, why: str) -> None:
        """A request was refused; it stands in the audit."""
        with self._database.write() as tx:
            append(
                tx,
                AuditEntry(
                    at=self._now(),
                    actor_id=None if by is None else by.account_id,
                    action="request.refused",
                    target=what,
                    outcome=Outcome.REFUSED,
                    request_id=request_id,
                    facts=(("why", why),),
                ),
            )

    def _begin(
        self,
        account_id: str,
        request_id: str | None,
        *,
        forget: str | None = None,
        seen: Account | None = None,
    ) -> NewSession:
        secret, now = new_secret(), self._now()
        with self._database.write() as tx:
            account = people.account_of(tx, account_id)
            if account is None or account.closed_at is not None or seen not in (None, account):
                raise SignInRefusedError  # closed or changed while the password was checked
            session = Session(
                sha256=kept(secret),
                account_id=account.id,
                csrf_token=new_secret(),
                created_at=now,
                seen_at=now,
            )
            people.end_old(tx, seen_before=now - IDLE, begun_before=now - LONGEST, at=now)
            people.add_session(tx, session)
            if forget is not None:
                throttle.forget(tx, forget, now)
            append(tx, self._entry(account, "session.begun", request_id, Outcome.DONE))
        return NewSession(secret=secret, principal=_principal(account, csrf_token=session.csrf_token))

    def _failed(
        self, account: Account | None, address: str, request_id: str | None, why: str | None = None
    ) -> None:
        entry = self._entry(account, "session.begun", request_id, Outcome.REFUSED)
        with self._database.write() as tx:
            people.add_failure(tx, throttle.address_key(address), self._now())
            append(tx, entry if why is None else replace(entry, facts=(("why", f"identity:{why}"),)))

    def _refused_token(self, token: Token | None, now: datetime) -> None:
        key = f"token:{'unknown' if token is None else token.id}"
        with self._database.read() as tx:
            told, _ = people.failures_since(tx, key, now - throttle.WINDOW)
        if told >= (REFUSED_TOKENS if token is None else 1):
            return
        with self._database.write() as tx:
            people.add_failure(tx, key, now)
            append(
                tx,
                AuditEntry(at=now, actor_id=None, action="token.used", target=key, outcome=Outcome.REFUSED),
            )

    def _entry(
        self, account: Account | None, action: str, request_id: str | None, outcome: Outcome
    ) -> AuditEntry:
        account_id = None if account is None else account.id
        return AuditEntry(
            at=self._now(),
            actor_id=account_id if outcome is Outcome.DONE else None,
            action=action,
            target=f"account:{account_id or 'unknown'}",
            outcome=outcome,
            request_id=request_id,
        )

    def _own(self, by: Principal, action: str, target: str, request_id: str | None) -> AuditEntry:
        return AuditEntry(
            at=self._now(), actor_id=by.account_id, action=action, target=target, request_id=request_id
        )


def _principal(
    account: Account, *, csrf_token: str | None = None, scope: frozenset[Permission] | None = None
) -> Principal:
    role = Role(account.role)
    return Principal(
        account_id=account.id,
        name=account.display_name,
        role=role,
        site_ids=account.site_ids,
        permissions=GRANTS[role] if scope is None else GRANTS[role] & scope,
        csrf_token=csrf_token,
        must_change=account.must_change,
    )
