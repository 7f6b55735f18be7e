"""Retention: when a case was removed, and the legal holds that forbid it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("cases", sa.Column("removing_at", sa.DateTime, nullable=True))
    op.add_column("cases", sa.Column("removed_at", sa.DateTime, nullable=True))
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "case_number", sa.Integer, sa.ForeignKey("cases.number", ondelete="RESTRICT"), nullable=False
        ),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_by", sa.String, nullable=False),
        sa.Column("placed_at", sa.DateTime, nullable=False),
        sa.Column("lifted_by", sa.String, nullable=True),
        sa.Column("lifted_at", sa.DateTime, nullable=True),
        sa.CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="ck_holds_lifted"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_holds_case", "holds", ["case_number", "id"])
    op.create_index("ix_links_manifest", "links", ["manifest_sha256"])


def downgrade() -> None:
    """Removed cases stay removed: what is left of them would be listed as cases without evidence, so it goes too."""
    op.execute(
        "DELETE FROM reviews WHERE case_number IN (SELECT number FROM cases WHERE removing_at IS NOT NULL)"
    )
    op.drop_index("ix_links_manifest", "links")
    op.drop_table("holds")
    op.execute("DELETE FROM cases WHERE removing_at IS NOT NULL")
    op.drop_column("cases", "removed_at")
    op.drop_column("cases", "removing_at")
