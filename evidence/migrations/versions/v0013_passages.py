"""Passages, as they are searched, and how much of each journal was taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "passages",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("camera_id", sa.String, nullable=False),
        sa.Column("gate_id", sa.String, nullable=True),
        sa.Column("direction", sa.String, nullable=True),
        sa.Column("lane", sa.Integer, nullable=True),
        sa.Column("vehicle_class", sa.String, nullable=False),
        sa.Column("plate_text", sa.String, nullable=True),
        sa.Column("plate_confidence", sa.Float, nullable=True),
        sa.Column("passed_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("picture_path", sa.String, nullable=True),
        sa.Column("picture_sha256", sa.String, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passages_time", "passages", ["passed_at", "number"])
    for column in ("site_id", "camera_id", "plate_text"):
        name = column.removesuffix("_id").removesuffix("_text")
        op.create_index(f"ix_passages_{name}", "passages", [column, "passed_at", "number"])
    op.create_index("ix_passages_expires", "passages", ["expires_at"])
    op.create_table(
        "passage_files",
        sa.Column("camera_id", sa.String, primary_key=True),
        sa.Column("day", sa.String, primary_key=True),
        sa.Column("taken_bytes", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """The journals of live cameras still have them: they are taken anew."""
    op.drop_table("passage_files")
    op.drop_table("passages")
