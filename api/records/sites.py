"""Sites in SQL: the draft of each one's site file, its published versions, and which cameras and places it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from evidence.records_tables import METADATA, UtcDateTime

SITES = Table(
    "sites",
    METADATA,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("draft", Text, nullable=True),
    Column("drafted_by", String, nullable=True),
    Column("drafted_at", UtcDateTime, nullable=True),
    Column("published", Integer, nullable=True),
)
"""``version`` rises with each change of the draft and each publication; ``published`` is the number of the newest version."""

SITE_VERSIONS = Table(
    "site_versions",
    METADATA,
    Column("site_id", String, ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("sha256", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("published_by", String, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("from_number", Integer, nullable=True),
)
"""Published site files, which nothing changes; ``from_number``: the earlier version that was brought back."""

SITE_PLACES = Table(
    "site_places",
    METADATA,
    Column("site_id", String, ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
    Column("camera_id", String, primary_key=True),
    Column("place_id", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Index("ix_site_places_camera", "camera_id"),
)
"""The lines, zones and gates of each site's newest version; a camera has a row of kind ``camera`` and its own id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site as it stands. ``draft`` is None while there is nothing that is not published."""

    id: str
    name: str
    made_at: datetime
    version: int
    draft: str | None
    drafted_by: str | None
    drafted_at: datetime | None
    published: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteVersion:
    """A published site file."""

    site_id: str
    number: int
    text: str
    sha256: str
    reason: str
    published_by: str
    published_at: datetime
    from_number: int | None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SitePlace:
    """A camera (``kind`` camera, its own id as place), or a ``stop_line``, ``no_parking``, ``gate`` or ``crosswalk`` of it."""

    camera_id: str
    place_id: str
    kind: str


def add_site(connection: Connection, site_id: str, name: str, at: datetime) -> None:
    """The site is there, with nothing published; the caller knows that there is none of that id."""
    connection.execute(SITES.insert().values(id=site_id, name=name, made_at=at, version=1))


def site(connection: Connection, site_id: str) -> SiteRow | None:
    """The site; None when there is none of that id."""
    row = connection.execute(select(SITES).where(SITES.c.id == site_id)).first()
    return None if row is None else _site(row)


def sites_page(
    connection: Connection, *, site_ids: Sequence[str] | None, after_id: str, limit: int
) -> list[SiteRow]:
    """Up to ``limit`` of those sites (None: of all) with a later id, by id."""
    wanted = select(SITES).where(SITES.c.id > after_id).order_by(SITES.c.id).limit(limit)
    if site_ids is not None:
        wanted = wanted.where(SITES.c.id.in_(site_ids))
    return [_site(row) for row in connection.execute(wanted)]


def has_sites(connection: Connection) -> bool:
    """Whether there is any site."""
    return connection.execute(select(SITES.c.id).limit(1)).first() is not None


def put_draft(connection: Connection, site_id: str, draft: str | None, *, by: str, at: datetime) -> int:
    """The site has that draft; returns its version now."""
    changed: int = connection.execute(
        update(SITES)
        .where(SITES.c.id == site_id)
        .values(draft=draft, drafted_by=by, drafted_at=at, version=SITES.c.version + 1)
        .returning(SITES.c.version)
    ).scalar_one()
    return changed


def add_version(
    connection: Connection, made: SiteVersion, *, name: str, places: Sequence[SitePlace], keeps_draft: bool
) -> None:
    """The version is the site's newest, which names it and has these places."""
    connection.execute(
        SITE_VERSIONS.insert().values(
            site_id=made.site_id,
            number=made.number,
            text=made.text,
            sha256=made.sha256,
            reason=made.reason,
            published_by=made.published_by,
            published_at=made.published_at,
            from_number=made.from_number,
        )
    )
    changed: dict[str, Any] = {"published": made.number, "name": name, "version": SITES.c.version + 1}
    if not keeps_draft:
        changed |= {"draft": None, "drafted_by": None, "drafted_at": None}
    connection.execute(update(SITES).where(SITES.c.id == made.site_id).values(changed))
    connection.execute(delete(SITE_PLACES).where(SITE_PLACES.c.site_id == made.site_id))
    if places:
        connection.execute(
            SITE_PLACES.insert(),
            [
                {
                    "site_id": made.site_id,
                    "camera_id": place.camera_id,
                    "place_id": place.place_id,
                    "kind": place.kind,
                }
                for place in places
            ],
        )


def version(connection: Connection, site_id: str, number: int) -> SiteVersion | None:
    """That version; None when there is none."""
    row = connection.execute(
        select(SITE_VERSIONS).where(SITE_VERSIONS.c.site_id == site_id, SITE_VERSIONS.c.number == number)
    ).first()
    return None if row is None else _version(row)


def versions_page(
    connection: Connection, site_id: str, *, before_number: int | None, limit: int
) -> list[SiteVersion]:
    """Up to ``limit`` versions of the site with a lower number, the newest first."""
    wanted = select(SITE_VERSIONS).where(SITE_VERSIONS.c.site_id == site_id)
    if before_number is not None:
        wanted = wanted.where(SITE_VERSIONS.c.number < before_number)
    rows = connection.execute(wanted.order_by(SITE_VERSIONS.c.number.desc()).limit(limit))
    return [_version(row) for row in rows]


def published_ids(connection: Connection) -> list[str]:
    """The sites that have a version."""
    return list(connection.scalars(select(SITES.c.id).where(SITES.c.published.is_not(None))))


def places_of(connection: Connection, site_id: str) -> list[SitePlace]:
    """The cameras and places of the site's newest version, by camera and id."""
    rows = connection.execute(select(SITE_PLACES).where(SITE_PLACES.c.site_id == site_id))
    return sorted(SitePlace(camera_id=row.camera_id, place_id=row.place_id, kind=row.kind) for row in rows)


def places_by_site(connection: Connection, site_ids: Sequence[str] | None) -> dict[str, frozenset[str]]:
    """The ids of the places of each of those sites (None: of all) that has a version."""
    wanted = select(SITE_PLACES.c.site_id, SITE_PLACES.c.place_id).where(SITE_PLACES.c.kind != "camera")
    if site_ids is not None:
        wanted = wanted.where(SITE_PLACES.c.site_id.in_(site_ids))
    found: dict[str, set[str]] = {}
    for row in connection.execute(wanted):
        found.setdefault(row.site_id, set()).add(row.place_id)
    return {site_id: frozenset(places) for site_id, places in found.items()}


def site_of_camera(connection: Connection, camera_id: str) -> str | None:
    """The site whose newest version has that camera; None when none has."""
    wanted = select(SITE_PLACES.c.site_id).where(
        SITE_PLACES.c.camera_id == camera_id, SITE_PLACES.c.kind == "camera"
    )
    found: str | None = connection.scalar(wanted)
    return found


def cameras_page(
    connection: Connection, *, site_ids: Sequence[str] | None, after_id: str, limit: int
) -> list[tuple[str, str]]:
    """Up to ``limit`` cameras of those sites (None: of all) with a later id, by id, each with its site's."""
    wanted = (
        select(SITE_PLACES.c.camera_id, SITE_PLACES.c.site_id)
        .where(SITE_PLACES.c.kind == "camera", SITE_PLACES.c.camera_id > after_id)
        .order_by(SITE_PLACES.c.camera_id)
        .limit(limit)
    )
    if site_ids is not None:
        wanted = wanted.where(SITE_PLACES.c.site_id.in_(site_ids))
    return [(row.camera_id, row.site_id) for row in connection.execute(wanted)]


def next_number(connection: Connection, site_id: str) -> int:
    """The number of the site's next version."""
    newest = connection.scalar(
        select(func.max(SITE_VERSIONS.c.number)).where(SITE_VERSIONS.c.site_id == site_id)
    )
    return 1 if newest is None else newest + 1


def _site(row: Row[Any]) -> SiteRow:
    return SiteRow(
        id=row.id,
        name=row.name,
        made_at=row.made_at,
        version=row.version,
        draft=row.draft,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        published=row.published,
    )


def _version(row: Row[Any]) -> SiteVersion:
    return SiteVersion(
        site_id=row.site_id,
        number=row.number,
        text=row.text,
        sha256=row.sha256,
        reason=row.reason,
        published_by=row.published_by,
        published_at=row.published_at,
        from_number=row.from_number,
    )
