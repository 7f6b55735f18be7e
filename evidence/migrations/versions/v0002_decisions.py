"""Decisions: what a person decided about a case, and the queue's index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("cases", sa.Column("decision", sa.String, nullable=False, server_default="open"))
    op.create_index("ix_cases_queue", "cases", ["status", "decision", "number"])
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "case_number", sa.Integer, sa.ForeignKey("cases.number", ondelete="RESTRICT"), nullable=False
        ),
        sa.Column("decision", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("decided_at", sa.DateTime, nullable=False),
        sa.CheckConstraint("(decision = 'rejected') = (code IS NOT NULL)", name="ck_reviews_code"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reviews_case", "reviews", ["case_number", "id"])


def downgrade() -> None:
    """The cases stay; what was decided about them goes, and they are open again."""
    op.drop_table("reviews")
    op.drop_index("ix_cases_queue", "cases")
    op.drop_column("cases", "decision")
