"""The routes of exports: order decided cases as a package, fetch it, remove it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse
from pydantic import Field, StringConstraints

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.body import Body
from api.http.models import PREFIX
from api.http.problems import request_id_of
from api.records.exports import Export, ExportContents, ExportState
from api.work.access import Permission, Principal

router = APIRouter(prefix=f"{PREFIX}/exports", tags=["exports"])
Exporter = Annotated[Principal, permitted(Permission.EXPORT)]
ExportId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
CaseId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f/\\]{1,200}$")]


class NewExport(Body):
    """What is to be exported."""

    case_ids: list[CaseId] = Field(min_length=1, max_length=50)
    contents: ExportContents = Field(
        ExportContents.ORIGINAL,
        description="'original' is the sealed package. 'redacted' is the redacted copy alone, for who appeals and for the "
        "public: it is made where it is missing, which takes minutes. 'with_redacted' is both.",
    )


class ExportModel(Body):
    """An export that was ordered."""

    id: str
    case_ids: list[str]
    contents: ExportContents
    state: ExportState
    why: str | None = Field(description="Why it failed.")
    ordered_at: datetime
    expires_at: datetime
    size: int | None = Field(description="Bytes of the file, once it is done.")
    sha256: str | None
    file_url: str | None = Field(description="Where the file is, once it is done.")

    @classmethod
    def of(cls, export: Export) -> ExportModel:
        """The export as sent."""
        return cls(
            id=export.id,
            case_ids=list(export.case_ids),
            contents=export.contents,
            state=export.state,
            why=export.why,
            ordered_at=export.ordered_at,
            expires_at=export.expires_at,
            size=export.size,
            sha256=export.sha256,
            file_url=f"{PREFIX}/exports/{export.id}/file" if export.state is ExportState.DONE else None,
        )


@router.post(
    "",
    status_code=202,
    summary="Order an export",
    responses=problems(404, 409, 422, s409="A case is not decided, or too many exports wait."),
)
def order(service: ServiceOf, by: Exporter, request: Request, wanted: NewExport) -> ExportModel:
    """A BagIt package with everything that a court needs is built soon; ask for its state."""
    ordered = service.exports.order(by, wanted.case_ids, wanted.contents, request_id=request_id_of(request))
    return ExportModel.of(ordered)


@router.get("/{export_id}", summary="One export", responses=problems(404, 422))
def one(service: ServiceOf, by: Exporter, export_id: ExportId) -> ExportModel:
    """An export of one's own, and how far it is."""
    return ExportModel.of(service.exports.look(by, export_id))


@router.get(
    "/{export_id}/file",
    summary="Fetch an export",
    response_class=FileResponse,
    responses={
        200: {
            "description": "A ZIP file with the package in it.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(404, 409, 410, 422, s409="It is not done, or failed.", s410="Its time is over."),
    },
)
def file(service: ServiceOf, by: Exporter, request: Request, export_id: ExportId) -> FileResponse:
    """The file, to who ordered it."""
    path = service.exports.file(by, export_id, request_id=request_id_of(request))
    return FileResponse(path, media_type="application/zip", filename=f"stopline-{export_id[:8]}.zip")


@router.delete("/{export_id}", status_code=204, summary="Remove an export", responses=problems(404, 422))
def remove(service: ServiceOf, by: Exporter, request: Request, export_id: ExportId) -> None:
    """The file is deleted."""
    service.exports.remove(by, export_id, request_id=request_id_of(request))
