"""Datasets reviewed blind, decisions that settle such a review, and what workers say of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is named above; no row is rewritten."""
    op.add_column("dataset", sa.Column("blind_since", sa.DateTime(timezone=True)))
    op.add_column("decision", sa.Column("adjudicates", sa.Boolean(), server_default="false", nullable=False))
    now = sa.text("now()")
    op.create_table(
        "worker",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("cores", sa.Integer(), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger()),
        sa.Column("memory_free_bytes", sa.BigInteger()),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
    )


def downgrade() -> None:
    """Forget them; adjudications become decisions like the others."""
    op.drop_table("worker")
    op.drop_column("decision", "adjudicates")
    op.drop_column("dataset", "blind_since")
