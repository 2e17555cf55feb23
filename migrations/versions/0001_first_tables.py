"""The first tables: accounts, datasets with their samples, runs with their epochs and results, decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, index and constraint."""
    _accounts()
    _datasets()
    _runs()
    _decisions()


def downgrade() -> None:
    """Drop everything (the partitions go with their parents)."""
    for table in ("activity", "decision", "result", "epoch", "run", "sample", "membership", "dataset"):
        op.drop_table(table)
    for table in ("upload", "api_token", "session", "login_code", "account"):
        op.drop_table(table)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _stamp(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text()),
        _stamp("created_at"),
    )
    op.create_table(
        "login_code",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
        ),
        _time("expires_at"),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
        ),
        _stamp("created_at"),
        _time("expires_at"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("name", sa.String(128), nullable=False),
        _stamp("created_at"),
        _time("expires_at", nullable=True),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _stamp("created_at"),
    )
    op.create_table(
        "activity",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("account_id", sa.String(32)),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("detail", JSONB(), nullable=False),
        _stamp("happened_at"),
    )


def _datasets() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("owner_id", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("content_id", sa.String(32), nullable=False),
        sa.Column("parent_id", sa.String(32), sa.ForeignKey("dataset.id")),
        sa.Column("source", JSONB(), nullable=False),
        sa.Column("classes", JSONB(), nullable=False),
        sa.Column("class_counts", JSONB(), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("image_shape", JSONB(), nullable=False),
        sa.Column("has_true_labels", sa.Boolean(), nullable=False),
        sa.Column("report", JSONB(), nullable=False),
        sa.Column("progress", JSONB(), nullable=False),
        sa.Column("error", JSONB()),
        sa.Column("claim_id", sa.String(64)),
        sa.Column("starts", sa.SmallInteger(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        _stamp("created_at"),
        _time("ready_at", nullable=True),
        sa.CheckConstraint("status IN ('importing', 'ready', 'failed', 'cancelled')", name="status_known"),
    )
    op.create_index("dataset_by_owner", "dataset", ["owner_id", "created_at"])
    op.create_table(
        "membership",
        sa.Column(
            "dataset_id", sa.String(32), sa.ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("role", sa.String(16), nullable=False),
    )
    op.create_table(
        "sample",
        sa.Column("dataset_id", sa.String(32), primary_key=True),
        sa.Column("sample_index", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("given_label", sa.Integer(), nullable=False),
        sa.Column("true_label", sa.Integer()),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        postgresql_partition_by="LIST (dataset_id)",
    )


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(32), sa.ForeignKey("dataset.id"), nullable=False),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("recipe", sa.String(64), nullable=False),
        sa.Column("config", JSONB(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("claim_id", sa.String(64)),
        sa.Column("starts", sa.SmallInteger(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("progress", JSONB(), nullable=False),
        sa.Column("outcome", JSONB(), nullable=False),
        sa.Column("error", JSONB()),
        _stamp("created_at"),
        _time("started_at", nullable=True),
        _time("finished_at", nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status_known"
        ),
    )
    op.create_index("run_by_dataset", "run", ["dataset_id", "created_at"])
    op.create_table(
        "epoch",
        sa.Column("run_id", sa.String(32), sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("epoch", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("metrics", JSONB(), nullable=False),
        sa.Column("histogram", JSONB(), nullable=False),
        sa.Column("mixtures", JSONB(), nullable=False),
        sa.Column("trust", JSONB(), nullable=False),
    )
    op.create_table(
        "result",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("sample_index", sa.Integer(), primary_key=True),
        sa.Column("noise_posterior", sa.Double(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("suggested_label", sa.Integer(), nullable=False),
        sa.Column("loss", sa.REAL(), nullable=False),
        sa.Column("margin", sa.REAL(), nullable=False),
        sa.Column("label_quality", sa.REAL(), nullable=False),
        sa.Column("x", sa.REAL(), nullable=False),
        sa.Column("y", sa.REAL(), nullable=False),
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_index("result_by_posterior", "result", ["run_id", "noise_posterior", "sample_index"])


def _decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("dataset_id", sa.String(32), sa.ForeignKey("dataset.id"), nullable=False),
        sa.Column("sample_index", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("label", sa.Integer()),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("run_id", sa.String(32), sa.ForeignKey("run.id")),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        _stamp("decided_at"),
        sa.CheckConstraint(
            "verdict IN ('keep', 'relabel', 'remove', 'unsure', 'cleared')", name="verdict_known"
        ),
        sa.CheckConstraint("(verdict = 'relabel') = (label IS NOT NULL)", name="label_goes_with_relabel"),
    )
    op.create_index("decision_newest", "decision", ["dataset_id", "sample_index", "id"])
    op.create_index(
        "decision_once", "decision", ["dataset_id", "idempotency_key", "sample_index"], unique=True
    )
