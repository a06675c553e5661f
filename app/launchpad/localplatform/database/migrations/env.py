"""Alembic's entry: runs on the connection that the platform hands it."""

from __future__ import annotations

from alembic import context

from launchpad.localplatform.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
