"""Workflow: claims, second reviews, opinions, appeals, and rules that are suspended."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

INDICES = {
    "ix_cases_stage": ["stage", "number"],
    "ix_cases_stage_status": ["stage", "status", "number"],
    "ix_cases_site_stage": ["site_id", "stage", "number"],
    "ix_cases_site": ["site_id", "number"],
    "ix_cases_rule": ["rule", "number"],
    "ix_cases_status": ["status", "number"],
    "ix_cases_decision": ["decision", "number"],
    "ix_cases_package": ["package", "number"],
    "ix_cases_due": ["due_from", "number"],
    "ix_cases_suspension": ["suspension_number"],
}


def upgrade() -> None:
    op.add_column("cases", sa.Column("stage", sa.String, nullable=False, server_default="review"))
    op.add_column("cases", sa.Column("phase", sa.String, nullable=False, server_default="review"))
    op.add_column("cases", sa.Column("stage_before", sa.String, nullable=True))
    op.add_column("cases", sa.Column("suspension_number", sa.Integer, nullable=True))
    op.add_column("cases", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.add_column("cases", sa.Column("recorded_at", sa.DateTime, nullable=True))
    op.add_column("cases", sa.Column("due_from", sa.DateTime, nullable=True))
    op.add_column("cases", sa.Column("plate_ocr", sa.String, nullable=True))
    for name, columns in INDICES.items():
        op.create_index(name, "cases", columns)
    _steps()
    _claims()
    _supervision()
    _idempotency()
    _fill()


def downgrade() -> None:
    """What was decided stays; void cases become rejected ones, and work that is not finished begins anew."""
    op.execute("UPDATE cases SET decision = 'rejected' WHERE decision = 'void'")
    op.execute("UPDATE reviews SET decision = 'rejected', code = 'other' WHERE decision = 'void'")
    for table in (
        "idempotency",
        "review_policies",
        "suspensions",
        "appeals",
        "plate_grams",
        "claims",
        "plate_readings",
        "steps",
    ):
        op.drop_table(table)
    for name in INDICES:
        op.drop_index(name, "cases")
    for column in (
        "plate_ocr",
        "due_from",
        "recorded_at",
        "version",
        "suspension_number",
        "stage_before",
        "phase",
        "stage",
    ):
        op.drop_column("cases", column)


def _case_number(*, is_key: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("cases.number", ondelete="RESTRICT")
    return sa.Column("case_number", sa.Integer, key, primary_key=is_key, autoincrement=False, nullable=False)


def _steps() -> None:
    op.create_table(
        "steps",
        sa.Column("id", sa.Integer, primary_key=True),
        _case_number(),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("decision", sa.String, nullable=True),
        sa.Column("code", sa.String, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("plate_text", sa.String, nullable=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("seconds", sa.Integer, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_steps_case", "steps", ["case_number", "id"])
    op.create_table(
        "plate_readings",
        sa.Column("id", sa.Integer, primary_key=True),
        _case_number(),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("is_special", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_plate_readings_case", "plate_readings", ["case_number", "id"])
    op.create_table(
        "plate_grams",
        sa.Column("gram", sa.String, primary_key=True),
        _case_number(is_key=True),
    )
    op.create_index("ix_plate_grams_case", "plate_grams", ["case_number"])


def _claims() -> None:
    op.create_table(
        "claims",
        _case_number(is_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("account_id", sa.String, nullable=True),
        sa.Column("name", sa.String, nullable=True),
        sa.Column("claimed_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_claims_account", "claims", ["account_id", "case_number"])


def _supervision() -> None:
    op.create_table(
        "appeals",
        sa.Column("number", sa.Integer, primary_key=True),
        _case_number(),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("taken_by", sa.String, nullable=False),
        sa.Column("taken_at", sa.DateTime, nullable=False),
        sa.Column("outcome", sa.String, nullable=True),
        sa.Column("decided_by", sa.String, nullable=True),
        sa.Column("decided_at", sa.DateTime, nullable=True),
        sa.Column("placed_hold", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_appeals_case", "appeals", ["case_number", "number"])
    op.create_index("ix_appeals_outcome", "appeals", ["outcome", "number"])
    op.create_table(
        "suspensions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("from_at", sa.DateTime, nullable=False),
        sa.Column("to_at", sa.DateTime, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ordered_by", sa.String, nullable=False),
        sa.Column("ordered_at", sa.DateTime, nullable=False),
        sa.Column("lifted_by", sa.String, nullable=True),
        sa.Column("lifted_at", sa.DateTime, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_suspensions_site", "suspensions", ["site_id", "rule", "number"])
    op.create_table(
        "review_policies",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=True),
        sa.Column("from_at", sa.DateTime, nullable=False),
        sa.Column("second_review", sa.Boolean, nullable=False),
        sa.Column("set_by", sa.String, nullable=False),
        sa.Column("set_at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_review_policies_site", "review_policies", ["site_id", "number"])


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("route", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("body_sha256", sa.String, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])


def _fill() -> None:
    """Decided cases are closed; the others' clocks began when they were recorded; all are found by their plates."""
    op.execute("UPDATE cases SET stage = 'closed', phase = 'closed' WHERE decision <> 'open'")
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT c.number, c.status, c.decision, c.plate_text,"
            " (SELECT min(l.line) FROM links l WHERE l.manifest_sha256 = c.manifest_sha256 AND l.kind = 'case')"
            " FROM cases c ORDER BY c.number"
        )
    ).all()
    cases = sa.table(
        "cases",
        sa.column("number"),
        sa.column("recorded_at", sa.DateTime),
        sa.column("due_from", sa.DateTime),
    )
    grams = sa.table("plate_grams", sa.column("gram"), sa.column("case_number"))
    for number, status, decision, plate, line in found:
        if line is not None:
            at = datetime.fromisoformat(json.loads(line)["at"]).astimezone(UTC).replace(tzinfo=None)
            is_due = decision == "open" and status != "exempt"
            connection.execute(
                sa.update(cases)
                .where(cases.c.number == number)
                .values(recorded_at=at, due_from=at if is_due else None)
            )
        text = plate or ""
        parts = {text[at : at + n] for n in (1, 2, 3) for at in range(len(text) - n + 1)}
        if parts:
            connection.execute(
                sa.insert(grams), [{"gram": part, "case_number": number} for part in sorted(parts)]
            )
