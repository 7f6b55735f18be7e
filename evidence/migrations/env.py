"""Runs the migrations on the connection that ``evidence.database.migrate`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from evidence.records_tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
