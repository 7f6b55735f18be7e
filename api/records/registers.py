"""The register in SQL: an entry for each site, and the photos of its signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
    select,
    update,
)

from evidence.records_tables import METADATA, UtcDateTime

REGISTERS = Table(
    "registers",
    METADATA,
    Column("site_id", String, ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("published_on", String, nullable=True),
    Column("document", Text, nullable=False),
    Column("changed_by", String, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_registers_published", "published_on", "site_id"),
)
"""``document`` is the entry as JSON; ``published_on`` (YYYY-MM-DD) stands beside it for finding what the public may see."""

SIGN_PHOTOS = Table(
    "sign_photos",
    METADATA,
    Column("site_id", String, ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
    Column("sign_id", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("put_by", String, nullable=False),
    Column("put_at", UtcDateTime, nullable=False),
)
"""Which picture shows which sign; the pictures lie in the data folder under their SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A site's entry in the register, and what is enforced there; ``document`` is JSON."""

    site_id: str
    version: int
    published_on: date | None
    document: str
    changed_by: str
    changed_at: datetime


def entry(connection: Connection, site_id: str) -> Entry | None:
    """The site's entry; None while it has none."""
    row = connection.execute(select(REGISTERS).where(REGISTERS.c.site_id == site_id)).first()
    return None if row is None else _entry(row)


def entries(connection: Connection, site_ids: Sequence[str]) -> Mapping[str, Entry]:
    """The entries of those sites that have one, by site."""
    rows = connection.execute(select(REGISTERS).where(REGISTERS.c.site_id.in_(site_ids)))
    return {row.site_id: _entry(row) for row in rows}


def put_entry(connection: Connection, made: Entry) -> None:
    """The site's entry is that one; the caller has seen that the version follows the one before."""
    values = {
        "version": made.version,
        "published_on": None if made.published_on is None else made.published_on.isoformat(),
        "document": made.document,
        "changed_by": made.changed_by,
        "changed_at": made.changed_at,
    }
    if made.version == 1:
        connection.execute(REGISTERS.insert().values(site_id=made.site_id, **values))
    else:
        connection.execute(update(REGISTERS).where(REGISTERS.c.site_id == made.site_id).values(values))


def entries_page(
    connection: Connection,
    *,
    after_id: str,
    limit: int,
    site_ids: Sequence[str] | None = None,
    published_by: date | None = None,
) -> list[Entry]:
    """Up to ``limit`` entries with a later site, by site: of those sites, published on that date or before."""
    wanted = select(REGISTERS).where(REGISTERS.c.site_id > after_id)
    if site_ids is not None:
        wanted = wanted.where(REGISTERS.c.site_id.in_(site_ids))
    if published_by is not None:
        wanted = wanted.where(REGISTERS.c.published_on <= published_by.isoformat())
    return [_entry(row) for row in connection.execute(wanted.order_by(REGISTERS.c.site_id).limit(limit))]


def photo_of(connection: Connection, site_id: str, sign_id: str) -> str | None:
    """The SHA-256 of the sign's photo; None while it has none."""
    found: str | None = connection.scalar(
        select(SIGN_PHOTOS.c.sha256).where(SIGN_PHOTOS.c.site_id == site_id, SIGN_PHOTOS.c.sign_id == sign_id)
    )
    return found


def photographed(connection: Connection, site_id: str) -> frozenset[str]:
    """The signs of the site that have a photo."""
    return frozenset(
        connection.scalars(select(SIGN_PHOTOS.c.sign_id).where(SIGN_PHOTOS.c.site_id == site_id))
    )


def put_photo(
    connection: Connection, site_id: str, sign_id: str, sha256: str, *, by: str, at: datetime
) -> None:
    """That picture shows the sign."""
    connection.execute(
        delete(SIGN_PHOTOS).where(SIGN_PHOTOS.c.site_id == site_id, SIGN_PHOTOS.c.sign_id == sign_id)
    )
    connection.execute(
        SIGN_PHOTOS.insert().values(site_id=site_id, sign_id=sign_id, sha256=sha256, put_by=by, put_at=at)
    )


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        site_id=row.site_id,
        version=row.version,
        published_on=None if row.published_on is None else date.fromisoformat(row.published_on),
        document=row.document,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )
