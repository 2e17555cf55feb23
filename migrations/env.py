"""Alembic's entry: runs the steps on the connection that `backend.store.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from backend.store.database import is_ours
from backend.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=is_ours,
    # Each step is a transaction: a kill in the middle leaves the last whole step.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
