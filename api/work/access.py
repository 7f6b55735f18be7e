"""Who may do what: roles, what each permits, and the person on whose behalf something is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules.errors import StoplineError


class Role(StrEnum):
    """What a person does at Stopline; one account has one."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One kind of thing that a role permits, for the sites of the account."""

    READ_CASES = "read_cases"
    """See cases with their pictures and plates."""
    REVIEW = "review"
    """Claim a case, correct its plate, decide, ask for an opinion, give a blind second review."""
    ADJUDICATE = "adjudicate"
    """Decide between two reviews that differ."""
    SUPERVISE = "supervise"
    """Void a confirmed case, take in and decide appeals, suspend a rule, see statistics by reviewer, place a legal hold."""
    READ_CASE_AUDIT = "read_case_audit"
    """See who looked at a case and who changed it, but for a case that one may yet have to review."""
    EXPORT = "export"
    """Make packages that leave the service."""
    SEARCH_PASSAGES = "search_passages"
    """Search passages, with a reason."""
    READ_SITES = "read_sites"
    """See sites, cameras, their configuration and state."""
    CONFIGURE = "configure"
    """Change drafts, publish and roll back, test cameras, keep the register."""
    RUN = "run"
    """Start dry runs and runs over footage, see their results."""
    READ_STATISTICS = "read_statistics"
    """See coverage, approval rates and reasons for rejection."""
    READ_AUDIT = "read_audit"
    """Query and verify the audit."""
    MANAGE_ACCOUNTS = "manage_accounts"
    """Make, change and close accounts."""


_P = Permission
GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.OFFICER: frozenset({_P.READ_CASES, _P.REVIEW, _P.EXPORT, _P.SEARCH_PASSAGES, _P.READ_SITES}),
    Role.SUPERVISOR: frozenset(
        {
            _P.READ_CASES,
            _P.REVIEW,
            _P.ADJUDICATE,
            _P.SUPERVISE,
            _P.READ_CASE_AUDIT,
            _P.EXPORT,
            _P.SEARCH_PASSAGES,
            _P.READ_SITES,
            _P.READ_STATISTICS,
        }
    ),
    Role.ENGINEER: frozenset({_P.READ_SITES, _P.CONFIGURE, _P.RUN, _P.READ_STATISTICS}),
    Role.AUDITOR: frozenset(
        {_P.READ_CASES, _P.READ_SITES, _P.READ_STATISTICS, _P.READ_AUDIT, _P.READ_CASE_AUDIT}
    ),
    Role.ADMINISTRATOR: frozenset({_P.MANAGE_ACCOUNTS, _P.READ_SITES}),
}
"""What each role permits. An engineer needs no plate, an administrator no case: neither sees any."""


class SignInRequiredError(StoplineError):
    """Nobody is signed in, or the session or token is over."""

    code = "sign_in_required"

    def __init__(self) -> None:
        super().__init__("sign in, or send a token")


class NotAllowedError(StoplineError):
    """The role of the account does not permit it."""

    code = "not_allowed"

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"this needs the permission '{permission}', which your role does not have")
        self.permission = permission


class PasswordChangeRequiredError(StoplineError):
    """The password was given by somebody else and must be changed first."""

    code = "password_change_required"

    def __init__(self) -> None:
        super().__init__("change your password first: somebody else knows it")


class SessionRequiredError(StoplineError):
    """Something that a person does, asked for with a token."""

    code = "session_required"

    def __init__(self) -> None:
        super().__init__("a token cannot do this: sign in with a browser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The person on whose behalf something is done. ``site_ids`` None means every site.

    ``permissions`` is what the role grants, or less where a token was scoped. ``csrf_token`` is that of a browser's
    session, None for a token; ``must_change``: nothing but a new password is permitted.
    """

    account_id: str
    name: str
    role: Role
    site_ids: tuple[str, ...] | None
    permissions: frozenset[Permission]
    csrf_token: str | None = None
    must_change: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether it is permitted, for the sites that the account sees."""
        return permission in self.permissions

    def sees(self, site_id: str) -> bool:
        """Whether the account is for that site."""
        return self.site_ids is None or site_id in self.site_ids
