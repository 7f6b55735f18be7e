"""The routes of signing in at an identity provider: there, and back."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.http.access import ServiceOf, address_of
from api.http.answers import Answers, problems
from api.http.models import PREFIX
from api.http.people_models import SignInWays
from api.http.problems import request_id_of
from api.http.routes_sessions import give_session
from api.work.identity import (
    IdentityCheck,
    IdentityOffError,
    IdentityRefusedError,
    IdentityUnavailableError,
    Returned,
)
from api.work.service import Service
from api.work.sign_in import SignInRefusedError
from api.work.throttle import TooManyAttemptsError

LOG = logging.getLogger(__name__)

COOKIE = "stopline_identity"
LASTS_S = 600
PATH = f"{PREFIX}/sessions/identity"
ON: Answers = {303: {"description": "The browser goes on at the address in Location."}}

Sent = Annotated[str | None, Query(max_length=4096, description="As the provider sends it.")]

router = APIRouter(prefix=PREFIX, tags=["sign-in"])


@router.get("/sessions/ways", summary="How people may sign in", responses=problems(signed_in=False))
def ways(service: ServiceOf) -> SignInWays:
    """Whether there is more than the password."""
    return SignInWays(identity_provider=service.identity is not None)


@router.get(
    "/sessions/identity",
    summary="Sign in at the identity provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=ON | problems(404, signed_in=False, s404="No identity provider is set."),
)
def there(service: ServiceOf, request: Request) -> Response:
    """On to the provider, or back to the sign-in page where that does not answer."""
    identity = _identity(service)
    try:
        service.sign_in.check_address(address_of(request))
        begun = identity.begin(_back(request))
    except IdentityUnavailableError as exc:
        return _unavailable(request, exc)
    except TooManyAttemptsError:
        return _to_page("wait")
    response = RedirectResponse(begun.address, 303)
    response.set_cookie(
        COOKIE,
        begun.secret,
        max_age=LASTS_S,
        path=PATH,
        secure=bool(request.app.state.is_secure),
        httponly=True,
        samesite="lax",  # the way back begins at another site: a strict one would stay away
    )
    return response


@router.get(
    "/sessions/identity/callback",
    summary="Come back from the identity provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=ON | problems(404, 422, signed_in=False, s404="No identity provider is set."),
)
def back(
    service: ServiceOf, request: Request, state: Sent = None, code: Sent = None, iss: Sent = None
) -> Response:
    """To the page of this server, signed in anew or told why not; nothing that was sent says where to."""
    identity = _identity(service)
    address, request_id = address_of(request), request_id_of(request)
    try:
        service.sign_in.check_address(address)
        subject = identity.subject(
            request.cookies.get(COOKIE), Returned(state=state, code=code, issuer=iss), _back(request)
        )
        begun = service.sign_in.by_identity(
            identity.provider.issuer, subject, address=address, request_id=request_id
        )
    except IdentityUnavailableError as exc:
        return _unavailable(request, exc)
    except TooManyAttemptsError:
        return _to_page("wait")
    except IdentityRefusedError as exc:
        service.sign_in.identity_refused(exc.why, address=address, request_id=request_id)
        return _to_page("refused")
    except SignInRefusedError:
        return _to_page("refused")
    response = _to_page("done")
    give_session(request, response, begun)
    return response


def _identity(service: Service) -> IdentityCheck:
    if service.identity is None:
        raise IdentityOffError
    return service.identity


def _back(request: Request) -> str:
    """Where the provider sends the browser; the guard let only our own names through."""
    scheme = "https" if request.app.state.is_secure else "http"
    return f"{scheme}://{request.headers['host'].lower()}{PATH}/callback"


def _to_page(said: str) -> Response:
    response = RedirectResponse(f"/sign-in?identity={said}", 303)
    response.delete_cookie(COOKIE, path=PATH)
    return response


def _unavailable(request: Request, error: IdentityUnavailableError) -> Response:
    LOG.warning("identity_unavailable", extra={"request_id": request_id_of(request), "why": error.why})
    return _to_page("unavailable")
