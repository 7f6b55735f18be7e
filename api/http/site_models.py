"""What the API takes and gives about sites and their site files, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field, StringConstraints

from api.errors import Problem
from api.http.body import Body
from api.http.problems import json_pointer
from api.http.workflow_models import Reason
from api.records.sites import SitePlace, SiteRow, SiteVersion
from api.work.configuration import Differences
from api.work.site_drafts import MOST_BYTES

Name = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
SitePath = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$", description="The site's id.")
]
CameraPath = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$", description="The camera's id.")
]
VersionPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="The number of the version.")]


class NewSite(Body):
    """A site to be configured."""

    id: Name = Field(description="As the site file has it: letters, digits, - and _. It never changes.")
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")] = Field(
        description="What people call it, until a published site file says."
    )


class PlaceModel(Body):
    """A line, zone, gate or crosswalk."""

    id: str
    kind: Literal["stop_line", "no_parking", "gate", "crosswalk"]


class CameraModel(Body):
    """A camera of the newest version."""

    id: str
    site_id: str


class SiteCamera(CameraModel):
    """A camera with what is drawn in its picture."""

    places: list[PlaceModel]


class SiteModel(Body):
    """A site."""

    id: str
    name: str
    made_at: datetime
    published: int | None = Field(description="Number of the newest version; null: nothing is published.")
    has_draft: bool = Field(description="Whether there is something that is not published.")
    drafted_by: str | None = Field(description="Id of the account that wrote the draft.")
    drafted_at: datetime | None

    @classmethod
    def of(cls, row: SiteRow) -> SiteModel:
        """The site as sent."""
        return cls(**_site(row))


class SiteDetail(SiteModel):
    """A site with its cameras."""

    cameras: list[SiteCamera]

    @classmethod
    def with_places(cls, row: SiteRow, places: list[SitePlace]) -> SiteDetail:
        """The site as sent."""
        return cls(
            **_site(row),
            cameras=[
                SiteCamera(
                    id=camera.camera_id,
                    site_id=row.id,
                    places=[
                        PlaceModel.model_validate({"id": place.place_id, "kind": place.kind})
                        for place in places
                        if place.camera_id == camera.camera_id and place.kind != "camera"
                    ],
                )
                for camera in places
                if camera.kind == "camera"
            ],
        )


class SitePage(Body):
    """Some sites, by id."""

    items: list[SiteModel]
    next_cursor: str | None = Field(description="Send it as 'cursor' for what follows; null: that was all.")


class CameraPage(Body):
    """Some cameras, by id."""

    items: list[CameraModel]
    next_cursor: str | None = Field(description="Send it as 'cursor' for what follows; null: that was all.")


class DraftText(Body):
    """A site file that is being written."""

    text: str = Field(
        max_length=MOST_BYTES,
        description="The site file: YAML, or JSON. It is kept as it is, whether it is in order or not; no addresses with "
        "accounts in them.",
    )


class DraftModel(Body):
    """The draft of a site's file."""

    site_id: str
    text: str = Field(description="The draft; without one the newest version, to begin from.")
    is_draft: bool = Field(description="False: nobody has changed anything since the newest version.")
    drafted_by: str | None
    drafted_at: datetime | None

    @classmethod
    def of(cls, row: SiteRow, text: str) -> DraftModel:
        """The draft as sent."""
        return cls(
            site_id=row.id,
            text=text,
            is_draft=row.draft is not None,
            drafted_by=row.drafted_by,
            drafted_at=row.drafted_at,
        )


class FileProblem(Body):
    """One thing that is wrong with a site file."""

    pointer: str = Field(description="JSON Pointer into the site file, as '#/cameras/0/stop_lines/1/line'.")
    line: int | None = Field(description="The line of the text, from 1; null: of the whole.")
    detail: str = Field(description="What is wrong and what would be right.")

    @classmethod
    def of(cls, problem: Problem) -> FileProblem:
        """The problem as sent."""
        return cls(pointer=json_pointer(problem.place), line=problem.line, detail=problem.message)


class Validation(Body):
    """What stands against publishing a draft."""

    is_in_order: bool
    problems: list[FileProblem]


class Publication(Body):
    """Why something is published."""

    reason: Reason


class VersionModel(Body):
    """A published site file, without its text."""

    site_id: str
    number: int
    sha256: str = Field(description="Of the file; cases name it.")
    reason: str
    published_by: str = Field(description="Id of the account.")
    published_at: datetime
    from_number: int | None = Field(description="The earlier version that was brought back by it.")

    @classmethod
    def of(cls, version: SiteVersion) -> VersionModel:
        """The version as sent."""
        return cls(**_version(version))


class VersionDetail(VersionModel):
    """A published site file."""

    text: str

    @classmethod
    def of(cls, version: SiteVersion) -> VersionDetail:
        """The version as sent."""
        return cls(**_version(version), text=version.text)


class PublishedModel(VersionModel):
    """A site file that was published just now."""

    is_delivered: bool = Field(
        description="Whether it lies where cameras are watched by it. False: the disk refused; the next start tries again."
    )

    @classmethod
    def told(cls, version: SiteVersion, *, is_delivered: bool) -> PublishedModel:
        """The version as sent."""
        return cls(**_version(version), is_delivered=is_delivered)


class VersionPage(Body):
    """Some versions, the newest first."""

    items: list[VersionModel]
    next_cursor: str | None = Field(description="Send it as 'cursor' for what follows; null: that was all.")


class DifferenceModel(Body):
    """One thing that the rules of a camera see otherwise."""

    camera_id: str
    place_id: str | None = Field(description="The line, zone, gate or head; null: camera or site.")
    says: str


class DifferencesModel(Body):
    """What differs between two versions."""

    text: str = Field(description="As 'diff -u' says it.")
    seen_by_rules: list[DifferenceModel] | None = Field(description="Null: one of the two is not in order.")

    @classmethod
    def of(cls, found: Differences) -> DifferencesModel:
        """The differences as sent."""
        return cls(
            text=found.text,
            seen_by_rules=None
            if found.cameras is None
            else [
                DifferenceModel(camera_id=camera_id, place_id=one.place, says=one.says)
                for camera_id, one in found.cameras
            ],
        )


def _site(row: SiteRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "made_at": row.made_at,
        "published": row.published,
        "has_draft": row.draft is not None,
        "drafted_by": row.drafted_by,
        "drafted_at": row.drafted_at,
    }


def _version(version: SiteVersion) -> dict[str, Any]:
    return {
        "site_id": version.site_id,
        "number": version.number,
        "sha256": version.sha256,
        "reason": version.reason,
        "published_by": version.published_by,
        "published_at": version.published_at,
        "from_number": version.from_number,
    }
