"""Cases: a finding with its sealed package."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("camera_id", sa.String, nullable=False),
        sa.Column("place_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("t_s", sa.Float, nullable=False),
        sa.Column("captured_at", sa.DateTime, nullable=True),
        sa.Column("vehicle_class", sa.String, nullable=False),
        sa.Column("plate_text", sa.String, nullable=True),
        sa.Column("package", sa.String, nullable=False),
        sa.Column("package_reasons", sa.Text, nullable=False),
        sa.Column("evidence_path", sa.String, nullable=False),
        sa.Column("manifest_path", sa.String, nullable=False),
        sa.Column("manifest_sha256", sa.String, nullable=False),
        sa.Column("event_json", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cases_camera", "cases", ["camera_id", "number"])


def downgrade() -> None:
    op.drop_table("cases")
