"""The split that each sample came in, and looks at uploads before they become datasets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `sample.split` and `upload.digest` (unknown for what is there already; no row is rewritten) and `preflight`."""
    op.add_column("sample", sa.Column("split", sa.String(16)))
    op.add_column("upload", sa.Column("digest", sa.String(64)))
    op.create_table(
        "preflight",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("source", JSONB, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("report", JSONB, nullable=False),
        sa.Column("progress", JSONB, nullable=False),
        sa.Column("error", JSONB),
        sa.Column("claim_id", sa.String(64)),
        sa.Column("starts", sa.SmallInteger(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('looking', 'ready', 'failed', 'cancelled')", name="status_known"),
    )


def downgrade() -> None:
    """Forget all three."""
    op.drop_table("preflight")
    op.drop_column("upload", "digest")
    op.drop_column("sample", "split")
