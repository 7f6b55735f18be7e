"""The routes of cases: list, look, fetch evidence, decide."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.http.access import ServiceOf, permitted
from api.http.cursor import decode_cursor, encode_cursor
from api.http.models import (
    PREFIX,
    Confirm,
    QueueQuery,
    Verdict,
    ViolationDetail,
    ViolationPage,
    ViolationSummary,
)
from api.http.problems import Problem, request_id_of
from api.http.ranges import sealed_response
from api.http.trace_model import Trace
from api.work.access import Permission, Principal
from api.work.packages import EvidenceFile
from api.work.review import ReviewDesk
from api.work.service import Service

Reader = Annotated[Principal, permitted(Permission.READ_CASES)]
Reviewer = Annotated[Principal, permitted(Permission.REVIEW)]
CaseId = Annotated[str, Path(max_length=200, description="Id of the case, as listed.")]
Version = Annotated[
    str | None, Query(max_length=64, description="SHA-256 of the file: such an answer may be kept for ever.")
]

router = APIRouter(prefix=f"{PREFIX}/violations", tags=["violations"])


def _entered(service: Service, by: Principal, request: Request, case_id: str, part: str) -> ReviewDesk:
    """The desk, when the look at the case stands in the audit."""
    service.cases.enter(by, case_id, "case.viewed", request_id=request_id_of(request), what=part)
    return service.desk


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    words = {
        401: "Nobody is signed in, or the session or token is over.",
        403: "The role does not permit it, or the CSRF token is missing.",
        400: "The cursor is malformed.",
        404: "Unknown case or file, or the store lost the file (code 'evidence_missing').",
        409: "The case is decided or cannot be confirmed, or the file is not what was sealed.",
        410: "The case was removed when its time was over.",
        416: "The range begins beyond the end.",
        422: "The request is invalid; 'errors' says where.",
        502: "The evidence store refuses; its operator must act.",
        503: "The records are busy or the evidence store does not answer; try again.",
    }
    return {status: {"model": Problem, "description": words[status]} for status in (401, 403, *statuses)}


def _bytes(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {
            "description": "The file, byte for byte as sealed; its ETag is the SHA-256.",
            "content": content,
        },
        206: {"description": "The part that the Range header asked for.", "content": content},
        304: {"description": "The asker has it already."},
    }


@router.get("", summary="List cases", responses=_problems(400, 422, 503))
def violations(
    service: ServiceOf, by: Reader, request: Request, query: Annotated[QueueQuery, Query()]
) -> ViolationPage:
    """Cases in the order of recording, asserted ones unless 'status' says otherwise. New cases come last."""
    after = None if query.cursor is None else decode_cursor(query.cursor)
    page = service.desk.queue(query.wanted(by.site_ids), after_number=after, limit=query.limit)
    service.cases.listed(by, request_id=request_id_of(request), count=len(page.items))
    last = encode_cursor(page.items[-1].case.number) if page.items else query.cursor
    return ViolationPage(
        items=[ViolationSummary.of(item) for item in page.items],
        next_cursor=last if page.more else None,
        last_cursor=last,
    )


@router.get("/{case_id}", summary="One case", responses=_problems(404, 410, 422, 502, 503))
def violation(service: ServiceOf, by: Reader, request: Request, case_id: CaseId) -> ViolationDetail:
    """The case with the state of each of its files: all of them are hashed to answer."""
    return ViolationDetail.of_view(_entered(service, by, request, case_id, "").look_at(case_id))


@router.get(
    "/{case_id}/pictures/{name}",
    summary="A picture",
    response_class=Response,
    responses={**_bytes("image/jpeg"), **_problems(404, 409, 410, 416, 422, 502, 503)},
)
def picture(
    service: ServiceOf,
    by: Reader,
    request: Request,
    case_id: CaseId,
    name: Annotated[str, Path(max_length=200)],
    v: Version = None,
) -> Response:
    """A picture of the package, by the name that the manifest lists."""
    return _sealed(_entered(service, by, request, case_id, "picture").picture(case_id, name), request, v)


@router.get(
    "/{case_id}/clip",
    summary="The clip",
    response_class=Response,
    responses={**_bytes("video/mp4"), **_problems(404, 409, 410, 416, 422, 502, 503)},
)
def clip(service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """The clip of the package."""
    return _sealed(_entered(service, by, request, case_id, "clip").clip(case_id), request, v)


@router.get(
    "/{case_id}/clip/copy",
    summary="The clip, as browsers play it",
    response_class=Response,
    responses={**_bytes("video/mp4"), **_problems(404, 409, 410, 416, 422, 502, 503)},
)
def clip_copy(
    service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None
) -> Response:
    """An H.264 copy of the clip that was made for viewing; the clip itself where there is none."""
    return _sealed(_entered(service, by, request, case_id, "clip").clip(case_id, original=False), request, v)


@router.get(
    "/{case_id}/trace",
    summary="The trace",
    response_class=Response,
    responses={
        **_bytes("application/json"),
        200: {"model": Trace, "description": "The file, byte for byte as sealed; its ETag is the SHA-256."},
        **_problems(404, 409, 410, 416, 422, 502, 503),
    },
)
def trace(service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """The vehicle, the signal and the tested points over time, as sealed."""
    return _sealed(_entered(service, by, request, case_id, "trace").trace(case_id), request, v)


@router.get(
    "/{case_id}/manifest",
    summary="The manifest",
    response_class=Response,
    responses={
        **_bytes("application/json"),
        **_problems(404, 409, 410, 416, 422, 502, 503),
    },
)
def manifest(
    service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None
) -> Response:
    """The package's manifest, as sealed."""
    return _sealed(_entered(service, by, request, case_id, "manifest").manifest(case_id), request, v)


@router.post(
    "/{case_id}/reviews",
    status_code=201,
    summary="Decide",
    responses=_problems(404, 409, 410, 422, 502, 503),
)
def review(
    service: ServiceOf, by: Reviewer, request: Request, case_id: CaseId, verdict: Verdict
) -> ViolationDetail:
    """Confirms or rejects an open case, once; answers with the case as decided."""
    desk = service.desk
    service.cases.enter(by, case_id, "case.reviewed", request_id=request_id_of(request))
    if isinstance(verdict, Confirm):
        view = desk.confirm(case_id, note=verdict.note, reviewer=by.name)
    else:
        view = desk.reject(case_id, code=verdict.code, note=verdict.note, reviewer=by.name)
    return ViolationDetail.of_view(view)


def _sealed(file: EvidenceFile, request: Request, version: str | None) -> Response:
    return sealed_response(file, request.headers, version=version)
