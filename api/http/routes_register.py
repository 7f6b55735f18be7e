"""The routes of the register: the public's list of sites, each site's entry, and photos of signs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from api.http.access import ServiceOf
from api.http.answers import problems
from api.http.body import Body
from api.http.case_routes import actor
from api.http.cursor import decode_name, encode_name
from api.http.models import PREFIX
from api.http.preconditions import LookedAt, etag
from api.http.routes_sites import Engineer, Limit, NameCursor, SiteReader
from api.http.site_models import SitePath
from api.register_document import Direction, RegisterDocument, SectionKind, SignKind, SiteKind
from api.work.register import RegisteredSite

router = APIRouter(prefix=PREFIX, tags=["register"])
SignPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="The sign's id.")]
PHOTO = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/jpeg", "image/png")
        },
    }
}


class PublicSection(Body):
    """An approach, or a stretch of kerb where parking is forbidden."""

    kind: SectionKind
    name: str
    direction: Direction | None
    has_equipment: bool


class PublicSign(Body):
    """A sign or marking that stands."""

    kind: SignKind
    set_on: date
    hours: str


class PublicSite(Body):
    """A site that the public is told of."""

    id: str
    kind: SiteKind
    name: str
    area: str
    latitude: float | None
    longitude: float | None
    published_on: date
    sections: list[PublicSection]
    signs: list[PublicSign]

    @classmethod
    def of(cls, found: RegisteredSite, today: date) -> PublicSite:
        """The site as anybody may read it."""
        document = found.document
        assert document is not None and document.published_on is not None
        return cls(
            id=found.site_id,
            kind=document.kind,
            name=document.name,
            area=document.area,
            latitude=document.latitude,
            longitude=document.longitude,
            published_on=document.published_on,
            sections=[
                PublicSection(
                    kind=section.kind,
                    name=section.name,
                    direction=section.direction,
                    has_equipment=bool(section.place_ids),
                )
                for section in document.sections
            ],
            signs=[
                PublicSign(kind=sign.kind, set_on=sign.set_on, hours=sign.hours)
                for sign in document.signs
                if sign.stands_on(today)
            ],
        )


class PublicPage(Body):
    """Some sites, by id."""

    items: list[PublicSite]
    next_cursor: str | None = Field(description="Send it as 'cursor' for what follows; null: that was all.")


class EntryModel(Body):
    """A site's entry."""

    site_id: str
    document: RegisterDocument | None = Field(description="Null: the site has no entry yet.")
    photographed: list[str] = Field(description="Ids of the signs that have a photo.")

    @classmethod
    def of(cls, found: RegisteredSite) -> EntryModel:
        """The entry as sent."""
        return cls(site_id=found.site_id, document=found.document, photographed=sorted(found.photographed))


class PhotoModel(Body):
    """A photo that is kept."""

    sha256: str = Field(description="Of the picture as it is kept: a JPEG without what else the file told.")


async def _body(request: Request) -> bytes:
    return await request.body()


@router.get("/register", summary="The public's list of sites", responses=problems(400, 422, signed_in=False))
def public(service: ServiceOf, cursor: NameCursor = None, limit: Limit = 50) -> PublicPage:
    """Where it is enforced, since when, and which signs stand there. Nobody has to sign in."""
    after = "" if cursor is None else decode_name(cursor)
    found = service.register.public(after_id=after, limit=limit + 1)
    today = service.now().date()
    return PublicPage(
        items=[PublicSite.of(one, today) for one in found[:limit]],
        next_cursor=encode_name(found[limit - 1].site_id) if len(found) > limit else None,
    )


@router.get("/sites/{site_id}/register", summary="A site's entry", responses=problems(404, 422))
def entry(
    service: ServiceOf, by: SiteReader, request: Request, site_id: SitePath, response: Response
) -> EntryModel:
    """What the register says of the site, announced or not."""
    found = service.register.look(actor(by, request), site_id)
    response.headers["ETag"] = etag(found.version)
    return EntryModel.of(found)


@router.put(
    "/sites/{site_id}/register", summary="Write a site's entry", responses=problems(404, 412, 413, 422, 428)
)
def put(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    site_id: SitePath,
    document: RegisterDocument,
    looked_at: LookedAt,
    response: Response,
) -> EntryModel:
    """The whole entry, from the version that was read ('"v0"' while there is none)."""
    found = service.register.put(actor(by, request), site_id, document, looked_at=looked_at)
    response.headers["ETag"] = etag(found.version)
    return EntryModel.of(found)


@router.put(
    "/sites/{site_id}/register/signs/{sign_id}/photo",
    summary="Put a sign's photo",
    responses=problems(404, 413, 422),
    openapi_extra=PHOTO,
)
def put_photo(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    site_id: SitePath,
    sign_id: SignPath,
    body: Annotated[bytes, Depends(_body)],
) -> PhotoModel:
    """A JPEG or PNG of at most 5 MB. It is kept at 2048 pixels at most, without place, time and owner of the file."""
    return PhotoModel(sha256=service.register.put_photo(actor(by, request), site_id, sign_id, body))


@router.get(
    "/sites/{site_id}/register/signs/{sign_id}/photo",
    summary="A sign's photo",
    response_class=Response,
    responses={
        200: {
            "description": "The photo.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(404, 422),
    },
)
def photo(
    service: ServiceOf, by: SiteReader, request: Request, site_id: SitePath, sign_id: SignPath
) -> Response:
    """The photo, for who is signed in: passers-by may be in it."""
    return Response(service.register.photo(actor(by, request), site_id, sign_id), media_type="image/jpeg")
