"""Exports say what goes into them: the sealed package, the redacted copy, or both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("exports", sa.Column("contents", sa.String, nullable=False, server_default="original"))
    op.execute("UPDATE exports SET contents = 'with_redacted' WHERE redacted")
    with op.batch_alter_table("exports") as table:
        table.alter_column("contents", server_default=None)
        table.drop_column("redacted")


def downgrade() -> None:
    """The redacted copy alone was unknown: such an export fails, and is ordered anew."""
    op.add_column("exports", sa.Column("redacted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(
        sa.text("UPDATE exports SET redacted = :yes WHERE contents = 'with_redacted'").bindparams(yes=True)
    )
    op.execute(
        "UPDATE exports SET state = 'failed', why = 'order it anew' WHERE contents = 'redacted' AND state <> 'gone'"
    )
    with op.batch_alter_table("exports") as table:
        table.alter_column("redacted", server_default=None)
        table.drop_column("contents")
