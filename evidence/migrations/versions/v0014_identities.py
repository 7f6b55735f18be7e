"""Accounts may be linked to somebody at an identity provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column(
            "account_id", sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("issuer", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
    )


def downgrade() -> None:
    """Who is whom is forgotten: accounts have to be linked anew."""
    op.drop_table("identities")
