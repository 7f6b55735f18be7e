"""Who asks: the account behind a request's cookie or token, and whether its role permits what the route does."""

from __future__ import annotations

from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from api.http.problems import request_id_of
from api.work.access import (
    NotAllowedError,
    PasswordChangeRequiredError,
    Permission,
    Principal,
    SignInRequiredError,
)
from api.work.service import Service
from rules.errors import StoplineError

COOKIE = "stopline_session"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="A browser's session, from POST /sessions.")
_bearer = HTTPBearer(auto_error=False, description="A personal token, from POST /users/me/tokens.")


class CsrfMissingError(StoplineError):
    """A change in a browser's session without its CSRF token."""

    code = "csrf_missing"

    def __init__(self) -> None:
        super().__init__(f"a change in a browser's session needs its token in the header {CSRF_HEADER}")


def service_of(request: Request) -> Service:
    """The service behind the application."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


ServiceOf = Annotated[Service, Depends(service_of)]


def authorised(request: Request) -> Principal | None:
    """Who is behind the request's token, else its cookie; None where nobody is, or no longer."""
    service = service_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return service.sign_in.principal_of_token(secret.strip()) if scheme.lower() == "bearer" else None
    cookie = request.cookies.get(COOKIE)
    return None if cookie is None else service.sign_in.principal(cookie)


def signed_in(
    request: Request,
    cookie: Annotated[str | None, Depends(_cookie)],
    bearer: Annotated[Any, Depends(_bearer)],
) -> Principal:
    """Who asks, whatever the role. Raises SignInRequiredError, CsrfMissingError."""
    principal = authorised(request)
    if principal is None:
        raise SignInRequiredError
    if principal.csrf_token is not None and request.method not in SAFE_METHODS:
        given = request.headers.get(CSRF_HEADER, "")
        if not _same(given, principal.csrf_token):
            raise CsrfMissingError
    return principal


SignedIn = Annotated[Principal, Depends(signed_in)]


def address_of(request: Request) -> str:
    """Where the request comes from: behind a proxy what the nearest one says, since others before it say what they like."""
    told = request.headers.getlist("x-forwarded-for") if request.app.state.is_secure else []
    if told:
        return told[-1].rpartition(",")[2].strip()
    return request.client.host if request.client else ""


class Permitted:
    """A dependency: who asks, whose role has the permission. A refusal stands in the audit."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request, service: ServiceOf, principal: SignedIn) -> Principal:
        if principal.must_change:
            raise PasswordChangeRequiredError
        if not principal.may(self.permission):
            what = f"{request.method} {request.scope['route'].path}"
            why = f"permission:{self.permission}"
            service.sign_in.refused(principal, what, request_id=request_id_of(request), why=why)
            raise NotAllowedError(self.permission)
        return principal


def permitted(permission: Permission) -> Any:
    """The dependency that gives the principal to a route which needs that permission."""
    return Depends(Permitted(permission))


def _same(given: str, wanted: str) -> bool:
    return compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
