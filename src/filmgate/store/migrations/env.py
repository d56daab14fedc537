"""Alembic's entry: runs on the connection that ``upgrade`` hands over."""

from alembic import context

from filmgate.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters tables by copying them.
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
