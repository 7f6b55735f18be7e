"""The routes for machines that look after the service: whether it lives, whether it can work, its figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.body import Body
from api.work.access import Permission, Principal

router = APIRouter(tags=["health"])
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Alive(Body):
    """The process answers."""

    ok: bool


class TroubleModel(Body):
    """Something that keeps the service from working."""

    code: str = Field(description="Which; stable.")
    detail: str


class Readiness(Body):
    """Whether the service can work."""

    ok: bool
    troubles: list[TroubleModel]


@router.get("/healthz", summary="Is it alive")
def healthz() -> Alive:
    """The process answers; who gets no answer starts it anew."""
    return Alive(ok=True)


@router.get(
    "/readyz",
    summary="Can it work",
    responses={503: {"model": Readiness, "description": "Not now; the troubles say why."}},
)
def readyz(service: ServiceOf, response: Response) -> Readiness:
    """Records, evidence store and disk are as they should be; 503 where not, and requests should go elsewhere."""
    troubles = service.health.troubles()
    if troubles:
        response.status_code = 503
    return Readiness(
        ok=not troubles,
        troubles=[TroubleModel(code=trouble.code, detail=trouble.detail) for trouble in troubles],
    )


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **problems(),
    },
)
def metrics(
    service: ServiceOf, request: Request, _: Annotated[Principal, permitted(Permission.READ_STATISTICS)]
) -> Response:
    """Requests by route, how long they took, and how the queue stands; Prometheus sends a personal token."""
    return Response(request.app.state.figures.text(service.health.queue()), media_type=TEXT)
