"""Run the migration steps on the connection that `bridge.store.schema` gives; Alembic executes this file.

Never opens a connection of its own, and never commits: the caller's transaction holds all steps or none.
"""

from __future__ import annotations

from alembic import context

from bridge.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
