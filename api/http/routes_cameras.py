"""The routes of cameras: what one shows, whether it can be used, and its site's file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.http import routes_sites
from api.http.access import ServiceOf
from api.http.answers import problems
from api.http.body import Body
from api.http.case_routes import actor
from api.http.cursor import decode_name, encode_name
from api.http.models import PREFIX
from api.http.preconditions import LookedAt, etag
from api.http.routes_sites import INVALID, Engineer, Limit, NameCursor, NumberCursor, SiteReader
from api.http.site_models import (
    CameraModel,
    CameraPage,
    CameraPath,
    DraftModel,
    DraftText,
    PlaceModel,
    Publication,
    PublishedModel,
    SiteCamera,
    Validation,
    VersionPage,
)
from api.http.workflow_models import SiteId

router = APIRouter(prefix=f"{PREFIX}/cameras", tags=["cameras"])
OfDraft = Annotated[
    SiteId | None,
    Query(description="At the address that the draft of that site gives, to try it before it is published."),
]
LOOKS = problems(
    404,
    409,
    422,
    s409="Others look at cameras just now, or the camera cannot be used as it is configured; the detail says why.",
    s422=INVALID,
)


class CameraTest(Body):
    """What a camera sends."""

    address: str = Field(description="Where it was found, without its account.")
    codec: str
    width_px: int
    height_px: int
    pictures_per_s: float
    bits_per_s: float
    keyframe_every_s: float | None = Field(description="Null: fewer than two came.")
    clock: str = Field(description="Who tells its time: 'rtcp' the camera, 'arrival' nobody.")
    clock_error_s: float
    damage: str | None = Field(description="What was wrong with what it sent.")


@router.get("", summary="List cameras", responses=problems(400, 422))
def cameras(
    service: ServiceOf, by: SiteReader, request: Request, cursor: NameCursor = None, limit: Limit = 50
) -> CameraPage:
    """The cameras of the published site files of your account's sites, by id."""
    after = "" if cursor is None else decode_name(cursor)
    found = service.sites.cameras(actor(by, request), after_id=after, limit=limit + 1)
    return CameraPage(
        items=[CameraModel(id=camera_id, site_id=site_id) for camera_id, site_id in found[:limit]],
        next_cursor=encode_name(found[limit - 1][0]) if len(found) > limit else None,
    )


@router.get("/{camera_id}", summary="One camera", responses=problems(404, 422))
def one(service: ServiceOf, by: SiteReader, request: Request, camera_id: CameraPath) -> SiteCamera:
    """The camera with what is drawn in its picture."""
    who = actor(by, request)
    site_id = service.sites.site_of_camera(who, camera_id)
    _, places = service.sites.site(who, site_id)
    return SiteCamera(
        id=camera_id,
        site_id=site_id,
        places=[
            PlaceModel.model_validate({"id": place.place_id, "kind": place.kind})
            for place in places
            if place.camera_id == camera_id and place.kind != "camera"
        ],
    )


@router.get(
    "/{camera_id}/snapshot",
    summary="What a camera shows",
    response_class=Response,
    responses={
        200: {
            "description": "A picture.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        **LOOKS,
    },
)
def snapshot(
    service: ServiceOf, by: Engineer, request: Request, camera_id: CameraPath, draft_of: OfDraft = None
) -> Response:
    """A picture of just now, to draw lines on. The camera must stand in a network that the installation allows."""
    picture = service.cameras.snapshot(actor(by, request), camera_id, draft_of=draft_of)
    return Response(picture, media_type="image/jpeg")


@router.post("/{camera_id}/connection-test", summary="Test a camera", responses=LOOKS)
def connection_test(
    service: ServiceOf, by: Engineer, request: Request, camera_id: CameraPath, draft_of: OfDraft = None
) -> CameraTest:
    """Five seconds of its stream: size, rate, keyframes, and who tells its time."""
    look = service.cameras.test(actor(by, request), camera_id, draft_of=draft_of)
    return CameraTest(
        address=look.name,
        codec=look.codec,
        width_px=look.size_px[0],
        height_px=look.size_px[1],
        pictures_per_s=look.rate,
        bits_per_s=look.bits_per_s,
        keyframe_every_s=look.keyframe_s,
        clock=look.clock_source.value,
        clock_error_s=look.clock_error_s,
        damage=look.damage,
    )


@router.get("/{camera_id}/config/draft", summary="The draft of its site", responses=problems(404, 422))
def draft(
    service: ServiceOf, by: Engineer, request: Request, camera_id: CameraPath, response: Response
) -> DraftModel:
    """As of the site: one site file has all of its cameras."""
    row, text = service.sites.draft(actor(by, request), _site(service, by, request, camera_id))
    response.headers["ETag"] = etag(row.version)
    return DraftModel.of(row, text)


@router.put(
    "/{camera_id}/config/draft",
    summary="Write the draft of its site",
    responses=problems(404, 412, 413, 422, 428),
)
def put_draft(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    camera_id: CameraPath,
    wanted: DraftText,
    looked_at: LookedAt,
    response: Response,
) -> DraftModel:
    """As of the site."""
    site_id = _site(service, by, request, camera_id)
    return routes_sites.put_draft(service, by, request, site_id, wanted, looked_at, response)


@router.post(
    "/{camera_id}/config/validate", summary="Check the draft of its site", responses=problems(404, 422)
)
def validate(
    service: ServiceOf, by: Engineer, request: Request, camera_id: CameraPath, response: Response
) -> Validation:
    """As of the site."""
    site_id = _site(service, by, request, camera_id)
    return routes_sites.validate(service, by, request, site_id, response)


@router.get(
    "/{camera_id}/config/versions", summary="List versions of its site", responses=problems(400, 404, 422)
)
def versions(
    service: ServiceOf,
    by: SiteReader,
    request: Request,
    camera_id: CameraPath,
    cursor: NumberCursor = None,
    limit: Limit = 50,
) -> VersionPage:
    """As of the site."""
    site_id = _site(service, by, request, camera_id)
    return routes_sites.versions(service, by, request, site_id, cursor, limit)


@router.post(
    "/{camera_id}/config/versions",
    status_code=201,
    summary="Publish the draft of its site",
    responses=problems(
        404, 409, 412, 422, 428, s409="There is no draft, or it is what is published.", s422=INVALID
    ),
)
def publish(
    service: ServiceOf,
    by: Engineer,
    request: Request,
    camera_id: CameraPath,
    wanted: Publication,
    looked_at: LookedAt,
) -> PublishedModel:
    """As of the site."""
    site_id = _site(service, by, request, camera_id)
    return routes_sites.publish(service, by, request, site_id, wanted, looked_at)


def _site(service: ServiceOf, by: Engineer, request: Request, camera_id: str) -> str:
    return service.sites.site_of_camera(actor(by, request), camera_id)
