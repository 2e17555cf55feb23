"""Roles that the database knows, sessions that can be told apart, tokens with a scope, an activity log that stays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is named above. Accounts of a role that is none any more may work on what is theirs: editors."""
    op.execute(
        "UPDATE account SET role = 'editor' WHERE role NOT IN ('admin', 'editor', 'reviewer', 'viewer')"
    )
    op.execute(
        "UPDATE membership SET role = 'viewer' WHERE role NOT IN ('owner', 'editor', 'reviewer', 'viewer')"
    )
    op.create_check_constraint(
        "role_known", "account", _one_of("role", "admin", "editor", "reviewer", "viewer")
    )
    op.create_check_constraint(
        "role_known", "membership", _one_of("role", "owner", "editor", "reviewer", "viewer")
    )
    op.create_index("membership_by_account", "membership", ["account_id"])
    op.add_column("account", sa.Column("disabled_at", sa.DateTime(timezone=True)))
    fresh = sa.text("replace((gen_random_uuid())::text, '-'::text, ''::text)")
    now = sa.text("now()")
    op.add_column("session", sa.Column("id", sa.String(32), server_default=fresh, nullable=False))
    op.create_unique_constraint("session_id_key", "session", ["id"])
    op.add_column("session", sa.Column("browser", sa.String(200), server_default="", nullable=False))
    op.add_column("session", sa.Column("by_code", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "session", sa.Column("seen_at", sa.DateTime(timezone=True), server_default=now, nullable=False)
    )
    op.add_column("api_token", sa.Column("scope", sa.String(8), server_default="full", nullable=False))
    op.create_check_constraint("scope_known", "api_token", _one_of("scope", "full", "decide", "read"))
    op.add_column("api_token", sa.Column("seen_at", sa.DateTime(timezone=True)))
    op.create_index("activity_by_subject", "activity", ["subject", "id"])
    op.execute(
        "CREATE OR REPLACE FUNCTION activity_stays() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'activity is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER activity_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON activity"
        " FOR EACH STATEMENT EXECUTE FUNCTION activity_stays()"
    )


def downgrade() -> None:
    """Forget it."""
    op.execute("DROP TRIGGER activity_stays ON activity")
    op.execute("DROP FUNCTION activity_stays()")
    op.drop_index("activity_by_subject", "activity")
    op.drop_constraint("scope_known", "api_token")
    for column in ("scope", "seen_at"):
        op.drop_column("api_token", column)
    for column in ("id", "browser", "by_code", "seen_at"):
        op.drop_column("session", column)
    op.drop_column("account", "disabled_at")
    op.drop_index("membership_by_account", "membership")
    op.drop_constraint("role_known", "membership")
    op.drop_constraint("role_known", "account")


def _one_of(column: str, *values: str) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"
