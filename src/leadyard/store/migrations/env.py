"""Alembic's entry point: runs the migrations on the connection from store/schema.py."""

from __future__ import annotations

from alembic import context

from leadyard.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a table in place, so Alembic rebuilds it.
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
