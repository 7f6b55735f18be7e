"""The routes of work on a case: claim it, decide, correct its plate, make it void, take in an appeal."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.case_routes import CaseId, Reader, actor, entered
from api.http.models import PREFIX, plate_ocr_text
from api.http.preconditions import CaseLookedAt, IdempotencyKey
from api.http.problems import case_etag
from api.http.workflow_models import (
    AppealModel,
    CaseHistory,
    ClaimModel,
    NewAppeal,
    OutcomeModel,
    PlateCorrected,
    PlateCorrection,
    PlateReadingModel,
    ReviewBody,
    StepModel,
    Voiding,
)
from api.work.access import Permission, Principal
from api.work.case_submission import Submission

Reviewer = Annotated[Principal, permitted(Permission.REVIEW)]
Supervisor = Annotated[Principal, permitted(Permission.SUPERVISE)]

router = APIRouter(prefix=f"{PREFIX}/violations/{{case_id}}", tags=["violations"])


def submission(
    request: Request, key: str, body: BaseModel, *, if_match: str = "", claim: int | None = None
) -> Submission:
    """What a change stands on, and what makes it happen once."""
    return Submission(
        if_match=if_match,
        claim=claim,
        route=f"{request.method} {request.url.path}",
        key=key,
        body_sha256=sha256(body.model_dump_json().encode()).hexdigest(),
    )


@router.put("/claim", summary="Claim a case", responses=problems(404, 409, 410, 422))
def claim(
    service: ServiceOf, by: Reviewer, request: Request, case_id: CaseId, response: Response
) -> ClaimModel:
    """The case is yours for ten minutes; asked again by you, for ten minutes more, under the same number.

    A claim that ran out may be taken over. Somebody else's, or a second review of a case that you reviewed, is a conflict.
    """
    sight = service.work.claim(actor(by, request), case_id)
    assert sight.claim is not None
    response.headers["ETag"] = case_etag(sight.version)
    return ClaimModel.of(sight.claim, is_mine=True)


@router.delete("/claim", status_code=204, summary="Give a claim back", responses=problems(404, 410, 422))
def release(service: ServiceOf, by: Reviewer, request: Request, case_id: CaseId) -> None:
    """You do not hold the case afterwards, whether you did or not."""
    service.work.release(actor(by, request), case_id)


@router.post(
    "/reviews",
    status_code=201,
    summary="Decide, ask for an opinion or give one",
    responses=problems(404, 409, 410, 412, 422, 428, 502),
)
def review(
    service: ServiceOf,
    by: Reviewer,
    request: Request,
    case_id: CaseId,
    said: ReviewBody,
    looked_at: CaseLookedAt,
    idempotency_key: IdempotencyKey,
    response: Response,
) -> OutcomeModel:
    """The case's next step, under your claim and from the version that you read; 412 tells how the case stands otherwise.

    Where the site's policy wants a second review, and for held cases, the case goes on to another person, who learns nothing of
    the first; where both differ, a third decides.
    """
    submitted = submission(request, idempotency_key, said, if_match=looked_at, claim=said.claim)
    outcome = service.work.review(actor(by, request), case_id, said.verdict(), submitted)
    response.headers["ETag"] = case_etag(outcome.version)
    return OutcomeModel.of(outcome)


@router.get("/reviews", summary="The history of a case", responses=problems(404, 410, 422))
def history(
    service: ServiceOf, by: Reader, request: Request, case_id: CaseId, response: Response
) -> CaseHistory:
    """What was done with the case; who may give a second review sees nothing of the first until theirs is in."""
    entered(service, by, request, case_id, "history")
    sight = service.work.see(by, case_id)
    response.headers["ETag"] = case_etag(sight.version)
    return CaseHistory(
        stage=sight.case.stage,
        decision=sight.case.decision,
        steps=[StepModel.of(step) for step in sight.steps],
        plate_readings=[PlateReadingModel.of(reading) for reading in sight.readings],
    )


@router.patch("/plate", summary="Correct the plate", responses=problems(404, 409, 410, 412, 422, 428))
def plate(
    service: ServiceOf,
    by: Reviewer,
    request: Request,
    case_id: CaseId,
    correction: PlateCorrection,
    looked_at: CaseLookedAt,
    response: Response,
) -> PlateCorrected:
    """The plate that your decision will stand on. What the machine read stays on record; others learn of it with your decision."""
    sight = service.work.correct_plate(
        actor(by, request),
        case_id,
        text=correction.text,
        is_special=correction.special,
        if_match=looked_at,
        claim=correction.claim,
    )
    response.headers["ETag"] = case_etag(sight.version)
    return PlateCorrected(
        plate_text=sight.plate_text,
        plate_ocr_text=plate_ocr_text(sight.case),
        plate_readings=[PlateReadingModel.of(reading) for reading in sight.readings],
    )


@router.post(
    "/void",
    status_code=201,
    summary="Make a confirmed case void",
    responses=problems(404, 409, 410, 412, 422, 428),
)
def void(
    service: ServiceOf,
    by: Supervisor,
    request: Request,
    case_id: CaseId,
    voiding: Voiding,
    looked_at: CaseLookedAt,
    idempotency_key: IdempotencyKey,
    response: Response,
) -> OutcomeModel:
    """The decision is taken back, for a reason that is kept."""
    submitted = submission(request, idempotency_key, voiding, if_match=looked_at)
    outcome = service.supervision.void(
        actor(by, request), case_id, reason=voiding.reason, submitted=submitted
    )
    response.headers["ETag"] = case_etag(outcome.version)
    return OutcomeModel.of(outcome)


@router.post(
    "/appeals",
    status_code=201,
    summary="Take in an appeal",
    responses=problems(404, 409, 410, 412, 422, 428),
)
def take_appeal(
    service: ServiceOf,
    by: Supervisor,
    request: Request,
    case_id: CaseId,
    wanted: NewAppeal,
    looked_at: CaseLookedAt,
    idempotency_key: IdempotencyKey,
) -> AppealModel:
    """The case is frozen, under legal hold, until somebody who has not worked on it has decided the appeal."""
    submitted = submission(request, idempotency_key, wanted, if_match=looked_at)
    return AppealModel.of(
        service.supervision.take_appeal(
            actor(by, request), case_id, reason=wanted.reason, submitted=submitted
        )
    )
