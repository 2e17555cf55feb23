"""Decisions that were carried over from another dataset say from which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was decided until now was decided where it stands."""
    op.add_column("decision", sa.Column("carried_from", sa.String(32)))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("decision", "carried_from")
