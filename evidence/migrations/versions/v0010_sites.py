"""Sites: drafts and versions of their site files, what each has, the register with its signs, armed minutes, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("draft", sa.Text, nullable=True),
        sa.Column("drafted_by", sa.String, nullable=True),
        sa.Column("drafted_at", sa.DateTime, nullable=True),
        sa.Column("published", sa.Integer, nullable=True),
    )
    op.create_table(
        "site_versions",
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("published_by", sa.String, nullable=False),
        sa.Column("published_at", sa.DateTime, nullable=False),
        sa.Column("from_number", sa.Integer, nullable=True),
    )
    op.create_table(
        "site_places",
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
        sa.Column("camera_id", sa.String, primary_key=True),
        sa.Column("place_id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
    )
    op.create_index("ix_site_places_camera", "site_places", ["camera_id"])
    op.create_table(
        "registers",
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("published_on", sa.String, nullable=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("changed_by", sa.String, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_registers_published", "registers", ["published_on", "site_id"])
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("why", sa.Text, nullable=True),
        sa.Column("result", sa.Text, nullable=True),
        sa.Column("ordered_at", sa.DateTime, nullable=False),
        sa.Column("began_at", sa.DateTime, nullable=True),
        sa.Column("ended_at", sa.DateTime, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state", "jobs", ["state", "number"])
    op.create_index("ix_jobs_kind", "jobs", ["kind", "number"])
    op.create_table(
        "armed_days",
        sa.Column("camera_id", sa.String, primary_key=True),
        sa.Column("day", sa.String, primary_key=True),
        sa.Column("place_id", sa.String, primary_key=True),
        sa.Column("watched_s", sa.Float, nullable=False),
        sa.Column("off_s", sa.Float, nullable=False),
    )
    op.create_index("ix_armed_days_day", "armed_days", ["day"])
    op.create_index("ix_cases_captured", "cases", ["captured_at"])
    op.create_table(
        "sign_photos",
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.id", ondelete="RESTRICT"), primary_key=True),
        sa.Column("sign_id", sa.String, primary_key=True),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("put_by", sa.String, nullable=False),
        sa.Column("put_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Site files go: those that are watched lie in the folder of sites as well."""
    op.drop_index("ix_cases_captured", "cases")
    for table in ("jobs", "armed_days", "sign_photos", "registers", "site_places", "site_versions", "sites"):
        op.drop_table(table)
