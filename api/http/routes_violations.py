"""The routes of cases: list, look, fetch evidence."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.case_routes import CaseId, Reader, entered
from api.http.cursor import decode_cursor, decode_place, encode_cursor, encode_place
from api.http.frame_models import FrameList
from api.http.models import PREFIX, QueueQuery, ViolationDetail, ViolationPage, ViolationSummary
from api.http.people_models import AuditLineModel, AuditPage
from api.http.problems import case_etag, request_id_of
from api.http.ranges import sealed_response
from api.http.trace_model import Trace
from api.records.audit import AuditQuery
from api.records.queue import Place
from api.work.access import Permission, Principal
from api.work.case_errors import BlindError
from api.work.case_frames import case_frames, frame_picture
from api.work.packages import EvidenceFile

Name = Annotated[str, Path(max_length=200)]
AuditReader = Annotated[Principal, permitted(Permission.READ_CASE_AUDIT)]
Version = Annotated[
    str | None, Query(max_length=64, description="SHA-256 of the file: such an answer may be kept for ever.")
]

router = APIRouter(prefix=f"{PREFIX}/violations", tags=["violations"])


_problems = partial(
    problems,
    s404="Unknown case or file, or the store lost the file (code 'evidence_missing').",
    s409="The case is decided or cannot be confirmed, or the file is not what was sealed.",
    s410="The case was removed when its time was over.",
)


def _bytes(media_type: str) -> dict[int | str, dict[str, Any]]:
    part = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    whole = {media_type: {"schema": {"type": "object"}}} if media_type == "application/json" else part
    return {
        200: {
            "description": "The file, byte for byte as sealed; its ETag is the SHA-256.",
            "content": whole,
        },
        206: {"description": "The part that the Range header asked for.", "content": part},
        304: {"description": "The asker has it already."},
    }


@router.get(
    "",
    summary="List cases",
    responses={
        200: {"model": ViolationPage, "description": "The page; its ETag changes with what it shows."},
        304: {"description": "The asker has it already."},
        **_problems(400, 422),
    },
)
def violations(
    service: ServiceOf, by: Reader, request: Request, query: Annotated[QueueQuery, Query()]
) -> Response:
    """Cases in the order of recording, with 'due' of deadlines; asserted ones unless 'status' says otherwise.

    New cases come last.
    """
    by_due = query.due is not None
    after = None if query.cursor is None else decode_place(query.cursor, by_due=by_due)
    wanted = query.wanted(by, service.now(), service.work.terms.due)
    found = service.work.queue(by, wanted, after, query.limit + 1)
    shown = found[: query.limit]
    items = [ViolationSummary.of(item) for item in service.desk.items(shown)]
    service.cases.listed(by, request_id=request_id_of(request), count=len(items), plate=wanted.plate_part)
    last = query.cursor
    if shown:
        case = shown[-1].case
        last = encode_place(Place(number=case.number, due_from=case.due_from), by_due=by_due)
    page = ViolationPage(
        items=items, next_cursor=last if len(found) > query.limit else None, last_cursor=last
    )
    content = page.model_dump_json().encode()
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    if tag in [known.strip() for known in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, media_type="application/json", headers={"ETag": tag})


@router.get("/{case_id}", summary="One case", responses=_problems(404, 410, 422, 502))
def violation(
    service: ServiceOf, by: Reader, request: Request, case_id: CaseId, response: Response
) -> ViolationDetail:
    """The case with the state of each of its files: all of them are hashed to answer. A change wants its ETag."""
    view = entered(service, by, request, case_id, "").look_at(case_id)
    sight = service.work.see(by, case_id)
    response.headers["ETag"] = case_etag(sight.version)
    return ViolationDetail.of_view(view, sight)


@router.get(
    "/{case_id}/frames",
    summary="The frames of the clip",
    responses=_problems(404, 409, 410, 422, 502),
)
def frames(service: ServiceOf, by: Reader, request: Request, case_id: CaseId) -> FrameList:
    """Each frame by its number from 0, with the accused vehicle's box in that very frame, where it was analysed."""
    desk = entered(service, by, request, case_id, "frames")
    record = service.work.see(by, case_id).case.record
    return FrameList.of(case_frames(desk, record), record)


@router.get(
    "/{case_id}/frames/{number}",
    summary="A frame of the clip",
    response_class=Response,
    responses={**_bytes("image/jpeg"), **_problems(404, 409, 410, 416, 422, 502)},
)
def frame(
    service: ServiceOf,
    by: Reader,
    request: Request,
    case_id: CaseId,
    number: Annotated[int, Path(ge=0, le=999_999)],
    v: Annotated[
        str | None,
        Query(max_length=80, description="As in the address that 'frames' gives: it may be kept for ever."),
    ] = None,
) -> Response:
    """The frame as a JPEG, decoded from the sealed clip."""
    desk = entered(service, by, request, case_id, "frame")
    return _sealed(frame_picture(desk, service.frames, case_id, number), request, v)


@router.get(
    "/{case_id}/audit",
    summary="Who looked at a case, and who changed it",
    responses=_problems(400, 404, 409, 410, 422),
)
def case_audit(
    service: ServiceOf,
    by: AuditReader,
    request: Request,
    case_id: CaseId,
    cursor: Annotated[
        str | None, Query(max_length=64, description="As given in 'next_cursor'; opaque.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditPage:
    """Lines of the audit about the case, the newest first, for supervisors and auditors.

    Who may yet have to give its second review is refused.
    """
    before = None if cursor is None else decode_cursor(cursor)
    entered(service, by, request, case_id, "audit")
    if service.work.see(by, case_id).is_blind:
        raise BlindError(case_id)
    found = service.audit.found(AuditQuery(target=f"case:{case_id}"), before_number=before, limit=limit + 1)
    return AuditPage(
        items=[AuditLineModel.of(line) for line in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].number) if len(found) > limit else None,
    )


@router.get(
    "/{case_id}/pictures/{name}",
    summary="A picture",
    response_class=Response,
    responses={**_bytes("image/jpeg"), **_problems(404, 409, 410, 416, 422, 502)},
)
def picture(
    service: ServiceOf,
    by: Reader,
    request: Request,
    case_id: CaseId,
    name: Name,
    v: Version = None,
) -> Response:
    """A picture of the package, by the name that the manifest lists."""
    return _sealed(entered(service, by, request, case_id, "picture").picture(case_id, name), request, v)


@router.get(
    "/{case_id}/clip",
    summary="The clip",
    response_class=Response,
    responses={**_bytes("video/mp4"), **_problems(404, 409, 410, 416, 422, 502)},
)
def clip(service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """The clip of the package."""
    return _sealed(entered(service, by, request, case_id, "clip").clip(case_id), request, v)


@router.get(
    "/{case_id}/clip/copy",
    summary="The clip, as browsers play it",
    response_class=Response,
    responses={**_bytes("video/mp4"), **_problems(404, 409, 410, 416, 422, 502)},
)
def clip_copy(
    service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None
) -> Response:
    """An H.264 copy of the clip that was made for viewing; the clip itself where there is none."""
    return _sealed(entered(service, by, request, case_id, "clip").clip(case_id, original=False), request, v)


@router.get(
    "/{case_id}/trace",
    summary="The trace",
    response_class=Response,
    responses={
        **_bytes("application/json"),
        200: {"model": Trace, "description": "The file, byte for byte as sealed; its ETag is the SHA-256."},
        **_problems(404, 409, 410, 416, 422, 502),
    },
)
def trace(service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None) -> Response:
    """The vehicle, the signal and the tested points over time, as sealed."""
    return _sealed(entered(service, by, request, case_id, "trace").trace(case_id), request, v)


@router.get(
    "/{case_id}/manifest",
    summary="The manifest",
    response_class=Response,
    responses={
        **_bytes("application/json"),
        **_problems(404, 409, 410, 416, 422, 502),
    },
)
def manifest(
    service: ServiceOf, by: Reader, request: Request, case_id: CaseId, v: Version = None
) -> Response:
    """The package's manifest, as sealed."""
    return _sealed(entered(service, by, request, case_id, "manifest").manifest(case_id), request, v)


def _sealed(file: EvidenceFile, request: Request, version: str | None) -> Response:
    return sealed_response(file, request.headers, version=version)
