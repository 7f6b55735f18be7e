"""Passages of vehicles in SQL: taken from the journals of live cameras, searched by an index, gone when their time is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    and_,
    delete,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from evidence.records_tables import METADATA, UtcDateTime

PASSAGES = Table(
    "passages",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("site_id", String, nullable=False),
    Column("camera_id", String, nullable=False),
    Column("gate_id", String, nullable=True),
    Column("direction", String, nullable=True),
    Column("lane", Integer, nullable=True),
    Column("vehicle_class", String, nullable=False),
    Column("plate_text", String, nullable=True),
    Column("plate_confidence", Float, nullable=True),
    Column("passed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("picture_path", String, nullable=True),
    Column("picture_sha256", String, nullable=True),
    Index("ix_passages_time", "passed_at", "number"),
    Index("ix_passages_site", "site_id", "passed_at", "number"),
    Index("ix_passages_camera", "camera_id", "passed_at", "number"),
    Index("ix_passages_plate", "plate_text", "passed_at", "number"),
    Index("ix_passages_expires", "expires_at"),
    sqlite_autoincrement=True,
)
"""``gate_id`` and ``direction`` are NULL where only a plate was read. ``picture_path`` is relative to the data folder."""

PASSAGE_FILES = Table(
    "passage_files",
    METADATA,
    Column("camera_id", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("taken_bytes", BigInteger, nullable=False),
)
"""How much of the journal of a camera's day (UTC, YYYY-MM-DD) has been taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPassage:
    """A vehicle that passed; moments are aware UTC."""

    id: str
    site_id: str
    camera_id: str
    gate_id: str | None
    direction: str | None
    lane: int | None
    vehicle_class: str
    plate_text: str | None
    plate_confidence: float | None
    passed_at: datetime
    expires_at: datetime
    picture_path: str | None
    picture_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageQuery:
    """Which passages are wanted; None means any. ``since`` is included, ``until`` is not. ``plate`` is the whole text.

    ``site_ids`` are the sites of whoever asks, ``now`` is when: what expired before then is as good as gone.
    """

    now: datetime
    site_ids: tuple[str, ...] | None = None
    site_id: str | None = None
    camera_id: str | None = None
    gate_id: str | None = None
    direction: str | None = None
    plate: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagePlace:
    """Before which passage a page goes on."""

    passed_at: datetime
    number: int


def take(
    connection: Connection, camera_id: str, day: str, taken_bytes: int, found: Iterable[StoredPassage]
) -> None:
    """The passages are kept, those that are there already once, and so much of the journal counts as taken."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rows = [{name: getattr(one, name) for name in StoredPassage.__slots__} for one in found]
    if rows:
        connection.execute(insert(PASSAGES).on_conflict_do_nothing(index_elements=["id"]), rows)
    row = insert(PASSAGE_FILES).values(camera_id=camera_id, day=day, taken_bytes=taken_bytes)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["camera_id", "day"], set_={"taken_bytes": row.excluded.taken_bytes}
        )
    )


def taken(connection: Connection, camera_id: str, day: str) -> int:
    """How many bytes of that journal were taken."""
    query = select(PASSAGE_FILES.c.taken_bytes).where(
        PASSAGE_FILES.c.camera_id == camera_id, PASSAGE_FILES.c.day == day
    )
    return int(connection.execute(query).scalar() or 0)


def page(
    connection: Connection, wanted: PassageQuery, before: PassagePlace | None, limit: int
) -> list[tuple[int, StoredPassage]]:
    """Up to ``limit`` passages with their numbers, the latest first. Of several sites each is walked by itself."""
    sites = wanted.site_ids
    if wanted.site_id is not None:
        sites = (wanted.site_id,) if sites is None or wanted.site_id in sites else ()
    if sites is None or wanted.plate is not None or wanted.camera_id is not None:
        rows: Iterable[Row[Any]] = connection.execute(page_query(wanted, sites, before, limit))
    else:
        walks = [connection.execute(page_query(wanted, (site,), before, limit)).all() for site in sites]
        rows = islice(merge(*walks, key=lambda row: (row.passed_at, row.number), reverse=True), limit)
    return [(row.number, _passage(row)) for row in rows]


def page_query(
    wanted: PassageQuery, sites: Sequence[str] | None, before: PassagePlace | None, limit: int
) -> Select[Any]:
    """The statement behind a page: a walk along the index of the plate, the camera, the one site, or time."""
    query = select(PASSAGES).where(PASSAGES.c.expires_at > wanted.now)
    if sites is not None:
        query = query.where(
            PASSAGES.c.site_id == sites[0] if len(sites) == 1 else PASSAGES.c.site_id.in_(sites)
        )
    for column, value in (
        (PASSAGES.c.camera_id, wanted.camera_id),
        (PASSAGES.c.gate_id, wanted.gate_id),
        (PASSAGES.c.direction, wanted.direction),
        (PASSAGES.c.plate_text, wanted.plate),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(PASSAGES.c.passed_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(PASSAGES.c.passed_at < wanted.until)
    if before is not None:
        query = query.where(
            PASSAGES.c.passed_at <= before.passed_at,
            or_(
                PASSAGES.c.passed_at < before.passed_at,
                and_(PASSAGES.c.passed_at == before.passed_at, PASSAGES.c.number < before.number),
            ),
        )
    return query.order_by(PASSAGES.c.passed_at.desc(), PASSAGES.c.number.desc()).limit(limit)


def passage_of(connection: Connection, passage_id: str) -> StoredPassage | None:
    """The passage of that id."""
    row = connection.execute(select(PASSAGES).where(PASSAGES.c.id == passage_id)).one_or_none()
    return None if row is None else _passage(row)


def forget(connection: Connection, now: datetime) -> int:
    """Those whose time is over are gone; how many."""
    return int(connection.execute(delete(PASSAGES).where(PASSAGES.c.expires_at <= now)).rowcount)


def _passage(row: Row[Any]) -> StoredPassage:
    return StoredPassage(**{name: getattr(row, name) for name in StoredPassage.__slots__})
