"""The tables of the records, as the newest migration leaves them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from evidence.records import Decision, Stage


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment to the microsecond. A naive one is refused: nobody could say when it was."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a recorded moment must be aware")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


METADATA = MetaData()

CASES = Table(
    "cases",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("rule", String, nullable=False),
    Column("site_id", String, nullable=False),
    Column("camera_id", String, nullable=False),
    Column("place_id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("t_s", Float, nullable=False),
    Column("captured_at", UtcDateTime, nullable=True),
    Column("vehicle_class", String, nullable=False),
    Column("plate_text", String, nullable=True),
    Column("package", String, nullable=False),
    Column("package_reasons", Text, nullable=False),
    Column("evidence_path", String, nullable=False),
    Column("manifest_path", String, nullable=False),
    Column("manifest_sha256", String, nullable=False),
    Column("event_json", Text, nullable=False),
    Column("decision", String, nullable=False, server_default=Decision.OPEN.value),
    Column("time_zone", String, nullable=False, server_default="UTC"),
    Column("removing_at", UtcDateTime, nullable=True),
    Column("removed_at", UtcDateTime, nullable=True),
    Column("stage", String, nullable=False, server_default=Stage.REVIEW.value),
    Column("phase", String, nullable=False, server_default=Stage.REVIEW.value),
    Column("stage_before", String, nullable=True),
    Column("suspension_number", Integer, nullable=True),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("recorded_at", UtcDateTime, nullable=True),
    Column("due_from", UtcDateTime, nullable=True),
    Column("plate_ocr", String, nullable=True),
    # Walks of the queue (api/records/queue.py): what a filter asks for, the number, and what it may ask for besides.
    Index("ix_cases_queue", "status", "decision", "rule", "number", "stage", "package"),
    Index("ix_cases_status", "status", "number", "stage"),
    Index("ix_cases_stage", "status", "stage", "number", "rule", "decision", "package"),
    Index("ix_cases_package", "status", "package", "number", "stage"),
    Index("ix_cases_site", "site_id", "status", "number", "decision", "rule", "stage", "package"),
    Index("ix_cases_camera", "camera_id", "number"),
    Index("ix_cases_due", "due_from", "number"),
    Index("ix_cases_suspension", "suspension_number"),
    Index("ix_cases_captured", "captured_at"),
    sqlite_autoincrement=True,
)

REVIEWS = Table(
    "reviews",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("case_number", Integer, ForeignKey("cases.number", ondelete="RESTRICT"), nullable=False),
    Column("decision", String, nullable=False),
    Column("code", String, nullable=True),
    Column("note", Text, nullable=False),
    Column("reviewer", String, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    CheckConstraint("(decision = 'rejected') = (code IS NOT NULL)", name="ck_reviews_code"),
    Index("ix_reviews_case", "case_number", "id"),
    sqlite_autoincrement=True,
)

HOLDS = Table(
    "holds",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("case_number", Integer, ForeignKey("cases.number", ondelete="RESTRICT"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", String, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("lifted_by", String, nullable=True),
    Column("lifted_at", UtcDateTime, nullable=True),
    CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="ck_holds_lifted"),
    Index("ix_holds_case", "case_number", "id"),
    sqlite_autoincrement=True,
)
"""Legal holds; one that is not lifted keeps its case."""

LINKS = Table(
    "links",
    METADATA,
    Column("chain_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("manifest_sha256", String, nullable=False),
    Column("line", Text, nullable=False),
    UniqueConstraint("chain_id", "kind", "manifest_sha256", name="uq_links_once"),
    Index("ix_links_manifest", "manifest_sha256"),
)
"""``line`` is the link as signed; the other columns are for finding it."""
