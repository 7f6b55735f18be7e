"""People: accounts, their sessions and tokens, and the audit of what they did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("actor_id", sa.String, nullable=True),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=True),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
    )
    op.create_index("ix_audit_target", "audit", ["target", "number"])
    op.create_index("ix_audit_actor", "audit", ["actor_id", "number"])
    op.create_index("ix_audit_action", "audit", ["action", "number"])


def downgrade() -> None:
    """The audit goes: keep a copy of it first."""
    op.drop_table("audit")
