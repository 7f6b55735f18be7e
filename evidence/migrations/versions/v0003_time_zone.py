"""The time zone of each case's site; cases recorded before it was kept are told in UTC."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("cases", sa.Column("time_zone", sa.String, nullable=False, server_default="UTC"))


def downgrade() -> None:
    op.drop_column("cases", "time_zone")
