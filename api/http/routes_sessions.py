"""The routes of signing in: sessions, one's own password and tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.http.access import COOKIE, ServiceOf, SignedIn, address_of
from api.http.answers import problems
from api.http.models import PREFIX
from api.http.people_models import (
    Credentials,
    NewToken,
    PasswordChange,
    SessionModel,
    TokenList,
    TokenMade,
    TokenModel,
)
from api.http.problems import request_id_of
from api.work.access import PasswordChangeRequiredError
from api.work.sign_in import LONGEST, NewSession, SignInRefusedError

router = APIRouter(prefix=PREFIX, tags=["sign-in"])


@router.post(
    "/sessions",
    status_code=201,
    summary="Sign in",
    responses=problems(401, 422, 429, signed_in=False),
)
def sign_in(
    service: ServiceOf, request: Request, response: Response, credentials: Credentials
) -> SessionModel:
    """A new session; its secret is in an HttpOnly cookie, its CSRF token in the answer."""
    request_id = request_id_of(request)
    address = address_of(request)
    if credentials.link is not None:
        begun = service.sign_in.by_link(credentials.link, address=address, request_id=request_id)
    else:
        assert credentials.name is not None
        assert credentials.password is not None
        begun = service.sign_in.by_password(
            credentials.name.strip().lower(),
            credentials.password,
            address=address,
            request_id=request_id,
        )
    give_session(request, response, begun)
    return SessionModel.of(begun.principal)


def give_session(request: Request, response: Response, begun: NewSession) -> None:
    """The browser has that session from this answer on, whatever it had before."""
    response.set_cookie(
        COOKIE,
        begun.secret,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=bool(request.app.state.is_secure),
        httponly=True,
        samesite="strict",
    )


@router.get("/sessions/current", summary="Who is signed in", responses=problems())
def current(principal: SignedIn) -> SessionModel:
    """The account behind the session or token."""
    return SessionModel.of(principal)


@router.delete("/sessions/current", status_code=204, summary="Sign out", responses=problems())
def sign_out(service: ServiceOf, principal: SignedIn, request: Request, response: Response) -> None:
    """The browser's session is over; a token stays."""
    secret = request.cookies.get(COOKIE)
    if secret is not None and principal.csrf_token is not None:
        service.sign_in.end(secret, principal, request_id=request_id_of(request))
    response.delete_cookie(COOKIE, path="/")


@router.put(
    "/users/me/password",
    status_code=204,
    summary="Change one's password",
    responses=problems(422, 429),
)
def change_password(service: ServiceOf, principal: SignedIn, change: PasswordChange) -> None:
    """The new password counts, and all sessions of the account are over: sign in with it."""
    if not service.accounts.change_own_password(principal, change.old, change.new):
        raise SignInRefusedError


@router.get("/users/me/tokens", summary="One's own tokens", responses=problems())
def tokens(service: ServiceOf, principal: SignedIn) -> TokenList:
    """The tokens, without their secrets."""
    return TokenList(items=[TokenModel.of(token) for token in service.sign_in.tokens(principal)])


@router.post(
    "/users/me/tokens",
    status_code=201,
    summary="Make a token",
    responses=problems(422),
)
def make_token(service: ServiceOf, principal: SignedIn, request: Request, wanted: NewToken) -> TokenMade:
    """A token with which a program acts for oneself, within the given permissions, until it expires."""
    if principal.must_change:
        raise PasswordChangeRequiredError
    token, secret = service.sign_in.add_token(
        principal,
        label=wanted.label,
        permissions=frozenset(wanted.permissions),
        expires_at=wanted.expires_at,
        request_id=request_id_of(request),
    )
    return TokenMade.made(token, secret)


@router.delete(
    "/users/me/tokens/{token_id}",
    status_code=204,
    summary="Revoke a token",
    responses=problems(404, 422),
)
def end_token(
    service: ServiceOf,
    principal: SignedIn,
    request: Request,
    token_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
) -> None:
    """The token is over."""
    service.sign_in.end_token(principal, token_id, request_id=request_id_of(request))
