"""The routes of cases: list, look, fetch evidence, decide."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

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
from api.http.problems import Problem
from api.http.ranges import sealed_response
from api.http.trace_model import Trace
from api.work.packages import EvidenceFile
from api.work.review import ReviewDesk


def _desk(request: Request) -> ReviewDesk:
    desk = request.app.state.desk
    assert isinstance(desk, ReviewDesk)
    return desk


Desk = Annotated[ReviewDesk, Depends(_desk)]
CaseId = Annotated[str, Path(max_length=200, description="Id of the case, as listed.")]
Version = Annotated[
    str | None, Query(max_length=64, description="SHA-256 of the file: such an answer may be kept for ever.")
]

router = APIRouter(prefix=f"{PREFIX}/violations", tags=["violations"])


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    words = {
        400: "The cursor is malformed.",
        404: "Unknown case or file, or the store lost the file (code 'evidence_missing').",
        409: "The case is decided or cannot be confirmed, or the file is not what was sealed.",
        410: "The case was removed when its time was over.",
        416: "The range begins beyond the end.",
        422: "The request is invalid; 'errors' says where.",
        502: "The evidence store refuses; its operator must act.",
        503: "The records are busy or the evidence store does not answer; try again.",
    }
    return {status: {"model": Problem, "description": words[status]} for status in statuses}


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
def violations(desk: Desk, query: Annotated[QueueQuery, Query()]) -> ViolationPage:
    """Cases in the order of recording, asserted ones unless 'status' says otherwise. New cases come last."""
    after = None if query.cursor is None else decode_cursor(query.cursor)
    page = desk.queue(query.wanted(), after_number=after, limit=query.limit)
    last = encode_cursor(page.items[-1].case.number) if page.items else query.cursor
    return ViolationPage(
        items=[ViolationSummary.of(item) for item in page.items],
        next_cursor=last if page.more else None,
        last_cursor=last,
    )


@router.get("/{case_id}", summary="One case", responses=_problems(404, 410, 422, 502, 503))
def violation(desk: Desk, case_id: CaseId) -> ViolationDetail:
    """The case with the state of each of its files: all of them are hashed to answer."""
    return ViolationDetail.of_view(desk.look_at(case_id))


@router.get(
    "/{case_id}/pictures/{name}",
    summary="A picture",
    response_class=Response,
    responses={**_bytes("image/jpeg"), **_problems(404, 409, 410, 416, 422, 502, 503)},
)
def picture(
    desk: Desk,
    request: Request,
    case_id: CaseId,
    name: Annotated[str, Path(max_length=200)],
    v: Version = None,
) -> Response:
    """A picture of the package, by the name that the manifest lists."""
    return _sealed(desk.picture(case_id, name), request, v)


@router.get(
    "/{case_id}/clip",
    summary="The clip",
    response_class=Response,
    responses={**_bytes("video/mp4"), **_problems(404, 409, 410, 416, 422, 502, 503)},
)
def clip(desk: Desk, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """The clip of the package."""
    return _sealed(desk.clip(case_id), request, v)


@router.get(
    "/{case_id}/clip/copy",
    summary="The clip, as browsers play it",
    response_class=Response,
    responses={**_bytes("video/mp4"), **_problems(404, 409, 410, 416, 422, 502, 503)},
)
def clip_copy(desk: Desk, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """An H.264 copy of the clip that was made for viewing; the clip itself where there is none."""
    return _sealed(desk.clip(case_id, original=False), request, v)


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
def trace(desk: Desk, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """The vehicle, the signal and the tested points over time, as sealed."""
    return _sealed(desk.trace(case_id), request, v)


@router.get(
    "/{case_id}/manifest",
    summary="The manifest",
    response_class=Response,
    responses={
        **_bytes("application/json"),
        **_problems(404, 409, 410, 416, 422, 502, 503),
    },
)
def manifest(desk: Desk, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """The package's manifest, as sealed."""
    return _sealed(desk.manifest(case_id), request, v)


@router.post(
    "/{case_id}/reviews",
    status_code=201,
    summary="Decide",
    responses=_problems(404, 409, 410, 422, 502, 503),
)
def review(desk: Desk, case_id: CaseId, verdict: Verdict) -> ViolationDetail:
    """Confirms or rejects an open case, once; answers with the case as decided."""
    if isinstance(verdict, Confirm):
        view = desk.confirm(case_id, note=verdict.note, reviewer=verdict.reviewer)
    else:
        view = desk.reject(case_id, code=verdict.code, note=verdict.note, reviewer=verdict.reviewer)
    return ViolationDetail.of_view(view)


def _sealed(file: EvidenceFile, request: Request, version: str | None) -> Response:
    return sealed_response(file, request.headers, version=version)
