"""How far a run's scores agree on each sample, and decisions in the order in which they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `result.agreement` (unknown for runs that are there already; no row is rewritten) and an index."""
    op.add_column("result", sa.Column("agreement", sa.SmallInteger()))
    op.create_index("decision_in_turn", "decision", ["dataset_id", "id"])


def downgrade() -> None:
    """Forget both."""
    op.drop_index("decision_in_turn", "decision")
    op.drop_column("result", "agreement")
