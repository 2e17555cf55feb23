"""Datasets whose reviewers do not see each other's decisions, and decisions that settle such a review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is named above; no row is rewritten."""
    op.add_column("dataset", sa.Column("blind_since", sa.DateTime(timezone=True)))
    op.add_column("decision", sa.Column("adjudicates", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    """Forget both; adjudications become decisions like the others."""
    op.drop_column("decision", "adjudicates")
    op.drop_column("dataset", "blind_since")
