"""Makes the web application: the API under /api/v1 and the review page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from api.clock import SystemClock
from api.http import (
    routes_audit,
    routes_cameras,
    routes_casework,
    routes_events,
    routes_exports,
    routes_health,
    routes_identity,
    routes_jobs,
    routes_passages,
    routes_register,
    routes_sessions,
    routes_sites,
    routes_statistics,
    routes_supervision,
    routes_users,
    routes_violations,
)
from api.http.answers import WORDS
from api.http.guard import BODY_WITHIN_S, HOSTS, Guard
from api.http.models import PREFIX
from api.http.problems import MEDIA_TYPE, add_problem_handlers
from api.http.request_figures import Counting, RequestFigures
from api.work.service import Service

GUARDED = (408, 413, 421)
"""What the guard answers where a route takes a body; without one it is the last alone."""


def create_app(
    service: Service,
    *,
    hosts: Sequence[str] = HOSTS,
    is_secure: bool = False,
    body_within_s: float = BODY_WITHIN_S,
) -> FastAPI:
    """The application over that service, which answers to those host names.

    ``is_secure``: browsers reach it by https only, through a proxy that tells their addresses.
    """
    app = _api(hosts, "https" if is_secure else "http", body_within_s)
    app.state.service = service
    app.state.is_secure = is_secure
    web = Path(str(files("api") / "web"))
    page = web / "index.html"

    def review_page() -> Response:
        """The one page; its script shows what the address names."""
        return FileResponse(page, headers={"Cache-Control": "no-cache"})

    def start() -> Response:
        return RedirectResponse("/review", 307)

    def icon() -> Response:
        """For browsers that ask for it unasked."""
        return FileResponse(web / "static" / "icon.svg")

    app.add_api_route("/favicon.ico", icon, include_in_schema=False)
    app.add_api_route("/", start, include_in_schema=False)
    app.add_api_route("/sign-in", review_page, include_in_schema=False)
    app.add_api_route("/review", review_page, include_in_schema=False)
    app.add_api_route("/review/{case_id}", review_page, include_in_schema=False)
    app.mount("/static/fonts", StaticFiles(directory=Path(str(files("evidence") / "fonts"))))
    app.mount("/static", StaticFiles(directory=web / "static"))
    return app


def describe_api() -> dict[str, Any]:
    """The OpenAPI document of the API, without opening any data."""
    return _api().openapi()


def _problem_response(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": WORDS[status], "content": {"application/json": {"schema": schema}}}


def _api(hosts: Sequence[str] = HOSTS, scheme: str = "http", body_within_s: float = BODY_WITHIN_S) -> FastAPI:
    app = _DescribedApi(
        title="Stopline",
        summary="Cases of red-light running and illegal parking, with their evidence, for a person to decide.",
        description=(
            "It proposes; a person confirms. Errors are problem documents (RFC 9457). "
            "Requests for a host name that is not the server's, and changes that come from another site's page, are "
            "refused (421 and 403)."
        ),
        version=version("stopline"),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # both would load their script from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    add_problem_handlers(app)
    figures = RequestFigures()
    app.state.figures = figures
    app.add_middleware(Counting, figures=figures, clock=SystemClock())
    app.add_middleware(Guard, hosts=tuple(hosts), scheme=scheme, body_within_s=body_within_s)
    for routes in (
        routes_violations,
        routes_casework,
        routes_supervision,
        routes_identity,
        routes_sessions,
        routes_users,
        routes_audit,
        routes_events,
        routes_exports,
        routes_health,
        routes_sites,
        routes_register,
        routes_statistics,
        routes_cameras,
        routes_jobs,
        routes_passages,
    ):
        app.include_router(routes.router)
    return app


class _DescribedApi(FastAPI):
    """Describes errors with the media type that they are sent with, and what the guard answers before any route is asked."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            for operations in document["paths"].values():
                for operation in operations.values():
                    for status in GUARDED if "requestBody" in operation else (421,):
                        operation["responses"].setdefault(str(status), _problem_response(status))
                    for status, response in operation["responses"].items():
                        if int(status) >= 400:
                            response["content"] = {MEDIA_TYPE: response["content"].pop("application/json")}
            self.openapi_schema = document
        return self.openapi_schema
