"""The tables of webhooks and their deliveries. tables.py has the rules of all tables, and docs/decisions/0048 the
reasons for these."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from leadyard.store.table_parts import DOCUMENT, KEY, KEYS, NUMBER, metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("account_group_id", NUMBER, ForeignKey("account_groups.id"), nullable=False),
    Column("id", KEY, nullable=False),
    Column("url", Text, nullable=False),
    # Empty for all of them.
    Column("types", DOCUMENT, nullable=False),
    Column("audience_ids", KEYS, nullable=False),
    Column("description", Text, nullable=False),
    # A deleted one is visible nowhere. The housekeeping removes its deliveries, and then the row.
    Column("status", Text, nullable=False),
    Column("disabled_reason", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("last_success_at", BigInteger),
    Column("failing_since", BigInteger),
    # Encrypted, each with the time until which it signs.
    Column("secrets", DOCUMENT, nullable=False),
    # The id of the last event of the feed that this webhook is done with. Later events have no rows until then.
    Column("position", KEY, nullable=False),
    # Events that are sent again: their walk through the feed, and the times that the client has named.
    Column("replay_position", KEY),
    Column("replay_until", KEY),
    Column("replay_from", BigInteger),
    Column("replay_to", BigInteger),
    # The time of the next retry, null without one. Nothing is sent before hold_until.
    Column("ready_at", BigInteger),
    Column("hold_until", BigInteger, nullable=False, server_default="0"),
    # As in jobs: the number proves a lease, the time is the moment when others may try.
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("account_group_id", "id"),
    CheckConstraint("status IN ('active', 'paused', 'disabled', 'deleted')", name="status"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("webhook_id", KEY, nullable=False),
    # No foreign key, because a delivery may be read a little longer than its event.
    Column("event_id", KEY, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("attempts", DOCUMENT, nullable=False),
    Column("next_attempt_at", BigInteger),
    PrimaryKeyConstraint("account_group_id", "webhook_id", "event_id"),
    ForeignKeyConstraint(["account_group_id", "webhook_id"], ["webhooks.account_group_id", "webhooks.id"]),
    # The few that are to be retried.
    Index(
        "webhook_deliveries_pending_idx",
        "account_group_id",
        "webhook_id",
        "next_attempt_at",
        postgresql_where=text("status = 'pending'"),
        sqlite_where=text("status = 'pending'"),
    ),
    sqlite_with_rowid=False,
)
