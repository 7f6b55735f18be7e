"""Outbox: events to be told; exports that were made; passages as they are searched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"  # there is no 0008
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_at", "outbox", ["at"])
    op.create_table(
        "exports",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("case_ids", sa.Text, nullable=False),
        sa.Column("redacted", sa.Boolean, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("why", sa.Text, nullable=True),
        sa.Column("ordered_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=True),
        sa.Column("sha256", sa.String, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exports_state", "exports", ["state", "number"])
    op.create_index("ix_exports_account", "exports", ["account_id", "number"])


def downgrade() -> None:
    """Who listened asks for everything anew."""
    op.drop_table("exports")
    op.drop_table("outbox")
