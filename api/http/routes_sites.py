"""The routes of sites: their site files from a draft to a version, and back to one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.case_routes import actor
from api.http.cursor import decode_cursor, decode_name, encode_cursor, encode_name
from api.http.models import PREFIX
from api.http.preconditions import LookedAt, etag
from api.http.site_models import (
    DifferencesModel,
    DraftModel,
    DraftText,
    FileProblem,
    NewSite,
    Publication,
    PublishedModel,
    SiteDetail,
    SiteModel,
    SitePage,
    SitePath,
    Validation,
    VersionDetail,
    VersionModel,
    VersionPage,
    VersionPath,
)
from api.work.access import Permission, Principal

router = APIRouter(prefix=f"{PREFIX}/sites", tags=["sites"])
SiteReader = Annotated[Principal, permitted(Permission.READ_SITES)]
Engineer = Annotated[Principal, permitted(Permission.CONFIGURE)]
NameCursor = Annotated[str | None, Query(max_length=300, description="As given in 'next_cursor'; opaque.")]
NumberCursor = Annotated[str | None, Query(max_length=64, description="As given in 'next_cursor'; opaque.")]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
INVALID = "The request is invalid, or the site file is not in order; 'errors' says where."


@router.get("", summary="List sites", responses=problems(400, 422))
def sites(
    service: ServiceOf, by: SiteReader, request: Request, cursor: NameCursor = None, limit: Limit = 50
) -> SitePage:
    """The sites of your account, by id."""
    after = "" if cursor is None else decode_name(cursor)
    found = service.sites.page(actor(by, request), after_id=after, limit=limit + 1)
    return SitePage(
        items=[SiteModel.of(row) for row in found[:limit]],
        next_cursor=encode_name(found[limit - 1].id) if len(found) > limit else None,
    )


@router.post("", status_code=201, summary="Make a site", responses=problems(404, 409, 422))
def make(
    service: ServiceOf, by: Engineer, request: Request, wanted: NewSite, response: Response
) -> SiteModel:
    """A site with nothing published. An account for some sites only makes none of others (404)."""
    row = service.sites.add(actor(by, request), wanted.id, wanted.name)
    response.headers["ETag"] = etag(row.version)
    return SiteModel.of(row)


@router.get("/{site_id}", summary="One site", responses=problems(404, 422))
def one(
    service: ServiceOf, by: SiteReader, request: Request, site_id: SitePath, response: Response
) -> SiteDetail:
    """The site with the cameras and places of its newest version."""
    row, places = service.sites.site(actor(by, request), site_id)
    response.headers["ETag"] = etag(row.version)
    return SiteDetail.with_places(row, places)


@router.get("/{site_id}/config/draft", summary="The draft", responses=problems(404, 422))
def draft(
    service: ServiceOf, by: Engineer, request: Request, site_id: SitePath, response: Response
) -> DraftModel:
    """The draft of the site's file. Its ETag is wanted for a change, and for publishing it."""
    row, text = service.sites.draft(actor(by, request), site_id)
    response.headers["ETag"] = etag(row.version)
    return DraftModel.of(row, text)


@router.put("/{site_id}/config/draft", summary="Write the draft", responses=problems(404, 412, 413, 422, 428))
def put_draft(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    site_id: SitePath,
    wanted: DraftText,
    looked_at: LookedAt,
    response: Response,
) -> DraftModel:
    """The draft is that text, in order or not. Nobody is watched by it before it is published."""
    row = service.sites.put_draft(actor(by, request), site_id, wanted.text, looked_at=looked_at)
    response.headers["ETag"] = etag(row.version)
    return DraftModel.of(row, wanted.text)


@router.delete(
    "/{site_id}/config/draft",
    status_code=204,
    summary="Give the draft up",
    responses=problems(404, 412, 422, 428),
)
def drop_draft(
    service: ServiceOf, by: Engineer, request: Request, site_id: SitePath, looked_at: LookedAt
) -> None:
    """There is no draft any more; what is published stays."""
    service.sites.drop_draft(actor(by, request), site_id, looked_at=looked_at)


@router.post("/{site_id}/config/validate", summary="Check the draft", responses=problems(404, 422))
def validate(
    service: ServiceOf, by: Engineer, request: Request, site_id: SitePath, response: Response
) -> Validation:
    """All that stands against publishing the draft, each with its place in the file. Nothing changes."""
    row, found = service.sites.problems(actor(by, request), site_id)
    response.headers["ETag"] = etag(row.version)
    return Validation(is_in_order=not found, problems=[FileProblem.of(problem) for problem in found])


@router.get("/{site_id}/config/versions", summary="List versions", responses=problems(400, 404, 422))
def versions(
    service: ServiceOf,
    by: SiteReader,
    request: Request,
    site_id: SitePath,
    cursor: NumberCursor = None,
    limit: Limit = 50,
) -> VersionPage:
    """All that was ever published, the newest first."""
    before = None if cursor is None else decode_cursor(cursor)
    found = service.sites.versions(actor(by, request), site_id, before_number=before, limit=limit + 1)
    return VersionPage(
        items=[VersionModel.of(version) for version in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].number) if len(found) > limit else None,
    )


@router.post(
    "/{site_id}/config/versions",
    status_code=201,
    summary="Publish the draft",
    responses=problems(
        404, 409, 412, 422, 428, s409="There is no draft, or it is what is published.", s422=INVALID
    ),
)
def publish(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    site_id: SitePath,
    wanted: Publication,
    looked_at: LookedAt,
) -> PublishedModel:
    """The draft is the newest version, and the site's cameras are watched by it within seconds; others go on undisturbed.

    Of two who publish from the same state one wins; the other gets 412.
    """
    made = service.sites.publish(actor(by, request), site_id, reason=wanted.reason, looked_at=looked_at)
    return PublishedModel.told(made, is_delivered=service.sites.is_delivered(made))


@router.get("/{site_id}/config/versions/{number}", summary="One version", responses=problems(404, 422))
def version(
    service: ServiceOf, by: Engineer, request: Request, site_id: SitePath, number: VersionPath
) -> VersionDetail:
    """The version with its text, which never changes."""
    return VersionDetail.of(service.sites.version(actor(by, request), site_id, number))


@router.post(
    "/{site_id}/config/versions/{number}/rollback",
    status_code=201,
    summary="Go back to a version",
    responses=problems(404, 409, 412, 422, 428, s409="It is the newest version.", s422=INVALID),
)
def roll_back(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    site_id: SitePath,
    number: VersionPath,
    wanted: Publication,
    looked_at: LookedAt,
) -> PublishedModel:
    """A new version with the text of that one; a draft stays."""
    made = service.sites.roll_back(
        actor(by, request), site_id, number, reason=wanted.reason, looked_at=looked_at
    )
    return PublishedModel.told(made, is_delivered=service.sites.is_delivered(made))


@router.get("/{site_id}/config/differences", summary="Compare two versions", responses=problems(404, 422))
def differences(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    site_id: SitePath,
    before: Annotated[int, Query(ge=1, le=2**31 - 1, description="The number of a version.")],
    after: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="The number of another one. Default: the draft.")
    ] = None,
) -> DifferencesModel:
    """What differs, as lines of text and as the rules of each camera see it."""
    return DifferencesModel.of(service.sites.differences(actor(by, request), site_id, before, after))
