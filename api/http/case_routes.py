"""What the routes of cases have in common: who asks, for which case, and that it stands in the audit first."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request

from api.http.access import permitted
from api.http.problems import request_id_of
from api.work.access import Permission, Principal
from api.work.case_sight import Actor
from api.work.review import ReviewDesk
from api.work.service import Service

Reader = Annotated[Principal, permitted(Permission.READ_CASES)]
CaseId = Annotated[
    str, Path(max_length=200, pattern=r"^[^\x00-\x1f]+$", description="Id of the case, as listed.")
]


def actor(by: Principal, request: Request) -> Actor:
    """Who does something in that request."""
    return Actor(principal=by, request_id=request_id_of(request))


def entered(service: Service, by: Principal, request: Request, case_id: str, part: str) -> ReviewDesk:
    """The desk, when the look at the case stands in the audit."""
    service.cases.enter(by, case_id, "case.viewed", request_id=request_id_of(request), what=part)
    return service.desk
