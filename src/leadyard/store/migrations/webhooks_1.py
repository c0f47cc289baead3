"""The tables of webhooks in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# Repeated here and not imported from table_parts.py, because a migration must not change when the tables do.
KEYS = sa.JSON().with_variant(postgresql.ARRAY(sa.BigInteger()), "postgresql")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def make_webhooks() -> None:
    """Creates the tables of webhooks and their deliveries."""
    op.create_table(
        "webhooks",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", DOCUMENT, nullable=False),
        sa.Column("audience_ids", KEYS, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("disabled_reason", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_success_at", sa.BigInteger()),
        sa.Column("failing_since", sa.BigInteger()),
        sa.Column("secrets", DOCUMENT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("replay_position", sa.BigInteger()),
        sa.Column("replay_until", sa.BigInteger()),
        sa.Column("replay_from", sa.BigInteger()),
        sa.Column("replay_to", sa.BigInteger()),
        sa.Column("ready_at", sa.BigInteger()),
        sa.Column("hold_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused', 'disabled', 'deleted')", name=op.f("webhooks_status_check")),
        sa.ForeignKeyConstraint(
            ["account_group_id"], ["account_groups.id"], name=op.f("webhooks_account_group_id_account_groups_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("webhooks_pkey")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("attempts", DOCUMENT, nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["account_group_id", "webhook_id"],
            ["webhooks.account_group_id", "webhooks.id"],
            name=op.f("webhook_deliveries_account_group_id_webhooks_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "webhook_id", "event_id", name=op.f("webhook_deliveries_pkey")),
        sqlite_with_rowid=False,
    )
    is_pending = sa.text("status = 'pending'")
    op.create_index(
        "webhook_deliveries_pending_idx",
        "webhook_deliveries",
        ["account_group_id", "webhook_id", "next_attempt_at"],
        postgresql_where=is_pending,
        sqlite_where=is_pending,
    )
