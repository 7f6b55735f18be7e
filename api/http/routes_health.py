"""The routes for machines that look after the service: whether it lives, whether it can work, its figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.work.access import Permission, Principal

router = APIRouter(tags=["health"])
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Alive(BaseModel):
    """The process answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ok: bool


class TroubleModel(BaseModel):
    """Something that keeps the service from working."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(description="Which; stable.")
    detail: str


class Readiness(BaseModel):
    """Whether the service can work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
