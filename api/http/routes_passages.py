"""The routes of passages: searched for a purpose, by those who may; each search stands in the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.body import Body, Moment
from api.http.case_routes import actor
from api.http.cursor import decode_place, encode_place
from api.http.models import PREFIX, PRINTED, Id
from api.http.ranges import sealed_response
from api.records.passages import PassagePlace, PassageQuery, StoredPassage
from api.records.queue import Place
from api.work.access import Permission, Principal
from api.work.passage_search import Purpose, Reason
from rules.observation import ObjectClass

router = APIRouter(prefix=f"{PREFIX}/passages", tags=["passages"])
Searcher = Annotated[Principal, permitted(Permission.SEARCH_PASSAGES)]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{2,39}$")]
Plate = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=16, pattern=PRINTED)]
PassageId = Annotated[
    str, Path(max_length=300, pattern=r"^[^\x00-\x1f]+$", description="Id of the passage, as listed.")
]


class Search(Body):
    """Why somebody searches."""

    purpose: Purpose = Field(description="What it is for. It stands in the audit.")
    reference: Reference = Field(
        description="The number of the file that asks for it: 3 to 40 letters, digits and ./_- of ASCII. It stands in the audit."
    )

    def reason(self) -> Reason:
        """The reason."""
        return Reason(purpose=self.purpose, reference=self.reference)


class PassageFilter(Search):
    """Which passages are wanted, and why."""

    plate: Plate | None = Field(None, description="The whole plate.")
    site: Id | None = Field(None, description="Only at this site.")
    camera: Id | None = Field(None, description="Only seen by this camera.")
    gate: Id | None = Field(None, description="Only through this gate.")
    direction: Literal["forward", "backward"] | None = Field(None, description="Only in this direction.")
    since: Moment | None = Field(None, description="From this moment on, with an offset.")
    until: Moment | None = Field(None, description="Before this moment, with an offset.")
    cursor: str | None = Field(None, max_length=96, description="As given in 'next_cursor'; opaque.")
    limit: int = Field(50, ge=1, le=200, description="At most so many passages.")

    def wanted(self, now: datetime) -> PassageQuery:
        """The query that the records understand."""
        return PassageQuery(
            now=now,
            site_id=self.site or None,
            camera_id=self.camera or None,
            gate_id=self.gate or None,
            direction=self.direction,
            plate=None if self.plate is None else self.plate.upper(),
            since=self.since,
            until=self.until,
        )


class PassageModel(Body):
    """A vehicle that passed."""

    id: str
    site_id: str
    camera_id: str
    gate_id: str | None = Field(description="Null where only a plate was read.")
    direction: str | None
    lane: int | None
    vehicle_class: ObjectClass
    plate_text: str | None = Field(
        description="As it was read; nobody has checked it. Null where it was not."
    )
    plate_confidence: float | None
    passed_at: datetime = Field(description="UTC.")
    expires_at: datetime = Field(description="UTC; then it is deleted.")
    picture_url: str | None = Field(
        description="The vehicle's front; its windscreen was blurred when it was made."
    )

    @classmethod
    def of(cls, passage: StoredPassage) -> PassageModel:
        """The passage as sent."""
        return cls(
            id=passage.id,
            site_id=passage.site_id,
            camera_id=passage.camera_id,
            gate_id=passage.gate_id,
            direction=passage.direction,
            lane=passage.lane,
            vehicle_class=ObjectClass(passage.vehicle_class),
            plate_text=passage.plate_text,
            plate_confidence=passage.plate_confidence,
            passed_at=passage.passed_at,
            expires_at=passage.expires_at,
            picture_url=None if passage.picture_path is None else f"{PREFIX}/passages/{passage.id}/picture",
        )


class PassagePage(Body):
    """Some passages, the latest first."""

    items: list[PassageModel]
    next_cursor: str | None = Field(description="Null where there are no more.")


@router.get("", summary="Search passages", responses=problems(400, 422))
def search(
    service: ServiceOf, by: Searcher, request: Request, wanted: Annotated[PassageFilter, Query()]
) -> PassagePage:
    """Passages at the sites of the account. Purpose, reference and a keyed hash of the plate stand in the audit first."""
    before = None
    if wanted.cursor is not None:
        place = decode_place(wanted.cursor, by_due=True)
        assert place.due_from is not None
        before = PassagePlace(passed_at=place.due_from, number=place.number)
    found = service.passages.page(
        actor(by, request), wanted.reason(), wanted.wanted(service.now()), before, wanted.limit + 1
    )
    shown = found[: wanted.limit]
    last = None
    if len(found) > wanted.limit:
        number, passage = shown[-1]
        last = encode_place(Place(number=number, due_from=passage.passed_at), by_due=True)
    return PassagePage(items=[PassageModel.of(passage) for _, passage in shown], next_cursor=last)


@router.get(
    "/{passage_id}/picture",
    summary="The picture of a passage",
    response_class=Response,
    responses={
        200: {
            "description": "The picture.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        206: {"description": "The part that was asked for."},
        304: {"description": "The asker has it already."},
        **problems(404, 410, 416, 422),
    },
)
def picture(
    service: ServiceOf,
    by: Searcher,
    request: Request,
    passage_id: PassageId,
    why: Annotated[Search, Query()],
) -> Response:
    """The vehicle's front. That it was looked at stands in the audit first."""
    file = service.passages.picture(actor(by, request), why.reason(), passage_id)
    return sealed_response(file, request.headers, version=None)
