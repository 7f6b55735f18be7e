"""The routes of supervisors: appeals, suspended rules, review policies."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.case_routes import actor
from api.http.cursor import decode_cursor, encode_cursor
from api.http.models import PREFIX
from api.http.preconditions import CaseLookedAt, IdempotencyKey
from api.http.routes_casework import Supervisor, submission
from api.http.workflow_models import (
    AppealDecision,
    AppealModel,
    AppealPage,
    NewPolicy,
    NewSuspension,
    Policies,
    PolicyModel,
    SiteId,
    SuspensionModel,
    SuspensionPage,
)
from api.work.access import Permission, Principal

router = APIRouter(prefix=PREFIX)
SiteReader = Annotated[Principal, permitted(Permission.READ_SITES)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Cursor = Annotated[str | None, Query(max_length=64, description="As given in 'next_cursor'; opaque.")]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]


@router.get("/appeals", tags=["appeals"], summary="List appeals", responses=problems(400, 422))
def appeals(
    service: ServiceOf,
    by: Supervisor,
    request: Request,
    state: Annotated[Literal["open", "any"], Query(description="Only open ones, or all.")] = "open",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AppealPage:
    """Appeals of your sites, oldest first. Their cases are in the queue of stage 'appeal'."""
    after = None if cursor is None else decode_cursor(cursor)
    found = service.supervision.appeals(
        actor(by, request), open_only=state == "open", after_number=after, limit=limit + 1
    )
    return AppealPage(
        items=[AppealModel.of(appeal) for appeal in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].number) if len(found) > limit else None,
    )


@router.get("/appeals/{number}", tags=["appeals"], summary="One appeal", responses=problems(404, 410, 422))
def appeal(service: ServiceOf, by: Supervisor, request: Request, number: Number) -> AppealModel:
    """The appeal."""
    return AppealModel.of(service.supervision.appeal(actor(by, request), number))


@router.post(
    "/appeals/{number}/decision",
    tags=["appeals"],
    status_code=201,
    summary="Decide an appeal",
    responses=problems(404, 409, 410, 412, 422, 428),
)
def decide_appeal(
    service: ServiceOf,
    by: Supervisor,
    request: Request,
    number: Number,
    decision: AppealDecision,
    looked_at: CaseLookedAt,
    idempotency_key: IdempotencyKey,
) -> AppealModel:
    """The appeal ends, under your claim of its case and from the version of it that you read.

    Who worked on the case may not.
    """
    submitted = submission(request, idempotency_key, decision, if_match=looked_at, claim=decision.claim)
    return AppealModel.of(
        service.supervision.decide_appeal(
            actor(by, request), number, decision.outcome, note=decision.note, submitted=submitted
        )
    )


@router.get(
    "/suspensions", tags=["suspensions"], summary="List suspended rules", responses=problems(400, 422)
)
def suspensions(
    service: ServiceOf, by: SiteReader, request: Request, cursor: Cursor = None, limit: Limit = 50
) -> SuspensionPage:
    """Suspensions of rules at your sites, oldest first, lifted ones too."""
    after = None if cursor is None else decode_cursor(cursor)
    found = service.supervision.suspensions(actor(by, request), after_number=after, limit=limit + 1)
    return SuspensionPage(
        items=[SuspensionModel.of(suspension) for suspension in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].number) if len(found) > limit else None,
    )


@router.post(
    "/suspensions",
    tags=["suspensions"],
    status_code=201,
    summary="Suspend a rule at a site",
    responses=problems(404, 422),
)
def suspend(
    service: ServiceOf,
    by: Supervisor,
    request: Request,
    wanted: NewSuspension,
    idempotency_key: IdempotencyKey,
) -> SuspensionModel:
    """Cases of that rule, site and time are withdrawn from all queues, also those recorded later; nothing is deleted."""
    return SuspensionModel.of(
        service.supervision.suspend(
            actor(by, request),
            site_id=wanted.site_id,
            rule=wanted.rule,
            from_at=wanted.from_at,
            to_at=wanted.to_at,
            reason=wanted.reason,
            submitted=submission(request, idempotency_key, wanted),
        )
    )


@router.get(
    "/suspensions/{number}", tags=["suspensions"], summary="One suspended rule", responses=problems(404, 422)
)
def suspension(service: ServiceOf, by: SiteReader, request: Request, number: Number) -> SuspensionModel:
    """The suspension."""
    return SuspensionModel.of(service.supervision.suspension(actor(by, request), number))


@router.delete(
    "/suspensions/{number}", tags=["suspensions"], summary="Lift a suspension", responses=problems(404, 422)
)
def lift(service: ServiceOf, by: Supervisor, request: Request, number: Number) -> SuspensionModel:
    """The rule holds again, and its cases are back where they were; the suspension stays on record."""
    return SuspensionModel.of(service.supervision.lift(actor(by, request), number))


@router.get(
    "/review-policies", tags=["review policies"], summary="Policies of a site", responses=problems(404, 422)
)
def policies(
    service: ServiceOf, by: SiteReader, request: Request, site: Annotated[SiteId, Query()]
) -> Policies:
    """Every policy that the site ever had; without one, only held cases need a second review."""
    found = service.supervision.policies(actor(by, request), site)
    return Policies(items=[PolicyModel.of(policy) for policy in found])


@router.post(
    "/review-policies",
    tags=["review policies"],
    status_code=201,
    summary="Set a site's policy",
    responses=problems(404, 422),
)
def set_policy(
    service: ServiceOf, by: Supervisor, request: Request, wanted: NewPolicy, idempotency_key: IdempotencyKey
) -> PolicyModel:
    """From that moment on first reviews go on to a second person, or do not. What was set before stays on record."""
    return PolicyModel.of(
        service.supervision.set_policy(
            actor(by, request),
            site_id=wanted.site_id,
            rule=wanted.rule,
            from_at=wanted.from_at,
            second_review=wanted.second_review,
            submitted=submission(request, idempotency_key, wanted),
        )
    )
