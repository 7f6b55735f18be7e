"""Every error as a problem document (RFC 9457), with a stable code and the id of the request."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from api.errors import ConfigInvalidError
from api.http.body import Body
from api.http.statuses import STATUS_OF
from api.work.case_errors import CaseChangedError, ClaimLostError
from rules.errors import StoplineError

LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class FieldProblem(Body):
    """One thing that is wrong with a request."""

    pointer: str = Field(
        description="Where: '#/code' is a JSON Pointer into the body ('#/cameras/0' into the site file, where that is the "
        "problem), '?limit' a query parameter, '{case_id}' a part of the path, 'if-match' a header."
    )
    code: str = Field(description="What kind of mistake; stable.")
    detail: str = Field(description="What would be right, in words.")


class Current(Body):
    """How a case stands that was changed, or whose claim was lost."""

    etag: str = Field(description="What If-Match has to name.")
    stage: str
    decision: str
    holder: str | None = Field(description="Who holds it; null: nobody.")


class Problem(Body):
    """An error, as RFC 9457 has it, plus a code and the id of the request."""

    type: str = Field(description="A URN of the code; identifies the kind of problem.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="The HTTP status, repeated.")
    detail: str = Field(description="What went wrong this time.")
    code: str = Field(description="The kind of problem; stable, for programs.")
    request_id: str = Field(description="Stands in the X-Request-ID header and the server's log too.")
    errors: list[FieldProblem] = Field(
        default=[], description="Each mistake in the request, if that is the problem."
    )
    current: Current | None = Field(
        default=None, description="How the case stands, where a change of it was too late (412)."
    )


PLAIN = {
    HTTPStatus.NOT_FOUND: ("not_found", "Not found", "there is nothing at this address"),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method_not_allowed",
        "Method not allowed",
        "this address takes other methods",
    ),
    HTTPStatus.REQUEST_TIMEOUT: (
        "body_too_slow",
        "Body too slow",
        "the request's body did not arrive in time",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "body_too_large",
        "Body too large",
        "the request's body is too large",
    ),
}


def problem_response(
    request_id: str,
    status: HTTPStatus,
    code: str,
    title: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
    current: Current | None = None,
) -> JSONResponse:
    """The problem as a response."""
    problem = Problem(
        type=f"urn:stopline:problem:{code}",
        title=title,
        status=status.value,
        detail=detail,
        code=code,
        request_id=request_id,
        errors=list(errors),
        current=current,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=current is None),
        status.value,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def fault_response(request_id: str) -> JSONResponse:
    """What a caller learns of a mistake of ours: only that there was one, and under which id it stands in the log."""
    return problem_response(
        request_id,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "Internal error",
        "the server failed; its log has the reason under this request id",
    )


def plain_problem(
    request_id: str, status: HTTPStatus, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The problem that a bare HTTP status stands for."""
    code, title, detail = PLAIN.get(
        status, (f"http_{status.value}", status.phrase, status.description.lower())
    )
    return problem_response(request_id, status, code, title, detail, headers=headers)


def add_problem_handlers(app: FastAPI) -> None:
    """From here on the app answers its own, the framework's and our errors with problem documents."""
    app.add_exception_handler(StoplineError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)


def request_id_of(request: Request) -> str:
    """The id that the guard gave to the request."""
    return str(request.state.request_id)


def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StoplineError)
    request_id = request_id_of(request)
    if error.code not in STATUS_OF:
        LOG.error("request_failed", extra={"request_id": request_id, "code": error.code}, exc_info=error)
        return fault_response(request_id)
    status, title = STATUS_OF[error.code]
    headers = (
        {"Retry-After": str(getattr(error, "wait_s", 1))}
        if error.retryable
        else getattr(error, "headers", None)
    )
    return problem_response(
        request_id,
        status,
        error.code,
        title,
        str(error),
        errors=_in_site_file(error),
        headers=headers,
        current=_current(error),
    )


def _in_site_file(error: StoplineError) -> list[FieldProblem]:
    """What is wrong with a site file, each at its pointer into that file."""
    if not isinstance(error, ConfigInvalidError):
        return []
    return [
        FieldProblem(pointer=json_pointer(found.place), code="site_file", detail=found.message)
        for found in error.problems
    ]


def json_pointer(place: Sequence[str | int]) -> str:
    """The place, keys and list indices from the top of a document, as a JSON Pointer in a fragment."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


def _current(error: StoplineError) -> Current | None:
    if not isinstance(error, CaseChangedError | ClaimLostError):
        return None
    sight = error.current
    return Current(
        etag=case_etag(sight.version),
        stage=sight.case.stage.value,
        decision=sight.case.decision.value,
        holder=None if sight.claim is None else sight.claim.name,
    )


def case_etag(version: str) -> str:
    """The ETag of that version of a case."""
    return f'"c{version}"'


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [
        FieldProblem(pointer=_pointer(found["loc"]), code=found["type"], detail=_in_words(found["msg"]))
        for found in error.errors()
    ]
    return problem_response(
        request_id_of(request),
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "request_invalid",
        "Invalid request",
        "; ".join(f"{problem.pointer}: {problem.detail}" for problem in problems),
        errors=problems,
    )


def _plain(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if (
        error.status_code == HTTPStatus.BAD_REQUEST
    ):  # the framework's word for a body that Python's JSON chokes on
        problem = FieldProblem(pointer="#", code="body_unreadable", detail="this is no JSON that can be read")
        return problem_response(
            request_id_of(request),
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "request_invalid",
            "Invalid request",
            f"#: {problem.detail}",
            errors=[problem],
        )
    return plain_problem(request_id_of(request), HTTPStatus(error.status_code), error.headers)


def _pointer(location: Sequence[str | int]) -> str:
    """``location`` as the framework gives it: where it looked, then the way inside (a union's tag is not part of it)."""
    where, *inside = location
    if where == "body":
        way = [part for part in inside if part not in ("confirm", "reject", "ask_opinion", "give_opinion")]
        if way and isinstance(way[0], int) and len(inside) == 1:
            return "#"  # the offset at which the body stops being JSON
        return json_pointer(way)
    name = str(inside[0]) if inside else ""
    if where == "header":
        return name
    return f"?{name}" if where == "query" else f"{{{name}}}"


def _in_words(message: str) -> str:
    return message.removeprefix("Value error, ")
