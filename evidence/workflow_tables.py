"""The tables of how a case is decided: they stand beside the cases, since what they say of people goes with their case."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from evidence.records_tables import METADATA, UtcDateTime


def _case_number(*, is_key: bool = False) -> Column[int]:
    key = ForeignKey("cases.number", ondelete="RESTRICT")
    return Column("case_number", Integer, key, primary_key=is_key, autoincrement=False, nullable=False)


STEPS = Table(
    "steps",
    METADATA,
    Column("id", Integer, primary_key=True),
    _case_number(),
    Column("phase", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("account_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("decision", String, nullable=True),
    Column("code", String, nullable=True),
    Column("note", Text, nullable=False),
    Column("plate_text", String, nullable=True),
    Column("at", UtcDateTime, nullable=False),
    Column("seconds", Integer, nullable=True),
    Index("ix_steps_case", "case_number", "id"),
    sqlite_autoincrement=True,
)
"""What people did with a case, in order. ``reviews`` has its decisions once they stand, so that nobody reads one too early."""

PLATE_READINGS = Table(
    "plate_readings",
    METADATA,
    Column("id", Integer, primary_key=True),
    _case_number(),
    Column("phase", String, nullable=False),
    Column("account_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("text", String, nullable=False),
    Column("is_special", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_plate_readings_case", "case_number", "id"),
    sqlite_autoincrement=True,
)
"""Plates as people read them; the case takes one over when it is closed."""

CLAIMS = Table(
    "claims",
    METADATA,
    _case_number(is_key=True),
    Column("number", Integer, nullable=False),
    Column("account_id", String, nullable=True),
    Column("name", String, nullable=True),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_claims_account", "account_id", "case_number"),
)
"""The newest lease of each case that ever had one; without an account where it was given back."""

PLATE_GRAMS = Table(
    "plate_grams",
    METADATA,
    Column("gram", String, primary_key=True),
    _case_number(is_key=True),
    Index("ix_plate_grams_case", "case_number"),
)
"""Every part of one to three characters of each case's plate, for finding a part by an index."""

APPEALS = Table(
    "appeals",
    METADATA,
    Column("number", Integer, primary_key=True),
    _case_number(),
    Column("site_id", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("taken_by", String, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("outcome", String, nullable=True),
    Column("decided_by", String, nullable=True),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("placed_hold", Boolean, nullable=False),
    Index("ix_appeals_case", "case_number", "number"),
    Index("ix_appeals_outcome", "outcome", "number"),
    sqlite_autoincrement=True,
)

SUSPENSIONS = Table(
    "suspensions",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("site_id", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("from_at", UtcDateTime, nullable=False),
    Column("to_at", UtcDateTime, nullable=True),
    Column("reason", Text, nullable=False),
    Column("ordered_by", String, nullable=False),
    Column("ordered_at", UtcDateTime, nullable=False),
    Column("lifted_by", String, nullable=True),
    Column("lifted_at", UtcDateTime, nullable=True),
    Index("ix_suspensions_site", "site_id", "rule", "number"),
    sqlite_autoincrement=True,
)

REVIEW_POLICIES = Table(
    "review_policies",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("site_id", String, nullable=False),
    Column("rule", String, nullable=True),
    Column("from_at", UtcDateTime, nullable=False),
    Column("second_review", Boolean, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Index("ix_review_policies_site", "site_id", "number"),
    sqlite_autoincrement=True,
)
"""From when on which cases of a site need a second review; ``rule`` null: those of every rule without a policy of its own."""
