"""Links: the chains that say which packages were made; cases recorded before have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("chain_id", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("manifest_sha256", sa.String, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.UniqueConstraint("chain_id", "kind", "manifest_sha256", name="uq_links_once"),
    )


def downgrade() -> None:
    """The chains' files stay; an upgrade takes the links from them again."""
    op.drop_table("links")
