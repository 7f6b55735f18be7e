"""The routes of the audit, for auditors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.cursor import decode_cursor, encode_cursor
from api.http.models import PREFIX
from api.http.people_models import AuditFilter, AuditLineModel, AuditPage, AuditVerified
from api.records.audit import AuditEntry
from api.work.access import Permission, Principal

router = APIRouter(prefix=f"{PREFIX}/audit", tags=["audit"])
Auditor = Annotated[Principal, permitted(Permission.READ_AUDIT)]


@router.get(
    "",
    summary="Query the audit",
    responses=problems(400, 422),
)
def query(service: ServiceOf, by: Auditor, wanted: Annotated[AuditFilter, Query()]) -> AuditPage:
    """Lines of the audit, the newest first. That somebody looked stands in the audit, too."""
    before = None if wanted.cursor is None else decode_cursor(wanted.cursor)
    page = service.audit.found(wanted.wanted(), before_number=before, limit=wanted.limit + 1)
    more = len(page) > wanted.limit
    service.audit.note(
        AuditEntry(at=service.now(), actor_id=by.account_id, action="audit.read", target="audit")
    )
    return AuditPage(
        items=[AuditLineModel.of(line) for line in page[: wanted.limit]],
        next_cursor=encode_cursor(page[wanted.limit - 1].number) if more else None,
    )


@router.post(
    "/verification",
    summary="Verify the audit",
    responses=problems(409),
)
def verify(service: ServiceOf, by: Auditor) -> AuditVerified:
    """Every line fits the one before, or the first that does not is named."""
    lines = service.audit.verified()
    service.audit.note(
        AuditEntry(at=service.now(), actor_id=by.account_id, action="audit.verified", target="audit")
    )
    return AuditVerified(lines=lines)
