"""The tables of the events in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def make_events() -> None:
    """Creates the tables of the events."""
    op.create_table(
        "event_outbox",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("source_audience_id", sa.BigInteger()),
        sa.Column("target_audience_id", sa.BigInteger()),
        sa.Column("source_count", sa.BigInteger()),
        sa.Column("target_count", sa.BigInteger()),
        sa.Column("change_id", sa.BigInteger()),
        sa.Column("first_lead", sa.BigInteger()),
        sa.Column("data", sa.JSON()),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("event_outbox_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("source_audience_id", sa.BigInteger()),
        sa.Column("target_audience_id", sa.BigInteger()),
        sa.Column("change_id", sa.BigInteger()),
        sa.Column("first_lead", sa.BigInteger()),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("events_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_feeds",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("removed_through", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", name=op.f("event_feeds_pkey")),
        sqlite_with_rowid=False,
    )
