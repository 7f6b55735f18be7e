"""How long each camera's rules were armed, day by day, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Float, Index, String, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from evidence.records_tables import METADATA

ARMED_DAYS = Table(
    "armed_days",
    METADATA,
    Column("camera_id", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("place_id", String, primary_key=True),
    Column("watched_s", Float, nullable=False),
    Column("off_s", Float, nullable=False),
    Index("ix_armed_days_day", "day"),
)
"""``day`` is the UTC date, YYYY-MM-DD. The row without a place ('') has the camera's watched seconds, and those in which none of
its rules trusted itself; the rows of places have the seconds in which only theirs did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmedSeconds:
    """Seconds of pictures of a camera, and those in which the rules of a place distrusted themselves ('': all of the camera's)."""

    camera_id: str
    place_id: str
    watched_s: float
    off_s: float


def add_seconds(connection: Connection, day: str, found: Iterable[ArmedSeconds]) -> None:
    """The seconds are added to what that day has."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for one in found:
        row = insert(ARMED_DAYS).values(
            camera_id=one.camera_id,
            day=day,
            place_id=one.place_id,
            watched_s=one.watched_s,
            off_s=one.off_s,
        )
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["camera_id", "day", "place_id"],
                set_={
                    "watched_s": ARMED_DAYS.c.watched_s + row.excluded.watched_s,
                    "off_s": ARMED_DAYS.c.off_s + row.excluded.off_s,
                },
            )
        )


def seconds_of(
    connection: Connection, camera_ids: Sequence[str], *, first: str, last: str
) -> list[ArmedSeconds]:
    """The sums of those cameras over those days (both included), by camera and place."""
    wanted = (
        select(
            ARMED_DAYS.c.camera_id,
            ARMED_DAYS.c.place_id,
            func.sum(ARMED_DAYS.c.watched_s).label("watched_s"),
            func.sum(ARMED_DAYS.c.off_s).label("off_s"),
        )
        .where(ARMED_DAYS.c.camera_id.in_(camera_ids), ARMED_DAYS.c.day.between(first, last))
        .group_by(ARMED_DAYS.c.camera_id, ARMED_DAYS.c.place_id)
        .order_by(ARMED_DAYS.c.camera_id, ARMED_DAYS.c.place_id)
    )
    return [
        ArmedSeconds(camera_id=row.camera_id, place_id=row.place_id, watched_s=row.watched_s, off_s=row.off_s)
        for row in connection.execute(wanted)
    ]
